//! A member's settings: one sealed value each.

use jiff::Timestamp;

use super::KeptError;
use crate::domain::settings::{Change, Settings};
use crate::store::Tx;
use crate::vault::MemberKey;

/// The column settings are sealed for; the member is their only row.
const COLUMN: &str = "member_settings.sealed_settings";

/// The settings of the member whose key it is. Who never set anything has the defaults.
///
/// # Errors
/// [`KeptError`].
pub async fn settings(tx: &mut Tx, key: &MemberKey) -> Result<Settings, KeptError> {
    let sealed = tx.settings(&[key.member()]).await?.remove(&key.member());
    sealed.map_or_else(|| Ok(Settings::default()), |sealed| open(key, &sealed))
}

/// Changes the settings of the member whose key it is, and returns them as they are then. Their readings are looked at
/// anew: where a day ends, and what is kept, may have changed.
///
/// # Errors
/// [`KeptError`]; the caller's transaction must then be dropped.
pub async fn change_settings(
    tx: &mut Tx,
    key: &MemberKey,
    change: Change,
    now: Timestamp,
) -> Result<Settings, KeptError> {
    // Whoever takes an event in goes by the settings until they are done.
    tx.lock_member(key.member()).await?;
    let changed = settings(tx, key).await?.with(change, now);
    let plain = serde_json::to_vec(&changed).map_err(|_| KeptError::Unreadable)?;
    tx.put_settings(key.member(), &key.seal(COLUMN, b"", &plain)?, now).await?;
    tx.look_after(&[(key.member(), now)]).await?;
    Ok(changed)
}

/// Opens settings as they stand in the database.
///
/// # Errors
/// [`KeptError`].
pub fn open(key: &MemberKey, sealed: &[u8]) -> Result<Settings, KeptError> {
    serde_json::from_slice(&key.open(COLUMN, b"", sealed)?).map_err(|_| KeptError::Unreadable)
}
