//! Workers: each leases a lane, works through what is due on it in order, and gives it back.
//!
//! Around each request stand two short transactions. The one before it decides again and marks the item as *sending*:
//! after a revocation has committed, no send begins. The one after it settles. A worker that dies in between leaves the
//! item *sending*; whoever leases the lane next searches before anything is sent again.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::ehr::EhrClient;
use super::settle::{SettleError, Verdict, settle};
use crate::consent::decide::{DenyReason, decide};
use crate::domain::clock::Clock;
use crate::domain::delivery::{Delivery, DeliveryState};
use crate::domain::grant::{Grant, Purpose};
use crate::domain::ids::ClinicId;
use crate::outbox::enqueue::PAYLOAD_COLUMN;
use crate::store::{Lane, Store, StoreError, Tx};
use crate::telemetry::crash_point;
use crate::vault::Keyring;

/// How many items are worked on before a lane is given back, so that other lanes get their turn.
const ITEMS_PER_LEASE: usize = 50;

/// Works on lanes. Cheap to clone: each clone is one more worker.
#[derive(Clone, Debug)]
pub struct Worker {
    store: Store,
    keyring: Keyring,
    clock: Clock,
    ehrs: Arc<HashMap<ClinicId, EhrClient>>,
    lease: SignedDuration,
}

/// Work on a lane ended early; what was under way is found again by the next lease.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The store failed, or the lease was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A verdict could not be written.
    #[error(transparent)]
    Settle(#[from] SettleError),
}

impl Worker {
    /// A worker for these clinics. `lease` is how long it may have a lane without a sign of life: longer than the
    /// longest request together with the transactions around it.
    #[must_use]
    pub const fn new(
        store: Store,
        keyring: Keyring,
        clock: Clock,
        ehrs: Arc<HashMap<ClinicId, EhrClient>>,
        lease: SignedDuration,
    ) -> Self {
        Self { store, keyring, clock, ehrs, lease }
    }

    /// Leases one lane that is due and works on it. Returns whether there was one.
    ///
    /// # Errors
    /// [`WorkError`]; the lane is due again when its lease runs out.
    pub async fn run_once(&self) -> Result<bool, WorkError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let lane = tx.lease_lanes(now, self.lease_end(now), 1).await?.pop();
        tx.commit().await?;
        let Some(lane) = lane else { return Ok(false) };
        crash_point("deliver:leased");
        self.work(&lane).await?;
        Ok(true)
    }

    /// Works until nothing is due any more.
    ///
    /// # Errors
    /// [`WorkError`] of the first lane that failed.
    pub async fn drain(&self) -> Result<(), WorkError> {
        while self.run_once().await? {}
        Ok(())
    }

    /// Works through a lane until nothing is due on it, and gives it back.
    async fn work(&self, lane: &Lane) -> Result<(), WorkError> {
        let mut known = None;
        for _ in 0..ITEMS_PER_LEASE {
            known = self.turn(lane, known).await?;
            if known.is_none() {
                return Ok(());
            }
        }
        let now = self.clock.now();
        let (mut tx, _) = self.begin_turn(lane, known, now).await?;
        self.give_back(tx.release_lane(lane).await, tx).await
    }

    /// Settles what is known of the previous item and deals with the next one. `None`: the lane was given back.
    async fn turn(&self, lane: &Lane, known: Option<Known>) -> Result<Option<Known>, WorkError> {
        let now = self.clock.now();
        let (mut tx, grants) = self.begin_turn(lane, known, now).await?;
        let head = tx.lane_head(&lane.key).await?.filter(|(_, due_at)| *due_at <= now);
        let Some((item, _)) = head else {
            self.give_back(tx.release_lane(lane).await, tx).await?;
            return Ok(None);
        };
        let Some(ehr) = self.ehrs.get(&item.clinic) else {
            tx.commit().await?;
            return Ok(Some(Known(item, Verdict::NotTried("clinic-not-configured"))));
        };
        if matches!(item.state, DeliveryState::Sending | DeliveryState::Unknown) {
            tx.commit().await?;
            let found = ehr.find(&item.resource_type, &item.identifier).await;
            return Ok(Some(Known(item, Verdict::Searched(found))));
        }
        let permit = match decide(&grants, &item, &item.clinic, Purpose::Treatment, now) {
            Ok(permit) => permit,
            Err(denied) if denied.foremost() == DenyReason::Paused => {
                self.give_back(tx.park_lane(lane, end_of_pause(&grants, &item)).await, tx).await?;
                return Ok(None);
            }
            Err(denied) => {
                tx.commit().await?;
                return Ok(Some(Known(item, Verdict::Withdrawn(denied.foremost().as_str()))));
            }
        };
        let Some(body) = self.open(&mut tx, &item).await? else {
            tx.commit().await?;
            return Ok(Some(Known(item, Verdict::Stuck("content-does-not-open"))));
        };
        tx.mark_sending(&item, now).await?;
        tx.commit().await?;
        crash_point("deliver:marked-sending");
        let created = ehr.create(&permit, body, now).await;
        crash_point("deliver:answered");
        Ok(Some(Known(item, Verdict::Sent(created))))
    }

    /// Begins a transaction that holds the member's grants and the lane's lease, and settles the previous item in it.
    async fn begin_turn(
        &self,
        lane: &Lane,
        known: Option<Known>,
        now: Timestamp,
    ) -> Result<(Tx, Vec<Grant>), WorkError> {
        let mut tx = self.store.begin().await?;
        // The grants before the lane: a revocation locks them in this order, and so must everyone.
        let grants = tx.living_grants(&[lane.key.member]).await?;
        tx.prolong_lease(lane, now, self.lease_end(now)).await?;
        if let Some(Known(item, verdict)) = known {
            let state = settle(&mut tx, &item, &verdict, self.keyring.entropy(), now).await?;
            crash_point("deliver:before-settled");
            tracing::info!(delivery_id = %item.id, clinic_id = %item.clinic, state = state.as_str(), "settled");
        }
        Ok((tx, grants))
    }

    fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.lease).unwrap_or(Timestamp::MAX)
    }

    async fn give_back(&self, released: Result<(), StoreError>, tx: Tx) -> Result<(), WorkError> {
        released?;
        tx.commit().await?;
        crash_point("deliver:settled");
        Ok(())
    }

    /// The content of an item, unless it was erased or does not open.
    async fn open(&self, tx: &mut Tx, item: &Delivery) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(sealed) = &item.sealed_payload else { return Ok(None) };
        let Some(wrapped) = tx.member_key(item.member).await? else { return Ok(None) };
        let opened = self
            .keyring
            .unwrap_member_key(item.member, &wrapped)
            .and_then(|key| key.open(PAYLOAD_COLUMN, item.id.0.as_bytes(), sealed));
        Ok(opened.ok())
    }
}

/// When a pause ends by itself at the latest: then the consent has expired, and what waits is withdrawn.
fn end_of_pause(grants: &[Grant], item: &Delivery) -> Timestamp {
    let ends = grants.iter().filter(|grant| grant.clinic == item.clinic).map(|grant| grant.terms.valid_until);
    ends.min().unwrap_or(Timestamp::MAX)
}

/// An item and what is known of its fate, not yet settled.
struct Known(Delivery, Verdict);
