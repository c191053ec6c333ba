//! Workers: each leases a lane, works through what is due on it in order, and gives it back.
//!
//! Around each request stand two short transactions. The one before it decides again and marks the item as *sending*:
//! after a revocation has committed, no send begins. The one after it settles. A worker that dies in between leaves the
//! item *sending*; whoever leases the lane next searches before anything is sent again.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::ehr::{Created, EhrClient, Found, Ticket};
use super::settle::{Rules, SettleError, TOKEN_SPENT, Verdict, settle};
use super::smart_auth::TokenError;
use crate::consent::decide::{DenyReason, Permit, decide};
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

/// How many items are settled without a request in one transaction.
const SETTLED_PER_TRANSACTION: usize = 100;

/// Works on lanes. Cheap to clone: each clone is one more worker.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The database.
    pub store: Store,
    /// The keys.
    pub keyring: Keyring,
    /// The time.
    pub clock: Clock,
    /// The clinics' EHRs.
    pub ehrs: Arc<HashMap<ClinicId, EhrClient>>,
    /// How long things may take.
    pub patience: Patience,
    /// Becomes true when the process is told to stop: the item under way is the last.
    pub stopping: watch::Receiver<bool>,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a worker may have a lane without a sign of life.
    pub lease: SignedDuration,
    /// The longest request.
    pub timeout: SignedDuration,
    /// How long an EHR may still be storing what it did not answer to.
    pub doubt: SignedDuration,
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
        let ehr = self.ehrs.get(&lane.key.clinic);
        let (mut known, mut asked) = (None, None);
        for _ in 0..ITEMS_PER_LEASE {
            if *self.stopping.borrow() {
                break;
            }
            let at_hand = |ehr: &EhrClient| ehr.ready(self.clock.now()).map(Ok);
            let ready = ehr.map(|ehr| Ready { ehr, ticket: asked.take().or_else(|| at_hand(ehr)) });
            match (self.turn(lane, ready.as_ref(), known.take()).await?, ehr) {
                (Turned::Known(next), _) => known = Some(*next),
                // Asked outside of any transaction; the next turn decides anew, and then nothing stands between the
                // decision and the send.
                (Turned::Unprepared, Some(ehr)) => asked = Some(ehr.prepare(self.clock.now()).await),
                (Turned::GaveBack | Turned::Unprepared, _) => return Ok(()),
            }
        }
        let mut turn = self.begin_turn(lane, known).await?;
        turn.tx.yield_lane(lane, turn.now).await?;
        Ok(commit(turn.tx).await?)
    }

    /// Settles what is known of the previous item and deals with the next one.
    async fn turn(&self, lane: &Lane, ready: Option<&Ready<'_>>, known: Option<Known>) -> Result<Turned, WorkError> {
        let mut turn = self.begin_turn(lane, known).await?;
        for _ in 0..SETTLED_PER_TRANSACTION {
            let head = turn.tx.lane_head(&lane.key).await?.filter(|(_, due_at)| *due_at <= turn.now);
            let Some((item, _)) = head else {
                turn.tx.release_lane(lane).await?;
                commit(turn.tx).await?;
                return Ok(Turned::GaveBack);
            };
            let verdict = match self.weigh(&turn, ready, &item) {
                Step::Settle(verdict) => verdict,
                Step::Park(until) => {
                    turn.tx.park_lane(lane, until).await?;
                    commit(turn.tx).await?;
                    return Ok(Turned::GaveBack);
                }
                Step::Prepare => {
                    turn.tx.commit().await?;
                    return Ok(Turned::Unprepared);
                }
                Step::Search(ehr, ticket) => {
                    turn.tx.commit().await?;
                    let found = ehr.find(&item.resource_type, &item.identifier, ticket).await;
                    let known = Known { from: item.state, item, verdict: Verdict::Searched(found) };
                    return Ok(Turned::Known(Box::new(known)));
                }
                Step::Send(ehr, ticket, permit, body) => {
                    turn.tx.mark_sending(&item, turn.now).await?;
                    turn.tx.commit().await?;
                    crash_point("deliver:marked-sending");
                    let verdict = self.send(ehr, ticket, &permit, body, turn.lease_end).await;
                    crash_point("deliver:answered");
                    let known = Known { from: DeliveryState::Sending, item, verdict };
                    return Ok(Turned::Known(Box::new(known)));
                }
            };
            settle(&mut turn.tx, &item, item.state, &verdict, self.rules(), turn.now).await?;
        }
        turn.tx.yield_lane(lane, turn.now).await?;
        commit(turn.tx).await?;
        Ok(Turned::GaveBack)
    }

    /// Begins a transaction that holds the member's consent and the lane's lease, and settles the previous item in it.
    async fn begin_turn(&self, lane: &Lane, known: Option<Known>) -> Result<Turn, WorkError> {
        let mut tx = self.store.begin().await?;
        // The member before the lane: whoever changes consent takes them in this order, and so must everyone.
        let wrapped_key = tx.hold_members(&[lane.key.member]).await?.remove(&lane.key.member);
        let grants = tx.living_grants(&[lane.key.member]).await?;
        // The time only now: waiting for the locks may have taken some of it.
        let now = self.clock.now();
        let lease_end = self.lease_end(now);
        tx.prolong_lease(lane, now, lease_end).await?;
        if let Some(Known { item, from, verdict }) = known {
            let state = settle(&mut tx, &item, from, &verdict, self.rules(), now).await?;
            crash_point("deliver:before-settled");
            tracing::info!(delivery_id = %item.id, clinic_id = %item.clinic, state = state.as_str(), "settled");
        }
        Ok(Turn { tx, grants, wrapped_key, now, lease_end })
    }

    /// What is to be done with an item, now that nobody can change the consent it stands under.
    fn weigh<'a>(&self, turn: &Turn, ready: Option<&'a Ready<'a>>, item: &'a Delivery) -> Step<'a> {
        let Some(ready) = ready else {
            return Step::Settle(Verdict::NotTried("clinic-not-configured"));
        };
        if matches!(item.state, DeliveryState::Sending | DeliveryState::Unknown) {
            return match &ready.ticket {
                None => Step::Prepare,
                Some(Ok(ticket)) => Step::Search(ready.ehr, ticket),
                // Without a token it stays unknown.
                Some(Err(error)) => {
                    let (reason, retry_after) = (error.code().to_owned(), error.retry_after());
                    Step::Settle(Verdict::Searched(Found::Undecided { reason, retry_after }))
                }
            };
        }
        let permit = match decide(&turn.grants, item, &item.clinic, Purpose::Treatment, turn.now) {
            Ok(permit) => permit,
            Err(denied) if denied.foremost() == DenyReason::Paused => {
                return Step::Park(end_of_pause(&turn.grants, item));
            }
            Err(denied) => return Step::Settle(Verdict::Withdrawn(denied.foremost().as_str())),
        };
        let Some(sealed) = &item.sealed_payload else {
            return Step::Settle(Verdict::Withdrawn("content-erased"));
        };
        let opened = turn.wrapped_key.as_ref().and_then(|wrapped| {
            let key = self.keyring.unwrap_member_key(item.member, wrapped).ok()?;
            key.open(PAYLOAD_COLUMN, item.id.0.as_bytes(), sealed).ok()
        });
        match (opened, &ready.ticket) {
            (Some(_), None) => Step::Prepare,
            (Some(body), Some(Ok(ticket))) => Step::Send(ready.ehr, ticket, permit, body),
            (Some(_), Some(Err(error))) => {
                let (reason, retry_after) = (error.code().to_owned(), error.retry_after());
                Step::Settle(Verdict::Sent(Created::NotStored { reason, retry_after }))
            }
            (None, _) => Step::Settle(Verdict::Stuck("content-does-not-open")),
        }
    }

    /// Sends, unless so much time has passed that the answer could come after the lease.
    async fn send(
        &self,
        ehr: &EhrClient,
        ticket: &Ticket,
        permit: &Permit<'_, Delivery>,
        body: Vec<u8>,
        lease_end: Timestamp,
    ) -> Verdict {
        let now = self.clock.now();
        if lease_end.duration_since(now) <= self.patience.timeout {
            return Verdict::NotTried("lease-nearly-over");
        }
        Verdict::Sent(match ehr.create(permit, body, ticket).await {
            // It went once more with another token, and does not go again at once.
            Created::TokenSpent if permit.item().reason.as_deref() == Some(TOKEN_SPENT) => {
                Created::NotStored { reason: "token-refused-twice".to_owned(), retry_after: None }
            }
            created => created,
        })
    }

    fn rules(&self) -> Rules<'_> {
        Rules { entropy: self.keyring.entropy(), doubt: self.patience.doubt }
    }

    fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.patience.lease).unwrap_or(Timestamp::MAX)
    }
}

