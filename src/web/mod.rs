//! HTTP: the API that communities and members call, the pages that members see, and the probes that operators call.

mod announcements;
mod auth;
mod body;
mod calendar;
mod clinic;
mod concerns;
mod connectors;
mod data_points;
mod ears;
mod erasure;
mod events;
mod export;
mod fhir;
mod grants;
mod headers;
mod health;
mod help;
mod jwks;
pub mod limits;
mod materials;
mod moderate;
mod openapi;
pub mod portal;
mod problem;
mod receipts;
mod routes;
mod screenings;
mod talk;
mod trace;

pub use ears::{Ears, listen};
pub use fhir::{note_refusals, token_url};
pub use headers::{RequestId, guard};
pub use openapi::document as openapi_document;
pub use problem::Problem;
pub use routes::{ROUTES, Route, all_routes, routes};
pub use trace::layer as tracing_layer;

use std::collections::BTreeSet;

use url::Url;

use crate::booking::Finder;
use crate::booking::video::Rooms;
use crate::config::{Config, ConfigError};
use crate::connectors::Connectors;
use crate::domain::ids::{ClinicId, CommunityId, MemberId};
use crate::enrolment::clinic_access::Clients;
use crate::enrolment::identity::Identities;
use crate::enrolment::launch::Launches;
use crate::enrolment::staff::StaffDoors;
use crate::inbound::Schemas;
use crate::pipeline::Bridge;
use help::HelpDesk;
use limits::Limit;
use portal::{Portal, TextError};

/// The handlers cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The portal's texts are broken. A defect.
    #[error(transparent)]
    Texts(#[from] TextError),
    /// The helplines cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// What the handlers share.
#[derive(Debug)]
pub struct State {
    bridge: Bridge,
    schemas: Schemas,
    clinics: BTreeSet<ClinicId>,
    communities: BTreeSet<CommunityId>,
    /// How callers reach this bridge: where every absolute link begins.
    public_url: Url,
    /// Where members find help.
    help: HelpDesk,
    /// What the pages share.
    portal: Portal,
    /// Where clinics' systems read.
    fhir: fhir::Door,
    /// Where members show at clinics who they are.
    launches: Launches,
    /// Where members sign in with their community's account.
    identities: Identities,
    /// Where clinics' staff sign in.
    staff: StaffDoors,
    /// What reads free times at clinics.
    finder: Finder,
    /// Where clinics hold their visits.
    rooms: Rooms,
    /// The communities' platforms, and how often each may call.
    platforms: connectors::Platforms,
    /// How often a member may take a copy of everything.
    exports: Limit<MemberId>,
    /// How many readings the data points of one request may have.
    data_point_readings: usize,
}

/// What reaches out of the house for the handlers, wired from the settings.
#[derive(Debug)]
pub struct Wired {
    /// Clinics' own systems.
    pub clients: Clients,
    /// Where members show at clinics who they are.
    pub launches: Launches,
    /// Where members sign in with their community's account.
    pub identities: Identities,
    /// Where clinics' staff sign in.
    pub staff: StaffDoors,
    /// What reads free times at clinics.
    pub finder: Finder,
    /// Where clinics hold their visits.
    pub rooms: Rooms,
    /// The communities' platforms.
    pub connectors: Connectors,
}

impl State {
    /// The state of the handlers of one server.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn new(config: &Config, bridge: Bridge, schemas: Schemas, wired: Wired) -> Result<Self, StateError> {
        let Wired { clients, launches, identities, staff, finder, rooms, connectors } = wired;
        let portal = Portal::new(config, &bridge.clock)?;
        let fhir = fhir::Door::new(config, clients, &bridge);
        let clinics = config.clinics.keys().cloned().collect();
        let communities = config.communities.keys().cloned().collect();
        let public_url = config.server.public_url.clone();
        let platforms = connectors::Platforms::new(connectors, &config.limits, &bridge.clock);
        let exports = export::limit(&bridge.clock);
        let help = HelpDesk::new(config)?;
        Ok(Self {
            bridge,
            schemas,
            clinics,
            communities,
            public_url,
            help,
            portal,
            fhir,
            launches,
            identities,
            staff,
            finder,
            rooms,
            platforms,
            exports,
            data_point_readings: config.limits.data_point_readings.get() as usize,
        })
    }
}
