//! What every column of the schema may hold. Whoever adds one says it here.

use crate::on_both_databases;
use crate::support::cells::Column;

/// What a column of text or bytes may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// Sealed, with a key of the member, the lane or the vault.
    Sealed,
    /// A keyed index, or a code made with a key.
    Index,
    /// An opaque id: SQLite keeps it as bytes.
    Id,
    /// A word of the program, or a name out of the configuration.
    Word,
    /// What an EHR called something of its own.
    EhrId,
    /// JSON without free text.
    Structure,
    /// A text that everybody is shown.
    Public,
}

use Holds::{EhrId, Id, Index, Public, Sealed, Structure, Word};

/// Every column of text or bytes that there is. A new one fails the test until it stands here: say what it holds, and put
/// a canary through it if it holds anything that a person wrote or that says who they are.
const COLUMNS: &[(&str, &[(&str, Holds)])] = &[
    ("api_keys", &[("key_id", Id), ("secret_index", Index), ("community_id", Word), ("scopes", Word)]),
    (
        "audit_entries",
        &[
            ("member_id", Id),
            ("clinic_id", Word),
            ("kind", Word),
            ("body", Structure),
            ("sealed_body", Sealed),
            ("mac", Index),
        ],
    ),
    ("asks", &[("clinic_id", Word), ("rhythms", Word)]),
    ("audit_heads", &[("member_id", Id), ("clinic_id", Word), ("last_mac", Index), ("mac", Index)]),
    (
        "bookings",
        &[
            ("member_id", Id),
            ("booking_id", Id),
            ("clinic_id", Word),
            ("visit", Word),
            ("state", Word),
            ("wish", Word),
            ("note", Word),
            ("identifier", Id),
            ("replaces", Id),
            ("group_session_id", Id),
            ("sealed_booking", Sealed),
        ],
    ),
    (
        "agreements",
        &[
            ("member_id", Id),
            ("community_id", Word),
            ("agreed_version", Word),
            ("told_version", Word),
            ("told_key", Id),
        ],
    ),
    ("calendar_feeds", &[("member_id", Id), ("token_index", Index)]),
    ("group_sessions", &[("clinic_id", Word), ("session_id", Id), ("visit", Word), ("state", Word)]),
    ("announcements", &[("announcement_id", Id), ("community_id", Word)]),
    (
        "materials",
        &[
            ("material_id", Id),
            ("clinic_id", Word),
            ("language", Word),
            ("title", Public),
            ("text", Public),
            ("link", Public),
            ("sha256", Public),
            ("staff_id", Id),
            ("mac", Index),
        ],
    ),
    ("material_retractions", &[("material_id", Id), ("clinic_id", Word), ("staff_id", Id)]),
    ("visit_terms", &[("clinic_id", Word), ("visit", Word)]),
    ("visit_ratings", &[("clinic_id", Word), ("visit", Word), ("month", Word)]),
    (
        "concerns",
        &[
            ("concern_id", Id),
            ("community_id", Word),
            ("member_id", Id),
            ("entry_index", Index),
            ("sealed_concern", Sealed),
            ("state", Word),
        ],
    ),
    ("concern_tellings", &[("concern_id", Id), ("member_id", Id)]),
    (
        "warnings",
        &[
            ("member_id", Id),
            ("identifier", Index),
            ("concern_id", Id),
            ("clinic_id", Word),
            ("sealed_warning", Sealed),
        ],
    ),
    ("clinic_assertions", &[("clinic_id", Word), ("jti_index", Index)]),
    ("clinic_tokens", &[("token_index", Index), ("clinic_id", Word), ("scopes", Word)]),
    (
        "consent_records",
        &[
            ("member_id", Id),
            ("grant_id", Id),
            ("change", Word),
            ("method", Word),
            ("notice_hash", Id),
            ("notice_language", Word),
            ("sealed_practitioner", Sealed),
            ("receipt_id", Id),
            ("sealed_receipt", Sealed),
        ],
    ),
    (
        "former_links",
        &[
            ("member_id", Id),
            ("clinic_id", Word),
            ("patient_index", Index),
            ("proof", Word),
            ("sealed_proof", Sealed),
            ("ended_by", Word),
        ],
    ),
    ("identities", &[("community_id", Word), ("subject_index", Index), ("issuer_index", Index), ("member_id", Id)]),
    (
        "identity_requests",
        &[("state_index", Index), ("browser_index", Index), ("community_id", Word), ("session_index", Index)],
    ),
    (
        "launches",
        &[
            ("state_index", Index),
            ("member_id", Id),
            ("clinic_id", Word),
            ("session_index", Index),
            ("sealed_launch", Sealed),
        ],
    ),
    ("link_attempts", &[("clinic_id", Word), ("member_id", Id)]),
    ("link_codes", &[("code_index", Index), ("clinic_id", Word), ("patient_index", Index), ("sealed_patient", Sealed)]),
    ("notices", &[("hash", Id), ("language", Word), ("text", Public)]),
    ("sessions", &[("session_index", Index), ("member_id", Id), ("community_id", Word)]),
    (
        "staff_sessions",
        &[
            ("session_index", Index),
            ("clinic_id", Word),
            ("community_id", Word),
            ("staff_id", Id),
            ("rules_index", Index),
        ],
    ),
    ("staff_walks", &[("state_index", Index), ("browser_index", Index), ("clinic_id", Word), ("community_id", Word)]),
    (
        "sign_in_links",
        &[
            ("link_id", Id),
            ("secret_index", Index),
            ("browser_index", Index),
            ("community_id", Word),
            ("handle_index", Index),
            ("language", Word),
        ],
    ),
    ("clinics", &[("clinic_id", Word), ("rung", Word), ("trouble", Word)]),
    ("data_keys", &[("name", Word), ("sealed_key", Sealed)]),
    (
        "erasures",
        &[
            ("erasure_id", Id),
            ("member_id", Id),
            ("state", Word),
            ("method", Word),
            ("certificate_index", Index),
            ("sealed_secret", Sealed),
            ("certificate", Structure),
        ],
    ),
    (
        "events",
        &[
            ("community_id", Word),
            ("event_index", Index),
            ("member_id", Id),
            ("body_index", Index),
            ("category", Word),
            ("entry_index", Index),
            ("newest_index", Index),
        ],
    ),
    ("grants", &[("member_id", Id), ("grant_id", Id), ("clinic_id", Word), ("state", Word), ("terms", Structure)]),
    ("handles", &[("community_id", Word), ("handle_index", Index), ("member_id", Id), ("sealed_handle", Sealed)]),
    ("lanes", &[("clinic_id", Word), ("member_id", Id), ("sealed_key", Sealed)]),
    (
        "ledger",
        &[
            ("clinic_id", Word),
            ("member_id", Id),
            ("identifier", Id),
            ("resource_type", Word),
            ("ehr_id", EhrId),
            ("ehr_version", EhrId),
            ("delivery_id", Id),
        ],
    ),
    (
        "links",
        &[
            ("member_id", Id),
            ("clinic_id", Word),
            ("patient_index", Index),
            ("sealed_patient", Sealed),
            ("proof", Word),
            ("sealed_proof", Sealed),
            ("lineage", Index),
        ],
    ),
    ("tellings", &[("member_id", Id), ("recommendation_id", Id), ("message_id", Id)]),
    (
        "push_subscriptions",
        &[("member_id", Id), ("subscription_id", Id), ("address_index", Index), ("sealed_subscription", Sealed)],
    ),
    ("join_codes", &[("member_id", Id), ("code_index", Index)]),
    ("ears", &[("community_id", Word), ("process_id", Id)]),
    ("talks", &[("member_id", Id), ("sealed_talk", Sealed)]),
    ("questionnaire_drafts", &[("member_id", Id), ("instrument", Word), ("sealed_draft", Sealed)]),
    ("chat_drafts", &[("member_id", Id), ("community_id", Word), ("instrument", Word), ("sealed_draft", Sealed)]),
    ("member_settings", &[("member_id", Id), ("sealed_settings", Sealed)]),
    ("member_tokens", &[("token_index", Index), ("member_id", Id)]),
    ("members", &[("member_id", Id), ("sealed_key", Sealed)]),
    (
        "outbox",
        &[
            ("clinic_id", Word),
            ("member_id", Id),
            ("delivery_id", Id),
            ("grant_id", Id),
            ("category", Word),
            ("resource_type", Word),
            ("identifier", Id),
            ("sealed_payload", Sealed),
            ("state", Word),
            ("reason", Word),
            ("operation", Word),
            ("sealed_answer", Sealed),
            ("content_index", Index),
            ("kind", Word),
            ("parts", Structure),
            ("detail", Word),
            ("labels", Word),
            ("addressee", Id),
            ("cleared_grant_id", Id),
        ],
    ),
    ("pages", &[("member_id", Id), ("clinic_id", Word), ("first_day", Word), ("identifier", Id)]),
    ("patient_tokens", &[("clinic_id", Word), ("member_id", Id), ("sealed_tokens", Sealed), ("state", Word)]),
    ("readings", &[("member_id", Id), ("reading_id", Id), ("category", Word), ("sealed_reading", Sealed)]),
    (
        "recommendations",
        &[
            ("member_id", Id),
            ("recommendation_id", Id),
            ("clinic_id", Word),
            ("resource_index", Index),
            ("focus_index", Index),
            ("ehr_version", EhrId),
            ("kind", Word),
            ("state", Word),
            ("sealed_recommendation", Sealed),
        ],
    ),
    (
        "recommendation_answers",
        &[
            ("member_id", Id),
            ("recommendation_id", Id),
            ("answer", Word),
            ("sealed_answer", Sealed),
            ("task_identifier", Id),
            ("identifier", Id),
        ],
    ),
    (
        "summaries",
        &[
            ("member_id", Id),
            ("clinic_id", Word),
            ("category", Word),
            ("detail", Word),
            ("first_day", Word),
            ("identifier", Id),
        ],
    ),
    ("unsummarised", &[("member_id", Id), ("clinic_id", Word), ("category", Word), ("detail", Word)]),
    ("upkeep", &[("member_id", Id)]),
    ("way_back", &[("member_id", Id), ("clinic_id", Word), ("reason", Word)]),
    (
        "subscriptions",
        &[
            ("member_id", Id),
            ("clinic_id", Word),
            ("topic", Word),
            ("subscription_id", Id),
            ("path_index", Index),
            ("sealed_secret", Sealed),
            ("header_index", Index),
            ("ehr_id", EhrId),
            ("state", Word),
            ("reason", Word),
        ],
    ),
    (
        "news",
        &[("member_id", Id), ("clinic_id", Word), ("subscription_id", Id), ("resource_type", Word), ("ehr_id", EhrId)],
    ),
];

