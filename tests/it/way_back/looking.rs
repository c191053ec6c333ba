//! From the EHR to the member by looking: what comes, what does not, and what is taken back.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use mostik::domain::consented::Method;
use mostik::domain::recommendation::{Answer, RecommendationKind, RecommendationState};
use mostik::pipeline::consent::unlink;
use mostik::sandbox::{Fault, FaultKind};
use mostik::store::EndedBy;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{Person, TestBridge, riverside};
use crate::support::ehr::{Ehr, create_patient};
use crate::support::fixed_ehr::FixedEhr;
use crate::support::recommendations::{
    all, answer, look, look_later, looking_bridge, message, open_person, task, told, write,
};

const RECEIVED: RecommendationState = RecommendationState::Received;

/// One of each kind, for a patient.
fn each_kind(patient: &str) -> Vec<Value> {
    let subject = json!({"reference": format!("Patient/{patient}")});
    vec![
        task(patient, "Walk half an hour"),
        json!({"resourceType": "CommunicationRequest", "status": "active", "subject": subject, "recipient": [subject],
            "payload": [{"contentString": "Bring your diary"}], "priority": "urgent"}),
        message(patient, "See you on Monday"),
        json!({"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": subject, "activity": [
            {"detail": {"status": "scheduled", "description": "Group on Tuesdays", "performer": [subject]}}]}),
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": subject,
            "code": {"text": "Blood test"}, "patientInstruction": "Come with an empty stomach"}),
        json!({"resourceType": "Appointment", "status": "booked", "description": "First talk", "start": "2026-12-01T09:00:00Z",
            "end": "2026-12-01T09:50:00Z", "participant": [{"actor": subject, "status": "accepted"}]}),
        json!({"resourceType": "Task", "status": "requested", "intent": "order", "for": subject, "owner": subject,
            "description": "Fill in the PHQ-9", "input": [{"type": {"text": "questionnaire"},
            "valueCanonical": "https://w3id.org/mostik/fhir/Questionnaire/phq-9"}]}),
    ]
}

on_both_databases! {
    async fn each_kind_of_thing_that_a_clinician_writes_reaches_the_member(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        for resource in each_kind(&ehr.patient) {
            write(&ehr.base, resource).await;
        }
        look(&bridge).await;
        let found = all(&bridge, &sparrow).await;
        let kinds: BTreeSet<RecommendationKind> = found.iter().map(|found| found.kind).collect();
        assert_eq!(kinds.len(), RecommendationKind::ALL.len(), "{kinds:?}");
        assert!(found.iter().all(|found| found.state == RECEIVED && found.clinic == riverside()));
        let of = |kind| found.iter().find(|found| found.kind == kind).unwrap().says.clone().unwrap();
        assert_eq!(of(RecommendationKind::Task).by.as_deref(), Some("Dr. Ada Example"));
        assert!(of(RecommendationKind::CommunicationRequest).is_urgent);
        assert!(of(RecommendationKind::Questionnaire).questionnaire.is_some());
        assert_eq!(of(RecommendationKind::ServiceRequest).text, "Blood test\n\nCome with an empty stomach");
        assert!(of(RecommendationKind::Appointment).from.is_some());
        look_later(&bridge).await;
        assert_eq!(all(&bridge, &sparrow).await, found, "what is known is no news");
        assert_eq!(audit::wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn what_the_clinic_takes_back_or_changes_is_taken_back_and_changed(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let mut walk = write(&ehr.base, task(&ehr.patient, "Walk half an hour")).await;
        let mut hello = write(&ehr.base, message(&ehr.patient, "Hello")).await;
        look(&bridge).await;
        walk["description"] = json!("Walk an hour");
        hello["status"] = json!("entered-in-error");
        walk = write(&ehr.base, walk).await;
        write(&ehr.base, hello).await;
        look_later(&bridge).await;
        let mut now = told(&bridge, &sparrow).await;
        now.sort();
        assert_eq!(now, [(String::new(), RecommendationState::Retracted), ("Walk an hour".to_owned(), RECEIVED)]);
        walk["owner"] = json!({"reference": "Practitioner/7"});
        write(&ehr.base, walk).await;
        look_later(&bridge).await;
        assert!(told(&bridge, &sparrow).await.iter().all(|(_, state)| *state == RecommendationState::Retracted));
        let kinds = audit::kinds(&bridge, &audit::between(&sparrow)).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "recommendation-retracted").count(), 2, "{kinds:?}");
        assert_eq!(kinds.iter().filter(|kind| *kind == "recommendation-received").count(), 3, "{kinds:?}");
    }
}

