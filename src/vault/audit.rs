//! The key of the audit log: each entry's MAC covers the entry, its place, and the MAC of the entry before it.

use uuid::Uuid;

use super::index::{Index, IndexKey};
use super::key::Key;

/// The HMAC-SHA-256 of something under the audit key.
pub type Mac = Index;

/// What the first entry of a chain has before it.
pub const NO_MAC: Mac = [0; 32];

/// The name of the audit key in the database.
pub const AUDIT_KEY: &str = "audit";

/// Computes them. One key for the life of a database, wrapped by the master key: whoever has only the database can
/// neither write an entry nor change one.
#[derive(Clone, Debug)]
pub struct AuditKey(IndexKey);

/// An entry as it is covered by its MAC.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// The chain's member, or nil.
    pub member: Uuid,
    /// The chain's clinic, or nothing.
    pub clinic: &'a str,
    /// Its place on the chain, from 1.
    pub seq: i64,
    /// The MAC of the entry before it, or [`NO_MAC`].
    pub before: &'a Mac,
    /// When it happened, in microseconds.
    pub at: i64,
    /// Its word.
    pub kind: &'a str,
    /// What happened.
    pub body: &'a str,
    /// Its sealed part, as it is stored.
    pub sealed: Option<&'a [u8]>,
}

impl AuditKey {
    /// The audit key in these bytes.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self(IndexKey::new(key))
    }

    /// The MAC of an entry.
    #[must_use]
    pub fn entry(&self, entry: &Covered<'_>) -> Mac {
        let (seq, at) = (entry.seq.to_be_bytes(), entry.at.to_be_bytes());
        let parts: [&[u8]; 8] = [
            entry.member.as_bytes(),
            entry.clinic.as_bytes(),
            &seq,
            entry.before,
            &at,
            entry.kind.as_bytes(),
            entry.body.as_bytes(),
            entry.sealed.unwrap_or_default(),
        ];
        // An empty sealed part is not the same as none.
        self.0.index(if entry.sealed.is_some() { "audit-sealed-entry" } else { "audit-entry" }, &parts)
    }

    /// The MAC of a chain's head, which says how far the chain goes: without it, entries could be cut off its end.
    #[must_use]
    pub fn head(&self, member: Uuid, clinic: &str, seq: i64, last: &Mac, changed_at: i64) -> Mac {
        let parts: [&[u8]; 5] =
            [member.as_bytes(), clinic.as_bytes(), &seq.to_be_bytes(), last, &changed_at.to_be_bytes()];
        self.0.index("audit-head", &parts)
    }

    /// The MAC of a line of a checkpoint file.
    #[must_use]
    pub fn checkpoint(&self, line: &[u8]) -> Mac {
        self.0.index("audit-checkpoint", &[line])
    }
}
