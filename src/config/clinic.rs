//! The settings of a clinic: its FHIR endpoint, and how the bridge gets in there.

use serde::Deserialize;
use url::Url;

use super::ConfigError;
use super::auth::{Access, Auth, PatientLaunch};

/// A clinic.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Written")]
pub struct Clinic {
    /// Its name, for people.
    pub name: String,
    /// Its FHIR endpoint.
    pub fhir_base: Url,
    /// How the bridge proves there who it is.
    pub auth: Auth,
    /// Where the clinic gives the bridge no access of its own: the members' launches that lend it theirs.
    pub launch: Option<PatientLaunch>,
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    fhir_base: Url,
    #[serde(default)]
    auth: Access,
}

impl From<Written> for Clinic {
    fn from(Written { name, fhir_base, auth }: Written) -> Self {
        let (auth, launch) = match auth {
            Access::None => (Auth::None, None),
            Access::BackendServices(services) => (Auth::BackendServices(services), None),
            Access::Patient(launch) => (Auth::None, Some(launch)),
        };
        Self { name, fhir_base, auth, launch }
    }
}

impl Clinic {
    /// Whether anything sent there carries a token.
    #[must_use]
    pub fn wants_tokens(&self) -> bool {
        self.auth != Auth::None || self.launch.is_some()
    }

    /// Every host that is called for this clinic.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        let token_hosts = match (&self.auth, &self.launch) {
            (Auth::BackendServices(services), _) => services.token_hosts.as_slice(),
            (Auth::None, Some(launch)) => launch.token_hosts.as_slice(),
            (Auth::None, None) => &[],
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
        if base.scheme() == "http" && !private_networks {
            return invalid("https (http is for delivery.private_networks = true only)");
        }
        Ok(())
    }
}
