//! A member joins another community as the same: with a one-time code that only they see, in the portal.
//!
//! Neither community learns of the other: the code is told to the companion in private, and what each knows of the member is the
//! name under which it knows them. 80 random bits, good once and for a quarter of an hour: guessing is hopeless.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::code::Code;
use super::join::{EnrolError, HANDLE_COLUMN, handle_index};
use crate::domain::audit::{Chain, Event, Joined};
use crate::domain::ids::{CommunityId, MemberId};
use crate::store::{StoreError, Tx};
use crate::vault::Keyring;

/// How long a code is good.
pub const VALIDITY: SignedDuration = SignedDuration::from_mins(15);

/// A code, shown once and nowhere kept.
#[derive(Debug)]
pub struct Issued {
    /// The code.
    pub code: SecretString,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What became of a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// It was no code at all.
    NoCode,
    /// There is no such code: mistyped, used, replaced by a newer one, or over.
    Unknown,
    /// The community knows this member now.
    Joined(MemberId),
}

/// Issues a code for a member, in place of the one before it.
///
/// # Errors
/// [`EnrolError`].
pub async fn issue(tx: &mut Tx, keyring: &Keyring, member: MemberId, now: Timestamp) -> Result<Issued, EnrolError> {
    let code = Code::fresh(keyring)?;
    let expires_at = now.checked_add(VALIDITY).unwrap_or(Timestamp::MAX);
    tx.put_join_code(member, code.own_index(keyring), expires_at).await?;
    Ok(Issued { code: code.shown(), expires_at })
}

/// Hears what somebody said whom the community does not know: if it is a code, it knows them as whoever it belongs to.
///
/// # Errors
/// [`EnrolError`]; the transaction must then be dropped.
pub async fn tell(
    tx: &mut Tx,
    keyring: &Keyring,
    (community, handle): (&CommunityId, &str),
    said: &str,
    now: Timestamp,
) -> Result<Told, EnrolError> {
    let Some(code) = Code::read(said) else { return Ok(Told::NoCode) };
    let Some(member) = tx.use_join_code(code.own_index(keyring), now).await? else { return Ok(Told::Unknown) };
    tx.lock_member(member).await?;
    let wrapped = tx.member_key(member).await?.ok_or(EnrolError::UnknownMember)?;
    let key = keyring.unwrap_member_key(member, &wrapped)?;
    let sealed = key.seal(HANDLE_COLUMN, community.as_str().as_bytes(), handle.as_bytes())?;
    match tx.insert_handle(community, handle_index(keyring, community, handle), member, &sealed).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Err(EnrolError::HandleTaken),
        Err(error) => return Err(error.into()),
    }
    tx.record(Chain::of_member(member), now, Event::MemberJoined(Joined { community: community.clone() }));
    Ok(Told::Joined(member))
}
