//! From what is known about an item to where it stands.

use jiff::{SignedDuration, Timestamp};

use super::ehr::{Found, Sent};
use crate::domain::delivery::{Delivery, DeliveryState, Operation, Stored};
use crate::domain::entropy::{Entropy, NoEntropy};
use crate::domain::matter::Matter;
use crate::outbox::retry::{Pace, next_attempt};

/// An item, where it stands, and what is known of its fate, not yet written down.
#[derive(Clone, Debug)]
pub struct Known {
    /// The item.
    pub item: Delivery,
    /// Where it stands.
    pub from: DeliveryState,
    /// What is known.
    pub verdict: Verdict,
}

/// What is known after a desk dealt with an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A create or an update was tried.
    Sent(Sent),
    /// It was searched for.
    Searched(Found),
    /// Its fate was unknown, it must not be tried again, and this is what stands in the EHR.
    Looked(Stored),
    /// It stands there already.
    AlreadyThere,
    /// It must not go any more.
    Withdrawn(&'static str),
    /// It cannot go without a human.
    Stuck(&'static str),
    /// The EHR takes it in no form.
    Held(&'static str),
}

/// How settling is done.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Spreads retries.
    pub entropy: &'a Entropy,
    /// How long an EHR may still be storing what it did not answer to.
    pub doubt: SignedDuration,
}

/// Where an item stands after a verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Where.
    pub state: DeliveryState,
    /// How many attempts were made by now.
    pub attempts: i32,
    /// When it is looked at again.
    pub due_at: Timestamp,
    /// Why: a code.
    pub reason: Option<String>,
    /// Where the resource stands in the EHR, for the ledger.
    pub stored: Option<Stored>,
    /// What the EHR said when it refused. Personal.
    pub answer: Option<Vec<u8>>,
}

/// Why an item is ready again: its token was refused, and it can go with another one.
pub const TOKEN_SPENT: &str = "token-spent";

/// Why how a consent stands is not told: the EHR takes no Consent. It is not held until it does; by then it may stand
/// otherwise.
pub const STANDING_NOT_TAKEN: &str = "consent-not-taken";

/// What an EHR answers that has no such resources.
const NO_SUCH_PLACE: [&str; 3] = ["http-404", "http-405", "http-501"];

/// How often it is tried to tell how a consent stands: then it no longer holds up what else waits on the lane.
const STANDING_ATTEMPTS: i32 = 4;

/// Why an item is still unknown although a search did not find it: the EHR may not have stored it *yet*.
const ABSENT_ONCE: &str = "absent-once";

/// Why an item is ready again: it is certainly not there.
const ABSENT_TWICE: &str = "absent-twice";

/// Why nothing was given back: twice it was not there.
pub const NOTHING_THERE: &str = "nothing-to-cancel";

/// How soon it is tried again.
const fn pace_of(matter: &Matter) -> Pace {
    match matter {
        // What is given back counts, too: before it is, they cannot choose another time.
        Matter::Booking { .. } | Matter::Cancelling => Pace::Watched,
        _ => Pace::Patient,
    }
}

/// Whether a search has shown that the resource is not in the EHR.
#[must_use]
pub fn is_absent(item: &Delivery) -> bool {
    item.reason.as_deref() == Some(ABSENT_TWICE)
}

