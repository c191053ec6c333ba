//! What the house does: its keys, its operators, and the log itself.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{ClinicId, CommunityId, DeliveryId, MemberId};

/// Which chain begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChainBegun {
    /// Its member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Its clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic: Option<ClinicId>,
    /// The MAC of its first entry, in hexadecimal: a chain that was deleted and begun anew has another one.
    pub first: String,
}

/// Which chain was tampered with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChainTampered {
    /// Its member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Its clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic: Option<ClinicId>,
    /// How far it was said to go.
    pub seq: i64,
}

/// Which line of which file notes what stood on the chains.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckpointWritten {
    /// The file's own name for itself.
    pub file: uuid::Uuid,
    /// Its last line.
    pub line: u64,
    /// SHA-256 of that line.
    pub sha256: String,
}

/// A key, by the first bytes of its digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyId {
    /// In hexadecimal.
    pub key: String,
}

/// A change of the master key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyRotation {
    /// The key that wrapped before, in hexadecimal.
    pub from: String,
    /// The key that wraps now.
    pub to: String,
    /// How many keys were wrapped anew.
    pub keys: u64,
}

/// A key to sign with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SigningKeyFound {
    /// Its thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: String,
}

/// An API key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its public half.
    pub key_id: String,
    /// Whose it is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub community: Option<CommunityId>,
}

/// What an operator did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OperatorAccess {
    /// The command, without what was given to it.
    pub command: String,
    /// The operator, as the operating system numbers them.
    pub uid: u32,
    /// The item it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryId>,
    /// The clinic it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic: Option<ClinicId>,
    /// How much it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}
