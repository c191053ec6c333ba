//! The EHR: a small FHIR R4 client over egress. Raw JSON is the truth of everything an EHR says.

mod access;
mod answer;
mod batch;
mod book;
mod capability;
mod client;
pub(super) mod exact;
mod merge;
mod operate;
mod operation;
mod own;
mod read;
mod respond;
mod slot;
mod subscribe;
mod update;
mod write;

pub use access::Access;
pub(super) use answer::{retry_after, server_time};
pub use book::{SLOT_GONE, SLOT_TAKEN, VISIT_OVER};
pub use capability::{Capabilities, Dialect, REPORT_TYPE, RESPONSE_TYPE, SAID_TWICE};
pub use client::{EhrClient, EhrSettings, Ticket, with_slash};
pub use operation::Sought;
pub use own::Standing;
pub use read::{NotShown, Shown};
pub use write::Resource;

use jiff::SignedDuration;

use crate::domain::delivery::Stored;

/// What is known after something was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sent {
    /// The EHR has it.
    Confirmed(Stored),
    /// There was no time left to begin with it.
    NotBegun,
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
    /// It cannot be, and nothing is to be mended: what was asked for is somebody else's, or over.
    Declined {
        /// Why, as a code.
        reason: &'static str,
    },
    /// What was to be given back is not there.
    Absent,
    /// The EHR will never take it as it is.
    Rejected {
        /// Why, as a code.
        reason: String,
        /// What the EHR said, if it said it in FHIR: may hold personal data.
        outcome: Option<Vec<u8>>,
    },
}

/// What is known after a search by identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It is there.
    Stored(Stored),
    /// It is certainly not there.
    Absent,
    /// There was no time left to begin with it.
    NotBegun,
    /// The search told nothing; try again.
    Undecided {
        /// Why, as a code.
        reason: String,
        /// How long the EHR asked to be left alone.
        retry_after: Option<SignedDuration>,
    },
    /// The EHR cannot be searched by identifier: only a human can find out.
    NoSearch {
        /// Why, as a code.
        reason: String,
    },
}
