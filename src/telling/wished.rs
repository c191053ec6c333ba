//! Members who say "later" are reminded of the companion: once, a few hours later, when they wish to be told anything. The reminder
//! says nothing but that they asked for it.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::ids::MemberId;
use crate::pipeline::Bridge;
use crate::store::{StoreError, Tx};

/// How much later.
const LATER: SignedDuration = SignedDuration::from_hours(3);

/// Has a member reminded later on; who asks again is reminded once, later still.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn remind_later(bridge: &Bridge, tx: &mut Tx, member: MemberId, now: Timestamp) -> Result<(), StoreError> {
    tx.put_telling(member, name(bridge, member), now.checked_add(LATER).unwrap_or(now)).await
}

/// Whoever came by themselves need not be reminded.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn need_not_remind(bridge: &Bridge, tx: &mut Tx, member: MemberId) -> Result<(), StoreError> {
    tx.drop_tellings(member, &[name(bridge, member)]).await
}

/// Under which name a member is reminded.
pub(super) fn name(bridge: &Bridge, member: MemberId) -> Uuid {
    bridge.keyring.index().uuid("reminded later", &[member.0.as_bytes()])
}
