//! The key that receipts are signed with: made at the first start, and kept in the database, wrapped by the master key.

use crate::store::{StoreError, Tx};
use crate::vault::signing::ReceiptKey;
use crate::vault::{Keyring, SealError};

/// The name of the key in the database.
const NAME: &str = "receipts";

/// There is no key to sign receipts with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key is not the one that wrapped it, or there are no random bytes.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The key that receipts are signed with. It is made if there is none: so there always is one, the same for all replicas.
///
/// # Errors
/// [`KeyError`].
pub async fn signing_key(tx: &mut Tx, keyring: &Keyring) -> Result<ReceiptKey, KeyError> {
    if tx.data_key(NAME).await?.is_none() {
        let (mut number, mut wrapped) = keyring.create_data_key(NAME)?;
        // One number in four thousand million is no key.
        while ReceiptKey::new(&number).is_none() {
            (number, wrapped) = keyring.create_data_key(NAME)?;
        }
        tx.insert_data_key(NAME, &wrapped).await?;
    }
    // Another process may have been first: what stands there counts.
    let wrapped = tx.data_key(NAME).await?.ok_or(StoreError::Corrupt("no key for receipts"))?;
    let number = keyring.unwrap_data_key(NAME, &wrapped)?;
    Ok(ReceiptKey::new(&number).ok_or(StoreError::Corrupt("a key for receipts that is none"))?)
}
