//! Desks: one for each clinic, so that a slow one never delays another. A desk leases lanes of its clinic, has a request
//! under way for each as far as the EHR bears it, and writes down what came of all of them together.
//!
//! A process that dies leaves items *sending*; whoever leases their lanes next searches before anything is sent again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};

use super::desks::Counterpart;
use super::names::MAPPED_TYPE;
use super::send::Sender;
use super::settle::{Known, Rules};
use super::throttle::Trouble;
use super::turn::{Tickets, Turned, turn};
use crate::domain::clock::Clock;
use crate::domain::delivery::Rung;
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::warning::WarningPolicy;
use crate::store::{Lane, LaneKey, Replay, Store, StoreError};
use crate::telemetry::crash_point;
use crate::vault::{Keyring, SealError};

/// How many items of a lane are worked on before it is given back, so that other lanes get their turn.
const ITEMS_PER_LEASE: u32 = 50;

/// How many lanes may be in hand at most: a statement about all of them must not have too many parameters.
const MOST_LANES: usize = 1024;

/// So long what is known may wait to be written down, while the EHR is busy.
const SETTLED_WITHIN: SignedDuration = SignedDuration::from_millis(50);

/// What every desk of a process shares.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The keys.
    pub keyring: Keyring,
    /// The time.
    pub clock: Clock,
    /// How long things may take.
    pub patience: Patience,
    /// How many items may go in one request.
    pub batch_size: usize,
    /// Becomes true when the process is told to stop: what is under way is the last.
    pub stopping: watch::Receiver<bool>,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a desk may have a lane without a sign of life.
    pub lease: SignedDuration,
    /// The longest request.
    pub timeout: SignedDuration,
    /// How long an EHR may still be storing what it did not answer to.
    pub doubt: SignedDuration,
}

impl Patience {
    /// How far the clocks of processes that share a database may be apart: a lane must not look abandoned to one while
    /// another still has a request under way.
    fn bearable_skew(&self) -> SignedDuration {
        (self.lease - self.timeout * 2) / 2
    }

    /// A lease with so much left is not prolonged: each prolongation is a row written.
    pub(super) fn fresh(&self) -> SignedDuration {
        self.lease - (self.lease - self.timeout * 2) / 4
    }
}

/// Work ended early; what was under way is found again by the next lease.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An answer could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No random bytes for the spread of retries.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The database's clock and this machine's are too far apart to share leases.
    #[error("this machine's clock and the database's are {seconds} s apart: nothing is sent until they agree")]
    ClockSkew {
        /// How far.
        seconds: i64,
    },
}

/// One clinic's desk.
#[derive(Debug)]
pub struct Desk {
    pub(super) parts: Parts,
    pub(super) clinic: ClinicId,
    pub(super) warnings: Option<Arc<WarningPolicy>>,
    sender: Sender,
    lanes: BTreeMap<MemberId, InHand>,
    under_way: JoinSet<Vec<Known>>,
    /// Whose items each request is about.
    errands: HashMap<task::Id, Vec<MemberId>>,
    known: Vec<Known>,
    /// Since when something is known that is not written down.
    known_since: Option<Timestamp>,
    /// Whether there may be lanes to lease.
    may_be_due: bool,
    trouble: Option<Trouble>,
    rung: Option<Rung>,
}

/// A lane that this desk has.
#[derive(Clone, Debug)]
struct InHand {
    lane: Lane,
    /// How many of its items were dealt with.
    dealt_with: u32,
    /// Whether a request for it is under way.
    busy: bool,
}

impl Desk {
    /// A desk for a clinic.
    #[must_use]
    pub fn new(parts: Parts, clinic: ClinicId, other: Counterpart) -> Self {
        let Counterpart { ehr, forms, warnings } = other;
        let sender = Sender { ehr, forms, batch_size: parts.batch_size };
        Self {
            parts,
            clinic,
            warnings,
            sender,
            lanes: BTreeMap::new(),
            under_way: JoinSet::new(),
            errands: HashMap::new(),
            known: Vec::new(),
            known_since: None,
            may_be_due: true,
            trouble: None,
            rung: None,
        }
    }

    /// Which clinic's.
    #[must_use]
    pub const fn clinic(&self) -> &ClinicId {
        &self.clinic
    }

    /// There may be something to do: look.
    pub const fn wake(&mut self) {
        self.may_be_due = true;
    }

