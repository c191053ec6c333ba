//! What becomes of a concern about a member.

use serde::{Deserialize, Serialize};

use crate::domain::concern::Level;
use crate::domain::ids::{CommunityId, ConcernId};

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
