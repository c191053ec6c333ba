//! How the bridge takes part in a community's platform, with an account of its own there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;
use super::mail::Mail;
use super::whatsapp::WhatsApp;
use crate::domain::language::Language;

/// A community's platform.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "platform", rename_all = "kebab-case")]
pub enum Connector {
    /// A bot of Telegram.
    Telegram(Telegram),
    /// An account of a forum of Discourse.
    Discourse(Discourse),
    /// An account of a forum of Misago.
    Misago(Misago),
    /// A user of an application service on a Matrix homeserver.
    Matrix(Matrix),
    /// A platform of one's own, which signs what it sends.
    Webhook(Webhook),
    /// A business number on WhatsApp.
    #[serde(rename = "whatsapp")]
    WhatsApp(WhatsApp),
    /// An address to which members write.
    Mail(Mail),
    /// A component of an XMPP server.
    Xmpp(Xmpp),
}

/// A platform of one's own.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The file with what both sides sign with.
    pub secret_file: PathBuf,
    /// Where it hears what members are to be told.
    pub url: Option<Url>,
    /// The language of those of whom nothing is known.
    #[serde(default)]
    pub language: Language,
}

/// A bot of Telegram.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telegram {
    /// The file with the bot's token.
    pub token_file: PathBuf,
    /// The file with what Telegram shows with each Update; `None`: it is asked for them.
    pub secret_file: Option<PathBuf>,
    /// The groups that are counted, by their ids.
    #[serde(default)]
    pub counted: BTreeSet<i64>,
    /// The language of those of whom nothing is known.
    #[serde(default)]
    pub language: Language,
    /// Where the Bot API is, if not at Telegram's own.
    pub api: Option<Url>,
}

/// An account of a forum of Discourse.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discourse {
    /// Where the forum is.
    pub url: Url,
    /// The name of the bridge's account there.
    pub account: String,
    /// The file with the account's API key.
    pub api_key_file: PathBuf,
    /// The file with what webhooks are signed with.
    pub secret_file: PathBuf,
    /// The categories that are counted, by their ids.
    #[serde(default)]
    pub counted: BTreeSet<i64>,
    /// The language of those of whom nothing is known.
    #[serde(default)]
    pub language: Language,
}

/// An account of a forum of Misago.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misago {
    /// Where the forum is.
    pub url: Url,
    /// The name of the bridge's account there.
    pub account: String,
    /// The file with the account's password.
    pub password_file: PathBuf,
    /// The public categories that are counted, by their ids.
    #[serde(default)]
    pub counted: BTreeSet<i64>,
    /// The language of those of whom nothing is known.
    #[serde(default)]
    pub language: Language,
}

/// A user of an application service on a Matrix homeserver.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// Where the homeserver is.
    pub homeserver: Url,
    /// The user, such as `@mostik:matrix.example`.
    pub user: String,
    /// The `id` of the registration.
    #[serde(default = "mostik")]
    pub registration: String,
    /// The file with `as_token`: what the bridge shows the homeserver.
    pub as_token_file: PathBuf,
    /// The file with `hs_token`: what the homeserver shows the bridge.
    pub hs_token_file: PathBuf,
    /// How the user is called, and the rooms that it makes.
    #[serde(default = "mostik")]
    pub name: String,
    /// The rooms that are counted, by their ids.
    #[serde(default)]
    pub counted: BTreeSet<String>,
    /// The language of those of whom nothing is known.
    #[serde(default)]
    pub language: Language,
}

/// A component of an XMPP server.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xmpp {
    /// The address to which members write, such as `helper@mostik.example`; the component is what stands behind the `@`.
    pub address: String,
    /// The host of the server: this machine, or one of a private network.
    #[serde(default = "this_machine")]
    pub server: String,
    /// Where it listens to components.
    #[serde(default = "usual_port")]
    pub port: u16,
    /// The file with the component's secret.
    pub secret_file: PathBuf,
    /// How the component is called.
    #[serde(default = "mostik")]
    pub name: String,
    /// The language of those of whom nothing is known.
    #[serde(default)]
    pub language: Language,
}

