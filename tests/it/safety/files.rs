//! Item 9 of PHQ-9 in a file that a member brings in: heard whatever becomes of the file.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::Person;
use crate::support::concerns::{Keepers, watched};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::{Browser, Page, Part, Portal, portal_config};
use crate::support::postbox::Postbox;

const PATH: &str = "/data/import";
const AT: &str = "2026-11-20T11:00:00+01:00";
const CODES: [&str; 8] = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3"];

async fn open(database: Database) -> (Portal, Person, Browser) {
    let (ehr, postbox) = (Ehr::sandbox().await, Postbox::open());
    let text = portal_config(&database, &ehr.base, &postbox) + &watched(&database, &postbox, "PT15M");
    let portal = Portal::open_with(database, &text, postbox).await;
    let sparrow = portal.bridge.unlinked_person("sparrow").await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser)
}

fn item(code: &str, answer: &Value) -> Value {
    json!({"linkId": format!("/44249-1/{code}"), "answer": [answer]})
}

/// PHQ-9 with zero everywhere, but for item 9.
fn form(id: &str, item_9: u8, more: &[Value]) -> Value {
    let zeroes = CODES.iter().map(|code| item(code, &json!({"valueInteger": 0})));
    let items: Vec<Value> =
        zeroes.chain([item("44260-8", &json!({"valueInteger": item_9}))]).chain(more.iter().cloned()).collect();
    json!({"resourceType": "QuestionnaireResponse", "id": id, "status": "completed", "authored": AT, "item": items})
}

fn with(mut resource: Value, field: &str, value: Value) -> Value {
    resource[field] = value;
    resource
}

/// Item 9 alone, as an Observation.
fn observation(id: &str, answer: &str) -> Value {
    let coded = |code: &str| json!({"coding": [{"system": "http://loinc.org", "code": code}]});
    json!({"resourceType": "Observation", "id": id, "status": "final", "code": coded("44260-8"),
           "effectiveDateTime": AT, "valueCodeableConcept": coded(answer)})
}

fn bundle(resources: &[Value]) -> String {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries}).to_string()
}

async fn bring(portal: &Portal, browser: &mut Browser, file: &str, button: &str) -> Page {
    portal.bridge.clock.advance(SignedDuration::from_mins(1));
    browser.get(PATH).await;
    let csrf = browser.csrf.clone();
    let parts = [Part::text("csrf", &csrf), Part::file("a.json", file.as_bytes()), Part::text("do", button)];
    let page = browser.upload(PATH, &parts).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page
}

fn shows_help(page: &Page) -> bool {
    !page.html().all(&|element| element.get("id") == "help-now").is_empty()
}

/// What cannot be taken, each for a reason of its own, with this answer to item 9.
fn not_taken(item_9: u8) -> Vec<(&'static str, Value)> {
    let total = item("44261-6", &json!({"valueInteger": 27}));
    let stranger = item("69737-5", &json!({"valueInteger": 1}));
    let invalid = item("69722-7", &json!({"valueInteger": 7}));
    let untyped = json!({"linkId": "/69722-7", "answer": [{"valueInteger": "seven"}]});
    let twice = item("44260-8", &json!({"valueInteger": 0}));
    let deep = json!([{"linkId": "1", "answer": [{"valueBoolean": true, "item": form("", item_9, &[])["item"]}]}]);
    let answer = ["LA6568-5", "LA6569-3"][usize::from(item_9)];
    vec![
        ("a wrong total", form("total", item_9, &[total])),
        ("an answer to another form", form("stranger", item_9, &[stranger])),
        ("an answer that is none", form("invalid", item_9, &[invalid])),
        ("an answer of no type", form("untyped", item_9, &[untyped])),
        ("a question twice", form("twice", item_9, &[twice])),
        ("questions below an answer", with(form("deep", 0, &[]), "item", deep)),
        ("not finished", with(form("unfinished", item_9, &[]), "status", json!("in-progress"))),
        ("no time", with(form("timeless", item_9, &[]), "authored", json!(null))),
        ("a time that has not come", with(form("early", item_9, &[]), "authored", json!("2026-11-21T12:00:00Z"))),
        ("no name", with(form("nameless", item_9, &[]), "id", json!(null))),
        ("an answer without its form", observation("alone", answer)),
    ]
}

