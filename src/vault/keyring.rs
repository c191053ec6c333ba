//! The keyring: the master keys in memory, and what they unwrap.
//!
//! Several master keys may be known, so that they are replaced one by one while replicas run. Which of them wraps new
//! keys is for the database to say: the one that wraps its index key. So all replicas change over at the same instant,
//! in whatever order they know the keys.

use std::sync::Arc;

use uuid::Uuid;

use super::index::IndexKey;
use super::key::{Key, KeyId};
use super::seal::{self, Place, SealError};
use crate::domain::entropy::{Entropy, NoEntropy};
use crate::domain::ids::MemberId;

/// The master keys that are known, the newest first. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    newest: Arc<Key>,
    older: Arc<[Key]>,
}

/// The keys a running bridge holds. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keyring {
    masters: MasterKeys,
    /// Which of them wraps new keys.
    wraps: KeyId,
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

/// The name of the database's index key.
pub const INDEX_KEY: &str = "index";

impl MasterKeys {
    /// `newest` is the one that a rotation goes to; `older` still unwrap.
    #[must_use]
    pub fn new(newest: Key, older: Vec<Key>) -> Self {
        Self { newest: Arc::new(newest), older: older.into() }
    }

    /// The one that a rotation goes to.
    #[must_use]
    pub fn newest(&self) -> &Key {
        &self.newest
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&*self.newest).chain(self.older.iter())
    }

    /// Unwraps a key with whichever of them wrapped it.
    fn unwrap(&self, place: Place<'_>, wrapped: &[u8]) -> Result<Key, SealError> {
        let id = KeyId::of(wrapped).ok_or(SealError::DoesNotOpen)?;
        // Two of them may have the same id by chance.
        let bytes = self
            .all()
            .filter(|master| master.id() == id)
            .find_map(|master| seal::open(master, place, wrapped).ok().map(zeroize::Zeroizing::new));
        let bytes = bytes.ok_or(SealError::DoesNotOpen)?;
        bytes.as_slice().try_into().map(Key::from_bytes).map_err(|_| SealError::DoesNotOpen)
    }
}

impl From<Key> for MasterKeys {
    fn from(only: Key) -> Self {
        Self::new(only, Vec::new())
    }
}

impl Keyring {
    /// A wrapped index key, which a new database must keep.
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn create_index_key(master: &Key, entropy: &Entropy) -> Result<Vec<u8>, SealError> {
        seal::seal(master, data_place(INDEX_KEY), Key::generate(entropy)?.expose(), entropy)
    }

    /// Opens the keyring of a database.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when no master key is the one of this database.
    pub fn open(masters: impl Into<MasterKeys>, wrapped_index_key: &[u8], entropy: Entropy) -> Result<Self, SealError> {
        let masters = masters.into();
        let index = IndexKey::new(&masters.unwrap(data_place(INDEX_KEY), wrapped_index_key)?);
        let wraps = KeyId::of(wrapped_index_key).ok_or(SealError::DoesNotOpen)?;
        Ok(Self { masters, wraps, index, entropy })
    }

    /// The same keyring, wrapping new keys with the master key that wraps this index key now.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when that is a master key which is not known here.
    pub fn following(&self, wrapped_index_key: &[u8]) -> Result<Self, SealError> {
        Self::open(self.masters.clone(), wrapped_index_key, self.entropy.clone())
    }

    /// Computes keyed indexes.
    #[must_use]
    pub const fn index(&self) -> &IndexKey {
        &self.index
    }

    /// Which master key wraps what is made now ([`Key::id`]).
    #[must_use]
    pub fn master_id(&self) -> [u8; 4] {
        self.wraps.0
    }

    /// The source of randomness this keyring seals with.
    #[must_use]
    pub const fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// The master keys that are known.
    pub fn masters(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.masters.all().map(Key::id)
    }

    /// The one of them that a rotation goes to.
    #[must_use]
    pub fn newest(&self) -> KeyId {
        self.masters.newest().id()
    }

    /// A fresh key for a member, and the same key wrapped, for the database. The caller's keyring follows the index key
    /// that the transaction holds ([`Keyring::following`]).
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn create_member_key(&self, member: MemberId) -> Result<(MemberKey, Vec<u8>), SealError> {
        let key = Key::generate(&self.entropy)?;
        let wrapped = self.wrap(member_place(member), &key)?;
        Ok((MemberKey { member, key, entropy: self.entropy.clone() }, wrapped))
    }

    /// Unwraps a member's key.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when it was not wrapped for this member by a master key that is known.
    pub fn unwrap_member_key(&self, member: MemberId, wrapped: &[u8]) -> Result<MemberKey, SealError> {
        let key = self.masters.unwrap(member_place(member), wrapped)?;
        Ok(MemberKey { member, key, entropy: self.entropy.clone() })
    }

