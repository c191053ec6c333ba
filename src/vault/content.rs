//! What stands on a lane is sealed with a key of the lane's own: where that key is destroyed, all of it is erased at once,
//! however much it is.

use super::key::Key;
use super::keyring::MemberKey;
use super::seal::{self, Place, SealError};
use crate::domain::ids::ClinicId;

/// The column a lane's wrapped key stands in; its row is the clinic.
const KEY_COLUMN: &str = "lanes.sealed_key";

/// Opens and seals what stands on one lane.
#[derive(Clone, Debug)]
pub struct ContentKey {
    member: MemberKey,
    /// `None` where nothing was put on the lane since lanes have keys of their own, or since consent ended.
    own: Option<Key>,
}

impl MemberKey {
    /// A fresh key for what is to stand on the lane towards a clinic, wrapped for the database.
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn create_content_key(&self, clinic: &ClinicId) -> Result<Vec<u8>, SealError> {
        self.seal(KEY_COLUMN, clinic.as_str().as_bytes(), Key::generate(self.entropy())?.expose())
    }

    /// The key of what stands on the lane towards a clinic.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] when it was not wrapped for this lane by this member's key.
    pub fn content_key(&self, clinic: &ClinicId, wrapped: Option<&[u8]>) -> Result<ContentKey, SealError> {
        let own = match wrapped {
            Some(wrapped) => {
                let bytes = zeroize::Zeroizing::new(self.open(KEY_COLUMN, clinic.as_str().as_bytes(), wrapped)?);
                Some(bytes.as_slice().try_into().map(Key::from_bytes).map_err(|_| SealError::DoesNotOpen)?)
            }
            None => None,
        };
        Ok(ContentKey { member: self.clone(), own })
    }
}

impl ContentKey {
    /// Seals a value for its column and row: with the lane's key, if it has one.
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub fn seal(&self, column: &'static str, row: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        match &self.own {
            Some(own) => seal::seal(own, self.place(column, row), plain, self.member.entropy()),
            None => self.member.seal(column, row, plain),
        }
    }

    /// Opens what was sealed for this column and row with the lane's key, or with the member's before lanes had any.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] for anything else, and for what was sealed with a key that was destroyed since.
    pub fn open(&self, column: &'static str, row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let own = self.own.as_ref().map(|own| seal::open(own, self.place(column, row), sealed));
        match own {
            Some(Ok(plain)) => Ok(plain),
            _ => self.member.open(column, row, sealed),
        }
    }

    fn place<'a>(&self, column: &'static str, row: &'a [u8]) -> Place<'a> {
        Place { column, row, owner: self.member.member().0 }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::entropy::{Entropy, SeededEntropy};
    use crate::domain::ids::MemberId;
    use crate::vault::Keyring;

    const COLUMN: &str = "outbox.sealed_payload";

    fn member() -> MemberKey {
        let entropy = Entropy::Seeded(SeededEntropy::new(7));
        let master = Key::from_bytes([1; 32]);
        let index = Keyring::create_index_key(&master, &entropy).unwrap();
        let keyring = Keyring::open(master, &index, entropy).unwrap();
        keyring.create_member_key(MemberId(Uuid::from_u128(1))).unwrap().0
    }

    fn clinic(name: &str) -> ClinicId {
        name.parse().unwrap()
    }

    #[test]
    fn what_a_destroyed_key_sealed_opens_no_more() {
        let (member, here) = (member(), clinic("riverside"));
        let first = member.create_content_key(&here).unwrap();
        let sealed = member.content_key(&here, Some(&first)).unwrap().seal(COLUMN, b"1", b"a secret").unwrap();
        assert_eq!(member.content_key(&here, Some(&first)).unwrap().open(COLUMN, b"1", &sealed).unwrap(), b"a secret");
        let second = member.create_content_key(&here).unwrap();
        for left in [None, Some(second.as_slice())] {
            let opened = member.content_key(&here, left).unwrap().open(COLUMN, b"1", &sealed);
            assert_eq!(opened, Err(SealError::DoesNotOpen));
        }
        assert_eq!(member.open(COLUMN, b"1", &sealed), Err(SealError::DoesNotOpen), "nor with the member's own key");
    }

    #[test]
    fn what_was_sealed_before_lanes_had_keys_still_opens() {
        let (member, here) = (member(), clinic("riverside"));
        let sealed = member.seal(COLUMN, b"1", b"a secret").unwrap();
        let wrapped = member.create_content_key(&here).unwrap();
        for key in [None, Some(wrapped.as_slice())] {
            assert_eq!(member.content_key(&here, key).unwrap().open(COLUMN, b"1", &sealed).unwrap(), b"a secret");
        }
    }

    #[test]
    fn a_lanes_key_opens_on_its_own_lane_only() {
        let member = member();
        let wrapped = member.create_content_key(&clinic("riverside")).unwrap();
        assert!(member.content_key(&clinic("hillside"), Some(&wrapped)).is_err());
    }
}
