//! `/fhir/`: where a clinic's own system reads what concerns its own patients, and nobody else's (FHIR R4; IHE PCF, ITI-108
//! Access Consent). It gets in by [`token`]; [`caller`] knows it again; [`parameters`] and [`patient`] read what it asks for;
//! [`refusals`] writes down whom it sends away. [`ask_summary`] is the one thing that it can have done.
//!
//! A Patient that is not linked to anybody here and a Patient of another clinic give the same answer: nothing. Nothing is
//! given about all patients at once. What says nothing of anybody ([`metadata`], [`questionnaires`]) is for everybody.

mod access;
pub(super) mod ask_summary;
pub(super) mod audit_events;
mod bundle;
mod caller;
mod consent_record;
pub(super) mod consents;
pub(super) mod discovery;
pub(super) mod join;
pub(super) mod metadata;
pub(super) mod notify;
mod outcome;
mod parameters;
mod patient;
pub(super) mod questionnaires;
mod refusals;
mod search;
pub(super) mod token;

pub use self::outcome::Outcome;
pub use self::refusals::note_refusals;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::HttpResponse;
use serde_json::Value;
use url::Url;

use self::refusals::Refusals;
use super::limits::Limit;
use crate::audit::events::Teller;
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::ids::ClinicId;
use crate::enrolment::clinic_access::Clients;
use crate::pipeline::Bridge;

/// FHIR's JSON (R4, http, content types).
const FHIR_JSON: &str = "application/fhir+json";

/// How often somebody who says that they are a clinic's system may fail to prove it, in a minute. It costs the system
/// itself nothing: what is proven is counted apart.
const STRANGERS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// What the handlers of this room share.
#[derive(Debug)]
pub struct Door {
    clients: Clients,
    /// The address of this FHIR server, without a slash at its end.
    base: String,
    /// The address of each clinic's own FHIR server, where its Patients are.
    ehrs: BTreeMap<ClinicId, Url>,
    teller: Teller,
    tokens: Limit<ClinicId>,
    reads: Limit<ClinicId>,
    strangers: Limit<Option<ClinicId>>,
    refusals: Refusals,
}

impl Door {
    /// The door for these clients.
    #[must_use]
    pub fn new(config: &Config, clients: Clients, bridge: &Bridge) -> Self {
        let clock = &bridge.clock;
        let told = config.clinics.iter();
        let told = told.map(|(id, clinic)| (id.clone(), clinic.name.clone(), clinic.fhir_base.to_string()));
        let here = (config.bridge.source.as_str(), config.server.public_url.as_str());
        Self {
            clients,
            base: base(&config.server.public_url),
            ehrs: config.clinics.iter().map(|(id, clinic)| (id.clone(), clinic.fhir_base.clone())).collect(),
            teller: Teller::new(bridge.keyring.clone(), here, told),
            tokens: per_minute(config.limits.clinic_tokens_per_minute, clock),
            reads: per_minute(config.limits.clinic_reads_per_minute, clock),
            strangers: per_minute(STRANGERS_PER_MINUTE, clock),
            refusals: Refusals::new(clock),
        }
    }

    /// Where a clinic's own FHIR server is.
    fn ehr_of(&self, clinic: &ClinicId) -> Result<&Url, Outcome> {
        self.ehrs.get(clinic).ok_or_else(Outcome::not_found)
    }
}

/// The address of the FHIR server of the bridge at `public_url`.
fn base(public_url: &Url) -> String {
    format!("{}/fhir", public_url.as_str().trim_end_matches('/'))
}

/// Where clinics' systems ask the bridge at `public_url` for tokens.
#[must_use]
pub fn token_url(public_url: &Url) -> String {
    format!("{}/token", base(public_url))
}

fn per_minute<K: std::hash::Hash + Eq + Clone>(count: NonZeroU32, clock: &Clock) -> Limit<K> {
    Limit::new(count, Duration::from_mins(1) / count.get(), clock.clone())
}

/// An answer that is a resource.
fn resource(resource: &Value) -> HttpResponse {
    HttpResponse::Ok().content_type(FHIR_JSON).body(resource.to_string())
}
