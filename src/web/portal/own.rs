//! What a page needs to know of the member it is for: their key, their settings, and how their time falls into days.

use super::error::PortalError;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::domain::settings::Settings;
use crate::domain::zone::Zone;
use crate::pipeline::Bridge;
use crate::readings::settings::settings;
use crate::store::Tx;
use crate::vault::MemberKey;
use crate::web::State;

/// A member's own.
pub struct Own {
    /// What opens what is theirs.
    pub key: MemberKey,
    /// What they set.
    pub settings: Settings,
    /// Where the clock of those stands who never said.
    usual: Zone,
}

/// Which of a member's communities have people who are told if an answer wants a human's eye: their names, in one line;
/// empty where none has.
pub async fn watched_by(state: &State, tx: &mut Tx, member: MemberId) -> Result<String, PortalError> {
    let communities = tx.communities_of(member).await?.into_iter();
    let watched = communities.filter(|community| state.bridge.house.watched.contains_key(community));
    Ok(watched.map(|community| state.portal.name_of(&community)).collect::<Vec<_>>().join(", "))
}

impl Own {
    /// Opens what is a member's own.
    pub async fn open(bridge: &Bridge, tx: &mut Tx, member: MemberId) -> Result<Self, PortalError> {
        let wrapped = tx.member_key(member).await?.ok_or(PortalError::SignInFirst)?;
        let key = bridge.keyring.unwrap_member_key(member, &wrapped).map_err(|error| PortalError::internal(&error))?;
        let settings = settings(tx, &key).await?;
        Ok(Self { key, settings, usual: bridge.readings.zone.clone() })
    }

    /// How their time falls into days.
    #[must_use]
    pub fn days(&self) -> Days {
        self.settings.days(&self.usual)
    }

    /// What the place is called where their clock stands.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.settings.zone.as_ref().unwrap_or(&self.usual).name()
    }
}
