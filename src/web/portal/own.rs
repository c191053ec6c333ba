//! What a page needs to know of the member it is for: their key, their settings, and how their time falls into days.

use std::slice;

use super::error::PortalError;
use crate::domain::day::Days;
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::language::Language;
use crate::domain::settings::Settings;
use crate::domain::warning::basis_in;
use crate::domain::zone::Zone;
use crate::pipeline::Bridge;
use crate::readings::settings::settings;
use crate::store::{StoreError, Tx};
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

/// Who is told if an answer wants a human's eye.
pub struct Watched {
    /// Those of a member's communities that have people for it: their names, in one line; empty where none has.
    pub by: String,
    /// Those of the member's clinics that may be told without consent, each with the law that allows it.
    pub clinics: Vec<(String, String)>,
}

impl Watched {
    /// Who is told of a member, in the language that they read.
    pub async fn of(state: &State, tx: &mut Tx, member: MemberId, language: Language) -> Result<Self, StoreError> {
        let communities = tx.communities_of(member).await?;
        Self::among(state, tx, member, &communities, language).await
    }

    /// The same as it is said in the chat of a community, which reads it: of that one alone, and no clinic by its name.
    pub async fn in_chat(
        state: &State,
        tx: &mut Tx,
        member: MemberId,
        community: &CommunityId,
        language: Language,
    ) -> Result<Self, StoreError> {
        let Self { by, clinics } = Self::among(state, tx, member, slice::from_ref(community), language).await?;
        let mut bases: Vec<String> = clinics.into_iter().map(|(_, basis)| basis).collect();
        bases.sort();
        bases.dedup();
        let clinics = bases.into_iter().map(|basis| (state.portal.some_clinic(language), basis)).collect();
        Ok(Self { by, clinics })
    }

    async fn among(
        state: &State,
        tx: &mut Tx,
        member: MemberId,
        communities: &[CommunityId],
        language: Language,
    ) -> Result<Self, StoreError> {
        let house = &state.bridge.house;
        let watched: Vec<_> = communities.iter().filter_map(|id| Some((id, house.watched.get(id)?))).collect();
        let by = watched.iter().map(|(community, _)| state.portal.name_of(community)).collect::<Vec<_>>().join(", ");
        let mut clinics = Vec::new();
        if watched.iter().any(|(_, watch)| !watch.deciders.is_empty()) {
            for link in tx.links(&[member]).await? {
                let policy = house.clinics.get(&link.clinic).and_then(|clinic| clinic.warnings.as_ref());
                let basis = policy.map(|policy| basis_in(&policy.legal_basis, language).to_owned());
                clinics.extend(basis.map(|basis| (house.clinic_name(&link.clinic).to_owned(), basis)));
            }
        }
        Ok(Self { by, clinics })
    }
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
