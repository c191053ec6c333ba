//! The defects that were found in other consent engines: mostik has none of them. Each test bears the name of one.

use jiff::SignedDuration;
use mostik::web::ROUTES;
use reqwest::Method;
use serde_json::{Value, json};

use super::support::bridge::{Person, TestBridge, mood, note};
use super::support::ehr::{Ehr, create_patient, observations};
use super::support::http;
use super::support::outbox;
use crate::on_every_database;

/// Consent to these terms, towards the clinic.
async fn grant(bridge: &TestBridge, member: &Person, terms: Value) {
    let asked = json!({"clinic": "riverside", "terms": terms});
    let got = bridge.as_member(member, Method::POST, "/v1/grants", Some(&asked)).await;
    assert_eq!(got.status, 201, "{:?}", got.json);
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

/// The same event, which its sender calls sensitive.
fn sensitive(mut event: Value, labels: &str) -> Value {
    event["sensitivity"] = json!(labels);
    event
}

on_every_database! {
    async fn decisions_are_counted_before_filtering_so_that_later_entries_get_their_own(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let (other, patient) = ("wren", create_patient(&ehr.base).await);
        let (one, two) = (bridge.person("sparrow", &ehr.patient).await, bridge.person(other, &patient).await);
        grant(&bridge, &one, json!({"categories": {"mood": "every-entry"}})).await;
        grant(&bridge, &two, json!({"categories": {"note": "every-entry"}})).await;
        let batch = json!([
            note("1", "sparrow", "mine"), mood("2", "sparrow", 2), mood("3", other, 3), note("4", other, "theirs"),
            note("5", "sparrow", "mine too"), note("6", other, "theirs too"), mood("7", "sparrow", 4),
        ]);
        let got = bridge.send(&batch).await;
        let expected = ["refused", "accepted", "refused", "accepted", "refused", "accepted", "accepted"];
        assert_eq!(outcomes(&got.json), expected);
        bridge.deliver().await;
        let ratings: Vec<Value> = ehr.observations().await.iter().map(|found| found["valueQuantity"]["value"].clone()).collect();
        assert_eq!(ratings.len(), 2);
        assert!(ratings.contains(&json!(2)) && ratings.contains(&json!(4)), "{ratings:?}");
        let texts: Vec<Value> = observations(&ehr.base, &patient).await.iter().map(|found| found["valueString"].clone()).collect();
        assert_eq!(texts.len(), 2);
        assert!(texts.contains(&json!("theirs")) && texts.contains(&json!("theirs too")), "{texts:?}");
    }
}

on_every_database! {
    async fn patients_a_a_b_are_not_all_taken_for_a(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let patient = create_patient(&ehr.base).await;
        for (handle, patient) in [("sparrow", &ehr.patient), ("wren", &patient)] {
            let member = bridge.person(handle, patient).await;
            grant(&bridge, &member, json!({"categories": {"mood": "every-entry"}})).await;
        }
        // The same time, the same rating, the same name of an entry in another part of the community.
        let mut theirs = mood("1", "wren", 4);
        theirs["source"] = json!("/elsewhere");
        bridge.send(&json!([mood("1", "sparrow", 4), mood("2", "sparrow", 4), theirs])).await;
        bridge.deliver().await;
        let (a, b) = (ehr.observations().await, observations(&ehr.base, &patient).await);
        assert_eq!((a.len(), b.len()), (2, 1));
        assert_eq!(b[0]["subject"]["reference"], format!("Patient/{patient}"));
        let mut identifiers: Vec<&Value> = a.iter().chain(&b).map(|found| &found["identifier"][0]["value"]).collect();
        identifiers.sort_by_key(ToString::to_string);
        identifiers.dedup();
        assert_eq!(identifiers.len(), 3);
    }
}

on_every_database! {
    async fn the_check_of_labels_is_not_inverted(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let patient = create_patient(&ehr.base).await;
        let (one, two) = (bridge.person("sparrow", &ehr.patient).await, bridge.person("wren", &patient).await);
        grant(&bridge, &one, json!({"categories": {"mood": "every-entry"}, "withheld": ["SUD"]})).await;
        grant(&bridge, &two, json!({"categories": {"mood": "every-entry"}})).await;
        let batch = json!([
            sensitive(mood("1", "sparrow", 1), "SUD"), sensitive(mood("2", "sparrow", 2), "SEX"), mood("3", "sparrow", 3),
            sensitive(mood("4", "wren", 4), "SUD SEX"),
        ]);
        let got = bridge.send(&batch).await;
        assert_eq!(outcomes(&got.json), ["refused", "accepted", "accepted", "accepted"]);
        assert!(got.json.to_string().contains("label-withheld"), "{:#}", got.json);
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 2);
        let labelled = observations(&ehr.base, &patient).await.remove(0);
        let codes: Vec<&str> =
            labelled["meta"]["security"].as_array().unwrap().iter().map(|label| label["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["R", "PSY", "SUD", "SEX", "PATAST"], "what may go says how sensitive it is");
    }
}

on_every_database! {
    async fn a_label_that_is_withheld_later_stops_what_waits(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let id = bridge.grant(&member, &["mood"]).await;
        bridge.send(&json!([sensitive(mood("1", "sparrow", 1), "SUD"), mood("2", "sparrow", 2)])).await;
        let narrower = json!({"categories": {"mood": "every-entry"}, "withheld": ["SUD"]});
        bridge.as_member(&member, Method::PUT, &format!("/v1/grants/{id}"), Some(&narrower)).await;
        bridge.deliver().await;
        let found = ehr.observations().await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["valueQuantity"]["value"], 2);
    }
}

on_every_database! {
    async fn what_is_hidden_in_one_place_is_not_shown_in_another(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let (member, other) = (bridge.person("sparrow", &ehr.patient).await, bridge.unlinked_person("wren").await);
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&note("1", "sparrow", "nobody may read this")).await;
        bridge.deliver().await;
        assert!(outbox::items(&bridge, &member).await.is_empty(), "what no clinic may see is not even kept");
        assert_eq!((bridge.traces(&member).await, ehr.observations().await.len()), (0, 0));
        for path in ["/v1/grants", "/v1/receipts"] {
            let theirs = bridge.as_member(&other, Method::GET, path, None).await;
            assert!(!theirs.json.to_string().contains(&grant), "{path}: {:?}", theirs.json);
        }
        let theirs = bridge.as_member(&other, Method::GET, &format!("/v1/grants/{grant}/mark"), None).await;
        assert_eq!(theirs.status, 404);
    }
}

