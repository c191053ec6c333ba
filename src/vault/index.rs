//! Keyed indexes: how a personal value is found again without being stored.

use aws_lc_rs::hmac;
use uuid::Uuid;

use super::key::Key;

/// The HMAC-SHA-256 of something under the vault's index key.
pub type Index = [u8; 32];

/// Computes indexes. One key for the life of a database, wrapped by the master key.
#[derive(Clone)]
pub struct IndexKey(hmac::Key);

impl IndexKey {
    /// The index key in these bytes.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// The index of `parts` within `domain`. Equal parts give equal indexes; domains never meet.
    #[must_use]
    pub fn index(&self, domain: &'static str, parts: &[&[u8]]) -> Index {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// A UUID (version 8, RFC 9562 section 5.8) made from the index.
    #[must_use]
    pub fn uuid(&self, domain: &'static str, parts: &[&[u8]]) -> Uuid {
        let index = self.index(domain, parts);
        uuid::Builder::from_custom_bytes(index.first_chunk().copied().unwrap_or_default()).into_uuid()
    }
}

impl std::fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_be_shifted_between_each_other_or_domains() {
        let key = IndexKey::new(&Key::from_bytes([1; 32]));
        assert_eq!(key.index("a", &[b"xy", b"z"]), key.index("a", &[b"xy", b"z"]));
        assert_ne!(key.index("a", &[b"xy", b"z"]), key.index("a", &[b"x", b"yz"]));
        assert_ne!(key.index("a", &[b"xy"]), key.index("b", &[b"xy"]));
        assert_ne!(key.index("a", &[]), key.index("a", &[b""]));
    }
}
