//! What is kept for members themselves.

use serde::{Deserialize, Deserializer};

use super::ConfigError;
use crate::domain::zone::Zone;

/// What is kept for members themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readings {
    /// For how long after it was lived, in days.
    pub keep_days: i64,
    /// Where the clock of a member stands who never said.
    #[serde(deserialize_with = "zone")]
    pub zone: Zone,
}

impl Readings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if (35..=36_500).contains(&self.keep_days) {
            return Ok(());
        }
        let setting = "readings.keep_days".to_owned();
        Err(ConfigError::Invalid { setting, expected: "a number of days from 35 to 36500" })
    }
}

/// A time zone that is known here: a spelling error must not become another clock.
pub(super) fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zone, D::Error> {
    Zone::named(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}