on_every_database! {
    async fn nothing_is_open_to_whoever_leaves_the_header_out(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9/fhir").await;
        // What everybody is told, and what is had by a secret of its own: whoever has it has no account any more.
        let open = ["/v1/notices", "/v1/erasure/certificate"];
        for route in ROUTES.iter().filter(|route| route.path.starts_with("/v1/") && !open.contains(&route.path)) {
            for method in route.methods.split(' ') {
                let id = uuid::Uuid::nil().to_string();
                let path = route.path.replace("{grant_id}", &id).replace("{receipt_id}", &id);
                let method: Method = method.parse().unwrap();
                let got = http::call(method.clone(), &format!("{}{path}", bridge.api), None, Some(&json!({}))).await;
                assert_eq!(got.status, 401, "{method} {path}: {:?}", got.json);
            }
        }
    }
}

on_every_database! {
    async fn what_is_left_out_shows_in_no_total_and_leaves_no_gap(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let patient = create_patient(&ehr.base).await;
        for (handle, patient) in [("sparrow", &ehr.patient), ("wren", &patient)] {
            let member = bridge.person(handle, patient).await;
            bridge.grant(&member, &["mood"]).await;
        }
        bridge.send(&json!([mood("1", "sparrow", 1), note("2", "sparrow", "kept back"), mood("3", "sparrow", 3)])).await;
        bridge.send(&json!([mood("4", "wren", 1), mood("5", "wren", 3)])).await;
        bridge.deliver().await;
        let without_names = |found: Vec<Value>, patient: &str| -> Vec<String> {
            let shape = |mut resource: Value| {
                for part in ["id", "identifier", "meta", "contained"] {
                    resource.as_object_mut().unwrap().remove(part);
                }
                resource.to_string().replace(patient, "PATIENT")
            };
            let mut shapes: Vec<String> = found.into_iter().map(shape).collect();
            shapes.sort();
            shapes
        };
        let (some, all) = (ehr.observations().await, observations(&ehr.base, &patient).await);
        assert_eq!(without_names(some, &ehr.patient), without_names(all, &patient));
    }
}

on_every_database! {
    async fn a_process_that_has_just_started_holds_and_does_not_send(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.change_grant(&member, &grant, "pause").await;
        let fresh = bridge.beside(SignedDuration::ZERO).await;
        fresh.deliver().await;
        assert_eq!(ehr.observations().await.len(), 0);
        bridge.change_grant(&member, &grant, "revoke").await;
        fresh.deliver_in_time_of(SignedDuration::from_hours(1)).await;
        assert_eq!(ehr.observations().await.len(), 0);
    }
}
