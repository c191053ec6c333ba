//! Where members find help who think of hurting themselves: told in the very answer to what they said, before any consent,
//! because it goes to nobody but them.

use std::collections::BTreeMap;

use crate::config::{Config, ConfigError};
use crate::domain::concern::Rule;
use crate::domain::helpline::{Help, Helplines};
use crate::domain::ids::CommunityId;
use crate::inbound::event::{Event, Refusal, Says};

/// Whom the members of each community can turn to.
#[derive(Debug)]
pub struct HelpDesk {
    lines: Helplines,
    /// Where most members live.
    country: String,
    /// Where those of some communities do.
    countries: BTreeMap<CommunityId, String>,
}

impl HelpDesk {
    /// As the configuration says.
    ///
    /// # Errors
    /// [`ConfigError`] when the file with helplines cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let own = |(id, community): (&CommunityId, &crate::config::Community)| {
            community.country.clone().map(|country| (id.clone(), country))
        };
        Ok(Self {
            lines: config.help.lines()?,
            country: config.help.country.clone(),
            countries: config.communities.iter().filter_map(own).collect(),
        })
    }

    /// Where the members of a community find help.
    #[must_use]
    pub fn of(&self, community: &CommunityId) -> &Help {
        self.lines.of(self.countries.get(community).unwrap_or(&self.country))
    }

    /// Where most members find help.
    #[must_use]
    pub fn usual(&self) -> &Help {
        self.lines.of(&self.country)
    }
}

/// Whether whoever said this is to be told where help is, whatever becomes of the event itself.
pub fn is_wanted(event: &Result<Event, Refusal>) -> bool {
    matches!(event, Ok(Event { says: Says::Reading(entry, _), .. }) if Rule::met_by(&entry.measure).is_some())
}
