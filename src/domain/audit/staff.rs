//! What a clinic's staff do in the staff view.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::ids::{BookingId, VisitTypeId};
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
