//! Questionnaires on their way: as events, to the EHR part by part, corrected and taken back.

use mostik::domain::delivery::DeliveryState;
use reqwest::Method;
use serde_json::{Value, json};

use crate::intake::bad_input::post;
use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, config_text, correcting, retraction};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, observations};
use crate::support::http;
use crate::support::outbox::items;
use crate::support::own::at;
use crate::support::portal::Portal;
use crate::support::validate::assert_valid;

const PHQ9: [&str; 9] =
    ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"];

/// An event about PHQ-9: the answers in the order of the form, one above another where a member would rather not say.
pub fn phq9(id: &str, said: &[Option<u8>]) -> Value {
    let answer = |(code, said): (&&str, &Option<u8>)| {
        ((*code).to_owned(), said.map_or_else(|| json!("declined"), |choice| json!(choice)))
    };
    let answers: Value = PHQ9.iter().zip(said).map(answer).collect();
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": "mostik.questionnaire.v1",
        "time": "2026-11-20T11:00:00+01:00", "subject": "sparrow",
        "data": {"instrument": "phq-9", "answers": answers},
    })
}

fn all(choice: u8) -> [Option<u8>; 9] {
    [Some(choice); 9]
}

async fn ready(database: Database) -> (TestBridge, Person, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    (bridge, member, ehr)
}

/// The resources of this type that the EHR has about the patient.
async fn found(ehr: &Ehr, resource_type: &str) -> Vec<Value> {
    let url = format!("{}/{resource_type}?patient={}&_count=100", ehr.base, ehr.patient);
    let got = http::call(Method::GET, &url, None, None).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    got.json["entry"].as_array().into_iter().flatten().map(|entry| entry["resource"].clone()).collect()
}

fn of_code<'a>(observations: &'a [Value], code: &str) -> &'a Value {
    let mut found = observations.iter().filter(|it| it["code"]["coding"][0]["code"] == code);
    let (only, more) = (found.next(), found.next());
    assert!(more.is_none(), "{code} is there twice");
    only.unwrap_or_else(|| panic!("{code} is not there"))
}

on_both_databases! {
    async fn the_ehr_gets_the_form_each_answer_the_panel_and_the_total_once(database) {
        let (bridge, sparrow, ehr) = ready(database).await;
        bridge.grant(&sparrow, &["questionnaires"]).await;
        let mut event = phq9("1", &all(1));
        event["data"]["answers"]["69722-7"] = json!(2);
        event["data"]["total"] = json!(9);
        let got = bridge.send(&event).await;
        assert_eq!((got.status, &got.json["results"][0]["status"]), (202, &json!("accepted")));
        let last = items(&bridge, &sparrow).await.pop().unwrap();
        assert_eq!(last.value(), Some(9), "the whole goes last");
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), 12, "ten answers, the panel, the total");
        assert_eq!(of_code(&charted, "44261-6")["valueQuantity"]["value"], 9);
        assert_eq!(of_code(&charted, "44260-8")["valueCodeableConcept"]["coding"][0]["code"], "LA6569-3");
        assert_eq!(of_code(&charted, "69722-7")["valueCodeableConcept"]["coding"][0]["code"], "LA6575-0");
        assert_eq!(of_code(&charted, "44249-1")["hasMember"].as_array().unwrap().len(), 11);
        let forms = found(&ehr, "QuestionnaireResponse").await;
        assert_eq!(forms.len(), 1);
        assert_eq!(forms[0]["status"], "completed");
        assert_eq!(forms[0]["questionnaire"], "https://w3id.org/mostik/fhir/Questionnaire/phq-9|1.0.0");
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 13);

        let again = bridge.send(&event).await;
        assert_eq!(again.json["results"][0]["status"], "duplicate");
        bridge.deliver_in_time().await;
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 13, "sent once");
    }
}

on_both_databases! {
    async fn a_correction_changes_every_part_and_takes_back_what_is_no_longer_answered(database) {
        let (bridge, sparrow, ehr) = ready(database).await;
        bridge.grant(&sparrow, &["questionnaires"]).await;
        bridge.send(&phq9("1", &all(1))).await;
        bridge.deliver_in_time().await;
        let mut now = correcting(phq9("2", &all(2)), "1");
        now["data"]["answers"]["44251-7"] = json!("declined");
        now["data"]["answers"].as_object_mut().unwrap().remove("44260-8");
        assert_eq!(bridge.send(&now).await.json["results"][0]["status"], "corrected");
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), 11, "nothing came twice");
        let total = of_code(&charted, "44261-6");
        assert_eq!(total["status"], "corrected");
        assert!(total.get("valueQuantity").is_none(), "the old total is gone: {total:#}");
        assert_eq!(total["dataAbsentReason"]["coding"][0]["code"], "asked-declined");
        assert!(total.get("interpretation").is_none());
        assert_eq!(of_code(&charted, "44250-9")["valueCodeableConcept"]["coding"][0]["code"], "LA6570-1");
        let declined = of_code(&charted, "44251-7");
        assert!(declined.get("valueCodeableConcept").is_none());
        assert_eq!(declined["dataAbsentReason"]["coding"][0]["code"], "asked-declined");
        assert_eq!(of_code(&charted, "44260-8")["status"], "entered-in-error");
        let form = found(&ehr, "QuestionnaireResponse").await.pop().unwrap();
        assert_eq!(form["status"], "amended");
        assert_eq!(form["item"].as_array().unwrap().len(), 8);
    }
}

