//! HTTP: the API that communities and members call, and the probes that operators do.

mod auth;
mod body;
mod events;
mod grants;
mod health;
mod jwks;
mod openapi;
mod problem;
mod trace;

pub use openapi::document as openapi_document;
pub use problem::Problem;
pub use trace::layer as tracing_layer;

use std::collections::BTreeSet;

use actix_web::web::{self, ServiceConfig};

use crate::config::Config;
use crate::domain::ids::ClinicId;
use crate::inbound::event::EventSchemas;
use crate::pipeline::Bridge;

/// What the handlers share.
#[derive(Debug)]
pub struct State {
    bridge: Bridge,
    schemas: EventSchemas,
    clinics: BTreeSet<ClinicId>,
}

impl State {
    /// The state of the handlers of one server.
    #[must_use]
    pub fn new(config: &Config, bridge: Bridge, schemas: EventSchemas) -> Self {
        Self { bridge, schemas, clinics: config.clinics.keys().cloned().collect() }
    }
}

/// Every route there is.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(events::post_events)
        .service(grants::list)
        .service(grants::create)
        .service(grants::change)
        .service(grants::pause)
        .service(grants::resume)
        .service(grants::revoke)
        .service(jwks::jwks)
        .service(health::livez)
        .service(health::readyz)
        .service(openapi::openapi_json)
        .default_service(web::to(problem::no_such_route));
}
