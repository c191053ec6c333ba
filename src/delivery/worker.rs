//! Workers: each leases a lane, works through what is due on it in order, and gives it back.
//!
//! Around each request stand two short transactions. The one before it decides again and marks the item as *sending*:
//! after a revocation has committed, no send begins. The one after it settles. A worker that dies in between leaves the
//! item *sending*; whoever leases the lane next searches before anything is sent again. What a request needs (a token,
//! the EHR's capabilities) is asked for before the decision, never between the decision and the request.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::ehr::{Created, EhrClient, Found, Ticket};
use super::settle::{SettleError, Verdict, settle};
use crate::consent::decide::{DenyReason, decide};
use crate::domain::clock::Clock;
use crate::domain::delivery::{Delivery, DeliveryState};
use crate::domain::grant::{Grant, Purpose};
use crate::domain::ids::{ClinicId, DeliveryId};
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
        let mut step = Step::default();
        for _ in 0..ITEMS_PER_LEASE {
            match self.turn(lane, step).await? {
                Some(next) => step = next,
                None => return Ok(()),
            }
        }
        let now = self.clock.now();
        let (mut tx, _) = self.begin_turn(lane, step.known, now).await?;
        self.give_back(tx.release_lane(lane).await, tx).await
    }

    /// Settles what is known of the previous item and deals with the next one. `None`: the lane was given back.
    async fn turn(&self, lane: &Lane, Step { known, ticket, renewed }: Step) -> Result<Option<Step>, WorkError> {
        let now = self.clock.now();
        let (mut tx, grants) = self.begin_turn(lane, known, now).await?;
        let head = tx.lane_head(&lane.key).await?.filter(|(_, due_at)| *due_at <= now);
        let Some((item, _)) = head else {
            self.give_back(tx.release_lane(lane).await, tx).await?;
            return Ok(None);
        };
        let Some(ehr) = self.ehrs.get(&item.clinic) else {
            tx.commit().await?;
            return Ok(Some(Step::known(item, Verdict::NotTried("clinic-not-configured"))));
        };
        let ticket = ticket.or_else(|| ehr.ready(now));
        if matches!(item.state, DeliveryState::Sending | DeliveryState::Unknown) {
            tx.commit().await?;
            let found = search(ehr, &item, ticket, now).await;
            return Ok(Some(Step::known(item, Verdict::Searched(found))));
        }
        let permit = match decide(&grants, &item, &item.clinic, Purpose::Treatment, now) {
            Ok(permit) => permit,
            Err(denied) if denied.foremost() == DenyReason::Paused => {
                self.give_back(tx.park_lane(lane, end_of_pause(&grants, &item)).await, tx).await?;
                return Ok(None);
            }
            Err(denied) => {
                tx.commit().await?;
                return Ok(Some(Step::known(item, Verdict::Withdrawn(denied.foremost().as_str()))));
            }
        };
        let Some(ticket) = ticket else {
            tx.commit().await?;
            return Ok(Some(prepare(ehr, item, renewed, now).await));
        };
        let Some(body) = self.open(&mut tx, &item).await? else {
            tx.commit().await?;
            return Ok(Some(Step::known(item, Verdict::Stuck("content-does-not-open"))));
        };
        tx.mark_sending(&item, now).await?;
        tx.commit().await?;
        crash_point("deliver:marked-sending");
        let created = match ehr.create(&permit, body, &ticket).await {
            // It goes once more with another token, and not again at once.
            Created::TokenSpent if renewed == Some(item.id) => {
                Created::NotStored { reason: "token-spent".to_owned(), retry_after: None }
            }
            created => created,
        };
        crash_point("deliver:answered");
        let renewed = (created == Created::TokenSpent).then_some(item.id);
        Ok(Some(Step { renewed, ..Step::known(item, Verdict::Sent(created)) }))
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

/// What one turn hands to the next.
#[derive(Default)]
struct Step {
    known: Option<Known>,
    ticket: Option<Ticket>,
    /// The item whose token was refused just now.
    renewed: Option<DeliveryId>,
}

impl Step {
    fn known(item: Delivery, verdict: Verdict) -> Self {
        Self { known: Some(Known(item, verdict)), ..Self::default() }
    }
}

/// Asks for what is needed to send an item, outside of any transaction. The next turn decides again: asking may take as
/// long as a revocation.
async fn prepare(ehr: &EhrClient, item: Delivery, renewed: Option<DeliveryId>, now: Timestamp) -> Step {
    match ehr.prepare(now).await {
        Ok(ticket) => Step { ticket: Some(ticket), renewed, ..Step::default() },
        Err(error) => {
            let (reason, retry_after) = (error.code().to_owned(), error.retry_after());
            Step::known(item, Verdict::Sent(Created::NotStored { reason, retry_after }))
        }
    }
}

/// Searches for an item whose fate is unknown. Without a token it stays unknown.
async fn search(ehr: &EhrClient, item: &Delivery, ticket: Option<Ticket>, now: Timestamp) -> Found {
    let ticket = match ticket {
        Some(ticket) => ticket,
        None => match ehr.prepare(now).await {
            Ok(ticket) => ticket,
            Err(error) => {
                return Found::Undecided { reason: error.code().to_owned(), retry_after: error.retry_after() };
            }
        },
    };
    ehr.find(&item.resource_type, &item.identifier, &ticket).await
}
