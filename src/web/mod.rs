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
use crate::domain::ids::{ClinicId, CommunityId};
use crate::inbound::event::EventSchemas;
use crate::pipeline::Bridge;

/// What the handlers share.
#[derive(Debug)]
pub struct State {
    bridge: Bridge,
    schemas: EventSchemas,
    clinics: BTreeSet<ClinicId>,
    communities: BTreeSet<CommunityId>,
}

impl State {
    /// The state of the handlers of one server.
    #[must_use]
    pub fn new(config: &Config, bridge: Bridge, schemas: EventSchemas) -> Self {
        let clinics = config.clinics.keys().cloned().collect();
        Self { bridge, schemas, clinics, communities: config.communities.keys().cloned().collect() }
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
        .service(openapi::openapi_json);
    for path in PATHS {
        config.service(web::resource(path).to(problem::no_such_method));
    }
    config.default_service(web::to(problem::no_such_route));
}

/// Every path there is: a method that is not served there is told so.
const PATHS: [&str; 10] = [
    "/v1/events",
    "/v1/grants",
    "/v1/grants/{grant_id}",
    "/v1/grants/{grant_id}/pause",
    "/v1/grants/{grant_id}/resume",
    "/v1/grants/{grant_id}/revoke",
    "/livez",
    "/readyz",
    "/openapi.json",
    "/.well-known/jwks.json",
];
