//! `/fhir/metadata`: what a clinic's system can read here (FHIR R4, `CapabilityStatement`).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Map, Value, json};

use super::parameters::check_format;
use super::{Door, Outcome, resource};
use crate::web::{Problem, State};

/// What every bridge says of itself.
const STATEMENT: &str = include_str!("../../../schemas/fhir/CapabilityStatement-mostik.json");

/// What is said of what is published, and not of an instance of it.
const PUBLISHED: [&str; 8] = ["id", "url", "version", "name", "title", "experimental", "publisher", "description"];

/// Says what can be read here.
#[utoipa::path(
    tag = "clinics",
    responses((status = 200, description = "A CapabilityStatement", body = serde_json::Value, content_type = "application/fhir+json")),
)]
#[get("/fhir/metadata")]
pub async fn metadata(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, Outcome> {
    check_format(&request)?;
    Ok(resource(&statement(&state.fhir)?))
}

/// The statement of the one that is asked: it instantiates what is published of all of them (R4, capabilitystatement.html).
fn statement(door: &Door) -> Result<Value, Outcome> {
    let published: Map<String, Value> = serde_json::from_str(STATEMENT).map_err(|error| Problem::internal(&error))?;
    let own = [
        ("instantiates", json!([published.get("url")])),
        ("kind", json!("instance")),
        ("software", json!({"name": "mostik", "version": env!("CARGO_PKG_VERSION")})),
        ("implementation", json!({"description": published.get("title"), "url": door.base})),
    ];
    let kept = published.into_iter().filter(|(name, _)| !PUBLISHED.contains(&name.as_str()));
    Ok(kept.chain(own.map(|(name, value)| (name.to_owned(), value))).collect::<Map<_, _>>().into())
}
