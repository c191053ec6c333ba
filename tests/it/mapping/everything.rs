//! Everything that leaves, at every detail and in every language: a table of what a clinic gets, each judged by both
//! validators and by its profile, taken by an EHR, and given back by it as it was meant.

use std::collections::{BTreeMap, BTreeSet};

use mostik::domain::measurement::Measured;
use mostik::insight::page::write_agenda;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::concerns::{Keepers, POLICY, REASON, with_ada};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::outbox::items;
use crate::support::postbox::Postbox;
use crate::support::profiles::profile_of;
use crate::support::validate::assert_valid;

/// The end of the week in Berlin in which every test begins.
const MONDAY: &str = "2026-11-22T23:00:00Z";

const ENTRIES: [&str; 9] = [
    "mostik-diary-note",
    "mostik-diary-tags",
    "mostik-measurement",
    "mostik-mood-rating",
    "mostik-questionnaire-response",
    "mostik-screening-answer",
    "mostik-screening-panel",
    "mostik-screening-total",
    "mostik-state-of-mind",
];

/// What goes however finely it is shared: of a warning nothing is.
const ALWAYS: [&str; 5] =
    ["mostik-community-activity", "mostik-consent", "mostik-page", "mostik-report", "mostik-warning"];

const DETAILS: [(&str, &[&str]); 3] =
    [("every-entry", &ENTRIES), ("daily-summary", &["mostik-summary"]), ("weekly-summary", &["mostik-summary"])];

fn event(id: &str, kind: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/test", "type": format!("mostik.{kind}.v1"),
        "time": "2026-11-19T07:10:00+01:00", "subject": "sparrow", "data": data,
    })
}

/// An event of every kind, with numbers as people and devices write them.
fn events() -> Vec<Value> {
    let rating = json!({"rating": {"value": 3, "worst": 1, "best": 5}, "label": "so-so"});
    let state = |kind: &str| json!({"state_of_mind": {"kind": kind, "valence": -0.25, "classification": "neutral"}});
    let both = json!({"rating": {"value": 61.5, "worst": 0, "best": 100},
                      "state_of_mind": {"kind": "dailyMood", "valence": 0.5}});
    let tags = json!({"tags": ["walk", "плохо спал"]});
    let phq9 = [
        ("44250-9", 1),
        ("44255-8", 2),
        ("44259-0", 0),
        ("44254-1", 1),
        ("44251-7", 0),
        ("44258-2", 1),
        ("44252-5", 3),
        ("44253-3", 0),
        // Somebody is told of it, and tells the clinic.
        ("44260-8", 1),
        ("69722-7", 1),
    ];
    let phq9: Value = phq9.into_iter().map(|(code, choice)| (code.to_owned(), json!(choice))).collect();
    let gad7 = ["69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"];
    let gad7: Value = gad7.into_iter().map(|code| (code.to_owned(), json!(2))).collect();
    let phq2 = json!({"44250-9": 1, "44255-8": "declined"});
    let mut all = vec![
        event("mood", "mood", &rating),
        event("day", "mood", &state("dailyMood")),
        event("moment", "mood", &state("momentaryEmotion")),
        event("both", "mood", &both),
        event("note", "note", &json!({"text": "A quiet day.\nСпал плохо. 🙂"})),
        event("tags", "tags", &tags),
        event("deed", "activity", &json!({"what": "posted"})),
        event("phq9", "questionnaire", &json!({"instrument": "phq-9", "answers": phq9})),
        event("gad7", "questionnaire", &json!({"instrument": "gad-7", "answers": gad7})),
        event("phq2", "questionnaire", &json!({"instrument": "phq-2", "answers": phq2})),
        event("phq2-whole", "questionnaire", &json!({"instrument": "phq-2", "answers": {"44250-9": 1, "44255-8": 1}})),
    ];
    for (of, modality) in Measured::ALL.into_iter().zip(["sensed", "self-reported"].into_iter().cycle()) {
        let mut data = json!({"of": of.as_str(), "value": 61.25, "modality": modality});
        if of.adds_up() {
            data["start"] = json!("2026-11-18T23:05:00+01:00");
        }
        all.push(event(of.as_str(), "measurement", &data));
    }
    all
}

