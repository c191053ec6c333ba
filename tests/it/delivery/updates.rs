//! Corrections and retractions, all the way into the EHR.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, correcting, mood, retraction};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, observations};
use crate::support::http;
use crate::support::validate::assert_valid;

/// A bridge with one mood of 4 in the EHR.
async fn charted(database: Database, ehr: &Ehr) -> (TestBridge, Person) {
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, &["mood"]).await;
    bridge.send(&mood("1", "sparrow", 4)).await;
    bridge.deliver_in_time().await;
    assert_eq!(ehr.observations().await.len(), 1);
    (bridge, member)
}

/// The one resource that the EHR has.
async fn only(ehr: &Ehr) -> Value {
    let mut found = ehr.observations().await;
    assert_eq!(found.len(), 1, "one resource, whatever happened to it");
    found.remove(0)
}

async fn corrects_and_retracts(database: Database, ehr: Ehr) {
    let (bridge, _) = charted(database, &ehr).await;
    let before = only(&ehr).await;
    bridge.send(&correcting(mood("2", "sparrow", 2), "1")).await;
    bridge.deliver_in_time().await;
    let corrected = only(&ehr).await;
    assert_eq!((&corrected["status"], &corrected["valueQuantity"]["value"]), (&json!("corrected"), &json!(2)));
    assert_eq!((&corrected["id"], &corrected["identifier"]), (&before["id"], &before["identifier"]));
    assert_valid(&corrected).await;

    bridge.send(&retraction("3", "sparrow", "1")).await;
    bridge.deliver_in_time().await;
    let retracted = only(&ehr).await;
    assert_eq!(retracted["status"], "entered-in-error");
    assert_valid(&retracted).await;
    assert_eq!(bridge.count(DeliveryState::Confirmed).await, 3);
}

on_both_databases! {
    async fn a_changed_entry_is_corrected_and_a_deleted_one_marked_in_the_sandbox(database) {
        corrects_and_retracts(database, Ehr::sandbox().await).await;
    }
}

on_both_databases! {
    async fn a_changed_entry_is_corrected_and_a_deleted_one_marked_in_a_fhir_server_nobody_here_wrote(database) {
        if let Some(ehr) = Ehr::sekmet().await {
            corrects_and_retracts(database, ehr).await;
        }
    }
}

on_both_databases! {
    async fn what_others_added_to_a_resource_stays(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, _) = charted(database, &ehr).await;
        let mut theirs = only(&ehr).await;
        theirs["extension"] = json!([{"url": "http://clinic.example/reviewed", "valueBoolean": true}]);
        put(&ehr, &theirs).await;
        bridge.send(&correcting(mood("2", "sparrow", 1), "1")).await;
        bridge.deliver().await;
        let now = only(&ehr).await;
        assert_eq!((&now["extension"], &now["valueQuantity"]["value"]), (&theirs["extension"], &json!(1)));
        assert_eq!(now["meta"]["versionId"], "3");
    }
}

on_both_databases! {
    async fn what_a_watch_measured_and_the_member_corrects_is_their_own_word_from_then_on(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["sleep"]).await;
        let mut night = json!({
            "specversion": "1.0", "id": "1", "source": "/test", "type": "mostik.measurement.v1", "subject": "sparrow",
            "time": "2026-11-20T07:00:00+01:00",
            "data": {"of": "sleep-duration", "value": 431, "modality": "sensed", "device": "A watch",
                     "start": "2026-11-19T23:00:00+01:00"},
        });
        bridge.send(&night).await;
        bridge.deliver_in_time().await;
        let labels = |found: &Value| {
            let labels = found["meta"]["security"].as_array().unwrap().iter();
            let codes: Vec<String> = labels.map(|label| label["code"].as_str().unwrap().to_owned()).collect();
            codes
        };
        let first = only(&ehr).await;
        assert_eq!((labels(&first), &first["device"]["display"]), (vec!["R".into(), "DEVAST".into()], &json!("A watch")));
        night["id"] = json!("2");
        night["sensitivity"] = json!("SUD");
        night["data"] = json!({"of": "sleep-duration", "value": 400, "modality": "self-reported",
                               "start": "2026-11-19T23:00:00+01:00"});
        bridge.send(&correcting(night, "1")).await;
        bridge.deliver_in_time().await;
        let second = only(&ehr).await;
        assert_eq!((&second["status"], second.get("device")), (&json!("corrected"), None), "{second:#}");
        assert_eq!(labels(&second), ["R", "SUD", "PATAST"]);
        let did = second["contained"][0]["activity"]["coding"][0]["code"].as_str();
        assert_eq!((did, first["contained"][0]["activity"]["coding"][0]["code"].as_str()), (Some("UPDATE"), Some("CREATE")));
        assert_valid(&second).await;
    }
}