on_both_databases! {
    async fn a_retraction_takes_everything_back(database) {
        let (bridge, sparrow, ehr) = ready(database).await;
        bridge.grant(&sparrow, &["questionnaires"]).await;
        bridge.send(&phq9("1", &all(1))).await;
        bridge.deliver_in_time().await;
        let got = bridge.send(&retraction("2", "sparrow", "1")).await;
        assert_eq!(got.json["results"][0]["status"], "retracted");
        bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        assert_eq!(charted.len(), 11);
        let forms = found(&ehr, "QuestionnaireResponse").await;
        assert!(charted.iter().chain(&forms).all(|it| it["status"] == "entered-in-error"), "{charted:#?}");
    }
}

on_both_databases! {
    async fn what_is_not_shared_leaves_no_trace(database) {
        let (bridge, sparrow, ehr) = ready(database).await;
        bridge.grant(&sparrow, &["mood", "note", "tags", "sleep", "activity", "heart"]).await;
        let refused = bridge.send(&phq9("1", &all(1))).await;
        assert_eq!((refused.status, &refused.json["refusal"]["reason"]), (422, &json!("not-permitted")));
        bridge.deliver_in_time().await;
        assert_eq!((ehr.observations().await.len(), bridge.traces(&sparrow).await), (0, 0));
    }
}

on_both_databases! {
    async fn consent_that_ends_half_way_holds_back_the_rest_and_a_new_one_brings_it(database) {
        let (bridge, sparrow, ehr) = ready(database).await;
        let grant = bridge.grant(&sparrow, &["questionnaires"]).await;
        bridge.send(&phq9("1", &all(1))).await;
        bridge.change_grant(&sparrow, &grant, "revoke").await;
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 0);
        bridge.grant(&sparrow, &["questionnaires"]).await;
        assert_eq!(bridge.send(&phq9("1", &all(1))).await.json["results"][0]["status"], "accepted");
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 11);
    }
}

#[tokio::test]
async fn a_member_sees_it_as_one_thing_each_time_that_it_arrived() {
    let ehr = Ehr::sandbox().await;
    let portal = Portal::open(Database::sqlite(), &ehr.base).await;
    let (bridge, sparrow) = (&portal.bridge, portal.bridge.person("sparrow", &ehr.patient).await);
    bridge.grant(&sparrow, &["questionnaires"]).await;
    bridge.send(&phq9("1", &all(1))).await;
    bridge.deliver_in_time().await;
    bridge.send(&correcting(phq9("2", &all(2)), "1")).await;
    bridge.deliver_in_time().await;
    bridge.send(&retraction("3", "sparrow", "1")).await;
    bridge.deliver_in_time().await;
    let mut browser = portal.sign_in(&sparrow).await;
    let page = browser.get("/shared").await.html().named("main")[0].text();
    assert_eq!(page.matches("Riverside").count(), 3, "sent, corrected, taken back: {page}");
    let preview = browser.get("/preview/riverside").await.html().named("main")[0].text();
    assert!(!preview.contains("PHQ-9"), "nothing of it is left to go: {preview}");
}

#[tokio::test]
async fn the_preview_shows_it_in_words_and_as_all_the_resources_that_it_becomes() {
    let ehr = Ehr::sandbox().await;
    let portal = Portal::open(Database::sqlite(), &ehr.base).await;
    let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
    portal.bridge.grant(&sparrow, &["questionnaires"]).await;
    portal.bridge.send(&phq9("1", &all(1))).await;
    let mut browser = portal.sign_in(&sparrow).await;
    let page = browser.get("/preview/riverside").await.html();
    let said = page.named("main")[0].text();
    assert_eq!(said.matches("PHQ-9: 9 of 27, mild.").count(), 1, "{said}");
    assert_eq!(page.named("pre").len(), 1);
    assert_eq!(page.named("pre")[0].text().matches("us-core-observation-screening-assessment").count(), 11);
}

