//! The settings of the HTTP server, and the address under which people reach it.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;

/// The HTTP server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// How long a graceful stop may take, in seconds.
    pub shutdown_seconds: u64,
    /// Under which address people reach it.
    pub public_url: Url,
    /// The header in which the proxy before it says who is calling.
    pub client_address_header: Option<String>,
}

impl Server {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let invalid = |setting: &str, expected| Err(ConfigError::Invalid { setting: setting.to_owned(), expected });
        let url = &self.public_url;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !bare || !anonymous {
            return invalid("server.public_url", "scheme and host only, such as https://mostik.example");
        }
        // Browsers keep the cookies of the portal where nobody listens in: over TLS, or on the machine itself.
        if url.scheme() == "http" && !is_loopback(url) {
            return invalid("server.public_url", "https (http is for 127.0.0.1, [::1] and localhost only)");
        }
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if self.client_address_header.as_deref().is_some_and(|name| !is_name(name)) {
            return invalid("server.client_address_header", "the name of a header, such as X-Real-IP");
        }
        Ok(())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn people_reach_it_over_tls_or_on_the_machine_itself() {
        for url in
            ["https://mostik.example", "https://mostik.example:8443/", "http://127.0.0.1:8420", "http://localhost"]
        {
            assert!(Config::from_toml(&format!("[server]\npublic_url = {url:?}")).is_ok(), "{url}");
        }
        for url in
            ["http://mostik.example", "https://a.example/b", "https://u@a.example", "https://a.example/?b", "urn:a"]
        {
            let error = Config::from_toml(&format!("[server]\npublic_url = {url:?}")).unwrap_err().to_string();
            assert!(error.contains("server.public_url: expected"), "{url}: {error}");
        }
        let error = Config::from_toml("[server]\nclient_address_header = \"X Real\"").unwrap_err().to_string();
        assert!(error.contains("client_address_header"), "{error}");
    }
}
