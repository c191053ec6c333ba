//! What is kept of each change of a consent, so that it can be proved.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::language::Language;

/// What a member did with a grant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// They gave it: its first version.
    Given,
    /// They changed its terms: a new version.
    Changed,
    /// They set it aside.
    Paused,
    /// They took it up again.
    Resumed,
    /// They took it back.
    Revoked,
}

impl Change {
    const ALL: [Self; 5] = [Self::Given, Self::Changed, Self::Paused, Self::Resumed, Self::Revoked];

    /// The word used in the API, the database and receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Changed => "changed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Revoked => "revoked",
        }
    }

    /// The change with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == name)
    }
}

/// Through what a consent came, changed or went.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// The member portal.
    Portal,
    /// The API, with the member's own token.
    Api,
    /// An operator, on the member's word.
    Operator,
    /// A command in their chat.
    Chat,
    /// Not they but their clinic: it says that the Patient is another member.
    Clinic,
}

impl Method {
    const ALL: [Self; 5] = [Self::Portal, Self::Api, Self::Operator, Self::Chat, Self::Clinic];

    /// The word used in the API, the database and receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Api => "api",
            Self::Operator => "operator",
            Self::Chat => "chat",
            Self::Clinic => "clinic",
        }
    }

    /// The method with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// The text that a member had before them when they decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Which version of the text.
    pub version: i32,
    /// In which language.
    pub language: Language,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub hash: String,
}

/// A practitioner as the clinic knows them. Personal, for them and for the member: its `Debug` does not tell.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Practitioner {
    /// The id of their `Practitioner` in the clinic's EHR.
    pub id: String,
    /// What they are called, for people.
    pub display: String,
}

impl Practitioner {
    /// Whether the id is one (FHIR R4, datatypes, id) and the name can be shown.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        (1..=64).contains(&self.id.len())
            && self.id.bytes().all(is_id)
            && !self.display.trim().is_empty()
            && self.display.chars().count() <= 200
            && !self.display.chars().any(char::is_control)
    }
}

impl fmt::Debug for Practitioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Practitioner(..)")
    }
}
