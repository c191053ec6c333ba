//! The keyring: the master key in memory, and what it unwraps.

use std::sync::Arc;

use uuid::Uuid;

use super::index::IndexKey;
use super::key::Key;
use super::seal::{self, Place, SealError};
use crate::domain::entropy::{Entropy, NoEntropy};
use crate::domain::ids::MemberId;

/// The keys a running bridge holds. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keyring {
    master: Arc<Key>,
    index: IndexKey,
    entropy: Entropy,
}

/// A member's own key, unwrapped for the time of one piece of work.
#[derive(Clone, Debug)]
pub struct MemberKey {
    member: MemberId,
    key: Key,
    entropy: Entropy,
}

const INDEX_KEY: Place<'static> = Place { column: "data_keys.sealed_key", row: b"index", owner: Uuid::nil() };

impl Keyring {
    /// A keyring for a new database, with the wrapped index key that the database must keep.
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn create_index_key(master: &Key, entropy: &Entropy) -> Result<Vec<u8>, SealError> {
        seal::seal(master, INDEX_KEY, Key::generate(entropy)?.expose(), entropy)
    }

    /// Opens the keyring of a database.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when the master key is not the one this database was made with.
    pub fn open(master: Key, wrapped_index_key: &[u8], entropy: Entropy) -> Result<Self, SealError> {
        let index = IndexKey::new(&unwrap_key(&master, INDEX_KEY, wrapped_index_key)?);
        Ok(Self { master: Arc::new(master), index, entropy })
    }

    /// Computes keyed indexes.
    #[must_use]
    pub const fn index(&self) -> &IndexKey {
        &self.index
    }

    /// The source of randomness this keyring seals with.
    #[must_use]
    pub const fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// A fresh key for a member, and the same key wrapped, for the database.
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn create_member_key(&self, member: MemberId) -> Result<(MemberKey, Vec<u8>), SealError> {
        let key = Key::generate(&self.entropy)?;
        let wrapped = seal::seal(&self.master, member_place(member), key.expose(), &self.entropy)?;
        Ok((MemberKey { member, key, entropy: self.entropy.clone() }, wrapped))
    }

    /// Unwraps a member's key.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when it was not wrapped for this member by this master key.
    pub fn unwrap_member_key(&self, member: MemberId, wrapped: &[u8]) -> Result<MemberKey, SealError> {
        let key = unwrap_key(&self.master, member_place(member), wrapped)?;
        Ok(MemberKey { member, key, entropy: self.entropy.clone() })
    }

    /// A fresh key of the database itself under a name, and the same key wrapped, for the database (`data_keys`).
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn create_data_key(&self, name: &str) -> Result<(Key, Vec<u8>), SealError> {
        let key = Key::generate(&self.entropy)?;
        let wrapped = seal::seal(&self.master, data_place(name), key.expose(), &self.entropy)?;
        Ok((key, wrapped))
    }

    /// Unwraps a key of the database itself.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when it was not wrapped under this name by this master key.
    pub fn unwrap_data_key(&self, name: &str, wrapped: &[u8]) -> Result<Key, SealError> {
        unwrap_key(&self.master, data_place(name), wrapped)
    }

    /// A secret that nobody can guess: 256 random bits in lower-case hexadecimal.
    ///
    /// # Errors
    /// [`NoEntropy`] when there are no random bytes to be had.
    pub fn fresh_secret(&self) -> Result<String, NoEntropy> {
        let bytes: [u8; 32] = self.entropy.bytes()?;
        Ok(bytes.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}")))
    }
}

impl MemberKey {
    /// Whose key it is.
    #[must_use]
    pub const fn member(&self) -> MemberId {
        self.member
    }

    pub(super) const fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// Seals a personal value for its column and row.
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn seal(&self, column: &'static str, row: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal::seal(&self.key, Place { column, row, owner: self.member.0 }, plain, &self.entropy)
    }

    /// Opens what was sealed for this column and row.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] for anything else.
    pub fn open(&self, column: &'static str, row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        seal::open(&self.key, Place { column, row, owner: self.member.0 }, sealed)
    }
}

const fn data_place(name: &str) -> Place<'_> {
    Place { column: "data_keys.sealed_key", row: name.as_bytes(), owner: Uuid::nil() }
}

fn member_place(member: MemberId) -> Place<'static> {
    Place { column: "members.sealed_key", row: b"", owner: member.0 }
}

fn unwrap_key(master: &Key, place: Place<'_>, wrapped: &[u8]) -> Result<Key, SealError> {
    let bytes = zeroize::Zeroizing::new(seal::open(master, place, wrapped)?);
    bytes.as_slice().try_into().map(Key::from_bytes).map_err(|_| SealError::DoesNotOpen)
}
