//! The words of the audit log: on which chain an entry stands, and what it says happened.
//!
//! Entries outlive what they speak of, even an erased member. So they hold opaque ids and codes only. The little that
//! would point to a person is sealed with that person's key, and goes with it.

mod concern;
mod decisions;
mod event;
mod house;
mod member;
mod staff;
mod way;

pub use concern::{ConcernAt, ConcernTold, WarningCleared, WarningDecided};
pub use decisions::Decisions;
pub use event::Event;
pub use house::{
    ApiKey, ChainBegun, ChainTampered, CheckpointWritten, KeyId, KeyRotation, OperatorAccess, SigningKeyFound,
};
pub use member::{
    ConsentState, Erasure, IdentityAt, Joined, LinkEnded, Linked, Notice, Receipt, RulesAt, SignIn, SignOut,
};
pub use staff::{ModeratorAt, ModeratorDone, StaffAt, StaffDone, StaffOffered, StaffPublished, StaffRetracted};
pub use way::{
    About, ClinicAccess, ClinicRefusal, Decision, Disclosure, Ended, ForMember, NotKept, Permitted, Stage, Whereabouts,
};

use std::fmt;

use super::ids::{ClinicId, MemberId};

/// A chain of entries: what happened between a clinic and a member, what concerns a member or a clinic alone, or the
/// house itself. Whoever writes on one waits for nobody on another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Chain {
    /// Whom it concerns, if it is a member.
    pub member: Option<MemberId>,
    /// Which clinic it concerns, if any.
    pub clinic: Option<ClinicId>,
}

impl Chain {
    /// The house: its keys, its operators, and the beginning of every other chain.
    pub const HOUSE: Self = Self { member: None, clinic: None };

    /// What happened between a clinic and a member.
    #[must_use]
    pub fn between(clinic: &ClinicId, member: MemberId) -> Self {
        Self { member: Some(member), clinic: Some(clinic.clone()) }
    }

    /// What concerns a member, whatever the clinic.
    #[must_use]
    pub const fn of_member(member: MemberId) -> Self {
        Self { member: Some(member), clinic: None }
    }

    /// What concerns a clinic, whoever the member.
    #[must_use]
    pub fn of_clinic(clinic: &ClinicId) -> Self {
        Self { member: None, clinic: Some(clinic.clone()) }
    }

    /// Whether it is the house's.
    #[must_use]
    pub const fn is_house(&self) -> bool {
        self.member.is_none() && self.clinic.is_none()
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.clinic, self.member) {
            (None, None) => f.write_str("house"),
            (None, Some(member)) => write!(f, "member {member}"),
            (Some(clinic), None) => write!(f, "{clinic}"),
            (Some(clinic), Some(member)) => write!(f, "{clinic}/{member}"),
        }
    }
}

/// Something to be written on a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// On which.
    pub chain: Chain,
    /// When it happened.
    pub at: jiff::Timestamp,
    /// What happened.
    pub event: Event,
    /// What more is to be said to those who hold the member's key.
    pub sealed: Option<Vec<u8>>,
}

impl Entry {
    /// An entry with nothing sealed in it.
    #[must_use]
    pub const fn new(chain: Chain, at: jiff::Timestamp, event: Event) -> Self {
        Self { chain, at, event, sealed: None }
    }

    /// What its sealed part is sealed for ([`SEALED_COLUMN`]).
    #[must_use]
    pub fn sealed_row(&self) -> Vec<u8> {
        self.event.sealed_row(&self.chain, self.at)
    }
}

/// The column that the sealed part of an entry is sealed for; its row is [`Event::sealed_row`].
pub const SEALED_COLUMN: &str = "audit_entries.sealed_body";

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |hex, byte| hex + &format!("{byte:02x}"))
}