/// A bridge to a clinic that is configured with these lines.
async fn configured(lines: &str) -> (TestBridge, Person, Ehr) {
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    let text = config_text(&database, &ehr.base, "127.0.0.1:0") + lines;
    let bridge = TestBridge::start_with(database, &text).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&sparrow, &["questionnaires"]).await;
    (bridge, sparrow, ehr)
}

#[tokio::test]
async fn an_ehr_that_takes_documents_only_gets_one_note() {
    let (bridge, sparrow, ehr) = configured("[clinics.riverside.takes]\nform = \"document\"\n").await;
    bridge.send(&phq9("1", &all(1))).await;
    bridge.deliver_in_time().await;
    assert_eq!(found(&ehr, "DocumentReference").await.len(), 1);
    assert_eq!((ehr.observations().await.len(), found(&ehr, "QuestionnaireResponse").await.len()), (0, 0));
    let reasons: Vec<_> = items(&bridge, &sparrow).await.into_iter().filter_map(|item| item.reason).collect();
    assert_eq!(reasons, ["said-with-the-whole"; 11]);
    assert_eq!(bridge.send(&phq9("1", &all(1))).await.json["results"][0]["status"], "duplicate");

    bridge.send(&correcting(phq9("2", &all(3)), "1")).await;
    bridge.deliver_in_time().await;
    let notes = found(&ehr, "DocumentReference").await;
    assert_eq!((notes.len(), &notes[0]["docStatus"]), (1, &json!("amended")));
    bridge.send(&retraction("3", "sparrow", "1")).await;
    bridge.deliver_in_time().await;
    assert_eq!(found(&ehr, "DocumentReference").await[0]["status"], "entered-in-error");
}

#[tokio::test]
async fn an_ehr_that_does_not_say_that_it_takes_forms_gets_the_observations() {
    let ehr = Ehr::without_conditional_create().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&sparrow, &["questionnaires"]).await;
    bridge.send(&phq9("1", &all(1))).await;
    bridge.deliver_in_time().await;
    assert_eq!((ehr.observations().await.len(), found(&ehr, "QuestionnaireResponse").await.len()), (11, 0));
    let form = items(&bridge, &sparrow).await.into_iter().find(|item| item.state == "withdrawn").unwrap();
    assert_eq!(form.reason.as_deref(), Some("part-not-taken"));
}

#[tokio::test]
async fn an_ehr_that_nobody_here_wrote_takes_everything_and_gives_it_back_as_it_was() {
    let Some(ehr) = Ehr::sekmet().await else { return };
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&sparrow, &["questionnaires"]).await;
    let said = [Some(0), Some(1), Some(2), Some(3), Some(0), None, Some(1), Some(2), Some(1)];
    for event in [phq9("1", &said), phq9("2", &all(3))] {
        assert_eq!(bridge.send(&event).await.status, 202);
    }
    let sent: Vec<Value> = items(&bridge, &sparrow).await.into_iter().filter_map(|item| item.body).collect();
    bridge.deliver_in_time().await;
    let mut kept = observations(&ehr.base, &ehr.patient).await;
    // It takes forms, and does not say so: the bridge does not send any, and so the test does.
    for form in sent.iter().filter(|it| it["resourceType"] == "QuestionnaireResponse") {
        let url = format!("{}/QuestionnaireResponse", ehr.base);
        let stored = http::call(Method::POST, &url, None, Some(form)).await;
        assert_eq!(stored.status, 201, "{:?}", stored.json);
        let id = stored.json["id"].as_str().unwrap();
        kept.push(http::call(Method::GET, &format!("{url}/{id}"), None, None).await.json);
    }
    assert_eq!((sent.len(), kept.len()), (24, 24));
    for sent in sent {
        let same = kept.iter().find(|it| it["identifier"] == sent["identifier"]).unwrap();
        for (name, value) in sent.as_object().unwrap().iter().filter(|(name, _)| *name != "meta") {
            assert_eq!(&same[name], value, "{name}");
        }
    }
}

