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
        /// Whether Appointments in the clinic's system say it.
        #[serde(default)]
        in_appointments: bool,
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
        let (Self::Jitsi { url, .. }
        | Self::LiveKit { url, .. }
        | Self::BigBlueButton { url, .. }
        | Self::Link { url, .. }) = self;
        if !is_one_of(url, "https", "http") {
            return invalid(
                "url",
                "an https URL without user and password (http is for delivery.private_networks = true only)",
            );
        }
        match self {
            Self::LiveKit { server, .. } if !is_one_of(server, "wss", "ws") => invalid(
                "server",
                "a wss URL without user and password (ws is for delivery.private_networks = true only)",
            ),
            Self::Jitsi { app_id: name, .. } if name.is_empty() => invalid("app_id", "a name"),
            Self::LiveKit { key: name, .. } if name.is_empty() => invalid("key", "a name"),
            _ => Ok(()),
        }
    }
}

impl VideoService {
    /// The address that Appointments in the clinic's system say.
    #[must_use]
    pub fn in_appointments(&self) -> Option<&Url> {
        match self {
            Self::Link { url, in_appointments: true } => Some(url),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn an_address_that_others_could_listen_to_is_refused() {
        let clinic = "[clinics.a]\nname = \"A\"\nfhir_base = \"https://a.example/fhir\"\n[clinics.a.video]\n";
        let jitsi = "method = \"jitsi\"\nurl = \"https://meet.example/\"\napp_id = \"m\"\nsecret_file = \"s\"\n";
        let live_kit = "method = \"live-kit\"\nurl = \"https://meet.example/custom\"\nserver = \"wss://rtc.example\"\n\
                        key = \"k\"\nsecret_file = \"s\"\n";
        for good in [jitsi, live_kit, "method = \"link\"\nurl = \"https://meet.example/dr-lane\"\n"] {
            assert!(Config::from_toml(&format!("{clinic}{good}")).is_ok(), "{good}");
        }
        for (text, expected) in [
            (jitsi.replace("https", "http"), "clinics.a.video.url: expected an https URL"),
            (jitsi.replace("meet.", "user:word@meet."), "without user and password"),
            (jitsi.replace("\"m\"", "\"\""), "clinics.a.video.app_id"),
            (jitsi.replace("secret_file = \"s\"\n", ""), "secret_file"),
            (live_kit.replace("wss", "ws"), "clinics.a.video.server: expected a wss URL"),
            (jitsi.replace("secret_file", "in_appointments = true\nsecret_file"), "in_appointments"),
            (jitsi.replace("jitsi", "carrier-pigeon"), "clinics.a.video.method: expected one of"),
        ] {
            let error = Config::from_toml(&format!("{clinic}{text}")).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
