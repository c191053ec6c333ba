//! What goes to a clinic, and what does not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::category::{Category, Detail};
use crate::domain::delivery::Operation;
use crate::domain::grant::Purpose;
use crate::domain::ids::{DeliveryId, GrantId, RecommendationId};
use crate::domain::matter::Matter;
use crate::domain::warning::WarningPurpose;

/// When something is decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// When it comes in, or is summed up from what came in: before it waits to be sent.
    Intake,
    /// In the transaction that marks it as being sent.
    Send,
}

/// What was decided in one transaction about one member towards one clinic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub stage: Stage,
    /// What for.
    pub purpose: Purpose,
    /// What may go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permitted: Vec<Permitted>,
    /// How many items may not go, by reason. Not which: what nobody may see is not remembered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub denied: BTreeMap<String, u32>,
}

/// What an item tells, as far as the log says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    /// `fact`, `page`, `consent`, `mark`, `word`, `answer`, `booking`, `booking-why`, `cancelling` or `warning`.
    pub matter: String,
    /// The category of a fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// How fine a fact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// What a page tells of, and how finely each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<Category, Detail>,
}

impl About {
    /// What an item with this matter tells.
    #[must_use]
    pub fn of(matter: &Matter) -> Self {
        let (word, fact) = match matter {
            Matter::Fact(fact) => ("fact", Some(fact)),
            Matter::Page(parts) if parts.answers => ("answered-page", None),
            Matter::Page(_) => ("page", None),
            Matter::Consent(_) => ("consent", None),
            Matter::Mark(fact) => ("mark", Some(fact)),
            Matter::Word => ("word", None),
            Matter::Answer => ("answer", None),
            Matter::Warning(_) => ("warning", None),
            Matter::Booking { says_why: false } => ("booking", None),
            Matter::Booking { says_why: true } => ("booking-why", None),
            Matter::Cancelling => ("cancelling", None),
        };
        let (category, detail) = (fact.map(|fact| fact.category), fact.map(|fact| fact.detail));
        let parts = match matter {
            Matter::Page(parts) => parts.facts.iter().map(|part| (part.category, part.detail)).collect(),
            _ => BTreeMap::new(),
        };
        Self { matter: word.to_owned(), category, detail, parts }
    }
}

/// What may go under one version of a consent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Permitted {
    /// The consent.
    pub grant: GrantId,
    /// Which version.
    pub version: i32,
    /// What it is.
    #[serde(flatten)]
    pub about: About,
    /// The values of the resources' identifiers.
    pub items: Vec<String>,
}

/// What a clinic's EHR has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Disclosure {
    /// The item.
    pub delivery: DeliveryId,
    /// The value of the resource's identifier.
    pub identifier: String,
    /// What became of the resource.
    pub operation: Operation,
    /// What it tells.
    #[serde(flatten)]
    pub about: About,
    /// FHIR resource type, as it stands there.
    pub resource_type: String,
    /// Whether it is a part of what another resource says as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_part: bool,
    /// The consent; `None`: there was none, and a policy let it go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// Which version of it let the item go; `None` where that was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// What for, where it went without consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<WarningPurpose>,
    /// After how many attempts, searches included.
    pub attempts: i32,
}

/// What is sealed in the entry of a disclosure. Personal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    /// The id the EHR gave the resource.
    pub id: Option<String>,
    /// The version the EHR gave it.
    pub version: Option<String>,
    /// When the fact was lived, if it tells one.
    pub measured_at: Option<Timestamp>,
}

/// An item that goes no further.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ended {
    /// The item.
    pub delivery: DeliveryId,
    /// The value of the resource's identifier.
    pub identifier: String,
    /// What was to become of the resource.
    pub operation: Operation,
    /// What it was to tell.
    #[serde(flatten)]
    pub about: About,
    /// Why: a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What somebody at a clinic read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClinicAccess {
    /// FHIR: `read`, `search-type`, …
    pub interaction: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// The clinic's client, as it is registered here.
    pub client: String,
    /// The request's own id, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// Somebody was sent away who wanted to read as a clinic does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClinicRefusal {
    /// From where: the route, without what stood in it.
    pub route: String,
    /// Why: a code.
    pub why: String,
    /// The clinic's client, as it is registered here, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whether they had proven that they are the clinic's.
    pub is_proven: bool,
    /// How many more there were since the entry before this one that are not written down each.
    #[serde(default)]
    pub unwritten: u64,
    /// The request's own id, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// Something that a clinic has for a member, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ForMember {
    /// Which.
    pub recommendation: RecommendationId,
    /// As what it stands in the EHR: a word.
    pub what: String,
    /// The consent under which it was kept, and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// Which version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// What the member answered: a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// Something that an EHR showed, and that was not kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotKept {
    /// FHIR resource type.
    pub resource_type: String,
    /// Why: a code.
    pub why: String,
}
