//! What a clinic's staff do in the staff view, and a community's people with its concerns.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::concern::Level;
use crate::domain::ids::{BookingId, CommunityId, ConcernId, MaterialId, VisitTypeId};
use crate::domain::visit_type::VisitTerms;

/// Somebody of a clinic's staff.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffAt {
    /// What the house calls them: no name, and the same each time.
    pub staff: Uuid,
}

/// Somebody of a clinic's staff, and a member's visit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffDone {
    /// What the house calls them: no name, and the same each time.
    pub staff: Uuid,
    /// Which visit.
    pub booking: BookingId,
    /// What they did: `look`, `join`, or what they decided, in the words of wishes (`give`, `offer`, `decline`, `fulfil`, `miss`).
    pub what: String,
}

/// Somebody of a clinic's staff, and a kind of visit that it offers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffOffered {
    /// What the house calls them: no name, and the same each time.
    pub staff: Uuid,
    /// Which kind.
    pub visit: VisitTypeId,
    /// On what terms it is offered since; none: as the operator set it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<VisitTerms>,
}

/// Somebody of a clinic's staff, and a version of a material that they published.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffPublished {
    /// What the house calls them: no name, and the same each time.
    pub staff: Uuid,
    /// Which material.
    pub material: MaterialId,
    /// Which version.
    pub version: i64,
    /// SHA-256 of its text, in hexadecimal: what was published can be told from what somebody made of it.
    pub sha256: String,
}

/// Somebody of a clinic's staff, and a material that they took back, in all its versions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffRetracted {
    /// What the house calls them: no name, and the same each time.
    pub staff: Uuid,
    /// Which material.
    pub material: MaterialId,
}

/// Somebody of a community's people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModeratorAt {
    /// What the house calls them: no name, and the same each time.
    pub staff: Uuid,
    /// Of which community.
    pub community: CommunityId,
    /// Of which level they are.
    pub level: Level,
}

/// Somebody of a community's people, and a concern about a member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModeratorDone {
    /// What the house calls them: no name, and the same each time.
    pub staff: Uuid,
    /// Of which community.
    pub community: CommunityId,
    /// Which concern.
    pub concern: ConcernId,
    /// What they did: `look`, `acknowledge`, `close`, `escalate`.
    pub what: String,
}
