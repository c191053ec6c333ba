//! How members show at a clinic who they are: by a standalone launch (SMART App Launch 2.2.0), which links them.

use serde::Deserialize;

use super::auth::{ClientAuthentication, checked_client_id, checked_hosts, is_patient_scope, tidy_scopes};

/// What is asked for when `scopes` is not set: to be told which Patient. Who signed in is asked for beside it, where the
/// server offers that.
const DEFAULT_SCOPES: &str = "launch/patient";

/// The settings of launches that link a member and lend the bridge nothing.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Launch {
    /// The name under which the clinic registered this bridge.
    pub client_id: String,
    /// What members are asked for, as in the OAuth parameter `scope`.
    pub scopes: String,
    /// Hosts, beside that of the FHIR endpoint, where the clinic's authorization server may be.
    pub hosts: Vec<String>,
    /// How the bridge proves at the token endpoint that it is this client.
    pub client_authentication: ClientAuthentication,
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    client_id: Option<String>,
    scopes: Option<String>,
    hosts: Option<Vec<String>>,
    client_authentication: Option<ClientAuthentication>,
}

impl TryFrom<Written> for Launch {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { client_id, scopes, hosts, client_authentication } = written;
        let scopes = match scopes {
            None => Some(DEFAULT_SCOPES.to_owned()),
            Some(scopes) => tidy_scopes(&scopes, is_patient_scope).filter(|scopes| only_names_a_patient(scopes)),
        };
        Ok(Self {
            client_id: checked_client_id(client_id)?,
            scopes: scopes.ok_or(
                "expected scopes with launch/patient among them, parted by spaces, and without offline_access: what \
                 such a launch gives is not kept",
            )?,
            hosts: checked_hosts(hosts, "expected hosts as names of hosts, without scheme, port and path")?,
            client_authentication: client_authentication.unwrap_or_default(),
        })
    }
}

/// Lasting access would be lent for nothing.
fn only_names_a_patient(scopes: &str) -> bool {
    scopes.split(' ').any(|scope| scope == "launch/patient")
        && !scopes.split(' ').any(|scope| scope == "offline_access")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Clinic, Config, ConfigError};

    fn with(sections: &str) -> Result<Clinic, ConfigError> {
        let clinic = "[clinics.a]\nname = \"A\"\nfhir_base = \"https://ehr.example/fhir\"\n";
        let config = Config::from_toml(&format!("{clinic}{sections}"))?;
        Ok(config.clinics.values().next().unwrap().clone())
    }

    fn refused(sections: &str) -> String {
        with(sections).unwrap_err().to_string()
    }

    #[test]
    fn a_launch_has_defaults_for_everything_but_the_client() {
        let clinic = with("[clinics.a.launch]\nclient_id = \"mostik\"").unwrap();
        let launch = clinic.launch().unwrap();
        assert_eq!((launch.client_id.as_str(), launch.scopes.as_str()), ("mostik", "launch/patient"));
        assert_eq!(launch.client_authentication, ClientAuthentication::PrivateKeyJwt);
        assert!(clinic.signs(), "a key is needed, although nothing else is proved to this clinic");
        assert!(!clinic.lends());
        let public = with("[clinics.a.launch]\nclient_id = \"m\"\nclient_authentication = \"none\"").unwrap();
        assert!(!public.signs());
    }

    #[test]
    fn its_hosts_may_be_called_too() {
        let clinic = with("[clinics.a.launch]\nclient_id = \"m\"\nhosts = [\"Login.example\"]").unwrap();
        assert_eq!(clinic.hosts().collect::<Vec<_>>(), ["ehr.example", "login.example"]);
    }

    #[test]
    fn where_members_lend_their_access_the_launch_is_the_same() {
        let clinic = with("[clinics.a.auth]\nmethod = \"patient\"\nclient_id = \"m\"\ntoken_hosts = [\"as.example\"]");
        let clinic = clinic.unwrap();
        let launch = clinic.launch().unwrap();
        assert!(launch.scopes.contains("offline_access") && clinic.lends());
        assert_eq!(launch.hosts, ["as.example"]);
        let error =
            refused("[clinics.a.auth]\nmethod = \"patient\"\nclient_id = \"m\"\n[clinics.a.launch]\nclient_id = \"n\"");
        assert!(error.contains("clinics.a.launch"), "{error}");
        assert!(with("").unwrap().launch().is_none());
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_was_expected() {
        for (launch, expected) in [
            ("scopes = \"launch/patient\"", "expected client_id"),
            ("client_id = \"m\"\nscopes = \"openid\"", "expected scopes"),
            ("client_id = \"m\"\nscopes = \"launch/patient offline_access\"", "expected scopes"),
            ("client_id = \"m\"\nscopes = \"launch/patient system/*.rs\"", "expected scopes"),
            ("client_id = \"m\"\nhosts = [\"https://as.example\"]", "expected hosts"),
            ("client_id = \"m\"\nsecret = \"s\"", "secret"),
            ("client_id = \"m\"\nclient_authentication = \"client_secret_basic\"", "private_key_jwt"),
        ] {
            let error = refused(&format!("[clinics.a.launch]\n{launch}"));
            assert!(error.contains(expected), "{launch}: {error}");
        }
    }
}
