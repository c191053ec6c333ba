//! How hard an EHR may be pressed: so many requests at once as it bears, and none while it is in trouble.
//!
//! The limit grows by one for each limit's worth of good answers, and is halved when the EHR says that it is too much or
//! becomes slow (additive increase, multiplicative decrease). After several failures in a row the circuit opens: the EHR
//! is left in peace, longer each time, and then a single request finds out how it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many failures in a row open the circuit.
const FAILURES: u32 = 5;

/// How long an open circuit stays open the first time, and at most.
const OPEN: SignedDuration = SignedDuration::from_secs(10);
const OPEN_AT_MOST: SignedDuration = SignedDuration::from_mins(5);

/// The longest that an EHR's wish to be left alone is obeyed without looking again.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(30);

/// Slow: this many times the fastest answer seen of late, and this much more.
const SLOW_FACTOR: i32 = 4;
const SLOW_MARGIN: SignedDuration = SignedDuration::from_millis(250);

/// So much work for the EHR may wait, decided on, so that it need not wait for a turn of the database. Not more, so that
/// little is under way when a consent ends.
const AHEAD: SignedDuration = SignedDuration::from_millis(50);

/// At most so many requests wait for each that is under way.
const AHEAD_AT_MOST: usize = 31;

/// Bounds the requests to one EHR.
#[derive(Debug)]
pub struct Throttle {
    max: usize,
    slots: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Slots to be taken away when they are given back.
    surplus: usize,
    good: usize,
    failures: u32,
    opened: u32,
    closed: Option<Trouble>,
    fastest: Option<SignedDuration>,
    /// How long an answer takes of late.
    took: Option<SignedDuration>,
}

/// Why an EHR is left in peace, and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// A code.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
}

/// What an exchange said about how the EHR is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signal {
    /// It answered in this time.
    Answered(SignedDuration),
    /// It answered, and asks to be left alone for this long.
    TooMuch {
        /// A code.
        reason: String,
        /// How long, if it said.
        retry_after: Option<SignedDuration>,
    },
    /// It failed, or could not be reached.
    Failed {
        /// A code.
        reason: String,
    },
}

/// A place among the requests under way.
#[derive(Debug)]
pub struct Slot<'a> {
    throttle: &'a Throttle,
    permit: Option<OwnedSemaphorePermit>,
}

impl Throttle {
    /// At most `max` requests at once.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let max = max.max(1);
        let state =
            State { limit: max, surplus: 0, good: 0, failures: 0, opened: 0, closed: None, fastest: None, took: None };
        Self { max, slots: Arc::new(Semaphore::new(max)), state: Mutex::new(state) }
    }

    /// How many requests may be under way now: none while the EHR is left in peace, one to find out how it is.
    #[must_use]
    pub fn limit(&self, now: Timestamp) -> usize {
        let state = self.state();
        match &state.closed {
            Some(trouble) if now < trouble.until => 0,
            Some(_) => 1,
            None => state.limit,
        }
    }

    /// How many requests may be decided on: as many more as are quickly done may wait for their turn, so that the EHR
    /// need not wait for the database.
    #[must_use]
    pub fn capacity(&self, now: Timestamp) -> usize {
        let limit = self.limit(now);
        let ahead = |took: SignedDuration| AHEAD.as_micros() / took.as_micros().max(1);
        let ahead = self.state().took.map_or(0, ahead);
        if limit > 1 { limit * (1 + usize::try_from(ahead).map_or(0, |ahead| ahead.min(AHEAD_AT_MOST))) } else { limit }
    }

    /// Why the EHR is left in peace, if it is.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.state().closed.clone()
    }

    /// Waits for a place among the requests under way.
    pub async fn enter(&self) -> Slot<'_> {
        // The semaphore is never closed; without a permit the request is not counted, and goes.
        Slot { throttle: self, permit: Arc::clone(&self.slots).acquire_owned().await.ok() }
    }

    /// Learns from an exchange.
    pub fn learn(&self, now: Timestamp, signal: Signal) {
        let mut state = self.state();
        match signal {
            Signal::Answered(took) => {
                (state.failures, state.opened, state.closed) = (0, 0, None);
                let fastest = state.fastest.map_or(took, |fastest| fastest.min(took));
                state.took = Some(state.took.map_or(took, |before| before + (took - before) / 8));
                // It may become slower for good: forget slowly.
                state.fastest = Some(fastest.saturating_add((took - fastest) / 64));
                if took > fastest.saturating_mul(SLOW_FACTOR).saturating_add(SLOW_MARGIN) {
                    self.shrink(&mut state);
                } else {
                    self.grow(&mut state);
                }
            }
            Signal::TooMuch { reason, retry_after } => {
                self.shrink(&mut state);
                if let Some(pause) = retry_after {
                    close(&mut state, now, pause.min(LONGEST_PAUSE), reason);
                }
            }
            // It was under way when the circuit opened, and says nothing new.
            Signal::Failed { .. } if state.closed.as_ref().is_some_and(|trouble| now < trouble.until) => {}
            Signal::Failed { reason } => {
                state.failures = state.failures.saturating_add(1);
                let probed = state.closed.as_ref().is_some_and(|trouble| trouble.until <= now);
                if state.failures >= FAILURES || probed {
                    let pause = OPEN.saturating_mul(1 << state.opened.min(5)).min(OPEN_AT_MOST);
                    state.opened = state.opened.saturating_add(1);
                    self.shrink(&mut state);
                    close(&mut state, now, pause, reason);
                }
            }
        }
    }

    fn shrink(&self, state: &mut State) {
        let limit = (state.limit / 2).max(1);
        for _ in limit..state.limit {
            match self.slots.try_acquire() {
                Ok(slot) => slot.forget(),
                Err(_) => state.surplus += 1,
            }
        }
        (state.limit, state.good) = (limit, 0);
    }

    fn grow(&self, state: &mut State) {
        state.good += 1;
        if state.good >= state.limit && state.limit < self.max {
            (state.limit, state.good) = (state.limit + 1, 0);
            if state.surplus > 0 {
                state.surplus -= 1;
            } else {
                self.slots.add_permits(1);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Never shorter than what was known before.
fn close(state: &mut State, now: Timestamp, pause: SignedDuration, reason: String) {
    let until = now.checked_add(pause).unwrap_or(now);
    if state.closed.as_ref().is_none_or(|trouble| trouble.until < until) {
        state.closed = Some(Trouble { reason, until });
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.throttle.state();
        if state.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
