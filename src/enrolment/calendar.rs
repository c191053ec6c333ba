//! The address under which a member's calendar program finds their visits. Whoever has it reads when they have appointments, and
//! nothing else: it is made when the member asks, shown once, kept as a keyed index only, and ends when they say so.

use jiff::Timestamp;

use super::join::EnrolError;
use crate::domain::ids::MemberId;
use crate::store::{StoreError, Tx};
use crate::vault::{Index, Keyring};

/// Makes the secret in the address of a member's calendar. The one that they had before ends.
///
/// # Errors
/// [`EnrolError`].
pub async fn open_calendar(
    tx: &mut Tx,
    keyring: &Keyring,
    member: MemberId,
    now: Timestamp,
) -> Result<String, EnrolError> {
    tx.lock_member(member).await?;
    let token = keyring.fresh_secret()?;
    tx.put_calendar_feed(member, index(keyring, &token), now).await?;
    Ok(token)
}

/// Whose calendar is found under a secret, if anybody's is.
///
/// # Errors
/// [`StoreError`].
pub async fn calendar_of(tx: &mut Tx, keyring: &Keyring, token: &str) -> Result<Option<MemberId>, StoreError> {
    tx.member_by_calendar_feed(index(keyring, token)).await
}

fn index(keyring: &Keyring, token: &str) -> Index {
    keyring.index().index("calendar-feed", &[token.as_bytes()])
}
