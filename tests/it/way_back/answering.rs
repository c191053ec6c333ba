//! From the member to the EHR: what is answered reaches the clinic, once, and only as far as it may.

use mostik::domain::delivery::DeliveryState;
use mostik::domain::recommendation::{Answer, AnswerFate, RecommendationState};
use mostik::pipeline::answers::{self, AnswerError};
use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge};
use crate::support::ehr::Ehr;
use crate::support::fixed_ehr::FixedEhr;
use crate::support::http;
use crate::support::recommendations::{
    all, answer, fates, look, look_later, looking_bridge, message, open_person, task, told, write,
};
use crate::support::validate::assert_valid;

async fn read(ehr: &str, resource: &Value) -> Value {
    let url = format!("{ehr}/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    http::call(reqwest::Method::GET, &url, None, None).await.json
}

/// Every Communication about a patient.
async fn messages(ehr: &Ehr) -> Vec<Value> {
    let url = format!("{}/Communication?patient={}", ehr.base, ehr.patient);
    let got = http::call(reqwest::Method::GET, &url, None, None).await;
    got.json["entry"].as_array().into_iter().flatten().map(|entry| entry["resource"].clone()).collect()
}

async fn seen(bridge: &TestBridge, person: &Person) {
    let id = all(bridge, person).await[0].id;
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    answers::delivered(&bridge.bridge, &mut tx, person.id, id, bridge.now()).await.unwrap();
    answers::seen(&bridge.bridge, &mut tx, person.id, id, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}

fn question(text: &str) -> Answer {
    Answer::Question { text: text.to_owned() }
}

/// What differs from one EHR and day to the next.
fn same_everywhere(mut resource: Value) -> Value {
    for element in ["id", "lastModified", "sent"] {
        if !resource[element].is_null() {
            resource[element] = json!("…");
        }
    }
    resource["meta"].as_object_mut().map(|meta| (meta.remove("lastUpdated"), meta.remove("versionId")));
    resource
}

on_both_databases! {
    async fn a_task_is_seen_accepted_and_done_and_the_ehr_says_so(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let walk = write(&ehr.base, task(&ehr.patient, "Walk half an hour")).await;
        look(&bridge).await;
        let id = all(&bridge, &sparrow).await[0].id;
        seen(&bridge, &sparrow).await;
        bridge.deliver().await;
        let there = read(&ehr.base, &walk).await;
        assert_eq!((&there["status"], &there["businessStatus"]["text"]), (&json!("received"), &json!("Read by the patient")));
        answer(&bridge, &sparrow, id, Answer::Accept).await.unwrap();
        assert_eq!(fates(&bridge, &sparrow, id).await, [AnswerFate::Waiting]);
        bridge.deliver().await;
        assert_eq!(read(&ehr.base, &walk).await["status"], "accepted");
        look_later(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await, [("Walk half an hour".to_owned(), RecommendationState::Accepted)], "no news");
        answer(&bridge, &sparrow, id, Answer::Done).await.unwrap();
        bridge.deliver().await;
        let there = read(&ehr.base, &walk).await;
        assert_eq!((&there["status"], there["output"].as_array().unwrap().len()), (&json!("completed"), 1));
        assert_valid(&there).await;
        let mut there = same_everywhere(there);
        for who in ["for", "owner"] {
            there[who]["reference"] = json!("Patient/…");
        }
        there["output"][0]["valueDateTime"] = json!("…");
        insta::assert_json_snapshot!("answer_task_done", there);
        assert_eq!(fates(&bridge, &sparrow, id).await, [AnswerFate::Told, AnswerFate::Told]);
        look_later(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await[0].1, RecommendationState::Done);
        assert!(messages(&ehr).await.is_empty(), "the Task says it all");
        assert_eq!(crate::support::audit::wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn a_decline_says_why_and_a_question_is_a_message_about_it(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let walk = write(&ehr.base, task(&ehr.patient, "Walk half an hour")).await;
        look(&bridge).await;
        let id = all(&bridge, &sparrow).await[0].id;
        answer(&bridge, &sparrow, id, question("With my bad knee?")).await.unwrap();
        let reason = Some("My knee hurts".to_owned());
        answer(&bridge, &sparrow, id, Answer::Decline { reason }).await.unwrap();
        bridge.deliver().await;
        let there = read(&ehr.base, &walk).await;
        assert_eq!((&there["status"], &there["statusReason"]["text"]), (&json!("rejected"), &json!("My knee hurts")));
        assert_valid(&there).await;
        let asked = messages(&ehr).await;
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0]["basedOn"][0]["reference"], format!("Task/{}", walk["id"].as_str().unwrap()));
        assert_eq!(asked[0]["payload"][0]["contentString"], "With my bad knee?");
        assert_valid(&asked[0]).await;
        look_later(&bridge).await;
        assert_eq!(all(&bridge, &sparrow).await.len(), 1, "what the bridge wrote is no news");
    }
}

on_both_databases! {
    async fn a_reply_to_a_message_stands_in_response_to_it(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let hello = write(&ehr.base, message(&ehr.patient, "See you on Monday")).await;
        look(&bridge).await;
        let id = all(&bridge, &sparrow).await[0].id;
        answer(&bridge, &sparrow, id, question("At nine?")).await.unwrap();
        bridge.deliver().await;
        let mut replies = messages(&ehr).await;
        replies.retain(|reply| reply["id"] != hello["id"]);
        assert_eq!(replies[0]["inResponseTo"][0]["reference"], format!("Communication/{}", hello["id"].as_str().unwrap()));
        let mut reply = same_everywhere(replies.remove(0));
        for pointer in ["/subject/reference", "/sender/reference", "/inResponseTo/0/reference", "/identifier/0/value",
            "/contained/0/entity/0/what/identifier/value", "/contained/0/policy/0", "/contained/0/agent/0/who/reference"] {
            *reply.pointer_mut(pointer).unwrap() = json!("…");
        }
        insta::assert_json_snapshot!("answer_question", reply);
    }
}

on_both_databases! {
    async fn what_the_clinic_cancelled_meanwhile_stays_cancelled(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let mut walk = write(&ehr.base, task(&ehr.patient, "Walk")).await;
        look(&bridge).await;
        let id = all(&bridge, &sparrow).await[0].id;
        answer(&bridge, &sparrow, id, Answer::Accept).await.unwrap();
        walk["status"] = json!("cancelled");
        write(&ehr.base, walk.clone()).await;
        bridge.deliver_in_time().await;
        assert_eq!(read(&ehr.base, &walk).await["status"], "cancelled");
        assert_eq!(bridge.count(DeliveryState::Rejected).await, 1, "somebody at the clinic's side may look at it");
        look_later(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await[0].1, RecommendationState::Retracted);
    }
}

on_both_databases! {
    async fn an_answer_whose_fate_is_unknown_is_given_once(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let walk = write(&ehr.base, task(&ehr.patient, "Walk")).await;
        look(&bridge).await;
        let id = all(&bridge, &sparrow).await[0].id;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::once(FaultKind::LostReply).on("PUT", "Task"));
        faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "Communication"));
        answer(&bridge, &sparrow, id, Answer::Done).await.unwrap();
        answer(&bridge, &sparrow, id, question("And now?")).await.unwrap();
        bridge.deliver_in_time().await;
        let there = read(&ehr.base, &walk).await;
        assert_eq!((&there["status"], &there["meta"]["versionId"]), (&json!("completed"), &json!("2")), "changed once");
        assert_eq!(messages(&ehr).await.len(), 1);
        assert_eq!(fates(&bridge, &sparrow, id).await, [AnswerFate::Told, AnswerFate::Told]);
    }
}

