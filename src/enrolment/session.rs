//! Sessions: how long a member stays signed in to the portal. The secret is in the browser's cookie only.

use jiff::{SignedDuration, Timestamp};

use crate::domain::audit::{Chain, Event, SignOut};
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::{CommunityId, MemberId};
use crate::store::{SessionRow, StoreError, Tx};
use crate::vault::{Index, Keyring};

/// A session ends when nothing was asked for in so long.
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);

/// A session ends after so long in any case.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// For so long after somebody signed in, it is sure enough that it is them: longer than one sits down for, shorter than a
/// device is left lying about.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// The end of an idle session is moved by no less than this: not every page is a write.
const STEP: SignedDuration = SignedDuration::from_mins(1);

/// A session that could not be opened; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No secret could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// The keyed index under which a session is stored.
#[must_use]
pub fn session_index(keyring: &Keyring, secret: &str) -> Index {
    keyring.index().index("session", &[secret.as_bytes()])
}

/// Opens a session for a member for whom `community` vouched; ends the one that the browser had before, whosever it was.
/// Returns the secret for the cookie, which nobody has seen before: what somebody put there is good for nothing.
///
/// # Errors
/// [`SessionError`].
pub async fn open(
    tx: &mut Tx,
    keyring: &Keyring,
    member: MemberId,
    community: CommunityId,
    before: Option<&str>,
    now: Timestamp,
) -> Result<String, SessionError> {
    if let Some(before) = before {
        tx.delete_session(session_index(keyring, before)).await?;
    }
    let secret = keyring.fresh_secret()?;
    let row = SessionRow { member, community, idle_until: later(now, IDLE), ends_at: later(now, LONGEST) };
    tx.insert_session(session_index(keyring, &secret), &row).await?;
    Ok(secret)
}

/// When a session that is used now shall end if nothing more comes; `None` when that need not be written down yet.
#[must_use]
pub fn extension(row: &SessionRow, now: Timestamp) -> Option<Timestamp> {
    let idle_until = later(now, IDLE).min(row.ends_at);
    (idle_until.duration_since(row.idle_until) >= STEP || idle_until == row.ends_at && row.idle_until != row.ends_at)
        .then_some(idle_until)
}

/// Until when what cannot be taken back may be done in a session. After that its member signs in once more first: so
/// nobody does it who only found a browser that was left open.
#[must_use]
pub fn fresh_until(row: &SessionRow) -> Timestamp {
    let opened_at = row.ends_at.checked_sub(LONGEST).unwrap_or(Timestamp::MIN);
    later(opened_at, FRESH)
}

/// Gives a session another secret, after what it may do has changed. `None`: it has ended.
///
/// # Errors
/// [`SessionError`].
pub async fn rotate(tx: &mut Tx, keyring: &Keyring, old: &str) -> Result<Option<String>, SessionError> {
    let secret = keyring.fresh_secret()?;
    let rotated = tx.rotate_session(session_index(keyring, old), session_index(keyring, &secret)).await?;
    Ok(rotated.then_some(secret))
}

/// Signs a member out of every browser and every program that holds a token of theirs. Returns how many there were.
///
/// # Errors
/// [`StoreError`].
pub async fn end_all(tx: &mut Tx, member: MemberId, now: Timestamp) -> Result<u64, StoreError> {
    let ended = tx.delete_sessions(member).await?.saturating_add(tx.delete_member_tokens(member).await?);
    tx.record(Chain::of_member(member), now, Event::SignedOut(SignOut { ended }));
    Ok(ended)
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