/// A transaction that holds a member's consent and a lane.
struct Turn {
    tx: Tx,
    grants: Vec<Grant>,
    wrapped_key: Option<Vec<u8>>,
    now: Timestamp,
    lease_end: Timestamp,
}

/// An EHR, and what must be at hand before anything is sent to it: not yet asked for, had, or not to be had.
struct Ready<'a> {
    ehr: &'a EhrClient,
    ticket: Option<Result<Ticket, TokenError>>,
}

/// How a turn ended.
enum Turned {
    /// The lane was given back.
    GaveBack,
    /// Something is known of an item, and not yet settled.
    Known(Box<Known>),
    /// There is something to send or to search for, and no ticket for it.
    Unprepared,
}

/// What is to be done with the first item of a lane.
enum Step<'a> {
    Settle(Verdict),
    Park(Timestamp),
    Prepare,
    Search(&'a EhrClient, &'a Ticket),
    Send(&'a EhrClient, &'a Ticket, Permit<'a, Delivery>, Vec<u8>),
}

/// An item, where it stands, and what is known of its fate, not yet settled.
struct Known {
    item: Delivery,
    from: DeliveryState,
    verdict: Verdict,
}

async fn commit(tx: Tx) -> Result<(), StoreError> {
    tx.commit().await?;
    crash_point("deliver:settled");
    Ok(())
}

/// When a pause ends by itself at the latest: then the consent has expired, and what waits is withdrawn.
fn end_of_pause(grants: &[Grant], item: &Delivery) -> Timestamp {
    let ends = grants.iter().filter(|grant| grant.clinic == item.clinic).map(|grant| grant.terms.valid_until);
    ends.min().unwrap_or(Timestamp::MAX)
}