fn this_machine() -> String {
    "127.0.0.1".to_owned()
}

const fn usual_port() -> u16 {
    5347
}

fn mostik() -> String {
    "mostik".to_owned()
}

impl Matrix {
    /// Refuses what cannot be; `setting` is its name in the configuration.
    fn check(&self, setting: &str) -> Result<(), ConfigError> {
        let is_id = |sigil, id: &str| {
            let parts = id.strip_prefix(sigil).and_then(|rest| rest.split_once(':'));
            parts.is_some_and(|(name, server)| !name.is_empty() && !server.is_empty())
        };
        let invalid =
            |name: &str, expected| Err(ConfigError::Invalid { setting: format!("{setting}.{name}"), expected });
        if !is_id('@', &self.user) {
            return invalid("user", "the whole id of a user, such as @mostik:matrix.example");
        }
        // The ids of rooms name no server from version 12 of rooms on.
        if self.counted.iter().any(|room| !room.starts_with('!')) {
            return invalid("counted", "ids of rooms, which begin with !");
        }
        Ok(())
    }
}

impl Xmpp {
    /// The component's own domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.split_once('@').map_or(&self.address, |(_, domain)| domain)
    }

    /// Refuses what cannot be; `setting` is its name in the configuration.
    fn check(&self, setting: &str, private_networks: bool) -> Result<(), ConfigError> {
        let invalid =
            |name: &str, expected| Err(ConfigError::Invalid { setting: format!("{setting}.{name}"), expected });
        let is_name =
            |name: &str| !name.is_empty() && !name.contains(|sign: char| "@/<>\"'&".contains(sign) || sign <= ' ');
        let name = self.address.split_once('@').map_or("helper", |(name, _)| name);
        if !is_name(name) || !is_name(self.domain()) {
            return invalid("address", "an address such as helper@mostik.example, or mostik.example alone");
        }
        let is_near = match Host::parse(&self.server) {
            Ok(Host::Ipv4(ip)) => ip.is_loopback() || (private_networks && ip.is_private()),
            Ok(Host::Ipv6(ip)) => ip.is_loopback() || (private_networks && ip.is_unique_local()),
            // Where a name leads is looked at with each connection.
            Ok(Host::Domain(name)) => name == "localhost" || private_networks,
            Err(_) => false,
        };
        if is_near {
            return Ok(());
        }
        invalid(
            "server",
            "this machine, or with delivery.private_networks = true a host of a private network: nothing is encrypted",
        )
    }
}

impl Connector {
    /// Where the platform is, if it is not the same for everybody.
    #[must_use]
    pub const fn url(&self) -> Option<&Url> {
        match self {
            Self::Telegram(telegram) => telegram.api.as_ref(),
            Self::Webhook(webhook) => webhook.url.as_ref(),
            Self::Discourse(discourse) => Some(&discourse.url),
            Self::Misago(misago) => Some(&misago.url),
            Self::Matrix(matrix) => Some(&matrix.homeserver),
            Self::WhatsApp(whatsapp) => whatsapp.api.as_ref(),
            Self::Mail(_) | Self::Xmpp(_) => None,
        }
    }

    /// Whether there are rooms there, in which something can be said to several people.
    pub(super) const fn has_rooms(&self) -> bool {
        !matches!(self, Self::WhatsApp(_) | Self::Mail(_))
    }

    /// Whether what is written in its rooms can be handed on to whoever looks at phrases.
    pub(super) const fn can_hand_on_words(&self) -> bool {
        matches!(self, Self::Telegram(_) | Self::Discourse(_) | Self::Matrix(_))
    }

