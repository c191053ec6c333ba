//! How the bridge gets into a clinic: by itself, or by what its members lend it.

use serde::Deserialize;
use url::Host;

/// What is asked for when `scopes` is not set: to create Observations and find them again, and to read the Patient.
pub const DEFAULT_SCOPES: &str = "system/Observation.cruds system/Patient.rs";

/// The same, for what members lend: besides, to be told which Patient, and access that outlasts the member's visit.
pub const DEFAULT_PATIENT_SCOPES: &str = "launch/patient offline_access patient/Observation.cruds patient/Patient.r";

/// How the bridge gets in.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "Written")]
pub enum Auth {
    /// Without proving anything: the endpoint is protected in another way, or is for tests.
    #[default]
    None,
    /// SMART Backend Services (SMART App Launch 2.2.0): a signed assertion for a short-lived token.
    BackendServices(BackendServices),
    /// Where the clinic gives the bridge no access of its own: members' launches lend it theirs.
    Patient(PatientLaunch),
}

impl Auth {
    /// Whether the bridge has to sign who it is.
    #[must_use]
    pub fn signs(&self) -> bool {
        match self {
            Self::None => false,
            Self::BackendServices(_) => true,
            Self::Patient(launch) => launch.client_authentication == ClientAuthentication::PrivateKeyJwt,
        }
    }
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

/// The settings of SMART standalone launches (SMART App Launch 2.2.0), in which a member lends the bridge their access.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatientLaunch {
    /// The name under which the clinic registered this bridge.
    pub client_id: String,
    /// What members are asked for, as in the OAuth parameter `scope`.
    pub scopes: String,
    /// Hosts, beside that of the FHIR endpoint, where the token endpoint may be.
    pub token_hosts: Vec<String>,
    /// How the bridge proves at the token endpoint that it is this client.
    pub client_authentication: ClientAuthentication,
}

/// How a client proves who it is (SMART App Launch 2.2.0, client authentication).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// Not at all: a public client.
    None,
    /// By a signed assertion.
    #[default]
    PrivateKeyJwt,
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    method: Method,
    client_id: Option<String>,
    scopes: Option<String>,
    token_hosts: Option<Vec<String>>,
    client_authentication: Option<ClientAuthentication>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Method {
    None,
    BackendServices,
    Patient,
}

impl TryFrom<Written> for Auth {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { method, client_id, scopes, token_hosts, client_authentication } = written;
        let alone = client_id.is_none() && scopes.is_none() && token_hosts.is_none();
        match method {
            Method::None if alone && client_authentication.is_none() => Ok(Self::None),
            Method::None => Err("expected client_id, scopes, token_hosts and client_authentication only with \
                 method = \"backend-services\" or \"patient\""),
            Method::BackendServices if client_authentication.is_some() => {
                Err("expected client_authentication only with method = \"patient\": Backend Services always sign")
            }
            Method::BackendServices => Ok(Self::BackendServices(BackendServices {
                client_id: checked_client_id(client_id)?,
                scopes: scopes
                    .map_or(Some(DEFAULT_SCOPES.to_owned()), |scopes| tidy_scopes(&scopes, is_system_scope))
                    .ok_or("expected scopes as system/<Type>.<cruds>, parted by spaces")?,
                token_hosts: checked_hosts(token_hosts, TOKEN_HOSTS)?,
            })),
            Method::Patient => Ok(Self::Patient(PatientLaunch {
                client_id: checked_client_id(client_id)?,
                scopes: scopes
                    .map_or(Some(DEFAULT_PATIENT_SCOPES.to_owned()), |scopes| tidy_scopes(&scopes, is_patient_scope))
                    .filter(|scopes| lends_a_lasting_patient(scopes))
                    .ok_or(
                        "expected scopes as patient/<Type>.<cruds>, parted by spaces, and launch/patient and \
                         offline_access among them",
                    )?,
                token_hosts: checked_hosts(token_hosts, TOKEN_HOSTS)?,
                client_authentication: client_authentication.unwrap_or_default(),
            })),
        }
    }
}

/// What `token_hosts` must be.
const TOKEN_HOSTS: &str = "expected token_hosts as names of hosts, without scheme, port and path";

pub(super) fn checked_client_id(client_id: Option<String>) -> Result<String, &'static str> {
    client_id
        .filter(|id| is_client_id(id))
        .ok_or("expected client_id with this method: the name the clinic registered you under")
}

pub(super) fn checked_hosts(hosts: Option<Vec<String>>, expected: &'static str) -> Result<Vec<String>, &'static str> {
    let hosts = hosts.unwrap_or_default();
    let plain: Option<Vec<String>> = hosts.iter().map(|host| plain_host(host)).collect();
    plain.ok_or(expected)
}

/// RFC 6749, appendix A.1: printable ASCII. A control character in it would be a mistake of copying.
pub(super) fn is_client_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| (0x20..0x7f).contains(&b)) && text.trim() == text
}

