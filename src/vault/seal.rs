//! Sealing: AES-256-GCM with the place of the value as associated data, so that a sealed value opens nowhere else.
//!
//! Layout: version (1 byte) · key id (4) · nonce (12) · ciphertext and tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

use super::key::{Key, KeyId};
use crate::domain::entropy::{Entropy, NoEntropy};

const VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + 4;

/// Where a sealed value stands: it opens only there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Table and column, as in `readings.sealed`.
    pub column: &'static str,
    /// What tells the row apart from others of the same owner.
    pub row: &'a [u8],
    /// The member (or, for a key, the owner) it belongs to.
    pub owner: Uuid,
}

/// A value could not be sealed or opened. Says nothing about why, on purpose.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The bytes were not sealed by this key for this place, or were changed.
    #[error("a sealed value does not open here")]
    DoesNotOpen,
    /// Sealing needs random bytes.
    #[error("the operating system gave no random bytes")]
    NoEntropy,
}

impl From<NoEntropy> for SealError {
    fn from(_: NoEntropy) -> Self {
        Self::NoEntropy
    }
}

/// Seals `plain` for `place`.
pub(super) fn seal(key: &Key, place: Place<'_>, plain: &[u8], entropy: &Entropy) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE_LEN] = entropy.bytes()?;
    let mut sealed = Vec::with_capacity(HEADER_LEN + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.id().0);
    sealed.extend_from_slice(&nonce);
    let mut body = plain.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(associated_data(place)), &mut body)
        .map_err(|_| SealError::DoesNotOpen)?;
    sealed.append(&mut body);
    Ok(sealed)
}

/// Opens what [`seal`] made for the same `place`.
pub(super) fn open(key: &Key, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (header, rest) = sealed.split_at_checked(HEADER_LEN).ok_or(SealError::DoesNotOpen)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::DoesNotOpen)?;
    if header.first() != Some(&VERSION) || KeyId::of(sealed) != Some(key.id()) {
        return Err(SealError::DoesNotOpen);
    }
    let mut body = body.to_vec();
    let plain_len = cipher(key)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(associated_data(place)), &mut body)
        .map_err(|_| SealError::DoesNotOpen)?
        .len();
    body.truncate(plain_len);
    Ok(body)
}

impl KeyId {
    /// Which key sealed these bytes, if they are long enough to say.
    #[must_use]
    pub fn of(sealed: &[u8]) -> Option<Self> {
        sealed.get(1..HEADER_LEN).and_then(|id| id.try_into().ok()).map(Self)
    }
}

fn cipher(key: &Key) -> Result<LessSafeKey, SealError> {
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| SealError::DoesNotOpen)
}

/// Each part is preceded by its length, so that no two places give the same bytes.
fn associated_data(place: Place<'_>) -> Vec<u8> {
    let mut data = Vec::with_capacity(64);
    for part in [place.column.as_bytes(), place.row, place.owner.as_bytes()] {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::entropy::SeededEntropy;

    fn entropy() -> Entropy {
        Entropy::Seeded(SeededEntropy::new(7))
    }

    fn key(of: u8) -> Key {
        Key::from_bytes([of; 32])
    }

    const OWNER: Uuid = Uuid::from_u128(1);
    const HERE: Place<'static> = Place { column: "readings.sealed", row: b"1", owner: OWNER };

    proptest! {
        #[test]
        fn what_was_sealed_opens_in_its_place(plain: Vec<u8>) {
            let sealed = seal(&key(1), HERE, &plain, &entropy()).unwrap();
            prop_assert_eq!(open(&key(1), HERE, &sealed).unwrap(), plain);
        }

        #[test]
        fn a_changed_byte_never_opens(plain: Vec<u8>, at: prop::sample::Index, flip in 1u8..) {
            let mut sealed = seal(&key(1), HERE, &plain, &entropy()).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert_eq!(open(&key(1), HERE, &sealed), Err(SealError::DoesNotOpen));
        }
    }

    #[test]
    fn a_value_moved_to_another_place_never_opens() {
        let sealed = seal(&key(1), HERE, b"a secret", &entropy()).unwrap();
        let elsewhere = [
            Place { column: "outbox.sealed_payload", ..HERE },
            Place { row: b"2", ..HERE },
            Place { owner: Uuid::from_u128(2), ..HERE },
        ];
        for place in elsewhere {
            assert_eq!(open(&key(1), place, &sealed), Err(SealError::DoesNotOpen));
        }
        assert_eq!(open(&key(2), HERE, &sealed), Err(SealError::DoesNotOpen));
    }
}