    /// Refuses what cannot be; `setting` is its name in the configuration.
    pub(super) fn check(&self, setting: &str, private_networks: bool) -> Result<(), ConfigError> {
        match self {
            Self::Matrix(matrix) => matrix.check(setting)?,
            Self::Xmpp(xmpp) => xmpp.check(setting, private_networks)?,
            Self::WhatsApp(whatsapp) => whatsapp.check(setting)?,
            Self::Mail(mail) => mail.check(setting)?,
            Self::Telegram(_) | Self::Discourse(_) | Self::Misago(_) | Self::Webhook(_) => {}
        }
        let Some(url) = self.url() else { return Ok(()) };
        let invalid = |expected| Err(ConfigError::Invalid { setting: setting.to_owned(), expected });
        if url.host_str().is_none() || !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return invalid("the platform's address without user, password and query");
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if private_networks => Ok(()),
            _ => invalid("https (http is for delivery.private_networks = true only)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    /// What is wrong with a component with these settings; nothing of the secret is looked at here.
    fn wrong(settings: &str, private_networks: bool) -> String {
        let text = format!(
            "[delivery]\nprivate_networks = {private_networks}\n[communities.forum]\nname = \"F\"\n\
             [communities.forum.connector]\nplatform = \"xmpp\"\nsecret_file = \"s\"\n{settings}"
        );
        Config::from_toml(&text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_component_speaks_with_a_server_near_by_only() {
        let server =
            |server: &str, private| wrong(&format!("address = \"mostik.example\"\nserver = {server:?}"), private);
        for near in ["127.0.0.1", "127.8.8.8", "[::1]", "localhost"] {
            assert_eq!(server(near, false), "", "{near}");
        }
        for private in ["10.1.2.3", "192.168.1.1", "[fd00::1]", "xmpp.example"] {
            assert_eq!(server(private, true), "", "{private}");
            assert!(server(private, false).contains("nothing is encrypted"), "{private}");
        }
        for far in ["8.8.8.8", "[2606:4700::1111]", "xmpp.example:5347", ""] {
            assert!(server(far, true).contains("nothing is encrypted"), "{far}");
        }
    }

    #[test]
    fn a_component_has_an_address_of_a_name_and_a_domain_or_a_domain() {
        for good in ["mostik.example", "helper@mostik.example"] {
            assert_eq!(wrong(&format!("address = {good:?}"), false), "", "{good}");
        }
        for bad in ["", "@mostik.example", "helper@", "a@b@c", "helper@mostik.example/phone", "a b@c", "o'neill@c"] {
            assert!(wrong(&format!("address = {bad:?}"), false).contains("an address such as"), "{bad}");
        }
        assert!(wrong("address = \"mostik.example\"\nsecret = \"s\"", false).contains("secret"));
    }

    #[test]
    fn a_forum_of_misago_has_an_account_with_a_password_in_a_file() {
        let read = |more: &str, private_networks: bool| {
            let text = format!(
                "[delivery]\nprivate_networks = {private_networks}\n[communities.forum]\nname = \"F\"\n\
                 [communities.forum.connector]\nplatform = \"misago\"\naccount = \"mostik\"\n{more}"
            );
            Config::from_toml(&text)
        };
        let (https, http) = ("url = \"https://f.example\"\n", "url = \"http://f.example\"\n");
        let file = "password_file = \"p\"\n";
        let config = read(&format!("{https}{file}counted = [3, 7]\nlanguage = \"ru\""), false).unwrap();
        let forum = config.communities.values().next().unwrap().connector.clone().unwrap();
        let super::Connector::Misago(misago) = &forum else { panic!("{forum:?}") };
        assert_eq!((misago.counted.len(), misago.language), (2, super::Language::Ru));
        assert!(forum.has_rooms() && forum.url() == Some(&misago.url));
        assert!(read(&format!("{http}{file}"), true).is_ok());
        for (more, expected) in [
            (format!("{http}{file}"), "expected https"),
            (https.to_owned(), "password_file"),
            (format!("{https}{file}password = \"p\""), "password"),
            (format!("{https}{file}counted = [\"support\"]"), "i64"),
            (format!("url = \"https://a:b@f.example\"\n{file}"), "without user, password and query"),
        ] {
            let error = read(&more, false).unwrap_err().to_string();
            assert!(error.contains(expected), "{more}: {error}");
        }
    }
}
