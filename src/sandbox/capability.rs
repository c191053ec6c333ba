//! The `CapabilityStatement`: what `GET /fhir/metadata` promises, made from the table that the behaviour is made from.

use serde_json::{Value, json};

use super::House;
use super::json::{instant, with};
use super::types::{ResourceType, TYPES};

/// What this server can do.
#[must_use]
pub fn statement(house: &House) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(house.now()),
        "kind": "instance",
        "software": { "name": "mostik sandbox", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "A stand-in for a clinic's EHR; nothing here is kept", "url": house.base },
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "resource": TYPES.iter().map(resource).collect::<Vec<_>>(),
            "interaction": [{ "code": "batch" }, { "code": "transaction" }],
        }],
    })
}

fn resource(kind: &ResourceType) -> Value {
    let interactions = ["create", "read", "vread", "update", "patch", "delete", "search-type"];
    let everywhere = [("_id", "token"), ("_lastUpdated", "date")];
    let params = everywhere.into_iter().chain(kind.params.iter().map(|param| (param.name, param.kind.code())));
    let resource = json!({
        "type": kind.name,
        "interaction": interactions.map(|code| json!({ "code": code })),
        "versioning": "versioned-update",
        "readHistory": true,
        "updateCreate": false,
        "conditionalCreate": true,
        "conditionalRead": "not-supported",
        "conditionalUpdate": false,
        "conditionalDelete": "not-supported",
        "searchParam": params.map(|(name, code)| json!({ "name": name, "type": code })).collect::<Vec<_>>(),
    });
    with(resource, "operation", (kind.name == "Appointment").then(operations))
}

/// Those of IHE ITI Scheduling.
fn operations() -> Value {
    let operation = |name: &str| {
        let definition = format!("https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-{name}");
        json!({ "name": name, "definition": definition })
    };
    ["find", "hold", "book"].map(operation).into()
}
