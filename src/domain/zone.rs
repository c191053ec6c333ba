//! Where a member's clock stands.

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A time zone by its name in the IANA database, as in `Europe/Berlin`. Where somebody lives is personal: its `Debug`
/// does not tell.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A text did not name a time zone.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time zone of the IANA database, such as Europe/Berlin")]
pub struct UnknownZone;

impl Zone {
    /// The zone with this name.
    ///
    /// # Errors
    /// [`UnknownZone`].
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        let rules = TimeZone::get(name).map_err(|_| UnknownZone)?;
        let name = rules.iana_name().filter(|name| *name != "Etc/Unknown").ok_or(UnknownZone)?.to_owned();
        Ok(Self { name, rules })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rules.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.rules
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }
}

/// A name that another machine's database knew and this one's does not keeps its name, and counts as UTC: a member must
/// not be shut out by it.
impl From<String> for Zone {
    fn from(name: String) -> Self {
        Self::named(&name).unwrap_or(Self { name, rules: TimeZone::UTC })
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zone(..)")
    }
}
