//! The EHR: a small FHIR R4 client over egress. Raw JSON is the truth of everything an EHR says.

mod answer;
mod capability;
mod client;

pub(super) use answer::{retry_after, server_time};
pub use capability::Capabilities;
pub use client::{EhrClient, Ticket, with_slash};

use jiff::SignedDuration;

/// What is known after a create was tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Created {
    /// The EHR has it.
    Confirmed(Stored),
    /// It certainly was not stored; try again, not before the EHR asked for.
    NotStored {
        /// Why, as a code.
        reason: String,
        /// How long the EHR asked to be left alone.
        retry_after: Option<SignedDuration>,
    },
    /// It certainly was not stored: a token that had served was refused. With a new one it can go at once.
    TokenSpent,
    /// Nobody knows whether it was stored.
    Unknown {
        /// Why, as a code.
        reason: String,
    },
    /// The EHR will never take it as it is.
    Rejected {
        /// Why, as a code.
        reason: String,
    },
}

/// What is known after a search by identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It is there.
    Stored(Stored),
    /// It is certainly not there.
    Absent,
    /// The search told nothing; try again.
    Undecided {
        /// Why, as a code.
        reason: String,
        /// How long the EHR asked to be left alone.
        retry_after: Option<SignedDuration>,
    },
}

/// A resource as the EHR keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The id the EHR gave it.
    pub id: String,
    /// Its version, if the EHR said.
    pub version: Option<String>,
}
