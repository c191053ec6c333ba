//! `/faults`: the faults over HTTP, for tests in other languages and for hands at a terminal.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::Value;

use super::House;
use super::faults::{Fault, FaultKind};
use super::http::respond;
use super::outcome::Refusal;

/// `GET /faults`: the faults that are switched on.
pub async fn list(house: web::Data<House>) -> HttpResponse {
    HttpResponse::Ok().json(house.faults.list())
}

/// `PUT /faults`: one fault or an array of them, in the place of those that are switched on.
pub async fn replace(house: web::Data<House>, body: web::Bytes) -> HttpResponse {
    match read(&body) {
        Ok(faults) => {
            house.faults.replace(faults);
            list(house).await
        }
        Err(refusal) => respond(Err(refusal)),
    }
}

/// `DELETE /faults`: none any more.
pub async fn clear(house: web::Data<House>) -> HttpResponse {
    house.faults.clear();
    HttpResponse::NoContent().finish()
}

fn read(body: &[u8]) -> Result<Vec<Fault>, Refusal> {
    let unreadable = |error: serde_json::Error| Refusal::bad_request("structure", error.to_string());
    let faults: Value = serde_json::from_slice(body).map_err(unreadable)?;
    let faults = if faults.is_array() { faults } else { Value::Array(vec![faults]) };
    let faults: Vec<Fault> = serde_json::from_value(faults).map_err(unreadable)?;
    let odd = |fault: &Fault| matches!(fault.kind, FaultKind::Status { code, .. } if !(400..=599).contains(&code));
    if faults.iter().any(odd) {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "value", "the status of a fault is between 400 and 599"));
    }
    Ok(faults)
}
