//! What a clinic recommended, and what became of it, on the page about the week: also what its EHR takes in no other form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mostik::domain::recommendation::{Answer, AnswerFate};
use mostik::enrolment::join::link;
use mostik::insight::page::wishes;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, riverside};
use crate::support::database::Database;
use crate::support::fixed_ehr::FixedEhr;
use crate::support::recommendations::{all, answer, fates, look, looking_bridge, open_person, put, said, task};

/// The end of the week in which every test begins.
const MONDAY: &str = "2026-11-23T01:00:00Z";

const PAGED: &str = "kinds = [\"task\"]\n[clinics.riverside.summary]\npage = \"weekly\"\npdf = false\n";

/// An EHR with one Task, which lets these types be created and nothing be changed.
fn ehr(takes: &[&str]) -> FixedEhr {
    let mut walk = task("pat-1", "Walk half an hour");
    walk["id"] = json!("t1");
    let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": walk}]});
    FixedEhr::that_takes(takes, &page)
}

async fn open(database: Database, ehr: &FixedEhr) -> (TestBridge, Person, String) {
    let bridge = looking_bridge(database, &ehr.base, PAGED).await;
    let (sparrow, grant) = open_person(&bridge, "sparrow", "pat-1").await;
    look(&bridge).await;
    (bridge, sparrow, grant)
}

async fn says(bridge: &TestBridge, person: &Person, said: Answer) {
    let id = all(bridge, person).await[0].id;
    answer(bridge, person, id, said).await.unwrap();
    bridge.deliver().await;
}

fn question(text: &str) -> Answer {
    Answer::Question { text: text.to_owned() }
}

/// The texts of the pages that an EHR got, each line without what it begins with.
fn pages(ehr: &FixedEhr) -> Vec<String> {
    let written = ehr.written().into_iter().filter(|it| it["resourceType"] == "DocumentReference");
    let text = |page: Value| {
        let data = page.pointer("/content/0/attachment/data").unwrap().as_str().unwrap().to_owned();
        let text = String::from_utf8(STANDARD.decode(data).unwrap()).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    written.map(text).collect()
}

/// What each clinic would be sent now.
async fn previews(bridge: &TestBridge, person: &Person) -> Vec<(String, Option<String>)> {
    let wishes = wishes(&bridge.bridge, person.id).await.unwrap().unwrap();
    let plain = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    wishes.pages.into_iter().map(|(clinic, text)| (clinic.to_string(), text.map(plain))).collect()
}

on_both_databases! {
    async fn what_an_ehr_takes_in_no_other_form_stands_on_the_next_page(database) {
        let ehr = ehr(&["DocumentReference"]);
        let (bridge, sparrow, _) = open(database, &ehr).await;
        says(&bridge, &sparrow, Answer::Accept).await;
        says(&bridge, &sparrow, question("With my bad knee?")).await;
        let id = all(&bridge, &sparrow).await[0].id;
        assert_eq!(fates(&bridge, &sparrow, id).await, [AnswerFate::NotTold, AnswerFate::NotTold]);
        assert!(ehr.written().is_empty());
        bridge.until(MONDAY).await;
        bridge.deliver().await;
        let got = pages(&ehr);
        assert_eq!(got.len(), 1, "although nothing was noted in this week");
        for words in ["WHAT YOU RECOMMENDED Walk half an hour (20 Nov 2026): the patient wants to do it (20 Nov 2026).",
            "Answer of 20 Nov 2026: wants to do it", "Answer of 20 Nov 2026: asks: With my bad knee?"] {
            assert!(got[0].contains(words), "{words}: {}", got[0]);
        }
        bridge.until("2026-11-30T01:00:00Z").await;
        bridge.deliver().await;
        assert_eq!(pages(&ehr).len(), 1, "said once");
    }
}

on_both_databases! {
    async fn what_the_clinic_knows_already_is_said_on_no_page_but_what_became_of_it_is(database) {
        let ehr = ehr(&["DocumentReference", "Communication"]);
        let (bridge, sparrow, _) = open(database, &ehr).await;
        says(&bridge, &sparrow, question("With my bad knee?")).await;
        says(&bridge, &sparrow, Answer::Done).await;
        bridge.until(MONDAY).await;
        bridge.deliver().await;
        let got = pages(&ehr);
        assert!(got[0].contains("Walk half an hour (20 Nov 2026): done, as the patient says (20 Nov 2026)."), "{}", got[0]);
        assert!(!got[0].contains("Answer of") && !got[0].contains("knee"), "{}", got[0]);
    }
}

on_both_databases! {
    async fn nobody_else_reads_of_it_and_nobody_without_a_consent_that_lets_them(database) {
        let ehr = ehr(&["DocumentReference"]);
        let text = format!("{PAGED}[clinics.lakeside]\nname = \"Lakeside\"\nfhir_base = {:?}\n[clinics.lakeside.summary]\npage = \"weekly\"\n", ehr.base);
        let bridge = looking_bridge(database, &ehr.base, &text).await;
        let (sparrow, grant) = open_person(&bridge, "sparrow", "pat-1").await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let lakeside = "lakeside".parse().unwrap();
        link(&mut tx, &bridge.bridge.keyring, sparrow.id, &lakeside, "pat-7", "test", bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        let terms = json!({"categories": {"mood": "every-entry"}, "way_back": "full"});
        let asked = json!({"clinic": "lakeside", "terms": terms});
        assert_eq!(bridge.as_member(&sparrow, Method::POST, "/v1/grants", Some(&asked)).await.status, 201);
        put(&bridge, &sparrow, &said("Walk half an hour")).await;
        says(&bridge, &sparrow, question("With my bad knee?")).await;
        bridge.until(MONDAY).await;
        let seen = previews(&bridge, &sparrow).await;
        let of = |seen: &[(String, Option<String>)], clinic: &str| {
            seen.iter().find(|(named, _)| named == clinic).and_then(|(_, text)| text.clone()).unwrap_or_default()
        };
        assert!(of(&seen, riverside().as_str()).contains("asks: With my bad knee?"), "{seen:?}");
        assert!(!of(&seen, "lakeside").contains("Walk") && !of(&seen, "lakeside").contains("knee"), "{seen:?}");
        // The page is on its lane by now: what the consent covers no longer is taken from it before it goes.
        let less = json!({"categories": {"mood": "every-entry"}, "way_back": "none"});
        bridge.change_terms(&sparrow, &grant, less).await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        assert!(pages(&ehr).iter().all(|page| !page.contains("Walk") && !page.contains("knee")), "{:?}", pages(&ehr));
        let seen = previews(&bridge, &sparrow).await;
        assert!(!of(&seen, riverside().as_str()).contains("knee"), "{seen:?}");
    }
}
