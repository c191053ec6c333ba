//! The secrets of a Subscription: the end of the address where it is notified, and what each notice carries.

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::WayBackError;
use crate::domain::audit::hex;
use crate::domain::entropy::{Entropy, NoEntropy};
use crate::vault::{Index, Keyring, MemberKey};

/// The column they are sealed for; their row is the Subscription's id.
const COLUMN: &str = "subscriptions.sealed_secret";

/// Two secrets of 256 bits each, in hexadecimal.
#[derive(Serialize, Deserialize)]
pub(super) struct Secret {
    path: String,
    /// What each notice carries.
    pub header: String,
}

impl Secret {
    pub(super) fn new(entropy: &Entropy) -> Result<Self, NoEntropy> {
        let [path, header] = [entropy.bytes::<32>()?, entropy.bytes::<32>()?].map(|bytes| hex(&bytes));
        Ok(Self { path, header })
    }

    pub(super) fn seal(&self, key: &MemberKey, id: Uuid) -> Result<Vec<u8>, WayBackError> {
        let plain = serde_json::to_vec(self).map_err(|_| WayBackError::Unreadable)?;
        Ok(key.seal(COLUMN, id.as_bytes(), &plain)?)
    }

    pub(super) fn open(key: &MemberKey, id: Uuid, sealed: &[u8]) -> Result<Self, WayBackError> {
        let plain = key.open(COLUMN, id.as_bytes(), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| WayBackError::Unreadable)
    }

    /// Where notices go: below this address.
    pub(super) fn endpoint(&self, below: &Url) -> String {
        format!("{}/{}", below.as_str().trim_end_matches('/'), self.path)
    }

    pub(super) fn indexes(&self, keyring: &Keyring) -> (Index, Index) {
        (path_index(keyring, &self.path), header_index(keyring, &self.header))
    }
}

pub(super) fn path_index(keyring: &Keyring, path: &str) -> Index {
    keyring.index().index("notify-path", &[path.as_bytes()])
}

pub(super) fn header_index(keyring: &Keyring, header: &str) -> Index {
    keyring.index().index("notify-header", &[header.as_bytes()])
}
