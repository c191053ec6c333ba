//! A Subscription of the bridge at an EHR: by topic (Subscriptions R5 Backport), or by criteria as plain R4 has it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::shape::instant;

const BACKPORT: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/";

/// What a Subscription is for, and where its notices go.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// The canonical address of a topic, or a FHIR type where the EHR knows no topics.
    pub topic: &'a str,
    /// The Patient whom it is about. Personal.
    pub patient: &'a str,
    /// Where notices go. Secret.
    pub endpoint: &'a str,
    /// What each notice carries. Secret.
    pub header: &'a str,
    /// Until when it is to be kept.
    pub until: Timestamp,
    /// How often the EHR is to say that it lives, in seconds.
    pub heartbeat: u32,
}

/// The Subscription that watches.
#[must_use]
pub fn subscription(watch: Watch<'_>) -> Value {
    let end = instant(watch.until);
    let header = [format!("Authorization: Bearer {}", watch.header)];
    let reason = "News for a patient who shares data with this clinic";
    if !is_topic(watch.topic) {
        // Without a payload nothing but that something changed leaves the EHR.
        return json!({
            "resourceType": "Subscription",
            "status": "requested",
            "end": end,
            "reason": reason,
            "criteria": format!("{}?patient={}", watch.topic, watch.patient),
            "channel": {"type": "rest-hook", "endpoint": watch.endpoint, "header": header},
        });
    }
    let extension = |name: &str| format!("{BACKPORT}{name}");
    json!({
        "resourceType": "Subscription",
        "meta": {"profile": [extension("backport-subscription")]},
        "status": "requested",
        "end": end,
        "reason": reason,
        "criteria": watch.topic,
        "_criteria": {"extension": [{
            "url": extension("backport-filter-criteria"), "valueString": format!("patient={}", watch.patient),
        }]},
        "channel": {
            "extension": [{"url": extension("backport-heartbeat-period"), "valueUnsignedInt": watch.heartbeat}],
            "type": "rest-hook",
            "endpoint": watch.endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": extension("backport-payload-content"), "valueCode": "id-only"}]},
            "header": header,
        },
    })
}

/// Whether a Subscription, as its EHR keeps it, says from time to time that it lives.
#[must_use]
pub fn beats(subscription: &Value) -> bool {
    let extensions =
        subscription.pointer("/channel/extension").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let url = |extension: &Value| extension.get("url").and_then(Value::as_str).map(str::to_owned);
    extensions.iter().any(|extension| url(extension) == Some(format!("{BACKPORT}backport-heartbeat-period")))
}

/// Whether it is a topic, and not a FHIR type.
#[must_use]
pub fn is_topic(topic: &str) -> bool {
    topic.contains(':')
}
