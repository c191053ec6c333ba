//! The settings for telling members in their browsers (Web Push).

use std::collections::BTreeSet;

use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;

/// Which push services are called, and how they reach whoever runs this bridge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushServices {
    /// How they reach whoever runs it: `mailto:` or `https:`. Empty: nobody is told in browsers.
    pub contact: String,
    /// Their hosts; one that begins with a dot stands for all whose names end so.
    pub services: BTreeSet<String>,
}

impl PushServices {
    /// Whether members can be told in their browsers.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.contact.is_empty()
    }

    /// Whether an address is one that such a service gives to a browser.
    #[must_use]
    pub fn allows(&self, address: &Url, private_networks: bool) -> bool {
        let is_named = |host: &str| {
            self.services.contains(host)
                || self.services.iter().any(|named| named.starts_with('.') && host.ends_with(named.as_str()))
        };
        let is_safe = address.scheme() == "https" || (address.scheme() == "http" && private_networks);
        is_safe && address.host_str().is_some_and(is_named)
    }

    pub(super) fn check(&self, private_networks: bool) -> Result<(), ConfigError> {
        let invalid =
            |setting: &str, expected| Err(ConfigError::Invalid { setting: format!("push.{setting}"), expected });
        let contact = Url::parse(&self.contact);
        let is_contact = contact.is_ok_and(|url| match url.scheme() {
            "mailto" => url.path().contains('@'),
            "https" => true,
            _ => false,
        });
        if self.is_on() && !is_contact {
            return invalid("contact", "an address such as mailto:admin@mostik.example, or nothing");
        }
        let is_host = |name: &String| {
            Host::parse(name.trim_start_matches('.'))
                .is_ok_and(|host| matches!(host, Host::Domain(_)) || private_networks)
        };
        if !self.services.iter().all(is_host) {
            return invalid("services", "names of hosts, such as push.example or .push.example");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn nobody_is_told_in_browsers_until_somebody_answers_for_it() {
        assert!(!Config::from_toml("").unwrap().push.is_on());
        assert!(Config::from_toml("[push]\ncontact = \"mailto:admin@mostik.example\"").unwrap().push.is_on());
        for (text, setting) in [
            ("contact = \"admin@mostik.example\"", "push.contact"),
            ("contact = \"http://mostik.example\"", "push.contact"),
            ("services = [\"https://push.example/\"]", "push.services"),
            ("services = [\"127.0.0.1\"]", "push.services"),
            ("sevices = []", "sevices"),
        ] {
            let error = Config::from_toml(&format!("[push]\n{text}")).unwrap_err().to_string();
            assert!(error.contains(setting), "{text}: {error}");
        }
    }

    #[test]
    fn browsers_are_told_at_services_that_are_allowed_only() {
        let push = Config::from_toml("").unwrap().push;
        let allows = |address: &str| push.allows(&address.parse().unwrap(), false);
        assert!(
            allows("https://fcm.googleapis.com/fcm/send/x") && allows("https://wns2-par02p.notify.windows.com/w/?x")
        );
        for other in [
            "http://fcm.googleapis.com/",
            "https://127.0.0.1/",
            "https://evil.example/",
            "https://notify.windows.com.evil/",
        ] {
            assert!(!allows(other), "{other}");
        }
    }
}
