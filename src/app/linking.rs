//! Launches at every clinic that offers them.

use std::collections::BTreeMap;

use super::{StartError, egress};
use crate::config::{ClientAuthentication, Clinic, Config, Launch};
use crate::delivery::ehr::with_slash;
use crate::delivery::smart_auth::launch::{LaunchClient, LaunchSettings};
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::ClinicId;
use crate::enrolment::launch::{LaunchPlace, Launches};
use crate::pipeline::Bridge;
use crate::store::Store;
use crate::vault::Keyring;
use crate::vault::signing::SigningKeys;

/// Where browsers come back from launches, below the bridge's public address.
const COMES_BACK: &str = "/launch/return";

/// Launches at every configured clinic where members can sign in.
///
/// # Errors
/// [`StartError::Egress`].
pub fn launches(config: &Config, bridge: &Bridge) -> Result<Launches, StartError> {
    launches_of(config, &bridge.store, &bridge.keyring, &bridge.signing, &bridge.clock)
}

/// The same, for a bridge that is still being put together.
pub(super) fn launches_of(
    config: &Config,
    store: &Store,
    keyring: &Keyring,
    signing: &SigningKeys,
    clock: &Clock,
) -> Result<Launches, StartError> {
    let mut places = BTreeMap::new();
    for (id, clinic) in &config.clinics {
        if let Some(client) = launch_client(config, clinic, signing, keyring.entropy())? {
            places.insert(ClinicId::clone(id), LaunchPlace { client, lends: clinic.lends() });
        }
    }
    Ok(Launches::new(store.clone(), keyring.clone(), clock.clone(), places))
}

/// How a clinic's server is spoken to about launches, if members can launch there.
///
/// # Errors
/// [`StartError::Egress`].
pub fn launch_client(
    config: &Config,
    clinic: &Clinic,
    signing: &SigningKeys,
    entropy: &Entropy,
) -> Result<Option<LaunchClient>, StartError> {
    let Some(Launch { client_id, scopes, hosts, client_authentication }) = clinic.launch() else { return Ok(None) };
    let mut redirect_uri = config.server.public_url.clone();
    redirect_uri.set_path(COMES_BACK);
    let signed = client_authentication == ClientAuthentication::PrivateKeyJwt;
    let audience = clinic.fhir_base.to_string();
    let settings = LaunchSettings { client_id, scopes, hosts, signed, redirect_uri, audience };
    let (keys, entropy) = (signing.clone(), entropy.clone());
    Ok(Some(LaunchClient::new(egress(config, clinic)?, with_slash(&clinic.fhir_base), settings, keys, entropy)))
}