on_both_databases! {
    async fn a_version_that_is_not_the_newest_any_more_is_read_again(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, _) = charted(database, &ehr).await;
        for (status, rating) in [(409, 1), (412, 5)] {
            let stale = Fault::once(FaultKind::Status { code: status, retry_after: None }).on("PUT", "Observation");
            ehr.sandbox.as_ref().unwrap().faults().switch_on(stale);
            bridge.send(&correcting(mood(&status.to_string(), "sparrow", rating), "1")).await;
            bridge.deliver().await;
            assert_eq!(only(&ehr).await["valueQuantity"]["value"], rating, "{status}");
        }
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 3);
    }
}

on_both_databases! {
    async fn an_update_whose_answer_is_lost_is_not_done_twice(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, _) = charted(database, &ehr).await;
        ehr.sandbox.as_ref().unwrap().faults().switch_on(Fault::once(FaultKind::LostReply).on("PUT", "Observation"));
        bridge.send(&correcting(mood("2", "sparrow", 1), "1")).await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Unknown).await, 1);
        bridge.deliver_in_time().await;
        let now = only(&ehr).await;
        assert_eq!((&now["meta"]["versionId"], &now["valueQuantity"]["value"]), (&json!("2"), &json!(1)));
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 2);
    }
}

on_both_databases! {
    async fn a_correction_that_may_have_arrived_is_not_tried_again_once_consent_is_taken_back(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = charted(database, &ehr).await;
        let grants = bridge.as_member(&member, reqwest::Method::GET, "/v1/grants", None).await;
        let grant = grants.json["grants"][0]["id"].as_str().unwrap().to_owned();
        ehr.sandbox.as_ref().unwrap().faults().switch_on(Fault::once(FaultKind::Reset).on("PUT", "Observation"));
        bridge.send(&correcting(mood("2", "sparrow", 1), "1")).await;
        bridge.deliver().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.clock.advance(SignedDuration::from_mins(1));
        bridge.deliver_in_time().await;
        assert_eq!(only(&ehr).await["valueQuantity"]["value"], 4, "nothing was sent after the revocation");
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 1);
    }
}

on_both_databases! {
    async fn a_resource_that_the_clinic_deleted_waits_for_a_human(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, _) = charted(database, &ehr).await;
        let id = only(&ehr).await["id"].as_str().unwrap().to_owned();
        http::call(reqwest::Method::DELETE, &format!("{}/Observation/{id}", ehr.base), None, None).await;
        bridge.send(&correcting(mood("2", "sparrow", 1), "1")).await;
        bridge.deliver_in_time().await;
        assert_eq!(bridge.count(DeliveryState::Rejected).await, 1);
        assert_eq!(observations(&ehr.base, &ehr.patient).await.len(), 0, "and is not made anew");
    }
}

/// Somebody at the clinic changes a resource.
async fn put(ehr: &Ehr, resource: &Value) {
    let url = format!("{}/Observation/{}", ehr.base, resource["id"].as_str().unwrap());
    let version = format!("W/\"{}\"", resource["meta"]["versionId"].as_str().unwrap());
    let request = http::client().put(url).header("if-match", version).header("content-type", "application/fhir+json");
    let got = http::Got::read(request.body(resource.to_string()).send().await.unwrap()).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
}
