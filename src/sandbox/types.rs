//! What the sandbox knows about each resource type. A table, so that behaviour and `metadata` cannot disagree.

/// One resource type the sandbox stores.
#[derive(Debug)]
pub struct ResourceType {
    /// The name, as in `resourceType` and in the URL.
    pub name: &'static str,
    /// The elements without which it is refused: what R4 demands, and what a clinic needs to file it.
    pub required: &'static [&'static str],
    /// The element that names the patient, who has to exist here.
    pub patient: Option<&'static str>,
    /// The search parameters, apart from the ones every type has.
    pub params: &'static [Param],
}

/// One search parameter.
#[derive(Debug)]
pub struct Param {
    /// The name in the URL.
    pub name: &'static str,
    /// How its value is read.
    pub kind: ParamKind,
    /// Where the resource holds what it is compared with, `participant.actor` style.
    pub paths: &'static [&'static str],
}

/// How the value of a search parameter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `system|code`.
    Token,
    /// `Patient/123`.
    Reference,
    /// `ge2026-01-01`.
    Date,
}

impl ParamKind {
    /// The code that a `CapabilityStatement` uses.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Date => "date",
        }
    }
}

/// The type called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|known| known.name == name)
}

const fn token(name: &'static str, paths: &'static [&'static str]) -> Param {
    Param { name, kind: ParamKind::Token, paths }
}

const fn reference(name: &'static str, paths: &'static [&'static str]) -> Param {
    Param { name, kind: ParamKind::Reference, paths }
}

const fn date(name: &'static str, paths: &'static [&'static str]) -> Param {
    Param { name, kind: ParamKind::Date, paths }
}

const IDENTIFIER: Param = token("identifier", &["identifier"]);
const STATUS: Param = token("status", &["status"]);
const CATEGORY: Param = token("category", &["category"]);
const CODE: Param = token("code", &["code"]);
const PATIENT: Param = reference("patient", &["subject"]);
const SUBJECT: Param = reference("subject", &["subject"]);
const RECIPIENT: Param = reference("recipient", &["recipient"]);
const AUTHORED: Param = date("authored", &["authoredOn"]);

/// Every type the sandbox stores.
pub static TYPES: &[ResourceType] = &[
    ResourceType { name: "Patient", required: &[], patient: None, params: &[IDENTIFIER] },
    ResourceType {
        name: "Observation",
        required: &["status", "code", "subject"],
        patient: Some("subject"),
        params: &[
            IDENTIFIER,
            PATIENT,
            SUBJECT,
            STATUS,
            CATEGORY,
            CODE,
            date("date", &["effectiveDateTime", "effectivePeriod", "effectiveInstant"]),
        ],
    },
    ResourceType {
        name: "QuestionnaireResponse",
        required: &["status", "subject"],
        patient: Some("subject"),
        params: &[IDENTIFIER, PATIENT, SUBJECT, STATUS, date("authored", &["authored"])],
    },
    ResourceType {
        name: "DocumentReference",
        required: &["status", "content", "subject"],
        patient: Some("subject"),
        params: &[IDENTIFIER, PATIENT, SUBJECT, STATUS, CATEGORY, token("type", &["type"]), date("date", &["date"])],
    },
    ResourceType {
        name: "DiagnosticReport",
        required: &["status", "code", "subject"],
        patient: Some("subject"),
        params: &[IDENTIFIER, PATIENT, SUBJECT, STATUS, CATEGORY, CODE, date("date", &["effectivePeriod"])],
    },
    ResourceType {
        name: "Consent",
        required: &["status", "scope", "category"],
        patient: Some("patient"),
        params: &[IDENTIFIER, reference("patient", &["patient"]), STATUS, CATEGORY, date("date", &["dateTime"])],
    },
    ResourceType {
        name: "Provenance",
        required: &["target", "recorded", "agent"],
        patient: None,
        params: &[reference("patient", &["target"]), reference("target", &["target"]), date("recorded", &["recorded"])],
    },
    ResourceType {
        name: "AuditEvent",
        required: &["type", "recorded", "agent", "source"],
        patient: None,
        params: &[
            reference("patient", &["agent.who", "entity.what"]),
            token("type", &["type"]),
            date("date", &["recorded"]),
        ],
    },
    ResourceType {
        name: "Task",
        required: &["status", "intent"],
        patient: Some("for"),
        params: &[IDENTIFIER, reference("patient", &["for"]), reference("subject", &["for"]), STATUS, CODE],
    },
    ResourceType {
        name: "Communication",
        required: &["status"],
        patient: Some("subject"),
        params: &[IDENTIFIER, PATIENT, SUBJECT, STATUS, CATEGORY, RECIPIENT, date("sent", &["sent"])],
    },
    ResourceType {
        name: "CommunicationRequest",
        required: &["status"],
        patient: Some("subject"),
        params: &[IDENTIFIER, PATIENT, SUBJECT, STATUS, CATEGORY, RECIPIENT, AUTHORED],
    },
    ResourceType {
        name: "ServiceRequest",
        required: &["status", "intent", "subject"],
        patient: Some("subject"),
        params: &[IDENTIFIER, PATIENT, SUBJECT, STATUS, CATEGORY, CODE, AUTHORED],
    },
    ResourceType {
        name: "Appointment",
        required: &["status", "participant"],
        patient: None,
        params: &[
            IDENTIFIER,
            reference("patient", &["participant.actor"]),
            reference("actor", &["participant.actor"]),
            STATUS,
            date("date", &["start"]),
        ],
    },
    ResourceType {
        name: "Schedule",
        required: &["actor"],
        patient: None,
        params: &[IDENTIFIER, reference("actor", &["actor"]), date("date", &["planningHorizon"])],
    },
    ResourceType {
        name: "Slot",
        required: &["schedule", "status", "start", "end"],
        patient: None,
        params: &[IDENTIFIER, reference("schedule", &["schedule"]), STATUS, date("start", &["start"])],
    },
    // Stored and found again, but nothing is ever notified.
    ResourceType {
        name: "Subscription",
        required: &["status", "reason", "criteria", "channel"],
        patient: None,
        params: &[STATUS],
    },
    ResourceType { name: "Practitioner", required: &[], patient: None, params: &[IDENTIFIER] },
    ResourceType { name: "Organization", required: &[], patient: None, params: &[IDENTIFIER] },
    ResourceType {
        name: "Device",
        required: &[],
        patient: Some("patient"),
        params: &[IDENTIFIER, reference("patient", &["patient"]), STATUS],
    },
];
