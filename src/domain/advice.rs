//! What an EHR has for a patient, as it was read there and before anything is kept of it.

use std::fmt;

use jiff::Timestamp;

use super::ids::MemberId;
use super::recommendation::{RecommendationKind, Said};

/// One thing that an EHR has for a patient. Personal: its `Debug` shows the kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct Advice {
    /// As what it stands there.
    pub kind: RecommendationKind,
    /// How it stands there.
    pub standing: Standing,
    /// The id of the Patient whom it is for.
    pub patient: String,
    /// The type and the id of what it asks to do, where that stands in a resource of its own.
    pub focus: Option<(String, String)>,
    /// What it says.
    pub says: Said,
    /// Its version, as the EHR calls it.
    pub version: Option<String>,
    /// When that was made, by the EHR's clock.
    pub updated_at: Option<Timestamp>,
}

/// How something stands in an EHR.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    /// It is for the patient to know, and to do if it is something to do.
    Open,
    /// It is done.
    Done,
    /// The patient did not want it.
    Declined,
    /// It is not, not yet or no longer meant for them.
    Withdrawn,
}

/// Something that a clinic has for a member: it takes their consent to be looked for, and to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// For whom.
    pub member: MemberId,
    /// What; `None` while nobody knows whether there is anything.
    pub advice: Option<&'a Advice>,
}

impl fmt::Debug for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Advice({})", self.kind.as_str())
    }
}
