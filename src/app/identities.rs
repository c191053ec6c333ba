//! Identity providers of communities and clinics, wired from the settings.

use std::collections::BTreeMap;

use super::StartError;
use crate::config::{Config, SignIn, Staff};
use crate::delivery::egress::{Egress, EgressPolicy};
use crate::delivery::identity::{Admission, Provider, ProviderSettings};
use crate::domain::staff::Whose;
use crate::enrolment::identity::Identities;
use crate::enrolment::staff::{StaffDoor, StaffDoors};
use crate::pipeline::Bridge;
use crate::vault::read_secret_file;

/// Where browsers come back from providers, below the bridge's public address.
const COMES_BACK: &str = "/sign-in/return";

/// Where the browsers of clinics' staff do.
const STAFF_COMES_BACK: &str = "/clinic/return";

/// The provider of every community that has one.
///
/// # Errors
/// [`StartError`].
pub fn identities(config: &Config, bridge: &Bridge) -> Result<Identities, StartError> {
    let mut providers = BTreeMap::new();
    for (id, community) in &config.communities {
        if let Some(sign_in) = &community.sign_in {
            providers.insert(id.clone(), provider(config, sign_in)?);
        }
    }
    Ok(Identities::new(bridge.store.clone(), bridge.keyring.clone(), bridge.clock.clone(), providers))
}

/// A community's provider: with a way out of its own, to the hosts that the settings name and no others.
///
/// # Errors
/// [`StartError`].
pub fn provider(config: &Config, sign_in: &SignIn) -> Result<Provider, StartError> {
    provider_for(config, sign_in, COMES_BACK, None)
}

/// Where those of a community's people do.
const MODERATORS_COME_BACK: &str = "/moderate/return";

/// Where the staff of every clinic, and the people of every community, get in that lets them in.
///
/// # Errors
/// [`StartError`].
pub fn staff_doors(config: &Config, bridge: &Bridge) -> Result<StaffDoors, StartError> {
    let clinics =
        config.clinics.iter().map(|(id, clinic)| (Whose::Clinic(id.clone()), &clinic.staff, STAFF_COMES_BACK));
    let communities = config.communities.iter();
    let communities =
        communities.map(|(id, community)| (Whose::Community(id.clone()), &community.staff, MODERATORS_COME_BACK));
    let mut doors = BTreeMap::new();
    for (whose, staff, comes_back) in clinics.chain(communities) {
        if let Some(Staff { sign_in, claim, values, second, zone }) = staff {
            let admits = Admission { claim: claim.clone(), values: values.clone(), above: second.clone() };
            let provider = provider_for(config, sign_in, comes_back, Some(admits))?;
            doors.insert(whose, StaffDoor { provider, zone: zone.clone() });
        }
    }
    Ok(StaffDoors::new(bridge.store.clone(), bridge.keyring.clone(), bridge.clock.clone(), doors))
}

fn provider_for(
    config: &Config,
    sign_in: &SignIn,
    comes_back: &str,
    admits: Option<Admission>,
) -> Result<Provider, StartError> {
    let SignIn { issuer, client_id, secret_file, scopes, handle, .. } = sign_in.clone();
    let (hosts, private_networks) = (sign_in.hosts(), config.delivery.private_networks);
    let policy = EgressPolicy { hosts: hosts.iter().cloned().collect(), private_networks, timeout: config.timeout() };
    let mut redirect_uri = config.server.public_url.clone();
    redirect_uri.set_path(comes_back);
    let settings = ProviderSettings {
        issuer,
        client_id,
        secret: secret_file.as_deref().map(read_secret_file).transpose()?,
        scopes,
        handle,
        admits,
        hosts,
        redirect_uri,
    };
    Ok(Provider::new(Egress::new(policy)?, settings))
}