on_both_databases! {
    async fn a_task_says_something_else_when_what_it_asks_to_do_has_changed(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let subject = json!({"reference": format!("Patient/{}", ehr.patient)});
        let mut order = write(&ehr.base, json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": subject, "code": {"text": "Walk half an hour"}})).await;
        let mut asked = task(&ehr.patient, "Every day");
        asked["focus"] = json!({"reference": format!("ServiceRequest/{}", order["id"].as_str().unwrap())});
        write(&ehr.base, asked).await;
        look(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await, [("Every day\n\nWalk half an hour".to_owned(), RECEIVED)]);
        let id = all(&bridge, &sparrow).await[0].id;
        answer(&bridge, &sparrow, id, Answer::Accept).await.unwrap();
        look_later(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await[0].1, RecommendationState::Accepted, "seen again is no news");
        order["code"]["text"] = json!("Walk an hour");
        write(&ehr.base, order).await;
        look_later(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await, [("Every day\n\nWalk an hour".to_owned(), RECEIVED)], "it begins anew");
    }
}

on_both_databases! {
    async fn whoever_speaks_is_named_where_the_ehr_knows_their_name(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let named = json!({"resourceType": "Practitioner", "name": [{"given": ["Ada"], "family": "Lovelace"}]});
        let known = write(&ehr.base, named).await;
        let by = async |reference: String, text: &str| {
            let mut asked = task(&ehr.patient, text);
            asked["requester"] = json!({"reference": reference});
            write(&ehr.base, asked).await
        };
        let mut walk = by(format!("Practitioner/{}", known["id"].as_str().unwrap()), "Walk").await;
        by("Practitioner/nobody".to_owned(), "Run").await;
        look(&bridge).await;
        let named = async || {
            let found = all(&bridge, &sparrow).await.into_iter().filter_map(|found| found.says);
            let mut named: Vec<(String, Option<String>)> = found.map(|says| (says.text, says.by)).collect();
            named.sort();
            named
        };
        let ada = ("Walk".to_owned(), Some("Ada Lovelace".to_owned()));
        assert_eq!(named().await, [("Run".to_owned(), None), ada.clone()]);
        // A name that cannot be had the next time is no news, and nothing else waits for it.
        let id = all(&bridge, &sparrow).await.into_iter().find(|found| found.says.as_ref().unwrap().text == "Walk").unwrap().id;
        answer(&bridge, &sparrow, id, Answer::Accept).await.unwrap();
        let refuse = Fault::always(FaultKind::Status { code: 500, retry_after: None }).on("GET", "Practitioner");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(refuse);
        walk["note"] = json!([{"text": "for the clinic alone"}]);
        write(&ehr.base, walk).await;
        look_later(&bridge).await;
        assert_eq!(named().await[1], ada);
        let state = all(&bridge, &sparrow).await.into_iter().find(|found| found.id == id).unwrap().state;
        assert_eq!(state, RecommendationState::Accepted);
    }
}

on_both_databases! {
    async fn without_consent_for_the_way_back_nobody_even_looks(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&sparrow, &["mood"]).await;
        write(&ehr.base, task(&ehr.patient, "Walk")).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        let refuse = Fault::always(FaultKind::Status { code: 500, retry_after: None }).on("GET", "Task");
        faults.switch_on(refuse);
        look(&bridge).await;
        let looks = bridge.bridge.store.read().await.unwrap().count_looks().await.unwrap();
        assert!(looks.is_empty(), "nothing failed and nothing is due: {looks:?}");
        faults.clear();
        bridge.change_terms(&sparrow, &grant, json!({"categories": {"mood": "every-entry"}, "way_back": "notice"})).await;
        look(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await, [("Walk".to_owned(), RECEIVED)], "as soon as they consent");
        bridge.change_grant(&sparrow, &grant, "pause").await;
        write(&ehr.base, task(&ehr.patient, "Run")).await;
        look_later(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await.len(), 1);
        bridge.change_grant(&sparrow, &grant, "resume").await;
        look(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await.len(), 2, "what came in a pause comes after it");
    }
}

