//! The master key is replaced while everything runs: every key that it wraps is wrapped anew by the newest one.
//!
//! First the index key: from then on all replicas wrap the keys of new members with the newest master key too
//! ([`Keyring::following`]). Then the members' keys, a portion in each transaction, each only if it is still as it was
//! found. So it may be cut off at any place, done by two at once, and begun again: it goes on where it was.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::audit::{Chain, Event, KeyRotation};
use crate::domain::clock::Clock;
use crate::domain::ids::MemberId;
use crate::store::{DataKeyRow, Rewrapped, Store, StoreError, Tx};
use crate::vault::{INDEX_KEY, KeyId, Keyring, SealError};

/// How many members' keys one transaction wraps anew: others wait for it.
const PORTION: i64 = 100;

/// A rotation that was left; what it did is done.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key of the database itself is wrapped by a master key that is not known here.
    #[error("the key {0} of the database is wrapped by a master key that is not in the settings")]
    DataKey(String),
    /// There is no randomness to seal with.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What one master key wraps.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Wraps {
    /// So many keys of the database itself.
    pub data_keys: i64,
    /// So many members' keys.
    pub members: i64,
}

/// Which master key wraps what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// By the master key's id.
    pub by_key: BTreeMap<KeyId, Wraps>,
    /// Since when the master key wraps that new keys are wrapped by; `None` for the first one.
    pub since: Option<Timestamp>,
}

impl Status {
    /// How many keys are wrapped by other master keys than this one.
    #[must_use]
    pub fn not_by(&self, key: KeyId) -> i64 {
        self.by_key.iter().filter(|(id, _)| **id != key).map(|(_, wraps)| wraps.data_keys + wraps.members).sum()
    }
}

/// Which master key wraps what.
///
/// # Errors
/// [`StoreError`].
pub async fn status(store: &Store) -> Result<Status, StoreError> {
    let mut tx = store.read().await?;
    let mut status = Status { by_key: BTreeMap::new(), since: None };
    for key in tx.data_keys().await? {
        if key.name == INDEX_KEY {
            status.since = key.wrapped_at;
        }
        let id = KeyId::of(&key.wrapped).ok_or(StoreError::Corrupt("a wrapped key that is too short"))?;
        status.by_key.entry(id).or_default().data_keys += 1;
    }
    for (id, count) in tx.count_member_keys().await? {
        status.by_key.entry(id).or_default().members += count;
    }
    Ok(status)
}

/// Wraps everything by the newest master key. `progress` is told after each portion how many members' keys are done.
///
/// # Errors
/// [`RotationError`]; then it is to be done again.
pub async fn rotate(
    store: &Store,
    keyring: &Keyring,
    clock: &Clock,
    mut progress: impl FnMut(u64),
) -> Result<Status, RotationError> {
    let mut keys = store.read().await?.data_keys().await?;
    // The index key first: it says which master key wraps the keys of new members.
    keys.sort_by_key(|key| key.name != INDEX_KEY);
    for key in keys {
        rewrap_data_key(store, keyring, key, clock).await?;
    }
    let newest = keyring.newest();
    let (mut after, mut done) = (MemberId(Uuid::nil()), 0);
    loop {
        let found = store.read().await?.members_not_wrapped_by(newest, after, PORTION).await?;
        let Some((last, _)) = found.last() else { break };
        after = *last;
        let mut anew = Vec::with_capacity(found.len());
        for (member, old) in found {
            match keyring.rewrap_member_key(member, &old) {
                Ok(new) => anew.push(Rewrapped { member, old, new }),
                // It stays as it is, and the status says by which master key it is wrapped.
                Err(SealError::DoesNotOpen) => {
                    tracing::error!(member_id = %member, "a member's key does not open with any known master key");
                }
                Err(error @ SealError::NoEntropy) => return Err(error.into()),
            }
        }
        let mut tx = store.begin().await?;
        let rewrapped = tx.rewrap_member_keys(&anew).await?;
        let were = anew.iter().filter(|key| rewrapped.contains(&key.member)).map(|key| key.old.as_slice());
        note(&mut tx, were, newest, clock);
        tx.commit().await?;
        done += rewrapped.len() as u64;
        progress(done);
    }
    Ok(status(store).await?)
}

async fn rewrap_data_key(
    store: &Store,
    keyring: &Keyring,
    mut key: DataKeyRow,
    clock: &Clock,
) -> Result<(), RotationError> {
    while KeyId::of(&key.wrapped) != Some(keyring.newest()) {
        let anew = keyring.rewrap_data_key(&key.name, &key.wrapped).map_err(|error| match error {
            SealError::DoesNotOpen => RotationError::DataKey(key.name.clone()),
            error @ SealError::NoEntropy => error.into(),
        })?;
        let mut tx = store.begin().await?;
        let was_as_found = tx.rewrap_data_key(&key, &anew, clock.now()).await?;
        note(&mut tx, was_as_found.then_some(key.wrapped.as_slice()).into_iter(), keyring.newest(), clock);
        tx.commit().await?;
        if was_as_found {
            break;
        }
        // Somebody else was faster: what stands there now counts.
        let found = store.read().await?.data_key(&key.name).await?;
        key.wrapped = found.ok_or(StoreError::Corrupt("no key where one was"))?;
    }
    Ok(())
}

/// Notes for the audit log that keys which were wrapped like this are wrapped by the newest master key from now on: in the
/// transaction that does it, so that what was cut off is not said to be done.
fn note<'k>(tx: &mut Tx, were: impl Iterator<Item = &'k [u8]>, newest: KeyId, clock: &Clock) {
    let mut by_key: BTreeMap<KeyId, u64> = BTreeMap::new();
    for from in were.filter_map(KeyId::of) {
        *by_key.entry(from).or_default() += 1;
    }
    for (from, keys) in by_key {
        let rotated = KeyRotation { from: from.to_string(), to: newest.to_string(), keys };
        tx.record(Chain::HOUSE, clock.now(), Event::MasterKeyRotated(rotated));
    }
}
