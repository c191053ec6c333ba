//! `/openapi.json`: the API described, generated from the code (OpenAPI 3.1).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, RefOr};
use utoipa::{Modify, OpenApi};

use super::{
    announcements, concerns, data_points, erasure, events, export, fhir, grants, health, jwks, materials, receipts,
    screenings, talk,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "mostik",
        description = "A footbridge between a mental-health peer community and the clinic. Errors are problem details (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        events::post_events,
        data_points::post_data_points,
        talk::post_talk,
        announcements::list,
        materials::list,
        concerns::list,
        concerns::acknowledge,
        concerns::close,
        concerns::disclose,
        screenings::post_screening,
        grants::list,
        grants::create,
        grants::change,
        grants::pause,
        grants::resume,
        grants::revoke,
        grants::mark::ask,
        grants::mark::outcomes,
        receipts::list,
        receipts::receipt,
        receipts::notices,
        export::archive,
        erasure::ask,
        erasure::status,
        erasure::cancel,
        erasure::hurry,
        erasure::certificate,
        fhir::discovery::smart_configuration,
        fhir::metadata::metadata,
        fhir::token::token,
        fhir::consents::search,
        fhir::consents::search_by_post,
        fhir::consents::read,
        fhir::ask_summary::ask_summary,
        fhir::notify::notify,
        fhir::audit_events::search,
        fhir::audit_events::search_by_post,
        fhir::questionnaires::search,
        fhir::questionnaires::read,
        jwks::jwks,
        health::livez,
        health::readyz,
    ),
    tags(
        (name = "events", description = "Readings from communities and apps"),
        (name = "talks", description = "What members say to the companion, from where they talk"),
        (name = "announcements", description = "What a community may tell everybody"),
        (name = "materials", description = "What clinics published for everybody to read"),
        (name = "concerns", description = "Who needs a person of their community"),
        (name = "grants", description = "A member's own consent"),
        (name = "receipts", description = "What proves a member's decisions, and what they are told before"),
        (name = "member", description = "Everything that is a member's: taken along, or taken back for good"),
        (name = "clinics", description = "What clinics' own systems read"),
        (name = "questionnaires", description = "The forms that members fill in, for everybody to read"),
        (name = "keys", description = "What this bridge signs with, for clinics"),
        (name = "health", description = "For operators"),
    ),
    modifiers(&Credentials, &Descriptions),
)]
struct Api;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut Document) {
        let bearer = |what: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what)).build())
        };
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("api_key", bearer("An API key of a community: `mostik key create`"));
        components.add_security_scheme("member_token", bearer("A member's own token: `mostik member token`"));
        components.add_security_scheme("clinic_token", bearer("A token of a clinic's own system: POST /fhir/token"));
        let of_subscription = bearer("What a Subscription of the bridge says that each notification carries");
        components.add_security_scheme("subscription_secret", of_subscription);
    }
}

/// Every response has a description (OpenAPI 3.1, "Response Object"): where nobody wrote one, what its status means.
struct Descriptions;

impl Modify for Descriptions {
    fn modify(&self, document: &mut Document) {
        let paths = document.paths.paths.values_mut();
        let operations = paths.flat_map(|path| [&mut path.get, &mut path.post, &mut path.put, &mut path.delete]);
        let responses = operations.flatten().flat_map(|operation| operation.responses.responses.iter_mut());
        for (status, response) in responses {
            let RefOr::T(response) = response else { continue };
            if response.description.is_empty() {
                let status: Option<StatusCode> = status.parse().ok();
                let meant = status.and_then(|it| it.canonical_reason()).unwrap_or("An answer");
                meant.clone_into(&mut response.description);
            }
        }
    }
}

/// The API's description.
#[must_use]
pub fn document() -> Document {
    Api::openapi()
}

/// Serves the description.
#[get("/openapi.json")]
pub async fn openapi_json() -> HttpResponse {
    HttpResponse::Ok().json(document())
}
