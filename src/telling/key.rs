//! The key by which push services know this bridge: made when push is first switched on, and kept in the database, wrapped by
//! the master key.

use crate::consent::receipt::KeyError;
use crate::store::{StoreError, Tx};
use crate::vault::Keyring;
use crate::vault::signing::{PushKey, SigningKeys};

/// The name of the key in the database.
const NAME: &str = "push";

/// The same keys, and, where members can be told in their browsers, the one by which push services know this bridge.
///
/// # Errors
/// [`KeyError`].
pub async fn with_push_key(
    tx: &mut Tx,
    keyring: &Keyring,
    keys: SigningKeys,
    is_on: bool,
) -> Result<SigningKeys, KeyError> {
    Ok(if is_on { keys.with_push(push_key(tx, keyring).await?) } else { keys })
}

/// The key by which push services know this bridge. It is made if there is none: the same for all replicas.
async fn push_key(tx: &mut Tx, keyring: &Keyring) -> Result<PushKey, KeyError> {
    if tx.data_key(NAME).await?.is_none() {
        let (mut number, mut wrapped) = keyring.create_data_key(NAME)?;
        // One number in four thousand million is no key.
        while PushKey::new(&number).is_none() {
            (number, wrapped) = keyring.create_data_key(NAME)?;
        }
        tx.insert_data_key(NAME, &wrapped).await?;
    }
    // Another process may have been first: what stands there counts.
    let wrapped = tx.data_key(NAME).await?.ok_or(StoreError::Corrupt("no key for push services"))?;
    let number = keyring.unwrap_data_key(NAME, &wrapped)?;
    Ok(PushKey::new(&number).ok_or(StoreError::Corrupt("a key for push services that is none"))?)
}
