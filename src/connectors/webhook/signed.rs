//! Who sent a request, as its head says (Standard Webhooks 1.0.0, "Verifying webhook authenticity").

use jiff::{SignedDuration, Timestamp};

use super::read::is_name;
use crate::connectors::Head;

/// How far the sender's clock may be off, and how long a request may be on its way ("Verifying webhook authenticity"; five minutes
/// in the reference implementations).
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What the head of a request says of who sent it.
pub struct Signed<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`.
    pub seconds: i64,
    /// `webhook-signature`.
    pub signatures: &'a str,
}

/// What is signed, as the head says; nothing where it is not signed, or not lately.
#[must_use]
pub fn signed<'a>(head: &'a Head<'_>) -> Option<Signed<'a>> {
    let id = head.header("webhook-id").filter(|id| is_name(id))?;
    let seconds: i64 = head.header("webhook-timestamp")?.parse().ok()?;
    let at = Timestamp::from_second(seconds).ok()?;
    let signatures = head.header("webhook-signature")?;
    (head.at.duration_since(at).abs() <= TOLERANCE).then_some(Signed { id, seconds, signatures })
}