on_both_databases! {
    async fn what_is_not_taken_is_heard_and_its_member_told_where_help_is(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let keepers = Keepers::of(&portal.bridge).await;
        for (why, resource) in not_taken(0) {
            assert!(!shows_help(&bring(&portal, &mut browser, &bundle(&[resource]), "take").await), "{why}");
        }
        assert_eq!(keepers.open().await.len(), 0);
        for (before, (why, resource)) in not_taken(1).into_iter().enumerate() {
            let file = bundle(&[json!({"resourceType": "Patient"}), resource]);
            assert!(shows_help(&bring(&portal, &mut browser, &file, "look").await), "{why}");
            assert_eq!(keepers.open().await.len(), before, "{why}: looking tells nobody");
            assert!(shows_help(&bring(&portal, &mut browser, &file, "take").await), "{why}");
            let open = keepers.open().await;
            assert_eq!((open.len(), &open[before]["rule"]), (before + 1, &json!("phq-9-item-9")), "{why}");
        }
        assert_eq!(portal.bridge.traces(&sparrow).await, 0, "and none of the answers is taken");
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 0);
    }
}

on_both_databases! {
    async fn what_was_said_once_raises_one_concern_and_a_mistake_none(database) {
        let (portal, _sparrow, mut browser) = open(database).await;
        let keepers = Keepers::of(&portal.bridge).await;
        let gone = |resource: Value| with(resource, "status", json!("entered-in-error"));
        let file = bundle(&[gone(form("1", 1, &[])), gone(observation("2", "LA6569-3"))]);
        assert!(!shows_help(&bring(&portal, &mut browser, &file, "take").await));
        let long_ago = with(observation("3", "LA6571-9"), "effectiveDateTime", json!("2026-11-01"));
        assert!(shows_help(&bring(&portal, &mut browser, &bundle(&[long_ago]), "take").await), "help is for ever");
        assert_eq!(keepers.open().await.len(), 0);
        let unfinished = with(form("4", 1, &[]), "status", json!("in-progress"));
        let file = bundle(&[observation("5", "LA6569-3"), unfinished]);
        for _ in 0..2 {
            assert!(shows_help(&bring(&portal, &mut browser, &file, "take").await));
        }
        assert_eq!(keepers.open().await.len(), 1, "the answer is the one in the form");
        let page = bring(&portal, &mut browser, &bundle(&[form("4", 1, &[])]), "take").await;
        assert!(shows_help(&page));
        assert_eq!(keepers.open().await.len(), 1, "the same form, finished");
    }
}

/// The same answer, as forms elsewhere write it: each time as the highest choice, or as the lowest.
fn written(highest: bool) -> Vec<Value> {
    let (code, en, ru, number) = if highest {
        ("LA6571-9", "Nearly every day", "Почти каждый день", 3)
    } else {
        ("LA6568-5", "Not at all", "Ни разу", 0)
    };
    let counted = json!([{"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": number}]);
    let own =
        |name: &str, value: Value| json!({"valueCoding": {"system": "urn:example:own", "code": "x", name: value}});
    vec![
        json!({"valueCoding": {"code": code}}),
        json!({"valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.1", "code": code}}),
        own("display", json!(en)),
        own("display", json!(ru)),
        own("extension", counted.clone()),
        json!({"valueString": en.to_uppercase()}),
        json!({"valueString": format!("{number} –  {}.", en.replace(' ', "  "))}),
        json!({"valueString": format!("{number}.0")}),
        json!({"valueString": "x", "_valueString": {"extension": counted}}),
        json!({"valueInteger": number.to_string()}),
        json!({"valueDecimal": f64::from(number) * 0.9}),
    ]
}

on_both_databases! {
    async fn an_answer_is_heard_however_it_is_written(database) {
        let (portal, _sparrow, mut browser) = open(database).await;
        let keepers = Keepers::of(&portal.bridge).await;
        let unfinished = |id: &str, answer: &Value| {
            with(form(id, 0, &[item("44260-8", answer)]), "status", json!("in-progress"))
        };
        for answer in written(false) {
            let page = bring(&portal, &mut browser, &bundle(&[unfinished("none", &answer)]), "take").await;
            assert!(!shows_help(&page), "{answer}");
        }
        assert_eq!(keepers.open().await.len(), 0);
        let answers = written(true);
        for (before, answer) in answers.iter().enumerate() {
            let file = bundle(&[unfinished(&before.to_string(), answer)]);
            assert!(shows_help(&bring(&portal, &mut browser, &file, "take").await), "{answer}");
            assert_eq!(keepers.open().await.len(), before + 1, "{answer}");
        }
        let part = json!({"code": {"coding": [{"code": "44260-8"}]}, "valueCodeableConcept": {"text": "Nearly every day"}});
        let panel = json!({"resourceType": "Observation", "id": "panel", "status": "final", "effectiveDateTime": "2026-11-20T10:00:00+01:00",
                           "code": {"coding": [{"system": "http://loinc.org", "code": "44249-1"}]}, "component": [part]});
        assert!(shows_help(&bring(&portal, &mut browser, &bundle(&[panel]), "take").await));
        assert_eq!(keepers.open().await.len(), answers.len() + 1, "as a part of a whole");
    }
}