on_both_databases! {
    async fn of_totals_a_week_is_summarised_and_no_answer_is_in_it(database) {
        let (bridge, sparrow, _ehr) = ready(database).await;
        bridge.share(&sparrow, json!({"questionnaires": "weekly-summary"})).await;
        let mut declined = all(1);
        declined[3] = None;
        for (id, said, when) in [("1", all(1), "17"), ("2", all(2), "18"), ("3", declined, "19")] {
            let event = at(phq9(id, &said), &format!("2026-11-{when}T09:00:00Z"));
            assert_eq!(bridge.send(&event).await.status, 202);
        }
        assert_eq!(items(&bridge, &sparrow).await.len(), 0);
        bridge.until("2026-11-23T00:00:00Z").await;
        let told: Vec<Value> = items(&bridge, &sparrow).await.into_iter().filter_map(|item| item.body).collect();
        assert_eq!((told.len(), &told[0]["code"]["text"]), (1, &json!("PHQ-9 total score: summary of a week")));
        let figure = |code: &str| {
            let all = told[0]["component"].as_array().unwrap();
            all.iter().find(|it| it["code"]["coding"][0]["code"] == code).unwrap()["valueQuantity"]["value"].clone()
        };
        let figures = ["count", "average", "minimum", "maximum", "days-missing"].map(figure);
        assert_eq!(figures, [json!(2), json!(13.5), json!(9), json!(18), json!(5)], "one without a total does not count");
        assert!(!told[0].to_string().contains("LA6"));
        insta::assert_json_snapshot!("phq9_summary", told[0], {".identifier[0].value" => "…", ".contained" => "…", ".meta.source" => "…", ".subject" => "…"});
        assert_valid(&told[0]).await;
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_the_name_of_its_field() {
    let (bridge, sparrow, _ehr) = ready(Database::sqlite()).await;
    bridge.grant(&sparrow, &["questionnaires"]).await;
    let with = |pointer: &str, value: Value| {
        let mut event = phq9("1", &all(1));
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[name] = value;
        event
    };
    for (event, field) in [
        (with("/data/instrument", json!("phq-8")), "/data/instrument"),
        (with("/data/instrument", json!("gad-7")), "/data/answers"),
        (with("/data/answers/44261-6", json!(1)), "/data/answers"),
        (with("/data/answers/44250-9", json!(4)), "/data/answers/44250-9"),
        (with("/data/answers/44250-9", json!("never")), "/data/answers/44250-9"),
        (with("/data/answers/44250-9", json!(null)), "/data/answers/44250-9"),
        (with("/data/answers", json!({})), "/data/answers"),
        (with("/data/answers", json!({"69722-7": 1})), "/data/answers"),
        (with("/data/total", json!(10)), "/data/total"),
        (with("/data/total", json!(-1)), "/data/total"),
        (with("/data/comment", json!("x")), "/data"),
    ] {
        let got = bridge.send(&event).await;
        let refusal = &got.json["refusal"];
        assert_eq!((got.status, &refusal["reason"], &refusal["field"]), (422, &json!("invalid"), &json!(field)));
    }
    let text = phq9("1", &all(1)).to_string();
    for (right, wrong) in [("\"44250-9\":1", "\"44250-9\":1.0"), ("\"44250-9\":1", "\"44250-9\":0,\"44250-9\":1")] {
        let text = text.replace(right, wrong);
        assert!(text.contains(wrong));
        let got = post(&bridge, "application/json", text).await;
        assert_eq!((got.status, &got.json["refusal"]["field"]), (422, &json!("/data")), "{wrong}");
    }
    let mut missing = with("/data/total", json!(8));
    missing["data"]["answers"].as_object_mut().unwrap().remove("44250-9");
    let got = bridge.send(&missing).await;
    assert_eq!(got.json["refusal"]["field"], "/data/total", "eight answers have no total");
    assert_eq!(bridge.traces(&sparrow).await, 0);
}

on_both_databases! {
    async fn whoever_thinks_of_hurting_themselves_is_told_where_help_is_whatever_becomes_of_what_they_said(database) {
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0")
            .replace("[communities.forum]\n", "[communities.forum]\ncountry = \"DE\"\n");
        let bridge = TestBridge::start_with(database, &text).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let mut thinks_of_it = all(0);
        thinks_of_it[8] = Some(1);
        let called = |help: &Value| help["lines"][0]["call"][0].clone();

        let refused = bridge.send(&phq9("1", &thinks_of_it)).await;
        assert_eq!((refused.status, &refused.json["refusal"]["reason"]), (422, &json!("not-permitted")));
        assert_eq!(called(&refused.json["help"]), "0800 111 0 111", "no consent, and help all the same");
        assert_eq!(bridge.traces(&sparrow).await, 0);

        let batch = bridge.send(&json!([phq9("2", &thinks_of_it), phq9("3", &all(0))])).await;
        assert_eq!(called(&batch.json["results"][0]["help"]), "0800 111 0 111");
        assert!(batch.json["results"][1].get("help").is_none(), "nobody is told who does not ask");

        bridge.grant(&sparrow, &["questionnaires"]).await;
        let taken = bridge.send(&phq9("4", &thinks_of_it)).await;
        assert_eq!((taken.status, &taken.json["results"][0]["status"]), (202, &json!("accepted")));
        assert_eq!(taken.json["results"][0]["help"]["emergency"], "112");
        assert!(taken.json["results"][0]["help"]["lines"][0]["open"]["ru"].is_string());
        let known = bridge.send(&phq9("4", &all(1))).await;
        assert_eq!((known.status, called(&known.json["help"])), (409, json!("0800 111 0 111")));
    }
}
