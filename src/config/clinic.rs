//! The settings of a clinic: its FHIR endpoint, and how the bridge proves there who it is.

use serde::Deserialize;
use url::{Host, Url};

use super::ConfigError;
use crate::domain::form::{Rule, Takes};

/// What is asked for when `scopes` is not set: to create Observations and find them again, and to read the Patient.
pub const DEFAULT_SCOPES: &str = "system/Observation.cruds system/Patient.rs";

/// A clinic.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clinic {
    /// Its name, for people.
    pub name: String,
    /// Its FHIR endpoint.
    pub fhir_base: Url,
    /// How the bridge proves there who it is.
    #[serde(default)]
    pub auth: Auth,
    /// Requests to its EHR under way at the same time, if not as many as to any.
    pub concurrency: Option<usize>,
    /// Whether each resource carries its Provenance.
    #[serde(default = "yes")]
    pub provenance: bool,
    /// What its EHR takes, whatever it says itself.
    #[serde(default)]
    pub takes: Takes,
    /// What is changed in resources before they go.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

const fn yes() -> bool {
    true
}

/// How the bridge proves who it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "Written")]
pub enum Auth {
    /// Not at all: the endpoint is protected in another way, or is for tests.
    #[default]
    None,
    /// SMART Backend Services (SMART App Launch 2.2.0): a signed assertion for a short-lived token.
    BackendServices(BackendServices),
}

/// The settings of SMART Backend Services.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackendServices {
    /// The name under which the clinic registered this bridge.
    pub client_id: String,
    /// What is asked for, as in the OAuth parameter `scope`.
    pub scopes: String,
    /// Hosts, beside that of the FHIR endpoint, where the token endpoint may be.
    pub token_hosts: Vec<String>,
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    method: Method,
    client_id: Option<String>,
    scopes: Option<String>,
    token_hosts: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Method {
    None,
    BackendServices,
}

impl TryFrom<Written> for Auth {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { method, client_id, scopes, token_hosts } = written;
        match method {
            Method::None if client_id.is_some() || scopes.is_some() || token_hosts.is_some() => {
                Err("expected client_id, scopes and token_hosts only with method = \"backend-services\"")
            }
            Method::None => Ok(Self::None),
            Method::BackendServices => Ok(Self::BackendServices(BackendServices {
                client_id: client_id.filter(|id| is_client_id(id)).ok_or(
                    "expected client_id with method = \"backend-services\": the name the clinic registered you under",
                )?,
                scopes: scopes
                    .map_or(Some(DEFAULT_SCOPES.to_owned()), |scopes| tidy_scopes(&scopes))
                    .ok_or("expected scopes as system/<Type>.<cruds>, parted by spaces")?,
                token_hosts: token_hosts
                    .unwrap_or_default()
                    .iter()
                    .map(|host| plain_host(host))
                    .collect::<Option<_>>()
                    .ok_or("expected token_hosts as names of hosts, without scheme, port and path")?,
            })),
        }
    }
}

impl Clinic {
    /// Every host that is called for this clinic.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        let token_hosts = match &self.auth {
            Auth::None => &[][..],
            Auth::BackendServices(services) => services.token_hosts.as_slice(),
        };
        self.fhir_base.host_str().map(str::to_owned).into_iter().chain(token_hosts.iter().cloned())
    }

    /// Refuses what cannot be; `id` is the clinic's name in the configuration.
    pub(super) fn check(&self, id: &str, private_networks: bool) -> Result<(), ConfigError> {
        let invalid = |expected| Err(ConfigError::Invalid { setting: format!("clinics.{id}.fhir_base"), expected });
        let base = &self.fhir_base;
        let anonymous = base.username().is_empty() && base.password().is_none();
        let plain = base.query().is_none() && base.fragment().is_none() && anonymous;
        if !matches!(base.scheme(), "http" | "https") || !plain {
            return invalid("an http(s) URL without user, password, query and fragment");
        }
        if self.concurrency.is_some_and(|concurrency| !(1..=256).contains(&concurrency)) {
            let setting = format!("clinics.{id}.concurrency");
            return Err(ConfigError::Invalid { setting, expected: "a number from 1 to 256" });
        }
        if base.scheme() == "http" && !private_networks {
            return invalid("https (http is for delivery.private_networks = true only)");
        }
        Ok(())
    }
}

/// RFC 6749, appendix A.1: printable ASCII. A control character in it would be a mistake of copying.
fn is_client_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| (0x20..0x7f).contains(&b)) && text.trim() == text
}

/// One space between scopes, each for the context of a backend (SMART App Launch 2.2.0, scopes).
fn tidy_scopes(text: &str) -> Option<String> {
    let scopes: Vec<&str> = text.split_whitespace().collect();
    let known = |scope: &&str| scope.strip_prefix("system/").is_some_and(|rest| rest.contains('.'));
    (!scopes.is_empty() && scopes.iter().all(known)).then(|| scopes.join(" "))
}

fn plain_host(text: &str) -> Option<String> {
    let host = Host::parse(text).ok()?.to_string();
    (host == text.to_ascii_lowercase()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn with_auth(auth: &str) -> Result<Config, ConfigError> {
        Config::from_toml(&format!(
            "[clinics.a]\nname = \"A\"\nfhir_base = \"https://ehr.example/fhir\"\n[clinics.a.auth]\n{auth}"
        ))
    }

    fn refused(auth: &str) -> String {
        with_auth(auth).unwrap_err().to_string()
    }

    #[test]
    fn backend_services_have_defaults_for_everything_but_the_client() {
        let config = with_auth("method = \"backend-services\"\nclient_id = \"mostik\"").unwrap();
        let clinic = config.clinics.values().next().unwrap();
        let services =
            BackendServices { client_id: "mostik".into(), scopes: DEFAULT_SCOPES.into(), token_hosts: vec![] };
        assert_eq!(clinic.auth, Auth::BackendServices(services));
        assert_eq!(clinic.hosts().collect::<Vec<_>>(), ["ehr.example"]);
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_was_expected() {
        let backend = "method = \"backend-services\"\nclient_id = \"m\"\n";
        for (auth, expected) in [
            ("client_id = \"m\"".to_owned(), "method"),
            ("method = \"basic\"".to_owned(), "backend-services"),
            ("method = \"backend-services\"".to_owned(), "expected client_id"),
            ("method = \"backend-services\"\nclient_id = \" m\"".to_owned(), "expected client_id"),
            ("method = \"none\"\nclient_id = \"m\"".to_owned(), "only with method"),
            (format!("{backend}secret = \"s\""), "secret"),
            (format!("{backend}scopes = \"\""), "expected scopes"),
            (format!("{backend}scopes = \"patient/Observation.rs\""), "expected scopes"),
            (format!("{backend}token_hosts = [\"https://as.example\"]"), "expected token_hosts"),
            (format!("{backend}token_hosts = [\"as.example:444\"]"), "expected token_hosts"),
        ] {
            let error = refused(&auth);
            assert!(error.contains(expected), "{auth}: {error}");
            assert!(error.contains("auth") || error.contains("secret"), "which section: {error}");
        }
    }

    #[test]
    fn token_hosts_may_be_called_too() {
        let auth = "method = \"backend-services\"\nclient_id = \"m\"\ntoken_hosts = [\"AS.example\"]";
        let config = with_auth(auth).unwrap();
        assert_eq!(config.clinics.values().next().unwrap().hosts().collect::<Vec<_>>(), ["ehr.example", "as.example"]);
    }
}