/// One space between scopes, of which each is known.
pub(super) fn tidy_scopes(text: &str, known: fn(&str) -> bool) -> Option<String> {
    let scopes: Vec<&str> = text.split_whitespace().collect();
    (!scopes.is_empty() && scopes.iter().all(|scope| known(scope))).then(|| scopes.join(" "))
}

/// For the context of a backend (SMART App Launch 2.2.0, scopes).
fn is_system_scope(scope: &str) -> bool {
    scope.strip_prefix("system/").is_some_and(|rest| rest.contains('.'))
}

/// For the context of a patient, and what a launch may ask for beside it.
pub(super) fn is_patient_scope(scope: &str) -> bool {
    let clinical = scope.strip_prefix("patient/").is_some_and(|rest| rest.contains('.'));
    clinical || matches!(scope, "launch/patient" | "offline_access" | "openid" | "fhirUser")
}

/// Without the one, nobody says which Patient; without the other, nothing can be sent once the member has left.
fn lends_a_lasting_patient(scopes: &str) -> bool {
    let asks = |this: fn(&str) -> bool| scopes.split(' ').any(this);
    asks(|scope| scope == "launch/patient")
        && asks(|scope| scope == "offline_access")
        && asks(|scope| scope.starts_with("patient/"))
}

fn plain_host(text: &str) -> Option<String> {
    let host = Host::parse(text).ok()?.to_string();
    (host == text.to_ascii_lowercase()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigError};

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
        let patient = "method = \"patient\"\nclient_id = \"m\"\n";
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
            (format!("{backend}client_authentication = \"none\""), "expected client_authentication"),
            ("method = \"none\"\nclient_authentication = \"none\"".to_owned(), "only with method"),
            ("method = \"patient\"".to_owned(), "expected client_id"),
            (format!("{patient}client_authentication = \"client_secret_basic\""), "private_key_jwt"),
            (format!("{patient}secret = \"s\""), "secret"),
            (format!("{patient}scopes = \"launch/patient offline_access\""), "expected scopes"),
            (format!("{patient}scopes = \"launch/patient patient/Observation.cruds\""), "expected scopes"),
            (format!("{patient}scopes = \"offline_access patient/Observation.cruds\""), "expected scopes"),
            (format!("{patient}scopes = \"{DEFAULT_PATIENT_SCOPES} system/Patient.rs\""), "expected scopes"),
            (format!("{patient}scopes = \"{DEFAULT_PATIENT_SCOPES} user/*.rs\""), "expected scopes"),
            (format!("{patient}token_hosts = [\"https://as.example\"]"), "expected token_hosts"),
        ] {
            let error = refused(&auth);
            assert!(error.contains(expected), "{auth}: {error}");
            assert!(error.contains("auth") || error.contains("secret"), "which section: {error}");
        }
    }

    #[test]
    fn what_members_lend_has_defaults_for_everything_but_the_client() {
        let config = with_auth("method = \"patient\"\nclient_id = \"mostik\"").unwrap();
        let clinic = config.clinics.values().next().unwrap();
        let launch = PatientLaunch {
            client_id: "mostik".into(),
            scopes: DEFAULT_PATIENT_SCOPES.into(),
            token_hosts: vec![],
            client_authentication: ClientAuthentication::PrivateKeyJwt,
        };
        assert_eq!(clinic.auth, Auth::Patient(launch));
        assert!(clinic.auth.signs());
    }

    #[test]
    fn a_public_client_and_other_scopes_can_be_set() {
        let scopes = "launch/patient  openid fhirUser offline_access patient/Observation.c?category=survey";
        let auth =
            format!("method = \"patient\"\nclient_id = \"m\"\nclient_authentication = \"none\"\nscopes = {scopes:?}");
        let config = with_auth(&auth).unwrap();
        let Auth::Patient(launch) = &config.clinics.values().next().unwrap().auth else { panic!() };
        assert_eq!(launch.client_authentication, ClientAuthentication::None);
        assert_eq!(launch.scopes, scopes.replace("  ", " "));
    }

    #[test]
    fn token_hosts_may_be_called_too() {
        for method in ["backend-services", "patient"] {
            let auth = format!("method = {method:?}\nclient_id = \"m\"\ntoken_hosts = [\"AS.example\"]");
            let config = with_auth(&auth).unwrap();
            let hosts: Vec<String> = config.clinics.values().next().unwrap().hosts().collect();
            assert_eq!(hosts, ["ehr.example", "as.example"], "{method}");
        }
    }
}
