//! Every route of the API, on one page; the portal's pages stand in a table of their own. What does not stand in this table is not served; `tests/it/house/routes.rs` asks each
//! row as everybody there is, and fails for a row that it has no answers for.

use std::collections::BTreeMap;
use std::future::ready;

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};

use super::fhir::{self, Outcome};
use super::{
    announcements, calendar, concerns, connectors, data_points, erasure, events, export, grants, health, jwks,
    materials, openapi, portal, problem, receipts, screenings, talk,
};

/// A route: methods, parted by spaces, and the pattern of its path, both as its handler has them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Route {
    /// `GET`, or several.
    pub methods: &'static str,
    /// Such as `/v1/grants/{grant_id}`.
    pub path: &'static str,
}

/// Makes the table and what serves it from the same lines, so that nothing is served that is not in the table.
macro_rules! routes {
    ($($methods:literal $path:literal => $handler:expr,)*) => {
        /// Every route of the API.
        pub const ROUTES: &[Route] = &[$(Route { methods: $methods, path: $path },)*];

        /// Serves every route there is. A method that is not served at a path is told so, with those that are.
        pub fn routes(config: &mut ServiceConfig) {
            $(config.service($handler);)*
            for (path, allowed) in allowed_methods() {
                let refuse = move |request: HttpRequest| ready(no_such_method(&request, &allowed));
                config.service(web::resource(path).to(refuse));
            }
            portal::routes(config);
        }
    };
}

routes! {
    "POST" "/v1/events" => events::post_events,
    "POST" "/v1/data-points" => data_points::post_data_points,
    "POST" "/v1/talk" => talk::post_talk,
    "GET POST PUT" "/connectors/{community}/{path:.*}" => connectors::bring,
    "GET" "/v1/announcements" => announcements::list,
    "GET" "/v1/materials" => materials::list,
    "GET" "/v1/concerns" => concerns::list,
    "POST" "/v1/concerns/{concern_id}/acknowledge" => concerns::acknowledge,
    "POST" "/v1/concerns/{concern_id}/close" => concerns::close,
    "POST" "/v1/concerns/{concern_id}/disclose" => concerns::disclose,
    "POST" "/v1/screenings" => screenings::post_screening,
    "GET" "/v1/grants" => grants::list,
    "POST" "/v1/grants" => grants::create,
    "PUT" "/v1/grants/{grant_id}" => grants::change,
    "POST" "/v1/grants/{grant_id}/pause" => grants::pause,
    "POST" "/v1/grants/{grant_id}/resume" => grants::resume,
    "POST" "/v1/grants/{grant_id}/revoke" => grants::revoke,
    "POST" "/v1/grants/{grant_id}/mark" => grants::mark::ask,
    "GET" "/v1/grants/{grant_id}/mark" => grants::mark::outcomes,
    "GET" "/v1/receipts" => receipts::list,
    "GET" "/v1/receipts/{receipt_id}" => receipts::receipt,
    "GET" "/v1/notices" => receipts::notices,
    "GET" "/v1/export" => export::archive,
    "POST" "/v1/erasure" => erasure::ask,
    "GET" "/v1/erasure" => erasure::status,
    "POST" "/v1/erasure/cancel" => erasure::cancel,
    "POST" "/v1/erasure/hurry" => erasure::hurry,
    "POST" "/v1/erasure/certificate" => erasure::certificate,
    "GET" "/fhir/.well-known/smart-configuration" => fhir::discovery::smart_configuration,
    "GET" "/fhir/metadata" => fhir::metadata::metadata,
    "POST" "/fhir/token" => fhir::token::token,
    "GET" "/fhir/Consent" => fhir::consents::search,
    "POST" "/fhir/Consent/_search" => fhir::consents::search_by_post,
    "GET" "/fhir/Consent/{id}" => fhir::consents::read,
    "POST" "/fhir/Patient/{id}/$ask-summary" => fhir::ask_summary::ask_summary,
    "POST" "/fhir/Appointment/{identifier}/$join" => fhir::join::join,
    "POST" "/fhir/notify/{token}" => fhir::notify::notify,
    "GET" "/fhir/AuditEvent" => fhir::audit_events::search,
    "POST" "/fhir/AuditEvent/_search" => fhir::audit_events::search_by_post,
    "GET" "/fhir/Questionnaire" => fhir::questionnaires::search,
    "GET" "/fhir/Questionnaire/{id}" => fhir::questionnaires::read,
    "GET" "/.well-known/jwks.json" => jwks::jwks,
    "GET HEAD" "/calendar/{token}/visits.ics" => calendar::feed,
    "GET HEAD" "/livez" => health::livez,
    "GET HEAD" "/readyz" => health::readyz,
    "GET" "/openapi.json" => openapi::openapi_json,
}

/// The API's routes and the portal's pages.
pub fn all_routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(portal::ROUTES)
}

/// For each path the methods that are served there, as `Allow` says them (RFC 9110, section 10.2.1).
fn allowed_methods() -> BTreeMap<&'static str, String> {
    let mut allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for route in ROUTES {
        allowed.entry(route.path).or_default().extend(route.methods.split(' '));
    }
    allowed.into_iter().map(|(path, methods)| (path, methods.join(", "))).collect()
}

/// What answers a method that a path does not have, in the shape in which errors leave there.
fn no_such_method(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let mut response = if is_fhir(request) {
        Outcome::no_such_method().error_response()
    } else {
        problem::no_such_method().error_response()
    };
    if let Ok(allowed) = HeaderValue::try_from(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// What answers where nothing is.
pub(super) fn no_such_route(request: &HttpRequest) -> HttpResponse {
    if is_fhir(request) { Outcome::not_found().error_response() } else { problem::no_such_route().error_response() }
}

fn is_fhir(request: &HttpRequest) -> bool {
    request.path() == "/fhir" || request.path().starts_with("/fhir/")
}
