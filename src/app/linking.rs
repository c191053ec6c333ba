//! Launches at every clinic that offers them.

use std::collections::BTreeMap;

use super::{StartError, egress};
use crate::config::{ClientAuthentication, Clinic, Config, Launch};
use crate::delivery::ehr::with_slash;
use crate::delivery::smart_auth::launch::{LaunchClient, LaunchSettings};
use crate::domain::ids::ClinicId;
use crate::enrolment::launch::{LaunchPlace, Launches};
use crate::pipeline::Bridge;

/// Where browsers come back from launches, below the bridge's public address.
const COMES_BACK: &str = "/launch/return";

/// Launches at every configured clinic where members can sign in.
///
/// # Errors
/// [`StartError::Egress`].
pub fn launches(config: &Config, bridge: &Bridge) -> Result<Launches, StartError> {
    let mut places = BTreeMap::new();
    for (id, clinic) in &config.clinics {
        if let Some(place) = place(config, bridge, clinic)? {
            places.insert(ClinicId::clone(id), place);
        }
    }
    Ok(Launches::new(bridge.store.clone(), bridge.keyring.clone(), bridge.clock.clone(), places))
}

fn place(config: &Config, bridge: &Bridge, clinic: &Clinic) -> Result<Option<LaunchPlace>, StartError> {
    let Some(Launch { client_id, scopes, hosts, client_authentication }) = clinic.launch() else { return Ok(None) };
    let mut redirect_uri = config.server.public_url.clone();
    redirect_uri.set_path(COMES_BACK);
    let signed = client_authentication == ClientAuthentication::PrivateKeyJwt;
    let audience = clinic.fhir_base.to_string();
    let settings = LaunchSettings { client_id, scopes, hosts, signed, redirect_uri, audience };
    let (keys, entropy) = (bridge.signing.clone(), bridge.keyring.entropy().clone());
    let client = LaunchClient::new(egress(config, clinic)?, with_slash(&clinic.fhir_base), settings, keys, entropy);
    Ok(Some(LaunchPlace { client, lends: clinic.lends() }))
}