    /// Does whatever can be done now, without waiting for the EHR to take something. Returns whether there was anything.
    ///
    /// # Errors
    /// [`WorkError`]; the desk may go on, and should wait a while.
    pub async fn step(&mut self) -> Result<bool, WorkError> {
        while let Some(done) = self.under_way.try_join_next_with_id() {
            self.collect(done);
        }
        self.note_trouble().await?;
        let capacity = self.capacity();
        let asked = capacity.saturating_sub(self.lanes.len());
        if self.may_be_due && asked > 0 {
            self.lease(asked).await?;
        }
        // Asked before anything else: it is what each answer of the EHR finds.
        if self.is_ahead() {
            return Ok(false);
        }
        // A lane that was lost has lost what is known of it too: whoever has it now finds out.
        self.known.retain(|known| self.lanes.contains_key(&known.item.member));
        let idle: Vec<Lane> =
            self.lanes.values().filter(|leased| !leased.busy).map(|leased| leased.lane.clone()).collect();
        if idle.is_empty() {
            return Ok(false);
        }
        let room = capacity.saturating_sub(self.lanes.len() - idle.len());
        let tickets = if room > 0 { self.tickets(&idle).await? } else { Tickets::new() };
        let known = std::mem::take(&mut self.known);
        match turn(self, &idle, known.clone(), &tickets, room).await {
            Ok(turned) => {
                self.known_since = None;
                self.lanes.retain(|member, leased| leased.busy || turned.busy.contains(member));
                self.dispatch(turned);
                Ok(true)
            }
            // Perhaps it was not even heard: the next step tries again, as long as the leases last.
            Err(error @ WorkError::Store(StoreError::Database(_))) => {
                self.known = known;
                Err(error)
            }
            // Something is not as it was left: whoever leases these lanes next finds out.
            Err(error) => {
                self.lanes.retain(|_, leased| leased.busy);
                Err(error)
            }
        }
    }

    /// Works until nothing is due any more.
    ///
    /// # Errors
    /// [`WorkError`] of the first step that failed.
    pub async fn drain(&mut self) -> Result<(), WorkError> {
        self.wake();
        while self.step().await? || self.finished().await {
            self.wake();
        }
        Ok(())
    }

    /// Waits until a request that is under way has ended. `false` at once when there is none.
    pub async fn finished(&mut self) -> bool {
        let done = self.under_way.join_next_with_id().await;
        let waited = done.is_some();
        if let Some(done) = done {
            self.collect(done);
        }
        waited
    }

    /// Ends what is under way and gives every lane back. For when [`Parts::stopping`] is true.
    ///
    /// # Errors
    /// [`WorkError`]; what was not written down is found again.
    pub async fn finish(&mut self) -> Result<(), WorkError> {
        while self.step().await? || self.finished().await {}
        Ok(())
    }

    pub(super) fn lane(&self, member: MemberId) -> LaneKey {
        LaneKey { clinic: self.clinic.clone(), member }
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        Rules { entropy: self.parts.keyring.entropy(), doubt: self.parts.patience.doubt }
    }

    /// How many lanes may be in hand.
    fn capacity(&self) -> usize {
        if *self.parts.stopping.borrow() {
            return 0;
        }
        let per_request = if self.sender.ehr.takes_batches() { self.parts.batch_size.max(1) } else { 1 };
        (self.sender.ehr.throttle().capacity(self.parts.clock.now()) * per_request).min(MOST_LANES)
    }

    /// Whether so much is decided on that the EHR does not wait for the next turn: then what has ended may wait for it a
    /// moment, so that one turn is about many items.
    fn is_ahead(&self) -> bool {
        let (now, throttle) = (self.parts.clock.now(), self.sender.ehr.throttle());
        let (limit, capacity) = (throttle.limit(now), throttle.capacity(now));
        let is_recent = self.known_since.is_none_or(|since| now.duration_since(since) < SETTLED_WITHIN);
        is_recent && limit < capacity && self.under_way.len() > usize::midpoint(limit, capacity)
    }

    async fn lease(&mut self, limit: usize) -> Result<(), WorkError> {
        let mut tx = self.parts.store.begin().await?;
        let now = self.parts.clock.now();
        let until = now.checked_add(self.parts.patience.lease).unwrap_or(Timestamp::MAX);
        let leased = tx.lease_lanes(&self.clinic, now, until, limit).await?;
        if let Some(theirs) = leased.at.filter(|_| self.parts.clock.is_system()) {
            let skew = now.duration_since(theirs).abs();
            if skew > self.parts.patience.bearable_skew() {
                return Err(WorkError::ClockSkew { seconds: skew.as_secs() });
            }
        }
        tx.commit().await?;
        self.may_be_due = leased.lanes.len() == limit;
        if !leased.lanes.is_empty() {
            crash_point("deliver:leased");
        }
        for lane in leased.lanes {
            let fresh = InHand { lane, dealt_with: 0, busy: false };
            let member = fresh.lane.key.member;
            // A lane that outlived its own lease here: its request must end first.
            if self.lanes.get(&member).is_none_or(|before| !before.busy) {
                // What is known from an earlier lease may be known to others better by now.
                self.known.retain(|known| known.item.member != member);
                self.lanes.insert(member, fresh);
            }
        }
        Ok(())
    }

