//! Typed settings. `deploy/default.toml` is the documentation and the source of the defaults; unknown keys are refused.

mod access;
mod announcements;
mod audit;
mod auth;
mod clinic;
mod community;
mod connector;
mod help;
mod imports;
mod launch;
mod limits;
mod mail;
mod push;
mod readings;
mod rules;
mod safety;
mod server;
mod sign_in;
mod staff;
mod video;
mod whatsapp;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::providers::{Env, Format, Toml};
use figment::{Figment, error::Kind};
use serde::Deserialize;
use url::Url;

pub use self::access::{ClientKeys, ClinicAccess};
pub use self::announcements::Announcements;
pub use self::audit::Audit;
pub use self::auth::{Auth, BackendServices, ClientAuthentication, PatientLaunch};
pub use self::clinic::Clinic;
pub use self::community::{Community, MailSecurity, Messages};
pub use self::connector::{Connector, Discourse, Matrix, Misago, Telegram, Webhook, Xmpp};
pub use self::help::{HELPLINES, Help};
pub use self::imports::Imports;
pub use self::launch::Launch;
pub use self::limits::Limits;
pub use self::mail::Mail;
pub use self::push::PushServices;
pub use self::readings::Readings;
pub use self::rules::EXAMPLE as RULES;
pub use self::safety::{Contact, Safety};
pub use self::server::Server;
pub use self::sign_in::SignIn;
pub use self::staff::Staff;
pub use self::video::VideoService;
pub use self::whatsapp::{Template, WhatsApp};
use crate::domain::ids::{ClinicId, CommunityId, IMPORT_COMMUNITY};
use crate::telemetry::logs::{LogFormat, is_filter};
use crate::vault::KeySource;

/// The defaults, with what each setting means.
pub const DEFAULTS: &str = include_str!("../../deploy/default.toml");

/// The longest a key may wait, in seconds: a week.
const MAX_PUBLISH_AHEAD: i64 = 7 * 24 * 3600;
/// The longest a clinic's code may be good, in days.
const MAX_CODE_DAYS: i64 = 90;

/// All settings of a bridge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// How often callers may come.
    pub limits: Limits,
    /// The database.
    pub database: Database,
    /// The keys.
    pub vault: Vault,
    /// The keys to sign with.
    pub keys: Keys,
    /// This installation.
    pub bridge: Bridge,
    /// Sending to clinics.
    pub delivery: Delivery,
    /// The audit log.
    pub audit: Audit,
    /// How members are linked to their Patient.
    pub linking: Linking,
    /// What is kept for members themselves.
    pub readings: Readings,
    /// Where members find help who think of hurting themselves.
    pub help: Help,
    /// Telling members in their browsers.
    pub push: PushServices,
    /// Files that members bring in.
    pub imports: Imports,
    /// Logging.
    pub log: Log,
    /// Communities by name.
    pub communities: BTreeMap<CommunityId, Community>,
    /// Clinics by name.
    pub clinics: BTreeMap<ClinicId, Clinic>,
}

/// The database.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Its URL, which may hold a password.
    pub url: String,
}

/// The keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The master key.
    pub master_key: KeySource,
    /// Older ones, which still unwrap while the master key is being replaced.
    pub older_master_keys: Vec<KeySource>,
    /// The file with the list of erased members.
    pub erased_list: PathBuf,
}

/// The keys to sign with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The folder with their files.
    pub folder: PathBuf,
    /// How long a key is published before it signs, in seconds.
    pub publish_ahead_seconds: i64,
}

/// This installation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// Its URI.
    pub source: String,
    /// Who runs it.
    pub operator: String,
    /// How to reach them.
    pub contact: String,
}

/// Sending to clinics.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Requests to one EHR under way at the same time.
    pub concurrency: usize,
    /// Items in one request, where the EHR takes batches.
    pub batch_size: usize,
    /// The longest request, in seconds.
    pub timeout_seconds: u64,
    /// How long a desk may have a lane without a sign of life, in seconds.
    pub lease_seconds: i64,
    /// How long an EHR may still be storing what it did not answer to, in seconds.
    pub doubt_seconds: i64,
    /// Whether clinics are told how consents stand.
    pub consent: bool,
    /// Whether EHRs may stand in private address ranges.
    pub private_networks: bool,
}

/// How members are linked to their Patient.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linking {
    /// How long a clinic's code is good, in days.
    pub code_days: i64,
}

/// Logging.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Which lines.
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting is missing, unknown or of the wrong kind. Holds no value: it may be a password.
    #[error("{setting}: {defect}")]
    Unreadable {
        /// Which setting, as far as it can be said.
        setting: String,
        /// What is wrong with it.
        defect: String,
    },
    /// A setting is of the right kind and still cannot be.
    #[error("{setting}: expected {expected}")]
    Invalid {
        /// Which setting.
        setting: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A file with the rules of a community cannot be used.
    #[error("communities.{community}.rules: {cause}")]
    Rules {
        /// Whose.
        community: CommunityId,
        /// Why not.
        cause: String,
    },
    /// The file with helplines cannot be used.
    #[error("help.file: {cause}")]
    Helplines {
        /// Why not.
        cause: String,
    },
}

