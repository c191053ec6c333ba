//! Whose system is calling: found by the keyed index of its token only, and let in as often as the settings say.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::Outcome;
use super::refusals::Knock;
use crate::delivery::smart_auth::scopes;
use crate::domain::ids::ClinicId;
use crate::enrolment::clinic_access::{CLINIC_TOKEN_PREFIX, clinic_token_index};
use crate::web::State;

/// A clinic's system with a token in force.
#[derive(Debug)]
pub struct ClinicCaller {
    /// Whose.
    pub clinic: ClinicId,
    /// Under which name it is registered.
    pub client_id: String,
    scopes: String,
}

impl ClinicCaller {
    /// Whether its token allows what `letter` stands for (`r` to read by id, `s` to search) to a type of resource.
    ///
    /// # Errors
    /// [`Outcome`], which names the scope that is missing.
    pub fn check(&self, resource_type: &str, letter: char) -> Result<(), Outcome> {
        if scopes::allows(&self.scopes, "system", resource_type, letter) {
            Ok(())
        } else {
            Err(Outcome::forbidden(&format!("system/{resource_type}.{letter}")))
        }
    }
}

impl FromRequest for ClinicCaller {
    type Error = Outcome;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Outcome>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let header = request.headers().get(AUTHORIZATION);
            let refused = || Outcome::unauthorized(header.is_some());
            let state = request.app_data::<Data<State>>().ok_or_else(refused)?;
            let token = header.and_then(|header| bearer(header.to_str().ok()?)).ok_or_else(refused)?;
            let index = clinic_token_index(&state.bridge.keyring, token);
            let now = state.bridge.clock.now();
            let row = state.bridge.store.read().await?.clinic_token(index, now).await?;
            // A clinic that the operator has taken out of the configuration is out at once.
            let row = row.ok_or_else(refused)?;
            let client_id = state.fhir.clients.id_of(&row.clinic).ok_or_else(refused)?.to_owned();
            let (clinic, client) = (Some(row.clinic.clone()), Some(client_id.clone()));
            Knock { clinic, client, is_proven: true, why: None }.keep(&request);
            state.fhir.reads.check(&row.clinic).map_err(Outcome::too_often)?;
            Ok(Self { clinic: row.clinic, client_id, scopes: row.scopes })
        })
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(CLINIC_TOKEN_PREFIX)).then_some(token)
}