    /// A fresh key of the database itself under a name, and the same key wrapped, for the database (`data_keys`).
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn create_data_key(&self, name: &str) -> Result<(Key, Vec<u8>), SealError> {
        let key = Key::generate(&self.entropy)?;
        let wrapped = self.wrap(data_place(name), &key)?;
        Ok((key, wrapped))
    }

    /// Unwraps a key of the database itself.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when it was not wrapped under this name by a master key that is known.
    pub fn unwrap_data_key(&self, name: &str, wrapped: &[u8]) -> Result<Key, SealError> {
        self.masters.unwrap(data_place(name), wrapped)
    }

    /// A member's key wrapped by the newest master key, from the same one wrapped by any.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when it was not wrapped for this member by a master key that is known.
    pub fn rewrap_member_key(&self, member: MemberId, wrapped: &[u8]) -> Result<Vec<u8>, SealError> {
        self.rewrap(member_place(member), wrapped)
    }

    /// A key of the database itself wrapped by the newest master key, from the same one wrapped by any.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when it was not wrapped under this name by a master key that is known.
    pub fn rewrap_data_key(&self, name: &str, wrapped: &[u8]) -> Result<Vec<u8>, SealError> {
        self.rewrap(data_place(name), wrapped)
    }

    fn rewrap(&self, place: Place<'_>, wrapped: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.masters.unwrap(place, wrapped)?;
        seal::seal(self.masters.newest(), place, key.expose(), &self.entropy)
    }

    fn wrap(&self, place: Place<'_>, key: &Key) -> Result<Vec<u8>, SealError> {
        let master = self.masters.all().find(|master| master.id() == self.wraps).ok_or(SealError::DoesNotOpen)?;
        seal::seal(master, place, key.expose(), &self.entropy)
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

    /// What tells it apart from other keys.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.key.id()
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

const fn member_place(member: MemberId) -> Place<'static> {
    Place { column: "members.sealed_key", row: b"", owner: member.0 }
}

const fn data_place(name: &str) -> Place<'_> {
    Place { column: "data_keys.sealed_key", row: name.as_bytes(), owner: Uuid::nil() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;

    const SPARROW: MemberId = MemberId(Uuid::from_u128(1));

    fn key(of: u8) -> Key {
        Key::from_bytes([of; 32])
    }

    fn entropy() -> Entropy {
        Entropy::Seeded(SeededEntropy::new(3))
    }

    fn index_key(of: u8) -> Vec<u8> {
        Keyring::create_index_key(&key(of), &entropy()).unwrap()
    }

    #[test]
    fn new_keys_are_wrapped_by_the_master_key_that_wraps_the_index_key() {
        let both = MasterKeys::new(key(2), vec![key(1)]);
        let before = Keyring::open(both, &index_key(1), entropy()).unwrap();
        let (_, wrapped) = before.create_member_key(SPARROW).unwrap();
        assert_eq!(KeyId::of(&wrapped), Some(key(1).id()), "not by the newest: others may not know it yet");
        let moved = before.rewrap_data_key(INDEX_KEY, &index_key(1)).unwrap();
        let after = before.following(&moved).unwrap();
        let (_, wrapped) = after.create_member_key(SPARROW).unwrap();
        assert_eq!(KeyId::of(&wrapped), Some(key(2).id()));
    }

    #[test]
    fn a_key_wrapped_anew_opens_the_same_and_needs_the_old_master_key_no_more() {
        let old = Keyring::open(key(1), &index_key(1), entropy()).unwrap();
        let (member, wrapped) = old.create_member_key(SPARROW).unwrap();
        let sealed = member.seal("handles.sealed_handle", b"forum", b"sparrow").unwrap();
        let both = Keyring::open(MasterKeys::new(key(2), vec![key(1)]), &index_key(1), entropy()).unwrap();
        let wrapped = both.rewrap_member_key(SPARROW, &wrapped).unwrap();
        let index = both.rewrap_data_key(INDEX_KEY, &index_key(1)).unwrap();
        let new = Keyring::open(key(2), &index, entropy()).unwrap();
        let opened = new.unwrap_member_key(SPARROW, &wrapped).unwrap();
        assert_eq!(opened.open("handles.sealed_handle", b"forum", &sealed).unwrap(), b"sparrow");
        assert!(old.unwrap_member_key(SPARROW, &wrapped).is_err(), "the old master key alone opens nothing any more");
        let other = MemberId(Uuid::from_u128(2));
        assert!(both.rewrap_member_key(other, &wrapped).is_err(), "and nobody gets another's key");
    }
}
