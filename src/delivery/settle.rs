//! From what is known about a request to where its item stands.

use jiff::Timestamp;

use super::ehr::{Created, Found, Stored};
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

/// Writes a verdict. The caller holds the lane's lease in this transaction.
///
/// # Errors
/// [`SettleError`]; the caller's transaction must then be dropped, and the item is found again as it was.
pub async fn settle(
    tx: &mut Tx,
    item: &Delivery,
    verdict: &Verdict,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<DeliveryState, SettleError> {
    let attempts = item.attempts.saturating_add(1);
    let settled_in = |state, reason| Settled { state, attempts, due_at: now, reason };
    let again = |state, reason, retry_after| {
        next_attempt(attempts, now, retry_after, entropy).map(|due_at| match due_at {
            Some(due_at) => Settled { state, attempts, due_at, reason: Some(reason) },
            None => Settled { state: DeliveryState::Dead, attempts, due_at: now, reason: Some(reason) },
        })
    };
    let settled = match verdict {
        Verdict::Sent(Created::Confirmed(stored)) | Verdict::Searched(Found::Stored(stored)) => {
            let Stored { id, version } = stored;
            tx.insert_ledger(item, id, version.as_deref(), now).await?;
            settled_in(DeliveryState::Confirmed, None)
        }
        Verdict::Sent(Created::NotStored { reason, retry_after }) => again(DeliveryState::Retry, reason, *retry_after)?,
        Verdict::Sent(Created::TokenSpent) => settled_in(DeliveryState::Ready, Some("token-spent")),
        Verdict::Sent(Created::Unknown { reason }) => again(DeliveryState::Unknown, reason, None)?,
        Verdict::Sent(Created::Rejected { reason }) => settled_in(DeliveryState::Rejected, Some(reason.as_str())),
        Verdict::Searched(Found::Absent) => settled_in(DeliveryState::Ready, Some("searched-and-absent")),
        Verdict::Searched(Found::Undecided { reason, retry_after }) => {
            again(DeliveryState::Unknown, reason, *retry_after)?
        }
        Verdict::Withdrawn(reason) => settled_in(DeliveryState::Withdrawn, Some(reason)),
        Verdict::Stuck(reason) => settled_in(DeliveryState::Rejected, Some(reason)),
        Verdict::NotTried(reason) => again(DeliveryState::Retry, reason, None)?,
    };
    tx.settle(item, &settled, now).await?;
    Ok(settled.state)
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
