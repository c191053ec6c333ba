//! Why an event was not taken.

use serde::Serialize;
use utoipa::ToSchema;

/// An event that was not taken. Holds no value of the event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Refusal {
    /// Why, as a word.
    pub reason: RefusalReason,
    /// The field in question, as a JSON Pointer into the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was expected there.
    pub expected: String,
}

/// Why an event was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The event does not have the form that its JSON Schema asks for.
    Invalid,
    /// The community knows no member under this subject.
    UnknownMember,
    /// No consent of the member lets any clinic see it; nothing was stored.
    NotPermitted,
    /// The member deleted the entry; it does not come back under the same id.
    Retracted,
}

impl Refusal {
    /// A field that does not have the form it must.
    pub fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { reason: RefusalReason::Invalid, field: Some(field.into()), expected: expected.into() }
    }

    /// Nobody by that name.
    #[must_use]
    pub fn unknown_member() -> Self {
        Self {
            reason: RefusalReason::UnknownMember,
            field: Some("/subject".to_owned()),
            expected: "a member who has joined from this community".to_owned(),
        }
    }

    /// No consent covers it; `reason` is the decision's word.
    #[must_use]
    pub fn not_permitted(reason: &str) -> Self {
        Self {
            reason: RefusalReason::NotPermitted,
            field: None,
            expected: format!("the member's consent for some clinic to see it ({reason})"),
        }
    }

    /// The entry was taken back before.
    #[must_use]
    pub fn retracted() -> Self {
        Self {
            reason: RefusalReason::Retracted,
            field: None,
            expected:
                "an entry that its member has not deleted; what they write anew is a new entry with an id of its own"
                    .to_owned(),
        }
    }
}
