//! People who look at members from the other side: those of a clinic, and those of a community.

use uuid::Uuid;

use super::concern::Level;
use super::ids::{ClinicId, CommunityId};

/// Whose people they are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Whose {
    /// A clinic's.
    Clinic(ClinicId),
    /// A community's.
    Community(CommunityId),
}

/// Somebody of these people, who has shown who they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Somebody {
    /// Whose.
    pub whose: Whose,
    /// Of which level they are. Clinics have one only.
    pub level: Level,
    /// What the house calls them: no name, and the same each time.
    pub id: Uuid,
}

/// Somebody of a clinic's staff.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Colleague {
    /// Of which clinic.
    pub clinic: ClinicId,
    /// What the house calls them: no name, and the same each time.
    pub id: Uuid,
}

/// Somebody of a community's people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moderator {
    /// Of which community.
    pub community: CommunityId,
    /// Of which level they are.
    pub level: Level,
    /// What the house calls them: no name, and the same each time.
    pub id: Uuid,
}

impl From<&Colleague> for Somebody {
    fn from(who: &Colleague) -> Self {
        Self { whose: Whose::Clinic(who.clinic.clone()), level: Level::First, id: who.id }
    }
}

impl From<&Moderator> for Somebody {
    fn from(who: &Moderator) -> Self {
        Self { whose: Whose::Community(who.community.clone()), level: who.level, id: who.id }
    }
}

impl Somebody {
    /// Them, if they are of a clinic.
    #[must_use]
    pub fn colleague(self) -> Option<Colleague> {
        match self.whose {
            Whose::Clinic(clinic) => Some(Colleague { clinic, id: self.id }),
            Whose::Community(_) => None,
        }
    }

    /// Them, if they are of a community.
    #[must_use]
    pub fn moderator(self) -> Option<Moderator> {
        match self.whose {
            Whose::Community(community) => Some(Moderator { community, level: self.level, id: self.id }),
            Whose::Clinic(_) => None,
        }
    }
}
