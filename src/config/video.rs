//! The settings of a clinic's video service.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::ConfigError;

/// Where a clinic holds its remote visits.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum VideoService {
    /// Jitsi Meet whose rooms open to tokens.
    Jitsi {
        /// Where it is.
        url: Url,
        /// What it knows this bridge as (`app_id`).
        app_id: String,
        /// The file with what tokens are signed with (`app_secret`).
        secret_file: PathBuf,
    },
    /// LiveKit, and a page that takes the address of its server and a token.
    LiveKit {
        /// The page.
        url: Url,
        /// The server (`wss://…`).
        server: Url,
        /// The name of the API key.
        key: String,
        /// The file with its secret.
        secret_file: PathBuf,
    },
    /// BigBlueButton.
    BigBlueButton {
        /// Its API, such as `https://bbb.example/bigbluebutton/api`.
        url: Url,
        /// The file with the shared secret.
        secret_file: PathBuf,
    },
    /// Always the same address, which the clinic guards itself (a waiting room, a code).
    Link {
        /// It.
        url: Url,
    },
}

impl VideoService {
    /// Refuses what cannot be; `id` is the clinic's name in the configuration.
    pub(super) fn check(&self, id: &str, private_networks: bool) -> Result<(), ConfigError> {
        let invalid = |name: &str, expected| {
            Err(ConfigError::Invalid { setting: format!("clinics.{id}.video.{name}"), expected })
        };
        let is_one_of = |url: &Url, safe: &str, plain: &str| {
            let anonymous = url.username().is_empty() && url.password().is_none() && url.host_str().is_some();
            anonymous && (url.scheme() == safe || (url.scheme() == plain && private_networks))
        };
        let (Self::Jitsi { url, .. } | Self::LiveKit { url, .. } | Self::BigBlueButton { url, .. } | Self::Link { url }) =
            self;
        if !is_one_of(url, "https", "http") {
            return invalid("url", "an https URL without user and password (http is for delivery.private_networks = true only)");
        }
        match self {
            Self::LiveKit { server, .. } if !is_one_of(server, "wss", "ws") => {
                invalid("server", "a wss URL without user and password (ws is for delivery.private_networks = true only)")
            }
            Self::Jitsi { app_id: name, .. } if name.is_empty() => invalid("app_id", "a name"),
            Self::LiveKit { key: name, .. } if name.is_empty() => invalid("key", "a name"),
            _ => Ok(()),
        }
    }
}
