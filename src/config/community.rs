//! The settings of a community: its name, how its members are told something privately, and how they sign in.

use std::path::PathBuf;

use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;
use super::announcements::Announcements;
use super::connector::Connector;
use super::help::check_country;
use super::safety::Safety;
use super::sign_in::SignIn;
use super::staff::Staff;
use crate::domain::telling::Grade;

/// A community.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Community {
    /// Its name, for people.
    pub name: String,
    /// Where its members live, if elsewhere than most: whose helplines they are shown.
    pub country: Option<String>,
    /// The file with its rules, to which members agree; without it, there are none.
    pub rules: Option<PathBuf>,
    /// How its members are told something privately; without it, they cannot be sent a link to sign in.
    pub messages: Option<Messages>,
    /// How the bridge takes part in its platform with an account of its own, if it does.
    pub connector: Option<Connector>,
    /// In which rooms there it is told what there is for everybody, if in any.
    pub announcements: Option<Announcements>,
    /// How its members sign in at its identity provider, if it has one.
    pub sign_in: Option<SignIn>,
    /// Whose people are told when a member's answers want a human's eye; without it, nobody is.
    pub safety: Option<Safety>,
    /// Whose people may sign in to its concerns; without it, nobody can.
    pub staff: Option<Staff>,
}

/// How a community's members are told something privately.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Messages {
    /// By a signed request to the community's platform.
    Webhook {
        /// Where to.
        url: Url,
        /// The file with what it is signed with.
        secret_file: PathBuf,
        /// The most that it says of what clinics write.
        #[serde(default)]
        most: Grade,
    },
    /// By mail to the address that is the member's handle.
    Mail {
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
        /// The most that it says of what clinics write.
        #[serde(default)]
        most: Grade,
    },
    /// By the bridge's own account on the community's platform.
    Connector {
        /// The most that it says of what clinics write.
        #[serde(default)]
        most: Grade,
    },
}

/// How the connection to a mail server is kept from others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailSecurity {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS.
    #[default]
    StartTls,
    /// Not at all.
    None,
}

impl MailSecurity {
    /// The port that is usual (RFC 8314, RFC 6409).
    #[must_use]
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

impl Community {
    /// Refuses what cannot be; `id` is the community's name in the configuration.
    pub(super) fn check(&self, id: &str, private_networks: bool) -> Result<(), ConfigError> {
        if let Some(sign_in) = &self.sign_in {
            sign_in.check(&format!("communities.{id}"), private_networks)?;
        }
        if let Some(country) = &self.country {
            check_country(&format!("communities.{id}.country"), country)?;
        }
        if let Some(staff) = &self.staff {
            staff.check(&format!("communities.{id}"), true, private_networks)?;
        }
        if let Some(safety) = &self.safety {
            safety.check(id, private_networks)?;
        }
        if let Some(connector) = &self.connector {
            connector.check(&format!("communities.{id}.connector"), private_networks)?;
        }
        if let Some(announcements) = &self.announcements {
            announcements.check(&format!("communities.{id}.announcements"), self.connector.as_ref())?;
        }
        self.check_ways(id)?;
        let setting = format!("communities.{id}.messages");
        self.messages.as_ref().map_or(Ok(()), |messages| messages.check(&setting, private_networks))
    }

