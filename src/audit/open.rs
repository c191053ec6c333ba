//! The log is opened once in the life of a process.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::audit::{Chain, Event, KeyId, SigningKeyFound, hex};
use crate::store::{Store, StoreError};
use crate::vault::signing::SigningKeys;
use crate::vault::{AUDIT_KEY, AuditKey, Keyring, SealError};

/// The log cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit key was not wrapped by this master key, or was changed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Gives the store the audit key. A database that has none gets one, and its log begins.
///
/// # Errors
/// [`OpenError`].
pub async fn open(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<(), OpenError> {
    let mut tx = store.begin().await?;
    let wrapped = if let Some(wrapped) = tx.audit_key().await? {
        wrapped
    } else {
        let (key, wrapped) = keyring.create_data_key(AUDIT_KEY)?;
        if tx.insert_audit_key(&wrapped).await? {
            store.unlock_audit(AuditKey::new(&key));
            tx.record(Chain::HOUSE, now, Event::LogBegun);
            return Ok(tx.commit().await?);
        }
        // Another process was first: what stands there counts.
        tx.audit_key().await?.ok_or(StoreError::Corrupt("no audit key"))?
    };
    tx.commit().await?;
    store.unlock_audit(AuditKey::new(&keyring.unwrap_data_key(AUDIT_KEY, &wrapped)?));
    Ok(())
}

/// Writes down that a process serves from now on, and with which master key.
///
/// # Errors
/// [`StoreError`].
pub async fn note_start(store: &Store, keyring: &Keyring, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let opened = KeyId { key: hex(&keyring.master_id()) };
    tx.record(Chain::HOUSE, now, Event::MasterKeyOpened(opened));
    tx.commit().await
}

/// Writes down the keys to sign with that are in their folder for the first time, whoever put them there.
///
/// # Errors
/// [`StoreError`].
pub async fn note_signing_keys(store: &Store, signing: &SigningKeys, now: Timestamp) -> Result<(), StoreError> {
    const KIND: &str = "signing-key-found";
    const MOST: i64 = 1000;
    let mut tx = store.begin().await?;
    let noted = tx.audit_of_kind(&Chain::HOUSE, KIND, i64::MAX, MOST).await?;
    let noted: BTreeSet<String> = noted
        .iter()
        .filter_map(|row| match Event::from_json(&row.body) {
            Some(Event::SigningKeyFound(found)) => Some(found.kid),
            _ => None,
        })
        .collect();
    for key in signing.all(now).iter().filter(|key| !noted.contains(key.kid())) {
        let found = SigningKeyFound { kid: key.kid().to_owned(), algorithm: key.algorithm().as_str().to_owned() };
        tx.record(Chain::HOUSE, now, Event::SigningKeyFound(found));
    }
    tx.commit().await
}
