//! How members of a community write to the bridge by mail.

use std::path::PathBuf;

use serde::Deserialize;
use url::Host;

use super::ConfigError;
use crate::domain::language::Language;

/// An address to which members write. What is answered leaves as the community's messages do, from the same address.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The file with what the mail server shows that hands mail over.
    pub secret_file: PathBuf,
    /// The name under which that server says what it found out about who wrote it (`authserv-id`, RFC 8601).
    pub authserv_id: Option<String>,
    /// Whether everything that it hands over was written by whoever it says: for closed networks whose server lets nobody write
    /// in another's name.
    #[serde(default)]
    pub trusts_server: bool,
    /// The language of those of whom nothing is known.
    #[serde(default)]
    pub language: Language,
}

impl Mail {
    /// Refuses what cannot be; `setting` is its name in the configuration.
    pub(super) fn check(&self, setting: &str) -> Result<(), ConfigError> {
        let setting = format!("{setting}.authserv_id");
        let expected = match &self.authserv_id {
            None if !self.trusts_server => "the name of the mail server, or trusts_server = true",
            Some(_) if self.trusts_server => "nothing, where trusts_server = true",
            Some(id) if Host::parse(id).is_err() => {
                "the name of the mail server, as it stands in Authentication-Results"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::Invalid { setting, expected })
    }
}