on_both_databases! {
    async fn nobody_gets_what_is_another_patients(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let other = create_patient(&ehr.base).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let (wren, _) = open_person(&bridge, "wren", &other).await;
        write(&ehr.base, task(&ehr.patient, "For sparrow")).await;
        write(&ehr.base, task(&other, "For wren")).await;
        look(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await, [("For sparrow".to_owned(), RECEIVED)]);
        assert_eq!(told(&bridge, &wren).await, [("For wren".to_owned(), RECEIVED)]);
        // A resource that was sparrow's and becomes wren's.
        let mut walk = write(&ehr.base, task(&ehr.patient, "Whose?")).await;
        look_later(&bridge).await;
        walk["for"] = json!({"reference": format!("Patient/{other}")});
        walk["owner"] = walk["for"].clone();
        write(&ehr.base, walk).await;
        look_later(&bridge).await;
        assert_eq!(told(&bridge, &wren).await.len(), 2);
        let mut of_sparrow = told(&bridge, &sparrow).await;
        of_sparrow.sort();
        assert_eq!(of_sparrow[0], (String::new(), RecommendationState::Retracted), "it is theirs no longer");
    }
}

on_both_databases! {
    async fn an_ehr_that_answers_with_everybodys_is_not_believed(database) {
        let patient = "pat-1";
        let everybodys = json!({"resourceType": "Bundle", "type": "searchset", "entry": [
            {"resource": with_id(task(patient, "Own"), "t1")}, {"resource": with_id(task("pat-2", "Another's"), "t2")}]});
        let ehr = FixedEhr::start(&everybodys);
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", patient).await;
        look(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await, [("Own".to_owned(), RECEIVED)]);
        let kinds = audit::kinds(&bridge, &audit::between(&sparrow)).await;
        assert!(kinds.contains(&"recommendation-not-kept".to_owned()), "{kinds:?}");
    }
}

on_both_databases! {
    async fn a_token_never_follows_a_page_out_of_the_ehr(database) {
        let elsewhere = FixedEhr::start(&json!({"resourceType": "Bundle", "entry": [{"resource": with_id(task("pat-1", "Lured"), "t9")}]}));
        let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": with_id(task("pat-1", "Own"), "t1")}],
            "link": [{"relation": "next", "url": format!("{}/Task?page=2", elsewhere.base)}]});
        let ehr = FixedEhr::start(&page);
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", "pat-1").await;
        look(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await, [("Own".to_owned(), RECEIVED)]);
        assert_eq!(elsewhere.asked(), 0);
        let looks = bridge.bridge.store.read().await.unwrap().count_looks().await.unwrap();
        assert!(looks[0].reason.as_ref().unwrap().contains("page-elsewhere"), "{looks:?}");
    }
}

on_both_databases! {
    async fn an_ehr_that_is_down_for_a_day_loses_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        look(&bridge).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::always(FaultKind::Status { code: 503, retry_after: None }));
        for _ in 0..24 * 4 {
            bridge.clock.advance(SignedDuration::from_mins(15));
            look(&bridge).await;
        }
        let looks = bridge.bridge.store.read().await.unwrap().count_looks().await.unwrap();
        assert!(looks[0].reason.is_some(), "whoever runs it sees that it fails: {looks:?}");
        faults.clear();
        write(&ehr.base, task(&ehr.patient, "Written meanwhile")).await;
        for _ in 0..4 {
            look_later(&bridge).await;
        }
        assert_eq!(told(&bridge, &sparrow).await, [("Written meanwhile".to_owned(), RECEIVED)]);
        let looks = bridge.bridge.store.read().await.unwrap().count_looks().await.unwrap();
        assert_eq!(looks[0].reason, None, "{looks:?}");
    }
}

fn with_id(mut resource: Value, id: &str) -> Value {
    resource["id"] = json!(id);
    resource
}

async fn ended_by_clinic(bridge: &TestBridge, person: &Person) {
    let (clinic, by) = (riverside(), (EndedBy::Clinic, Method::Clinic));
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    unlink(&bridge.bridge, &mut tx, person.id, &clinic, by.0, by.1, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_databases! {
    async fn when_the_clinic_says_that_it_was_somebody_else_all_of_it_is_gone(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = looking_bridge(database, &ehr.base, "").await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        write(&ehr.base, task(&ehr.patient, "Walk")).await;
        look(&bridge).await;
        assert_eq!(told(&bridge, &sparrow).await.len(), 1);
        ended_by_clinic(&bridge, &sparrow).await;
        assert!(told(&bridge, &sparrow).await.is_empty());
        look_later(&bridge).await;
        assert!(told(&bridge, &sparrow).await.is_empty());
    }
}
