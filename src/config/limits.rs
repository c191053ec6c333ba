//! How often callers may come, and with how much.

use std::num::NonZeroU32;

use serde::Deserialize;

/// How often callers may come, to one process, and with how much.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How often a clinic's system may ask for a token in a minute.
    pub clinic_tokens_per_minute: NonZeroU32,
    /// How often a clinic's system may read in a minute.
    pub clinic_reads_per_minute: NonZeroU32,
    /// How many readings the data points of one request may have.
    pub data_point_readings: NonZeroU32,
    /// How often a community's platform may call in a second.
    pub platform_calls_per_second: NonZeroU32,
    /// How long the body of such a call may take to come, in seconds.
    pub platform_body_seconds: NonZeroU32,
    /// How many messages of one person the companion hears in a minute.
    pub said_per_minute: NonZeroU32,
    /// How many may join each community by talking with the companion in an hour.
    pub joins_per_hour: NonZeroU32,
}
