//! The settings of a clinic: its FHIR endpoint, and how the bridge gets in there.

use serde::Deserialize;
use url::Url;

use super::ConfigError;
use super::access::ClinicAccess;
use super::auth::Auth;
use crate::domain::form::{Rule, Takes};

/// A clinic.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clinic {
    /// Its name, for people.
    pub name: String,
    /// Its FHIR endpoint.
    pub fhir_base: Url,
    /// How the bridge gets in there.
    #[serde(default)]
    pub auth: Auth,
    /// How its own systems get in here.
    pub access: Option<ClinicAccess>,
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

impl Clinic {
    /// Every host that is called for this clinic.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        let token_hosts = match &self.auth {
            Auth::None => &[][..],
            Auth::BackendServices(services) => services.token_hosts.as_slice(),
            Auth::Patient(launch) => launch.token_hosts.as_slice(),
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
        self.access.as_ref().map_or(Ok(()), |access| access.check(id, private_networks))
    }
}
