//! Whose people are told when a member's answers want a human's eye, and how.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::ConfigError;
use super::community::{MailSecurity, Messages};
use crate::domain::concern::Risk;
use crate::domain::language::Language;
use crate::domain::telling::Grade;

/// How long the first level may have at least, and at most.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Whose people are told.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Safety {
    /// How long those of the first level have before those of the second are told.
    #[serde(deserialize_with = "duration")]
    pub escalate_after: SignedDuration,
    /// The language in which they are told.
    #[serde(default)]
    pub language: Language,
    /// Whether they are told, too, of phrases that may mean danger: not validated.
    #[serde(default)]
    pub phrases: bool,
    /// The same of what members write in rooms that are counted.
    #[serde(default)]
    pub room_phrases: bool,
    /// From which risk on they are told of what a C-SSRS screener found.
    #[serde(default = "any_risk")]
    pub c_ssrs: Risk,
    /// Who is told first.
    pub first: Contact,
    /// Who is told if nobody acknowledges it in time.
    pub second: Option<Contact>,
    /// The names of those of the second level who may decide that a clinic is told without consent.
    #[serde(default)]
    pub deciders: Vec<String>,
}

/// How the people of one level are told.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Contact {
    /// By a signed request.
    Webhook {
        /// Where to.
        url: Url,
        /// The file with what it is signed with.
        secret_file: PathBuf,
        /// Whether it says whom it is about: for the community's own platform only.
        #[serde(default)]
        names_member: bool,
    },
    /// By mail, which never says whom it is about.
    Mail {
        /// Whom to.
        to: String,
        /// The mail server.
        server: String,
        /// Its port; what is usual if absent.
        port: Option<u16>,
        /// How the connection is kept from others.
        #[serde(default)]
        security: MailSecurity,
        /// Who signs in at the mail server.
        user: Option<String>,
        /// The file with the password.
        password_file: Option<PathBuf>,
        /// From whom it is.
        from: String,
    },
    /// By the bridge's own account on the community's platform.
    Connector {
        /// The room of these people there.
        room: String,
        /// Whether it says whom it is about: only where nobody else reads.
        #[serde(default)]
        names_member: bool,
    },
}

impl Safety {
    /// Whether somebody is told by the bridge's own account on the community's platform.
    pub(super) fn by_connector(&self) -> bool {
        let mut levels = std::iter::once(&self.first).chain(&self.second);
        levels.any(|contact| matches!(contact, Contact::Connector { .. }))
    }

    pub(super) fn check(&self, id: &str, private_networks: bool) -> Result<(), ConfigError> {
        let setting = format!("communities.{id}.safety");
        if !(SHORTEST..=LONGEST).contains(&self.escalate_after) {
            let setting = format!("{setting}.escalate_after");
            return Err(ConfigError::Invalid { setting, expected: "a time from PT1M (a minute) to PT24H (a day)" });
        }
        let is_name = |name: &String| {
            (1..=64).contains(&name.chars().count()) && name.trim() == name && !name.contains(char::is_control)
        };
        if !self.deciders.is_empty() && (self.second.is_none() || !self.deciders.iter().all(is_name)) {
            let expected = "names of 1 to 64 characters of people of the second level, which must be there";
            return Err(ConfigError::Invalid { setting: format!("{setting}.deciders"), expected });
        }
        self.first.check(&format!("{setting}.first"), private_networks)?;
        self.second.as_ref().map_or(Ok(()), |second| second.check(&format!("{setting}.second"), private_networks))
    }
}

impl Contact {
    fn check(&self, setting: &str, private_networks: bool) -> Result<(), ConfigError> {
        self.way().check(setting, private_networks)?;
        match self {
            Self::Mail { to, .. } if to.parse::<lettre::message::Mailbox>().is_err() => Err(ConfigError::Invalid {
                setting: format!("{setting}.to"),
                expected: "an address such as \"on-duty@forum.example\"",
            }),
            _ => Ok(()),
        }
    }

    /// The way by which it goes.
    #[must_use]
    pub fn way(&self) -> Messages {
        // Nothing that a clinic wrote ever goes to these people.
        let most = Grade::default();
        match self.clone() {
            Self::Webhook { url, secret_file, .. } => Messages::Webhook { url, secret_file, most },
            Self::Connector { .. } => Messages::Connector { most },
            Self::Mail { server, port, security, user, password_file, from, .. } => {
                Messages::Mail { server, port, security, user, password_file, from, most }
            }
        }
    }
}

/// Where nothing is said, people look at whatever a screener found.
const fn any_risk() -> Risk {
    Risk::Low
}

/// A duration in the form of ISO 8601.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom("expected a time such as PT15M, fifteen minutes"))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const DISCOURSE: &str = "[communities.forum.connector]\nplatform = \"discourse\"\nurl = \"https://f.example\"\n\
                             account = \"bridge\"\napi_key_file = \"k\"\nsecret_file = \"s\"\n";
    const MAIL: &str =
        "[communities.forum.connector]\nplatform = \"mail\"\nsecret_file = \"s\"\nauthserv_id = \"mx.a.example\"\n";

    fn read(safety: &str) -> Result<Config, crate::config::ConfigError> {
        Config::from_toml(&format!("[communities.forum]\nname = \"F\"\n[communities.forum.safety]\n{safety}"))
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_was_expected() {
        let first = "[communities.forum.safety.first]\nmethod = \"webhook\"\nurl = \"https://a.example/\"\nsecret_file = \"s\"\n";
        let good = format!("escalate_after = \"PT15M\"\nlanguage = \"ru\"\n{first}");
        assert!(read(&good).is_ok());
        let second = "[communities.forum.safety.second]\nmethod = \"mail\"\nto = \"d@a.example\"\nserver = \"a.example\"\nfrom = \"a@a.example\"\n";
        assert!(read(&format!("{good}{second}")).is_ok());
        assert!(read(&format!("deciders = [\"Dr Ada\"]\n{good}{second}")).is_ok());
        assert!(read(&format!("room_phrases = true\n{good}{DISCOURSE}")).is_ok());
        for (safety, expected) in [
            ("escalate_after = \"PT15M\"".to_owned(), "first"),
            (first.to_owned(), "escalate_after"),
            (good.replace("PT15M", "soon"), "such as PT15M"),
            (good.replace("PT15M", "PT1S"), "safety.escalate_after: expected a time from PT1M"),
            (good.replace("PT15M", "P2D"), "such as PT15M"),
            (good.replace("PT15M", "PT48H"), "PT24H"),
            (good.replace("\"ru\"", "\"fr\""), "en"),
            (good.replace("https", "http"), "safety.first.url: expected https"),
            (format!("{good}names_members = true"), "names_members"),
            (format!("{good}{}", second.replace("d@a.example", "duty")), "safety.second.to: expected an address"),
            (format!("{good}{second}names_member = true"), "names_member"),
            (
                format!("room_phrases = true\n{good}"),
                "safety.room_phrases: expected false, or a platform whose rooms are read",
            ),
            (format!("room_phrases = true\n{good}{MAIL}"), "safety.room_phrases: expected false, or a platform"),
            (format!("deciders = [\"Dr Ada\"]\n{good}"), "safety.deciders: expected names"),
            (format!("deciders = [\" \"]\n{good}{second}"), "safety.deciders: expected names"),
        ] {
            let error = read(&safety).unwrap_err().to_string();
            assert!(error.contains(expected), "{safety}: {error}");
        }
    }
}