impl Holds {
    /// Whether a value may stand in such a column. (An id of SQLite is 16 bytes, of PostgreSQL text.)
    pub fn allows(self, value: &[u8]) -> bool {
        match self {
            Sealed => value.first() == Some(&1) && value.len() > 33,
            Index => value.len() == 32,
            Id | EhrId => value.len() <= 64,
            Word => value
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || b" :-_./*".contains(byte) || byte.is_ascii_alphanumeric()),
            Structure => value.is_ascii(),
            Public => true,
        }
    }
}

pub fn known(column: &Column) -> Option<Holds> {
    let (_, columns) = COLUMNS.iter().find(|(table, _)| *table == column.table)?;
    columns.iter().find(|(name, _)| *name == column.name).map(|(_, holds)| *holds)
}

on_both_databases! {
    async fn what_every_column_may_hold_is_known(database) {
        drop(mostik::store::Store::open(&database.url).await.unwrap());
        let columns = database.columns().await;
        for column in columns.iter().filter(|column| column.is_bytes || column.is_text) {
            let holds = known(column);
            assert!(holds.is_some(), "say in COLUMNS what {}.{} holds", column.table, column.name);
            let is_sealed = column.name.starts_with("sealed_");
            assert_eq!(is_sealed, holds == Some(Sealed), "{}.{}: what is sealed is called so", column.table, column.name);
        }
        for (table, names) in COLUMNS {
            for (name, _) in *names {
                let is_there = columns.iter().any(|column| column.table == *table && column.name == *name);
                assert!(is_there, "there is no {table}.{name} any more");
            }
        }
    }
}
