//! Receipts: what a member holds in their hands to prove what they decided. The fields are those of ISO/IEC TS 27560:2023,
//! as JSON (`schemas/receipt.v1.json`), signed as a compact JWS (RFC 7515) with a key whose public half is in the published
//! JWK Set. Each change of a grant gets one; it says how the grant stands since then, and what was done with it before.

mod key;
mod read;
mod verify;

pub use key::{KeyError, signing_key};
pub use read::rows;
pub use verify::{NotGenuine, verify};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::category::{Category, Detail};
use crate::domain::consented::{Change, Method, Practitioner, Shown};
use crate::domain::grant::{Grant, Purpose, WayBack};
use crate::domain::ids::ReceiptId;
use crate::domain::label::Label;
use crate::domain::language::Language;

/// Which structure the fields follow.
pub const SCHEMA: &str = "https://w3id.org/mostik/schemas/receipt.v1.json";

/// What the lawful basis is called (GDPR, articles 6(1)(a) and 9(2)(a)).
const EXPLICIT_CONSENT: &str = "explicit-consent";

/// A receipt. Personal: it says what somebody shares with whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Which structure the fields follow.
    pub schema_version: String,
    /// The receipt itself.
    pub receipt_id: Uuid,
    /// When it was issued.
    pub receipt_timestamp: Timestamp,
    /// The grant.
    pub record_id: Uuid,
    /// Its version.
    pub record_version: i32,
    /// The member, by the name that only this installation knows.
    pub pii_principal_id: Uuid,
    /// What is done with what.
    pub pii_processing: Processing,
    /// Who the parties are.
    pub party_identification: Vec<Party>,
    /// What was done with the grant, oldest first; the last is what this receipt is for.
    pub events: Vec<Event>,
}

/// What is done with what, why and for how long.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processing {
    /// The text that the member had before them; absent if nobody knows.
    pub privacy_notice: Option<PrivacyNotice>,
    /// The language in which they decided.
    pub language: Language,
    /// What for: HL7 v3 `ActReason`.
    pub purposes: Vec<Purpose>,
    /// By what right.
    pub lawful_basis: String,
    /// Which data.
    pub pii_information: Vec<Shared>,
    /// Labels of what is not shared, whatever its category.
    pub withheld: Vec<Label>,
    /// Who gets it: parties.
    pub recipient_third_parties: Vec<String>,
    /// How much of what the clinic answers comes back.
    pub way_back: WayBack,
    /// From when.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// Only data lived at or after this instant.
    pub data_from: Option<Timestamp>,
    /// How long it is kept, by whom.
    pub retention_period: Retention,
    /// How to take it back.
    pub withdrawal_method: Vec<String>,
}

/// The text that the member had before them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyNotice {
    /// Which version.
    pub version: i32,
    /// In which language.
    pub language: Language,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A category that is shared.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// Which.
    pub pii_type: Category,
    /// How finely.
    pub detail: Detail,
    /// It is health data, which the law guards above others.
    pub special_pii_category: bool,
}

/// How long what was shared is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// By this installation.
    pub bridge: String,
    /// By the clinic.
    pub recipient: String,
}

/// Somebody who has to do with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// What the receipt calls them.
    pub party_id: String,
    /// `controller`, `recipient` or `practitioner`.
    pub party_role: String,
    /// Their name.
    pub party_name: String,
    /// How to reach them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party_contact: Option<String>,
}

/// Something that was done with the grant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub event_time: Timestamp,
    /// What.
    pub event_type: String,
    /// Which version it made, or concerned.
    pub record_version: i32,
    /// How the grant stood afterwards.
    pub event_state: String,
    /// Through what.
    pub collection_method: String,
}

/// Whom receipts name beside the member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parties<'a> {
    /// This installation: a URI.
    pub source: &'a str,
    /// Who runs it.
    pub operator: &'a str,
    /// How to reach them; empty if nobody said.
    pub contact: &'a str,
    /// What the clinic is called.
    pub clinic: &'a str,
    /// The one practitioner whom the grant is for.
    pub practitioner: Option<&'a Practitioner>,
}

/// A change of a grant, as its receipt tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// What was done.
    pub change: Change,
    /// Through what.
    pub method: Method,
    /// Which version it made, or concerned.
    pub version: i32,
    /// When.
    pub at: Timestamp,
}

impl Receipt {
    /// The receipt for the last of `events`, after which `grant` stands as it is given.
    #[must_use]
    pub fn new(id: ReceiptId, grant: &Grant, shown: Option<&Shown>, parties: &Parties<'_>, events: &[Done]) -> Self {
        Self {
            schema_version: SCHEMA.to_owned(),
            receipt_id: id.0,
            receipt_timestamp: events.last().map_or(grant.created_at, |event| event.at),
            record_id: grant.id.0,
            record_version: grant.version,
            pii_principal_id: grant.member.0,
            pii_processing: processing(grant, shown, parties),
            party_identification: identified(grant, parties),
            events: events.iter().map(Event::from).collect(),
        }
    }
}

fn processing(grant: &Grant, shown: Option<&Shown>, parties: &Parties<'_>) -> Processing {
    let terms = &grant.terms;
    let shared = |(category, detail): (&Category, &Detail)| Shared {
        pii_type: *category,
        detail: *detail,
        special_pii_category: true,
    };
    let practitioner = parties.practitioner.map(|practitioner| practitioner.id.clone());
    Processing {
        privacy_notice: shown.map(|shown| PrivacyNotice {
            version: shown.version,
            language: shown.language,
            sha256: shown.hash.clone(),
        }),
        language: shown.map_or(Language::default(), |shown| shown.language),
        purposes: terms.purposes.iter().copied().collect(),
        lawful_basis: EXPLICIT_CONSENT.to_owned(),
        pii_information: terms.categories.iter().map(shared).collect(),
        withheld: terms.withheld.iter().copied().collect(),
        recipient_third_parties: std::iter::once(grant.clinic.to_string()).chain(practitioner).collect(),
        way_back: terms.way_back,
        valid_from: terms.valid_from,
        valid_until: terms.valid_until,
        data_from: terms.data_from,
        retention_period: Retention { bridge: "until-delivered".to_owned(), recipient: "as-its-law-says".to_owned() },
        withdrawal_method: vec!["portal".to_owned(), format!("POST /v1/grants/{}/revoke", grant.id)],
    }
}

fn identified(grant: &Grant, parties: &Parties<'_>) -> Vec<Party> {
    let party = |id: &str, role: &str, name: &str| Party {
        party_id: id.to_owned(),
        party_role: role.to_owned(),
        party_name: name.to_owned(),
        party_contact: None,
    };
    let contact = Some(parties.contact.to_owned()).filter(|contact| !contact.is_empty());
    let mut all = vec![
        Party { party_contact: contact, ..party(parties.source, "controller", parties.operator) },
        party(grant.clinic.as_str(), "recipient", parties.clinic),
    ];
    all.extend(parties.practitioner.map(|named| party(&named.id, "practitioner", &named.display)));
    all
}

impl From<&Done> for Event {
    fn from(done: &Done) -> Self {
        let state = match done.change {
            Change::Given | Change::Changed | Change::Resumed => "active",
            Change::Paused => "paused",
            Change::Revoked => "revoked",
        };
        Self {
            event_time: done.at,
            event_type: done.change.as_str().to_owned(),
            record_version: done.version,
            event_state: state.to_owned(),
            collection_method: done.method.as_str().to_owned(),
        }
    }
}
