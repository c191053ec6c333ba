//! How a clinic's own systems get in here: the client that the operator registers for them.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::ConfigError;
use super::auth::is_client_id;
use crate::vault::PublicKeys;

/// What a clinic's system is given at most when `scopes` is not set: to read and search both.
const DEFAULT_SCOPES: &str = "system/Consent.rs system/AuditEvent.rs";

/// The resources that clinics may read here.
const RESOURCES: [&str; 2] = ["Consent", "AuditEvent"];

/// What it takes to ask for a patient's summary.
const ASK_FOR_SUMMARIES: &str = "system/DocumentReference.c";

/// What it takes to enter visits.
const JOIN_VISITS: &str = "system/Appointment.r";

/// The client of a clinic (SMART App Launch 2.2.0, Backend Services).
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct ClinicAccess {
    /// The name under which it is registered here.
    pub client_id: String,
    /// What its assertions are verified with.
    pub keys: ClientKeys,
    /// The most it is given, as in the OAuth parameter `scope`.
    pub scopes: String,
}

/// Where a client's public keys are.
#[derive(Clone, Debug)]
pub enum ClientKeys {
    /// Written down here.
    Here(PublicKeys),
    /// Published there.
    At(Url),
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    client_id: String,
    jwks: Option<Value>,
    jwks_uri: Option<Url>,
    scopes: Option<String>,
}

impl TryFrom<Written> for ClinicAccess {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { client_id, jwks, jwks_uri, scopes } = written;
        if !is_client_id(&client_id) {
            return Err("expected client_id in printable ASCII: the name you register the clinic's system under".into());
        }
        let keys = match (jwks, jwks_uri) {
            (Some(jwks), None) => {
                ClientKeys::Here(PublicKeys::all_of(&jwks).map_err(|error| format!("{error} (in jwks)"))?)
            }
            (None, Some(url)) => ClientKeys::At(url),
            _ => return Err("expected either jwks_uri or jwks: what the clinic's system signs with".into()),
        };
        let scopes = scopes.unwrap_or_else(|| DEFAULT_SCOPES.to_owned());
        let scopes: Vec<&str> = scopes.split_whitespace().collect();
        if scopes.is_empty() || !scopes.iter().all(|scope| is_scope(scope)) {
            return Err("expected scopes among system/Consent.rs and system/AuditEvent.rs, with r, s or both, \
                        system/DocumentReference.c and system/Appointment.r"
                .into());
        }
        Ok(Self { client_id, keys, scopes: scopes.join(" ") })
    }
}

impl ClinicAccess {
    /// Refuses what cannot be; `id` is the clinic's name in the configuration.
    pub(super) fn check(&self, id: &str, private_networks: bool) -> Result<(), ConfigError> {
        let ClientKeys::At(url) = &self.keys else { return Ok(()) };
        let invalid =
            |expected| Err(ConfigError::Invalid { setting: format!("clinics.{id}.access.jwks_uri"), expected });
        let anonymous = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || url.fragment().is_some() || !anonymous {
            return invalid("an http(s) URL without user, password and fragment");
        }
        if url.scheme() == "http" && !private_networks {
            return invalid("https (http is for delivery.private_networks = true only)");
        }
        Ok(())
    }
}

/// Reading and searching, of what there is.
fn is_scope(scope: &str) -> bool {
    let known = |rest: &str| {
        rest.split_once('.')
            .is_some_and(|(kind, letters)| RESOURCES.contains(&kind) && ["r", "s", "rs"].contains(&letters))
    };
    [ASK_FOR_SUMMARIES, JOIN_VISITS].contains(&scope) || scope.strip_prefix("system/").is_some_and(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const URI: &str = "client_id = \"a-ehr\"\njwks_uri = \"https://ehr.example/jwks\"\n";

    fn clinic(name: &str, access: &str) -> String {
        format!(
            "[clinics.{name}]\nname = \"A\"\nfhir_base = \"https://ehr.example/fhir\"\n[clinics.{name}.access]\n{access}\n"
        )
    }

    fn with_access(access: &str) -> Result<Config, ConfigError> {
        Config::from_toml(&clinic("a", access))
    }

    #[test]
    fn a_client_and_its_keys_are_enough() {
        let config = with_access(URI).unwrap();
        let access = config.clinics.values().next().unwrap().access.as_ref().unwrap();
        assert_eq!((access.client_id.as_str(), access.scopes.as_str()), ("a-ehr", DEFAULT_SCOPES));
        assert!(matches!(&access.keys, ClientKeys::At(url) if url.as_str() == "https://ehr.example/jwks"));
        let without = "[clinics.a]\nname = \"A\"\nfhir_base = \"https://ehr.example/fhir\"";
        assert!(Config::from_toml(without).unwrap().clinics.values().all(|clinic| clinic.access.is_none()));
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_was_expected() {
        for (access, expected) in [
            ("client_id = \"a\"".to_owned(), "expected either jwks_uri or jwks"),
            (format!("{URI}jwks = {{ keys = [] }}"), "expected either jwks_uri or jwks"),
            ("jwks_uri = \"https://e.example/\"".to_owned(), "client_id"),
            (URI.replace("a-ehr", "a\\tehr"), "expected client_id"),
            (format!("{URI}secret = \"hunter2\""), "secret"),
            (format!("{URI}scopes = \"\""), "expected scopes"),
            (format!("{URI}scopes = \"system/*.rs\""), "expected scopes"),
            (format!("{URI}scopes = \"system/Consent.cruds\""), "expected scopes"),
            (format!("{URI}scopes = \"user/Consent.rs\""), "expected scopes"),
            (URI.replace("https://ehr", "https://u:hunter2@ehr"), "without user"),
            (URI.replace("https", "http"), "expected https"),
            (URI.replace("https", "ftp"), "expected an http(s) URL"),
            ("client_id = \"a\"\njwks = { keys = [] }".to_owned(), "expected a JWK Set"),
            (
                "client_id = \"a\"\njwks = { keys = [{ kty = \"EC\", kid = \"k\", d = \"hunter2\" }] }".to_owned(),
                "private",
            ),
            ("client_id = \"a\"\njwks = { keys = [{ kty = \"EC\", kid = \"k\" }] }".to_owned(), "P-384"),
        ] {
            let error = with_access(&access).unwrap_err().to_string();
            assert!(error.contains(expected), "{access}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("access"), "which section: {error}");
        }
    }

    #[test]
    fn no_two_clinics_are_the_same_client() {
        let twice = clinic("a", URI) + &clinic("b", URI);
        let error = Config::from_toml(&twice).unwrap_err().to_string();
        assert_eq!(error, "clinics.b.access.client_id: expected a name that no other clinic has");
    }
}