    /// What requests need, asked for outside of any transaction. A lane that had its turn gets none, and is given back.
    async fn tickets(&mut self, idle: &[Lane]) -> Result<Tickets, WorkError> {
        let ehr = &self.sender.ehr;
        // Whether a lane goes on after what is known of it is open: nothing is asked for on suspicion.
        let is_due = |member| self.known.iter().all(|known| known.item.member != member);
        let wanted = idle
            .iter()
            .map(|lane| lane.key.member)
            .filter(|member| self.lanes.get(member).is_some_and(|leased| leased.dealt_with < ITEMS_PER_LEASE));
        let wanted: Vec<MemberId> = wanted.collect();
        ehr.look_again(&wanted).await;
        let asked = wanted.into_iter().map(async |member| match ehr.ready(member) {
            Some(ticket) => Some((member, Ok(ticket))),
            None if is_due(member) => Some((member, ehr.prepare(member).await)),
            None => None,
        });
        let tickets: Tickets = join_all(asked).await.into_iter().flatten().collect();
        let rung = tickets.values().flatten().next().map(|ticket| ticket.capabilities().rung(MAPPED_TYPE));
        self.note_rung(rung).await?;
        Ok(tickets)
    }

    /// Makes the requests that a turn decided on.
    fn dispatch(&mut self, turned: Turned) {
        let last_call = turned.lease_end.checked_sub(self.parts.patience.timeout * 2).unwrap_or(Timestamp::MIN);
        let (errands, known) = self.sender.errands(turned.jobs);
        for member in turned.busy {
            if let Some(leased) = self.lanes.get_mut(&member) {
                leased.busy = true;
            }
        }
        self.take(known);
        for errand in errands {
            let (members, sender) = (errand.members(), self.sender.clone());
            let handle = self.under_way.spawn(async move { sender.run(errand, last_call).await });
            self.errands.insert(handle.id(), members);
        }
    }

    fn collect(&mut self, done: Result<(task::Id, Vec<Known>), JoinError>) {
        match done {
            Ok((id, known)) => {
                self.errands.remove(&id);
                self.take(known);
            }
            // A defect. Its items are found again when their leases run out.
            Err(error) => {
                tracing::error!(clinic_id = %self.clinic, "a request ended without an outcome");
                for member in self.errands.remove(&error.id()).unwrap_or_default() {
                    self.lanes.remove(&member);
                }
            }
        }
    }

    fn take(&mut self, known: Vec<Known>) {
        for known in &known {
            if let Some(leased) = self.lanes.get_mut(&known.item.member) {
                leased.dealt_with += 1;
                leased.busy = false;
            }
        }
        if self.known_since.is_none() && !known.is_empty() {
            self.known_since = Some(self.parts.clock.now());
        }
        self.known.extend(known);
    }

    /// Tells operators why the EHR is left in peace, or that it no longer is.
    async fn note_trouble(&mut self) -> Result<(), WorkError> {
        let trouble = self.sender.ehr.throttle().trouble();
        if trouble == self.trouble {
            return Ok(());
        }
        if let Some(Trouble { reason, until }) = &trouble {
            tracing::warn!(clinic_id = %self.clinic, reason, %until, "the EHR is left in peace for a while");
        } else {
            tracing::info!(clinic_id = %self.clinic, "the EHR answers again");
        }
        let mut tx = self.parts.store.begin().await?;
        let told = trouble.as_ref().map(|trouble| (trouble.reason.as_str(), trouble.until));
        tx.note_trouble(&self.clinic, told).await?;
        tx.commit().await?;
        self.trouble = trouble;
        Ok(())
    }

    /// Notes in which form the EHR takes what is sent. If that is news, what was held for want of one gets its turn.
    async fn note_rung(&mut self, rung: Option<Rung>) -> Result<(), WorkError> {
        let Some(rung) = rung.filter(|rung| Some(*rung) != self.rung) else { return Ok(()) };
        let now = self.parts.clock.now();
        let mut tx = self.parts.store.begin().await?;
        if tx.note_rung(&self.clinic, rung, now).await? {
            tracing::info!(clinic_id = %self.clinic, rung = rung.as_str(), "the form in which the EHR takes data");
            tx.replay(&Replay::Held(&self.clinic), now).await?;
        }
        tx.commit().await?;
        self.rung = Some(rung);
        Ok(())
    }
}
