//! A line of a checkpoint file: what stood at the end of chains, tied to the line before it, and signed.

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::domain::audit::hex;
use crate::store::{AuditHead, AuditPlace};
use crate::vault::AuditKey;
use crate::vault::signing::SigningKey;

/// What a line says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The file's own name for itself: the same on each of its lines.
    pub file: Uuid,
    /// Which line it is, from 1.
    pub line: u64,
    /// When it was written.
    pub at: Timestamp,
    /// SHA-256 of the line before it; empty for the first.
    pub previous: String,
    /// The ends of chains that may have changed since the last checkpoint.
    pub ends: Vec<End>,
    /// The signing key, if there was one.
    pub kid: Option<String>,
}

/// The end of a chain: member, clinic, place and MAC of its last entry.
pub type End = (Uuid, String, i64, String);

/// A line as it is written: the code and the signature cover the very bytes of the checkpoint.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// A [`Checkpoint`].
    pub checkpoint: Box<RawValue>,
    /// Its HMAC under the audit key.
    pub mac: String,
    /// The same signed with one of the bridge's keys, for those who do not have the audit key: a JWT of [`Claims`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jws: Option<String>,
}

/// What the signature says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Who says so: the bridge's own URI.
    pub iss: String,
    /// When, in seconds.
    pub iat: i64,
    /// SHA-256 of the checkpoint.
    pub sha256: String,
}

impl Checkpoint {
    /// Writes it as a line, without its end. `None` for a checkpoint that has no JSON form: there is none.
    pub fn seal(&self, key: &AuditKey, signing: Option<&SigningKey>, issuer: &str) -> Option<String> {
        let checkpoint = to_raw_value(self).ok()?;
        let covered = checkpoint.get().as_bytes();
        let claims = Claims { iss: issuer.to_owned(), iat: self.at.as_second(), sha256: sha256(covered) };
        let jws = match signing {
            Some(signing) => Some(signing.sign(&claims)?),
            None => None,
        };
        let mac = hex(&key.checkpoint(covered));
        serde_json::to_string(&Line { checkpoint, mac, jws }).ok()
    }

    /// Where its ends stand, with their MACs.
    pub fn places(&self) -> impl Iterator<Item = (AuditPlace, &str)> {
        self.ends.iter().map(|(member, clinic, seq, mac)| (((*member, clinic.clone()), *seq), mac.as_str()))
    }
}

/// The end that a head speaks of.
pub fn end(head: AuditHead) -> End {
    (head.member_id, head.clinic_id, head.seq, hex(&head.last_mac))
}

/// In hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}
