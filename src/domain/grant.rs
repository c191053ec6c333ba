//! A grant: one version of a member's consent towards one clinic.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::category::{Category, Detail};
use super::ids::{ClinicId, GrantId, MemberId, PractitionerId};
use super::label::Label;

/// One version of a member's consent. Versions of a [`GrantId`] start at 1; only the newest can be in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The line of versions.
    pub id: GrantId,
    /// Which version of the line.
    pub version: i32,
    /// Who consents.
    pub member: MemberId,
    /// Towards whom.
    pub clinic: ClinicId,
    /// Where in its life it stands.
    pub state: GrantState,
    /// What was consented to.
    pub terms: Terms,
    /// When this version was made.
    pub created_at: Timestamp,
    /// When this version stopped to be in force for good.
    pub ended_at: Option<Timestamp>,
}

/// What a member consents to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// Which categories, and how finely each.
    pub categories: BTreeMap<Category, Detail>,
    /// For which purposes the clinic may use them.
    pub purposes: BTreeSet<Purpose>,
    /// From when the consent is in force.
    pub valid_from: Timestamp,
    /// From this instant on it is no longer in force.
    pub valid_until: Timestamp,
    /// Only data lived at or after this instant; everything if absent.
    pub data_from: Option<Timestamp>,
    /// Who of the clinic may read it.
    #[serde(default)]
    pub recipient: Addressee,
    /// How much of what the clinic answers comes back into the community.
    #[serde(default)]
    pub way_back: WayBack,
    /// What carries one of these labels is not shared, whatever its category.
    #[serde(default)]
    pub withheld: BTreeSet<Label>,
}

/// For whom at the clinic the data is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addressee {
    /// Whoever treats the member there.
    #[default]
    Clinic,
    /// One practitioner.
    Practitioner(PractitionerId),
}

/// How much of what a clinic has for a member reaches them through their community, from nothing to everything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WayBack {
    /// Nothing.
    #[default]
    None,
    /// Only that there is a message.
    Notice,
    /// The message itself.
    Full,
}

impl WayBack {
    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Notice => "notice",
            Self::Full => "full",
        }
    }
}

/// Why the clinic may use the data (HL7 v3 `ActReason`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
pub enum Purpose {
    /// Treatment.
    #[serde(rename = "TREAT")]
    Treatment,
    /// Care management.
    #[serde(rename = "CAREMGT")]
    CareManagement,
}

/// The life of a grant version: `active ⇄ paused → superseded | revoked`. A living version whose time is over is
/// expired: it permits nothing from that instant on, whether or not anybody has written that down yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GrantState {
    /// In force within its period.
    Active,
    /// Set aside by the member; nothing goes out, nothing is withdrawn.
    Paused,
    /// A newer version took its place.
    Superseded,
    /// Taken back by the member.
    Revoked,
}

/// A change that a grant's state does not allow.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a grant that is {from} cannot become {to}")]
pub struct InvalidTransition {
    from: &'static str,
    to: &'static str,
}

impl GrantState {
    const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Superseded, Self::Revoked];

    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
        }
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether this version can never be in force again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Superseded | Self::Revoked)
    }
}

impl Grant {
    /// Whether it lives, but its time is over.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        !self.state.is_final() && now >= self.terms.valid_until
    }

    /// Where it stands, in a word: that of its state, or `expired`.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> &'static str {
        if self.is_expired(now) { "expired" } else { self.state.as_str() }
    }

    /// The same grant in another state.
    ///
    /// # Errors
    /// [`InvalidTransition`] when its life does not allow it: an ended version never comes back.
    pub fn into_state(mut self, to: GrantState, now: Timestamp) -> Result<Self, InvalidTransition> {
        if self.state.is_final() || self.state == to {
            return Err(InvalidTransition { from: self.state.as_str(), to: to.as_str() });
        }
        self.state = to;
        self.ended_at = to.is_final().then_some(now);
        Ok(self)
    }
}

/// How a consent stands: what its clinic may always know, because it is about that very clinic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing<'a>(pub &'a Grant);
