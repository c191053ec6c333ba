//! How often callers may come.

use std::num::NonZeroU32;

use serde::Deserialize;

/// How often callers may come, to one process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How often a clinic's system may ask for a token in a minute.
    pub clinic_tokens_per_minute: NonZeroU32,
    /// How often a clinic's system may read in a minute.
    pub clinic_reads_per_minute: NonZeroU32,
}
