//! Whose fault it is that something fails: nothing may be lost because the homeserver was away, and nobody's event may keep those
//! of others waiting for ever, for the homeserver brings a transaction until all of it is done.
//!
//! A homeserver that does not even say who the bridge is (`whoami`) is away, and brings everything again. One that does has a
//! reason of its own for not doing something else. Where somebody of another server is the cause, and their server has a part in it
//! (coming into a room, inviting them, leaving), it is left at once. All else is tried a few times more, as often as the homeserver
//! brings it, and is then left, too: of what is said in private with its whole room, and of a room that is counted only what cannot
//! be counted.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Instant, timeout_at};

use super::read::Seen;
use super::{Matrix, note};
use crate::connectors::{Says, Spoken};
use crate::delivery::egress::EgressError;
use crate::delivery::member::MessageError;

/// How many times something is tried in all.
const TIMES: u32 = 5;

/// Of how much it is known that it failed, before all of it is forgotten.
const MANY: usize = 1000;

/// What failed although the homeserver was there, and how many times in a row. Personal.
#[derive(Default)]
pub(super) struct Failures(Mutex<BTreeMap<String, u32>>);

impl Failures {
    /// It failed once more. Returns whether it is left now.
    pub(super) fn again(&self, what: &str) -> bool {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MANY && !failures.contains_key(what) {
            failures.clear();
        }
        let times = failures.entry(what.to_owned()).or_default();
        *times = times.saturating_add(1);
        *times >= TIMES
    }

    /// Whether it is left.
    pub(super) fn is_left(&self, what: &str) -> bool {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(what).is_some_and(|times| *times >= TIMES)
    }

    /// It did not fail.
    pub(super) fn over(&self, what: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(what);
    }

    /// Nothing is to be done any more but what is left. (Part of it may have been done before the rest failed: that alone says
    /// nothing.)
    pub(super) fn begin_anew(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, times| *times >= TIMES);
    }
}

impl Matrix {
    /// Has the homeserver do something in which other servers may have a part, because of somebody. What a stranger's keeps it from is
    /// as good as not allowed. A transaction waits for that no longer than `until`, all its events together.
    pub(super) async fn abroad<T>(
        &self,
        because_of: &str,
        until: Instant,
        doing: impl Future<Output = Result<T, MessageError>>,
    ) -> Result<T, MessageError> {
        let failed = match timeout_at(until, doing).await {
            Err(_) => EgressError::Timeout.into(),
            Ok(Err(error @ (MessageError::Egress(_) | MessageError::Status { .. }))) => error,
            Ok(done) => return done,
        };
        if self.is_neighbour(because_of) || !self.homeserver.is_there().await {
            return Err(failed);
        }
        tracing::warn!(cause = %failed, "another server keeps the homeserver from doing what an event asks for");
        Err(MessageError::Unwritten)
    }

    /// What is left if an event cannot be followed.
    pub(super) fn at_stake(&self, seen: &Seen) -> String {
        if self.counted.contains(&seen.room) { seen.id.clone() } else { seen.room.clone() }
    }

    /// Leaves a room in which there is nothing for the bridge to do: somebody else is there, or it is too large to be looked at.
    pub(super) async fn withdraw(&self, room: &str, because_of: &str, until: Instant) -> Result<(), MessageError> {
        if self.counted.contains(room) || self.named.contains(room) {
            return Ok(());
        }
        // There is time for that where there is none for anything else.
        self.abroad(because_of, until + self.patience, self.homeserver.leave(room)).await
    }

    /// Says something where somebody spoke. Where that fails again and again, others do not wait for it.
    pub(super) async fn reply(&self, spoken: &Spoken, says: &Says) -> Result<(), MessageError> {
        let room = &spoken.conversation;
        if self.unanswered.is_left(room) {
            return Err(MessageError::Unwritten);
        }
        let text = says.in_lines(spoken.language.unwrap_or(self.language));
        let said = note(self.homeserver.say(room, says.id, &text).await);
        match &said {
            Ok(()) => self.unanswered.over(room),
            Err(MessageError::Egress(_) | MessageError::Status { .. }) => {
                if self.homeserver.is_there().await && self.unanswered.again(room) {
                    return Err(MessageError::Unwritten);
                }
            }
            Err(_) => {}
        }
        said
    }

    /// Whether somebody has their account on the homeserver itself.
    pub(super) fn is_neighbour(&self, user: &str) -> bool {
        user.split_once(':').is_some_and(|(_, server)| server == self.homeserver.server())
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failures(..)")
    }
}