impl Config {
    /// Reads the settings: defaults, then `file`, then the environment.
    ///
    /// # Errors
    /// [`ConfigError`], which names the setting and what was expected.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        Self::from_figment(&figment.merge(environment()))
    }

    /// Reads the settings from the defaults and `text`, as if `text` were the file.
    ///
    /// # Errors
    /// [`ConfigError`], which names the setting and what was expected.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::from_figment(&Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(text)))
    }

    fn from_figment(figment: &Figment) -> Result<Self, ConfigError> {
        let config: Self = figment.extract().map_err(|error| unreadable(&error))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let invalid = |setting: &str, expected| Err(ConfigError::Invalid { setting: setting.to_owned(), expected });
        if self.delivery.concurrency == 0 || self.delivery.concurrency > 256 {
            return invalid("delivery.concurrency", "a number from 1 to 256");
        }
        if self.delivery.batch_size == 0 || self.delivery.batch_size > 100 {
            return invalid("delivery.batch_size", "a number from 1 to 100");
        }
        if self.delivery.timeout_seconds == 0 || self.delivery.timeout_seconds > 60 {
            return invalid("delivery.timeout_seconds", "a number of seconds from 1 to 60");
        }
        // Asking for capabilities, sending, and a second to write it down.
        if self.delivery.lease_seconds <= 2 * self.delivery.timeout_seconds.cast_signed() {
            return invalid("delivery.lease_seconds", "more than twice delivery.timeout_seconds");
        }
        if Url::parse(&self.bridge.source).is_err() {
            return invalid("bridge.source", "a URI");
        }
        if !self.audit.is_often_enough() {
            return invalid("audit.checkpoint_minutes", "a number of minutes from 1 to 1440 (a day)");
        }
        if self.delivery.doubt_seconds < 1 {
            return invalid("delivery.doubt_seconds", "a number of seconds from 1");
        }
        self.readings.check()?;
        self.help.check()?;
        self.push.check(self.delivery.private_networks)?;
        if !is_filter(&self.log.filter) {
            return invalid("log.filter", "a filter such as info,mostik=debug");
        }
        if self.communities.keys().any(|id| id.as_str() == IMPORT_COMMUNITY) {
            return invalid("communities.import", "another name: this one is for imported files");
        }
        if !(0..=MAX_PUBLISH_AHEAD).contains(&self.keys.publish_ahead_seconds) {
            return invalid("keys.publish_ahead_seconds", "a number of seconds from 0 to 604800 (a week)");
        }
        self.server.check()?;
        for (id, community) in &self.communities {
            community.check(id.as_str(), self.delivery.private_networks)?;
        }
        let mut client_ids = BTreeSet::new();
        if !(1..=MAX_CODE_DAYS).contains(&self.linking.code_days) {
            return invalid("linking.code_days", "a number of days from 1 to 90");
        }
        for (id, clinic) in &self.clinics {
            if clinic.access.as_ref().is_some_and(|access| !client_ids.insert(&access.client_id)) {
                return invalid(&format!("clinics.{id}.access.client_id"), "a name that no other clinic has");
            }
            clinic.check(id.as_str(), self.delivery.private_networks)?;
            clinic.check_questionnaires(id.as_str(), self.readings.keep_days)?;
            // Discovery, a token and capabilities are asked for on one lease, before an item is touched.
            if clinic.auth != Auth::None
                && self.delivery.lease_seconds <= 3 * self.delivery.timeout_seconds.cast_signed()
            {
                return invalid(
                    "delivery.lease_seconds",
                    "more than three times delivery.timeout_seconds, because a clinic wants tokens",
                );
            }
        }
        Ok(())
    }

    /// The longest request to an EHR.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.delivery.timeout_seconds)
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.url.split_once(':').map_or("", |(kind, _)| kind);
        write!(f, "Database({kind}:..)")
    }
}

/// `MOSTIK_SERVER__LISTEN` and the like. Other names that begin with `MOSTIK_` are not settings: orchestrators make up
/// some of their own (`MOSTIK_SERVICE_HOST`).
fn environment() -> Env {
    Env::prefixed("MOSTIK_").filter(|name| name.as_str().contains("__")).split("__")
}

/// Says what is wrong without repeating what was given.
fn unreadable(error: &figment::Error) -> ConfigError {
    let defect = match &error.kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("expected {expected}"),
        Kind::UnknownVariant(_, known) => format!("expected one of {}", known.join(", ")),
        Kind::UnknownField(name, known) => format!("there is no setting {name}; expected one of {}", known.join(", ")),
        Kind::MissingField(name) => format!("the setting {name} is missing"),
        Kind::DuplicateField(name) => format!("the setting {name} is given twice"),
        // The first line says where and what; the lines after it quote the file. Other messages may quote the value.
        Kind::Message(text) if text.starts_with("TOML parse error") || text.starts_with("expected") => {
            text.lines().next().unwrap_or_default().to_owned()
        }
        _ => "expected a value of the form that `mostik config defaults` shows".to_owned(),
    };
    let setting = if error.path.is_empty() { "the configuration".to_owned() } else { error.path.join(".") };
    ConfigError::Unreadable { setting, defect }
}

#[cfg(test)]
mod tests;