/// Where an item stands after a verdict, when it is looked at again, and why.
///
/// # Errors
/// [`NoEntropy`] when there are no random bytes to spread a retry with.
pub fn outcome(known: Known, rules: Rules<'_>, now: Timestamp) -> Result<Outcome, NoEntropy> {
    let Known { item, from, verdict } = known;
    let attempts = item.attempts.saturating_add(1);
    let plain = |state, reason: Option<&str>| Outcome {
        state,
        attempts,
        due_at: now,
        reason: reason.map(str::to_owned),
        stored: None,
        answer: None,
    };
    let is_standing = matches!(item.matter, Matter::Consent(_));
    let pace = pace_of(&item.matter);
    let again = |state, reason: String, retry_after| {
        let is_last = is_standing && attempts >= STANDING_ATTEMPTS;
        let next = next_attempt(attempts, pace, now, retry_after, rules.entropy)?.filter(|_| !is_last);
        let state = if next.is_some() { state } else { DeliveryState::Dead };
        Ok(Outcome { due_at: next.unwrap_or(now), reason: Some(reason), ..plain(state, None) })
    };
    let confirmed = |stored| Outcome { stored: Some(stored), ..plain(DeliveryState::Confirmed, None) };
    Ok(match verdict {
        Verdict::Sent(Sent::Confirmed(stored)) => confirmed(stored),
        // It went once more with another token, and does not go again at once.
        Verdict::Sent(Sent::TokenSpent) if item.reason.as_deref() == Some(TOKEN_SPENT) => {
            again(DeliveryState::Retry, "token-refused-twice".to_owned(), None)?
        }
        Verdict::Sent(Sent::TokenSpent) => plain(DeliveryState::Ready, Some(TOKEN_SPENT)),
        Verdict::Sent(Sent::NotStored { reason, .. }) if is_standing && NO_SUCH_PLACE.contains(&reason.as_str()) => {
            plain(DeliveryState::Withdrawn, Some(STANDING_NOT_TAKEN))
        }
        Verdict::Sent(Sent::NotStored { reason, retry_after }) => again(DeliveryState::Retry, reason, retry_after)?,
        Verdict::Sent(Sent::Unknown { reason }) => again(DeliveryState::Unknown, reason, None)?,
        Verdict::Sent(Sent::Rejected { reason, outcome }) => {
            Outcome { answer: outcome, ..plain(DeliveryState::Rejected, Some(&reason)) }
        }
        Verdict::Sent(Sent::Declined { reason }) | Verdict::Withdrawn(reason) => {
            plain(DeliveryState::Withdrawn, Some(reason))
        }
        Verdict::Sent(Sent::Absent) if item.reason.as_deref() == Some(ABSENT_ONCE) => {
            plain(DeliveryState::Withdrawn, Some(NOTHING_THERE))
        }
        Verdict::Sent(Sent::NotBegun) => {
            Outcome { attempts: item.attempts, reason: item.reason, ..plain(DeliveryState::Ready, None) }
        }
        Verdict::Searched(Found::NotBegun) => {
            // A predecessor may have died with it under way.
            let state = if from == DeliveryState::Sending { DeliveryState::Unknown } else { from };
            Outcome { attempts: item.attempts, reason: item.reason, ..plain(state, None) }
        }
        Verdict::Searched(Found::Stored(stored)) if item.operation == Operation::Create => confirmed(stored),
        // Now that it is known where it stands, it can be changed.
        Verdict::Searched(Found::Stored(stored)) => {
            Outcome { stored: Some(stored), attempts: item.attempts, ..plain(DeliveryState::Ready, Some("found")) }
        }
        // Nothing of it was ever under way: once is enough.
        Verdict::Searched(Found::Absent) if matches!(from, DeliveryState::Ready | DeliveryState::Retry) => {
            plain(DeliveryState::Ready, Some(ABSENT_TWICE))
        }
        Verdict::Searched(Found::Absent) if item.reason.as_deref() == Some(ABSENT_ONCE) => {
            plain(DeliveryState::Ready, Some(ABSENT_TWICE))
        }
        // A time that was asked for before may not have got there yet: then it would be kept for nobody.
        Verdict::Sent(Sent::Absent) | Verdict::Searched(Found::Absent) => {
            let due_at = now.checked_add(rules.doubt).unwrap_or(now);
            Outcome { due_at, ..plain(DeliveryState::Unknown, Some(ABSENT_ONCE)) }
        }
        Verdict::Searched(Found::Undecided { reason, retry_after }) => again(unsure(from), reason, retry_after)?,
        Verdict::Searched(Found::NoSearch { reason }) => plain(DeliveryState::Dead, Some(&reason)),
        Verdict::Looked(stored) if item.stored.as_ref().is_some_and(|before| before.version != stored.version) => {
            confirmed(stored)
        }
        Verdict::Looked(_) => plain(DeliveryState::Withdrawn, Some("not-changed-in-the-ehr")),
        Verdict::AlreadyThere => plain(DeliveryState::Confirmed, None),
        Verdict::Stuck(reason) => plain(DeliveryState::Rejected, Some(reason)),
        Verdict::Held(reason) => plain(DeliveryState::Held, Some(reason)),
    })
}

/// Where an item stays when a search told nothing.
const fn unsure(from: DeliveryState) -> DeliveryState {
    match from {
        DeliveryState::Ready | DeliveryState::Retry => DeliveryState::Retry,
        _ => DeliveryState::Unknown,
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
