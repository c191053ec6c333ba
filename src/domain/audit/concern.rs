//! What becomes of a concern about a member.

use serde::{Deserialize, Serialize};

use crate::domain::concern::Level;
use crate::domain::ids::{CommunityId, ConcernId};
use crate::domain::warning::{Decided, WarningPurpose};

/// Which concern, and whose people look after it. What raised it, and who acknowledged it, is sealed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConcernAt {
    /// Which.
    pub concern: ConcernId,
    /// In which community.
    pub community: CommunityId,
}

/// Who was told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConcernTold {
    /// Of which.
    pub concern: ConcernId,
    /// In which community.
    pub community: CommunityId,
    /// Who there.
    pub level: Level,
    /// How often they were told before.
    #[serde(default)]
    pub before: i32,
}

/// A clinic is to be warned without consent. Who decided so and why is sealed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WarningDecided {
    /// Because of which concern.
    pub concern: ConcernId,
    /// In which community.
    pub community: CommunityId,
    /// The value of the resource's identifier.
    pub identifier: String,
    /// What for.
    pub purpose: WarningPurpose,
}

/// A warning may go: decided in the transaction that marks it as being sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WarningCleared {
    /// The value of the resource's identifier.
    pub identifier: String,
    /// When a person decided so, and what for.
    #[serde(flatten)]
    pub decided: Decided,
}