on_both_databases! {
    async fn after_a_revocation_no_answer_leaves_and_none_is_taken(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, grant) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let walk = write(&ehr.base, task(&ehr.patient, "Walk")).await;
        look(&bridge).await;
        let id = all(&bridge, &sparrow).await[0].id;
        answer(&bridge, &sparrow, id, Answer::Accept).await.unwrap();
        bridge.change_grant(&sparrow, &grant, "revoke").await;
        bridge.deliver_in_time().await;
        assert_eq!(read(&ehr.base, &walk).await["status"], "requested");
        assert_eq!(fates(&bridge, &sparrow, id).await, [AnswerFate::NotTold]);
        let late = answer(&bridge, &sparrow, id, Answer::Done).await;
        assert!(matches!(late, Err(AnswerError::NotPermitted(_))), "{late:?}");
    }
}

on_both_databases! {
    async fn where_tasks_cannot_be_changed_a_message_says_it(database) {
        let mut walk = task("pat-1", "Walk");
        walk["id"] = json!("t1");
        let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": walk}]});
        let ehr = FixedEhr::that_takes(&["Communication"], &page);
        let bridge = looking_bridge(database, &ehr.base, "kinds = [\"task\"]\n").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", "pat-1").await;
        look(&bridge).await;
        let id = all(&bridge, &sparrow).await[0].id;
        seen(&bridge, &sparrow).await;
        answer(&bridge, &sparrow, id, Answer::Accept).await.unwrap();
        bridge.deliver().await;
        let written = ehr.written();
        assert_eq!(written.len(), 1, "that it was read is no message: {written:?}");
        assert_eq!(written[0]["payload"][0]["contentString"], "Accepted by the patient");
        assert_valid(&written[0]).await;
        assert_eq!(fates(&bridge, &sparrow, id).await, [AnswerFate::Told]);
    }
}

on_both_databases! {
    async fn where_an_ehr_takes_no_answer_the_member_sees_that(database) {
        let mut walk = task("pat-1", "Walk");
        walk["id"] = json!("t1");
        let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": walk}]});
        let ehr = FixedEhr::start(&page);
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", "pat-1").await;
        look(&bridge).await;
        let id = all(&bridge, &sparrow).await[0].id;
        answer(&bridge, &sparrow, id, Answer::Accept).await.unwrap();
        bridge.deliver().await;
        assert!(ehr.written().is_empty());
        assert_eq!(fates(&bridge, &sparrow, id).await, [AnswerFate::NotTold]);
    }
}
