//! How the bridge takes part in a community on WhatsApp, by a business number of its own (Cloud API).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::ConfigError;
use crate::domain::language::Language;

/// A business number on WhatsApp.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsApp {
    /// The id of the number, which is not the number.
    pub phone_number_id: String,
    /// The file with the access token of a system user.
    pub token_file: PathBuf,
    /// The file with the app secret: what webhooks are signed with.
    pub app_secret_file: PathBuf,
    /// The file with the verify token: what is shown when a webhook is set up.
    pub verify_token_file: PathBuf,
    /// By language, the template with which members are told something.
    pub templates: BTreeMap<Language, Template>,
    /// The version of the Graph API that is called.
    #[serde(default = "version")]
    pub version: String,
    /// The language of those of whom nothing is known.
    #[serde(default)]
    pub language: Language,
    /// Where the Graph API is, if not at Meta's own.
    pub api: Option<Url>,
}

/// A message that was approved beforehand.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its language, as it was approved in: `en`, `en_US`, …
    pub language: String,
}

fn version() -> String {
    "v26.0".to_owned()
}

impl WhatsApp {
    /// Refuses what cannot be; `setting` is its name in the configuration.
    pub(super) fn check(&self, setting: &str) -> Result<(), ConfigError> {
        let invalid =
            |name: &str, expected| Err(ConfigError::Invalid { setting: format!("{setting}.{name}"), expected });
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        if !is_id(&self.phone_number_id) {
            return invalid("phone_number_id", "the id of the number, which is digits alone");
        }
        let mut parts = self.version.strip_prefix('v').unwrap_or_default().splitn(2, '.');
        if !parts.next().is_some_and(is_id) || !parts.next().is_some_and(is_id) {
            return invalid("version", "a version of the Graph API, such as v26.0");
        }
        if !self.templates.contains_key(&self.language) {
            return invalid("templates", "a template in the language of those of whom nothing is known");
        }
        let is_word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !self.templates.values().all(|template| is_word(&template.name) && is_word(&template.language)) {
            return invalid("templates", "the name of each template and its language, such as en_US");
        }
        Ok(())
    }
}
