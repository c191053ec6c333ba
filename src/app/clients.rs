//! Clinics' own systems: from their settings to what proves who they are.

use super::StartError;
use crate::config::{self, ClinicAccess, Config};
use crate::delivery::egress::{Egress, EgressPolicy};
use crate::domain::ids::ClinicId;
use crate::enrolment::clinic_access::{Client, ClientKeys, Clients, PublishedKeys};
use crate::web;

/// The clients that clinics' own systems are, each with a way out to its own published keys and nowhere else.
///
/// # Errors
/// [`StartError::Egress`].
pub fn clients(config: &Config) -> Result<Clients, StartError> {
    let registered = config.clinics.iter().filter_map(|(id, clinic)| Some((id, clinic.access.as_ref()?)));
    let client = |(id, access): (&ClinicId, &ClinicAccess)| {
        let keys = match &access.keys {
            config::ClientKeys::Here(keys) => ClientKeys::Here(keys.clone()),
            config::ClientKeys::At(url) => {
                let egress = Egress::new(EgressPolicy {
                    hosts: url.host_str().map(str::to_owned).into_iter().collect(),
                    private_networks: config.delivery.private_networks,
                    timeout: config.timeout(),
                })?;
                ClientKeys::There(PublishedKeys::new(egress, url.clone()))
            }
        };
        Ok((access.client_id.clone(), Client { clinic: id.clone(), keys, scopes: access.scopes.clone() }))
    };
    let by_id = registered.map(client).collect::<Result<_, StartError>>()?;
    Ok(Clients::new(web::token_url(&config.server.public_url), by_id))
}
