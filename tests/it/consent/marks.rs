//! The wish that a clinic marks what it was told as entered in error.

use mostik::sandbox::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_every_database;
use crate::support::bridge::{Person, TestBridge, mood, note, riverside};
use crate::support::ehr::Ehr;

async fn ask(bridge: &TestBridge, member: &Person, grant: &str) -> (u16, Value) {
    let got = bridge.as_member(member, Method::POST, &format!("/v1/grants/{grant}/mark"), None).await;
    (got.status, got.json)
}

/// What came of it, resource by resource.
async fn outcomes(bridge: &TestBridge, member: &Person, grant: &str) -> Vec<String> {
    let got = bridge.as_member(member, Method::GET, &format!("/v1/grants/{grant}/mark"), None).await;
    let marks = got.json["marks"].as_array().unwrap().iter();
    marks.map(|mark| mark["outcome"].as_str().unwrap().to_owned()).collect()
}

async fn statuses(ehr: &Ehr) -> Vec<String> {
    ehr.observations().await.iter().map(|found| found["status"].as_str().unwrap().to_owned()).collect()
}

on_every_database! {
    async fn what_a_clinic_has_is_marked_after_the_consent_was_taken_back(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood", "note"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.send(&note("2", "sparrow", "A quiet day.")).await;
        bridge.deliver().await;
        bridge.send(&mood("3", "sparrow", 4)).await;
        assert_eq!(ask(&bridge, &member, &grant).await.0, 409, "while it is in force there is nothing to mark");
        bridge.change_grant(&member, &grant, "revoke").await;
        assert_eq!(ask(&bridge, &member, &grant).await, (202, json!({"asked": 2})), "what waited never arrived");
        assert_eq!(ask(&bridge, &member, &grant).await, (202, json!({"asked": 0})), "twice is once");
        assert_eq!(outcomes(&bridge, &member, &grant).await, ["waiting", "waiting"]);
        bridge.deliver_in_time().await;
        assert_eq!(statuses(&ehr).await, ["entered-in-error", "entered-in-error"]);
        assert_eq!(outcomes(&bridge, &member, &grant).await, ["marked", "marked"]);
        let text = ehr.observations().await.iter().map(Value::to_string).collect::<String>();
        assert!(text.contains("A quiet day."), "nothing else of it was changed");
    }
}

on_every_database! {
    async fn what_the_clinic_refuses_is_shown_for_each(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        for id in ["1", "2"] {
            bridge.send(&mood(id, "sparrow", 4)).await;
        }
        bridge.deliver().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        let refuses = Fault::once(FaultKind::Status { code: 403, retry_after: None }).on("PUT", "Observation");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(refuses);
        ask(&bridge, &member, &grant).await;
        bridge.deliver_in_time().await;
        assert_eq!(outcomes(&bridge, &member, &grant).await, ["refused", "marked"]);
    }
}

on_every_database! {
    async fn a_consent_given_anew_tells_again_what_was_marked(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        ask(&bridge, &member, &grant).await;
        bridge.deliver_in_time().await;
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
        bridge.deliver_in_time().await;
        assert_eq!(statuses(&ehr).await, ["corrected"]);
    }
}

on_every_database! {
    async fn nobody_marks_what_belongs_to_others_and_what_never_arrived_is_not_marked(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let other = bridge.unlinked_person("wren").await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.change_grant(&member, &grant, "revoke").await;
        assert_eq!(ask(&bridge, &other, &grant).await.0, 404);
        assert_eq!(ask(&bridge, &member, &grant).await, (202, json!({"asked": 0})));
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let now = bridge.now();
        let asked = mostik::pipeline::consent::ask_to_mark(&bridge.bridge, &mut tx, other.id, &riverside(), now).await;
        assert_eq!(asked.unwrap(), 0, "no consent, no disclosure, no wish");
    }
}