/// A member whose clinic gets everything that they noted, at this detail and in this language, with a report beside each
/// page and a warning; and all of it, as it waits to be sent.
pub async fn told(ehr: &Ehr, detail: &str, language: &str) -> (TestBridge, Person, Vec<Value>) {
    let database = Database::sqlite();
    let text = config_text(&database, &ehr.base, "127.0.0.1:0").replace("consent = false", "consent = true");
    let summary = format!("[clinics.riverside.summary]\npage = \"weekly\"\nlanguage = {language:?}\nreport = true\n");
    let takes = "[clinics.riverside.takes]\nconsent = true\n";
    let postbox = Postbox::open();
    let warnings = POLICY.replacen("purpose", &format!("language = {language:?}\npurpose"), 1);
    let warnings = with_ada(&database, &postbox, &postbox) + &warnings;
    let bridge = TestBridge::start_with(database, &(text + &summary + takes + &warnings)).await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&sparrow, "Europe/Berlin").await;
    let categories = ["mood", "note", "tags", "sleep", "activity", "heart", "questionnaires", "agenda", "community"];
    let shared: Value = categories.into_iter().map(|category| (category.to_owned(), json!(detail))).collect();
    let notice = json!({"version": 1, "language": language});
    let asked = json!({"clinic": "riverside", "terms": {"categories": shared, "notice": notice}});
    let got = bridge.as_member(&sparrow, Method::POST, "/v1/grants", Some(&asked)).await;
    assert_eq!(got.status, 201, "{:?}", got.json);
    write_agenda(&bridge.bridge, sparrow.id, "Whether to sleep less. И о таблетках.").await.unwrap();
    let got = bridge.send(&json!(events())).await;
    assert!(got.status < 300, "{:?}", got.json);
    bridge.until(MONDAY).await;
    let keepers = Keepers::of(&bridge).await;
    let disclosed = keepers.disclose(&keepers.open().await[0], "ada", REASON).await;
    assert_eq!(disclosed.status, 200, "{:?}", disclosed.json);
    let sent = items(&bridge, &sparrow).await.into_iter().filter_map(|item| item.body).collect();
    (bridge, sparrow, sent)
}

/// What the bridge calls a resource.
fn name(resource: &Value) -> String {
    let identifier = resource["identifier"].as_array().map_or(&resource["identifier"], |all| &all[0]);
    identifier["value"].as_str().unwrap().to_owned()
}

/// Without what the EHR adds.
fn plain(mut resource: Value) -> Value {
    let fields = resource.as_object_mut().unwrap();
    fields.remove("id");
    for added in ["versionId", "lastUpdated"] {
        fields["meta"].as_object_mut().unwrap().remove(added);
    }
    resource
}

/// Everything that an EHR has about its patient, by the bridge's names.
async fn charted(ehr: &Ehr) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for kind in
        ["Observation", "QuestionnaireResponse", "DocumentReference", "DiagnosticReport", "Consent", "Communication"]
    {
        let mut next = Some(format!("{}/{kind}?patient={}&_count=100", ehr.base, ehr.patient));
        while let Some(url) = next.take() {
            let got = http::call(Method::GET, &url, None, None).await;
            assert_eq!(got.status, 200, "{url} {:?}", got.json);
            for entry in got.json["entry"].as_array().into_iter().flatten() {
                let resource = &entry["resource"];
                // A search that the EHR does not know finds everybody's, and an OperationOutcome.
                let of = ["/subject/reference", "/patient/reference"].iter().find_map(|it| resource.pointer(it));
                if of != Some(&json!(format!("Patient/{}", ehr.patient))) {
                    continue;
                }
                assert!(found.insert(name(resource), plain(resource.clone())).is_none(), "twice: {resource:#}");
            }
            let links = got.json["link"].as_array().cloned().unwrap_or_default();
            let link = links.iter().find(|link| link["relation"] == "next");
            next = link.map(|link| link["url"].as_str().unwrap().to_owned());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_resource_at_every_detail_in_every_language_is_valid_taken_and_given_back_as_it_was_meant() {
    for (detail, kinds) in DETAILS {
        for language in ["en", "ru"] {
            let Some(ehr) = Ehr::sekmet().await else { return };
            let (bridge, sparrow, sent) = told(&ehr, detail, language).await;
            let expected: BTreeSet<&str> = kinds.iter().copied().chain(ALWAYS).collect();
            let found: BTreeSet<&str> = sent.iter().filter_map(profile_of).collect();
            assert_eq!(found, expected, "{detail} {language}");
            // What has no language says the same in each: it is judged once.
            let is_new = |it: &&Value| language == "en" || ALWAYS.contains(&profile_of(it).unwrap());
            for resource in sent.iter().filter(is_new) {
                assert_valid(resource).await;
            }
            bridge.deliver_in_time().await;
            // What it takes, and does not say that it takes, is not sent to it: then the test does that.
            let unsaid = items(&bridge, &sparrow).await.into_iter();
            let unsaid = unsaid.filter(|item| item.state == "withdrawn");
            let unsaid: BTreeSet<String> = unsaid.map(|item| item.identifier).collect();
            for resource in sent.iter().filter(|resource| unsaid.contains(&name(resource))) {
                let url = format!("{}/{}", ehr.base, resource["resourceType"].as_str().unwrap());
                assert_eq!(http::call(Method::POST, &url, None, Some(resource)).await.status, 201, "{resource:#}");
            }
            let meant: BTreeMap<String, Value> = sent.into_iter().map(|it| (name(&it), it)).collect();
            let mut charted = charted(&ehr).await;
            for (name, resource) in &meant {
                let found = charted.remove(name);
                assert_eq!(found.as_ref(), Some(resource), "{detail} {language}");
            }
            assert!(charted.is_empty(), "{detail} {language}: nothing else was told: {charted:#?}");
        }
    }
}