    /// Refuses ways out that the platform does not have.
    fn check_ways(&self, id: &str) -> Result<(), ConfigError> {
        let invalid =
            |name: &str, expected| Err(ConfigError::Invalid { setting: format!("communities.{id}.{name}"), expected });
        let by_connector = matches!(self.messages, Some(Messages::Connector { .. }));
        let alarms_by_connector = self.safety.iter().any(Safety::by_connector);
        let looks_in_rooms = self.safety.as_ref().is_some_and(|safety| safety.room_phrases);
        match &self.connector {
            // Nobody may believe that somebody looks where nobody does.
            connector if looks_in_rooms && !connector.as_ref().is_some_and(Connector::can_hand_on_words) => invalid(
                "safety.room_phrases",
                "false, or a platform whose rooms are read: Telegram, Discourse or Matrix",
            ),
            None if by_connector || alarms_by_connector => {
                invalid("connector", "a platform, where messages or alarms go by it")
            }
            Some(connector) if alarms_by_connector && !connector.has_rooms() => {
                invalid("safety", "another method than connector: there are no rooms on this platform")
            }
            Some(connector) if self.announcements.is_some() && !connector.has_rooms() => {
                invalid("announcements", "a platform with rooms")
            }
            Some(Connector::WhatsApp(_))
                if by_connector && self.messages.as_ref().map(Messages::most) != Some(Grade::Notice) =>
            {
                invalid("messages.most", "notice: what was approved beforehand says nothing else")
            }
            Some(Connector::Mail(_)) if !matches!(self.messages, Some(Messages::Mail { .. })) => {
                invalid("messages", "method mail: what members write by mail is answered by it")
            }
            _ => Ok(()),
        }
    }
}

impl Messages {
    /// The most that it says of what clinics write.
    #[must_use]
    pub const fn most(&self) -> Grade {
        match self {
            Self::Webhook { most, .. } | Self::Mail { most, .. } | Self::Connector { most } => *most,
        }
    }

    /// Refuses what cannot be; `setting` is its name in the configuration.
    pub(super) fn check(&self, setting: &str, private_networks: bool) -> Result<(), ConfigError> {
        let invalid =
            |name: &str, expected| Err(ConfigError::Invalid { setting: format!("{setting}.{name}"), expected });
        match self {
            Self::Connector { .. } => Ok(()),
            Self::Webhook { url, .. } => {
                let anonymous = url.username().is_empty() && url.password().is_none();
                if url.host_str().is_none() || !matches!(url.scheme(), "http" | "https") || !anonymous {
                    return invalid("url", "an http(s) URL without user and password");
                }
                if url.scheme() == "http" && !private_networks {
                    return invalid("url", "https (http is for delivery.private_networks = true only)");
                }
                Ok(())
            }
            Self::Mail { server, security, user, password_file, from, .. } => {
                if Host::parse(server).is_err() {
                    return invalid("server", "the name of a host, without scheme, port and path");
                }
                if user.is_some() != password_file.is_some() {
                    return invalid("password_file", "user and password_file together, or neither");
                }
                if *security == MailSecurity::None && (user.is_some() || !private_networks) {
                    return invalid(
                        "security",
                        "tls or start-tls (none is for delivery.private_networks = true and no user)",
                    );
                }
                if from.parse::<lettre::message::Mailbox>().is_err() {
                    return invalid("from", "an address such as \"The forum <noreply@forum.example>\"");
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn what_cannot_be_is_refused_with_what_was_expected() {
        let mail = "method = \"mail\"\nserver = \"mail.example\"\nfrom = \"a@forum.example\"\n";
        for (messages, expected) in [
            ("url = \"https://forum.example/\"".to_owned(), "method"),
            ("method = \"pigeon\"".to_owned(), "webhook"),
            ("method = \"webhook\"\nurl = \"http://forum.example/\"\nsecret_file = \"s\"".to_owned(), "expected https"),
            (
                "method = \"webhook\"\nurl = \"https://u:p@forum.example/\"\nsecret_file = \"s\"".to_owned(),
                "without user",
            ),
            ("method = \"webhook\"\nurl = \"https://forum.example/\"".to_owned(), "secret_file"),
            (format!("{mail}user = \"u\""), "together"),
            (format!("{mail}security = \"none\""), "tls or start-tls"),
            (mail.replace("a@forum", "forum"), "an address"),
            (mail.replace("mail.example", "smtp://mail.example"), "name of a host"),
            (format!("{mail}pasword_file = \"p\""), "pasword_file"),
        ] {
            let text = format!("[communities.forum]\nname = \"F\"\n[communities.forum.messages]\n{messages}");
            let error = Config::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{messages}: {error}");
        }
        let good = format!("[communities.forum]\nname = \"F\"\n[communities.forum.messages]\n{mail}");
        assert!(Config::from_toml(&good).is_ok());
    }
}
