//! Keys that are kept nowhere: made anew from what somebody tells, such as a one-time code.

use uuid::Uuid;

use super::key::Key;
use super::keyring::Keyring;
use super::seal::{self, Place, SealError};
use crate::domain::entropy::Entropy;

/// A key made from a secret that only its holder can tell. Whoever has the database, and even the master key, lacks it.
#[derive(Clone, Debug)]
pub struct ToldKey {
    key: Key,
    entropy: Entropy,
}

impl Keyring {
    /// The key that belongs to what is told within `domain`. The same parts always give the same key. What is told must
    /// be beyond guessing: this does not slow a guesser down.
    #[must_use]
    pub fn told_key(&self, domain: &'static str, parts: &[&[u8]]) -> ToldKey {
        ToldKey { key: Key::from_bytes(self.index().index(domain, parts)), entropy: self.entropy().clone() }
    }
}

impl ToldKey {
    /// Seals a value for its column and row.
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn seal(&self, column: &'static str, row: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal::seal(&self.key, place(column, row), plain, &self.entropy)
    }

    /// Opens what was sealed for this column and row.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] for anything else.
    pub fn open(&self, column: &'static str, row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        seal::open(&self.key, place(column, row), sealed)
    }
}

/// It belongs to nobody yet.
const fn place<'a>(column: &'static str, row: &'a [u8]) -> Place<'a> {
    Place { column, row, owner: Uuid::nil() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;

    fn keyring(master: u8, seed: u64) -> Keyring {
        let entropy = Entropy::Seeded(SeededEntropy::new(seed));
        let wrapped = Keyring::create_index_key(&Key::from_bytes([master; 32]), &entropy).unwrap();
        Keyring::open(Key::from_bytes([master; 32]), &wrapped, entropy).unwrap()
    }

    #[test]
    fn it_opens_only_for_who_tells_the_same_and_in_its_place() {
        let (house, another) = (keyring(1, 1), keyring(2, 2));
        let sealed = house.told_key("code", &[b"here", b"secret"]).seal("t.c", b"row", b"plain").unwrap();
        let open = |keyring: &Keyring, domain, parts: &[&[u8]], row: &[u8]| {
            keyring.told_key(domain, parts).open("t.c", row, &sealed)
        };
        assert_eq!(open(&house, "code", &[b"here", b"secret"], b"row").unwrap(), b"plain");
        for (keyring, domain, parts, row) in [
            (&house, "code", [&b"here"[..], b"secres"], &b"row"[..]),
            (&house, "code", [b"there", b"secret"], b"row"),
            (&house, "other", [b"here", b"secret"], b"row"),
            (&house, "code", [b"here", b"secret"], b"wor"),
            (&another, "code", [b"here", b"secret"], b"row"),
        ] {
            assert_eq!(open(keyring, domain, &parts, row), Err(SealError::DoesNotOpen));
        }
    }
}
