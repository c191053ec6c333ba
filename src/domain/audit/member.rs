//! What concerns a member: who they are to whom, and what they consent to.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::hex;
use crate::domain::category::{Category, Detail};
use crate::domain::grant::{Grant, Purpose};
use crate::domain::ids::{CommunityId, GrantId};

/// From where a member came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Joined {
    /// The community.
    pub community: CommunityId,
}

/// The rules of a community.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RulesAt {
    /// Whose.
    pub community: CommunityId,
    /// Their version: a day.
    pub version: String,
}

/// How a member got access.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignIn {
    /// `token`, `link`, `openid-connect`, …
    pub method: String,
}

/// Where a member has an account that lets them in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IdentityAt {
    /// At the identity provider of this community.
    pub community: CommunityId,
}

/// What ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignOut {
    /// How many accesses.
    pub ended: u64,
}

/// A step of an erasure.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Erasure {
    /// When it will be, or was to be, carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// The certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<uuid::Uuid>,
    /// Through what the member said so: `portal`, `api`, `operator`; `None` where it is no word of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Whether clinics are to be asked to mark what they have as entered in error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ask_clinics: bool,
}

/// How the clinic vouches, or vouched, for a link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Linked {
    /// `operator`, `smart-launch`, `clinic-code`, …
    pub proof: String,
}

/// How a link ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkEnded {
    /// On whose word: `member`, `operator`, `clinic`.
    pub by: String,
    /// How many waiting items were withdrawn in the same stroke.
    pub withdrawn: u64,
}

/// Where a consent stands. Its terms are in the grant itself; their digest is here, so that they cannot be changed there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConsentState {
    /// The line of versions.
    pub grant: GrantId,
    /// Which version.
    pub version: i32,
    /// Which categories, and how finely each.
    pub categories: BTreeMap<Category, Detail>,
    /// For which purposes.
    pub purposes: Vec<Purpose>,
    /// From when.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// SHA-256 of the terms as they are stored, in hexadecimal.
    pub terms_sha256: String,
    /// How many items were withdrawn in the same stroke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<u64>,
}

impl ConsentState {
    /// Where a grant stands.
    #[must_use]
    pub fn of(grant: &Grant) -> Self {
        Self {
            grant: grant.id,
            version: grant.version,
            categories: grant.terms.categories.clone(),
            purposes: grant.terms.purposes.iter().copied().collect(),
            valid_from: grant.terms.valid_from,
            valid_until: grant.terms.valid_until,
            terms_sha256: sha256(&serde_json::to_vec(&grant.terms).unwrap_or_default()),
            withdrawn: None,
        }
    }

    /// The same, with how many items were withdrawn.
    #[must_use]
    pub fn withdrawing(self, withdrawn: u64) -> Self {
        Self { withdrawn: Some(withdrawn), ..self }
    }
}

/// A text that was shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Which.
    pub notice: String,
    /// Which version of it.
    pub version: i32,
    /// In which language.
    pub language: String,
}

/// A receipt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// Which.
    pub receipt: uuid::Uuid,
    /// For which grant.
    pub grant: GrantId,
    /// For which version.
    pub version: i32,
}

/// In hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}
