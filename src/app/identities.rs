//! Identity providers of communities, wired from the settings.

use std::collections::BTreeMap;

use super::StartError;
use crate::config::{Config, SignIn};
use crate::delivery::egress::{Egress, EgressPolicy};
use crate::delivery::identity::{Provider, ProviderSettings};
use crate::enrolment::identity::Identities;
use crate::pipeline::Bridge;
use crate::vault::read_secret_file;

/// Where browsers come back from providers, below the bridge's public address.
const COMES_BACK: &str = "/sign-in/return";

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
    let SignIn { issuer, client_id, secret_file, scopes, handle, .. } = sign_in.clone();
    let (hosts, private_networks) = (sign_in.hosts(), config.delivery.private_networks);
    let policy = EgressPolicy { hosts: hosts.iter().cloned().collect(), private_networks, timeout: config.timeout() };
    let mut redirect_uri = config.server.public_url.clone();
    redirect_uri.set_path(COMES_BACK);
    let settings = ProviderSettings {
        issuer,
        client_id,
        secret: secret_file.as_deref().map(read_secret_file).transpose()?,
        scopes,
        handle,
        hosts,
        redirect_uri,
    };
    Ok(Provider::new(Egress::new(policy)?, settings))
}
