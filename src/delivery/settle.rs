//! From what is known about a request to where its item stands.

use jiff::{SignedDuration, Timestamp};

use super::ehr::{Created, Found};
use crate::domain::delivery::{Delivery, DeliveryState};
use crate::domain::entropy::{Entropy, NoEntropy};
use crate::outbox::retry::next_attempt;
use crate::store::{Settled, StoreError, Tx};

/// What is known after a worker dealt with an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A create was tried.
    Sent(Created),
    /// The item's fate was unknown and was searched for.
    Searched(Found),
    /// It must not go any more.
    Withdrawn(&'static str),
    /// It cannot go without a human.
    Stuck(&'static str),
    /// It was not tried for a reason on this side.
    NotTried(&'static str),
}

/// How settling is done.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Spreads retries.
    pub entropy: &'a Entropy,
    /// How long an EHR may still be storing what it did not answer to.
    pub doubt: SignedDuration,
}

/// Why an item is ready again: its token was refused, and it can go with another one.
pub const TOKEN_SPENT: &str = "token-spent";

/// Why an item is still unknown although a search did not find it: the EHR may not have stored it *yet*.
const ABSENT_ONCE: &str = "absent-once";

/// Writes a verdict about an item that stands in `from`. The caller holds the lane's lease in this transaction.
///
/// # Errors
/// [`SettleError`]; the caller's transaction must then be dropped, and the item is found again as it was.
pub async fn settle(
    tx: &mut Tx,
    item: &Delivery,
    from: DeliveryState,
    verdict: &Verdict,
    rules: Rules<'_>,
    now: Timestamp,
) -> Result<DeliveryState, SettleError> {
    if let Verdict::Sent(Created::Confirmed(stored)) | Verdict::Searched(Found::Stored(stored)) = verdict {
        tx.insert_ledger(item, &stored.id, stored.version.as_deref(), now).await?;
    }
    let (state, due_at, reason) = outcome(item, verdict, rules, now)?;
    let attempts = item.attempts.saturating_add(1);
    tx.settle(item, &Settled { from, state, attempts, due_at, reason }, now).await?;
    Ok(state)
}

type Outcome<'a> = (DeliveryState, Timestamp, Option<&'a str>);

/// Where an item stands after a verdict, when it is looked at again, and why.
fn outcome<'a>(
    item: &Delivery,
    verdict: &'a Verdict,
    rules: Rules<'_>,
    now: Timestamp,
) -> Result<Outcome<'a>, NoEntropy> {
    let again = |state, reason: &'a str, retry_after| {
        next_attempt(item.attempts.saturating_add(1), now, retry_after, rules.entropy).map(|due_at| match due_at {
            Some(due_at) => (state, due_at, Some(reason)),
            None => (DeliveryState::Dead, now, Some(reason)),
        })
    };
    Ok(match verdict {
        Verdict::Sent(Created::Confirmed(_)) | Verdict::Searched(Found::Stored(_)) => {
            (DeliveryState::Confirmed, now, None)
        }
        Verdict::Sent(Created::NotStored { reason, retry_after }) => again(DeliveryState::Retry, reason, *retry_after)?,
        Verdict::Sent(Created::TokenSpent) => (DeliveryState::Ready, now, Some(TOKEN_SPENT)),
        Verdict::Sent(Created::Unknown { reason }) => again(DeliveryState::Unknown, reason, None)?,
        Verdict::Sent(Created::Rejected { reason }) => (DeliveryState::Rejected, now, Some(reason)),
        Verdict::Searched(Found::Absent) if item.reason.as_deref() == Some(ABSENT_ONCE) => {
            (DeliveryState::Ready, now, Some("absent-twice"))
        }
        Verdict::Searched(Found::Absent) => {
            (DeliveryState::Unknown, now.checked_add(rules.doubt).unwrap_or(now), Some(ABSENT_ONCE))
        }
        Verdict::Searched(Found::Undecided { reason, retry_after }) => {
            again(DeliveryState::Unknown, reason, *retry_after)?
        }
        Verdict::Withdrawn(reason) => (DeliveryState::Withdrawn, now, Some(reason)),
        Verdict::Stuck(reason) => (DeliveryState::Rejected, now, Some(reason)),
        Verdict::NotTried(reason) => again(DeliveryState::Retry, reason, None)?,
    })
}

/// A verdict that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes for the spread of retries.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}
