//! Defects found in other systems of this kind: mostik has none. [`DEFECTS`] names the tests; those without a room stand here.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use mostik::sandbox::{Fault, FaultKind};
use mostik::web::ROUTES;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;

use crate::on_every_database;
use crate::support::bridge::{Person, TestBridge, mood, note};
use crate::support::ehr::{Ehr, create_patient, observations};
use crate::support::{http, outbox, portal::Portal};
use crate::vault::export::files;

/// Each defect, whose it was, and the tests that show that it is not here: the file below `tests`, and its name. What has no
/// test is of booking, which is not built yet, or of what clinics send back, whose tests stand in `way_back`.
const DEFECTS: &[(&str, &[&str])] = &[
    (
        "decisions are indexed after filtering, so that later entries get another one's (LEAP-CES)",
        &["it/house/peers decisions_are_counted_before_filtering_so_that_later_entries_get_their_own"],
    ),
    (
        "caches are keyed by what is not unique: of patients A, A, B, B gets the identity of A (LEAP-CES)",
        &[
            "it/house/peers patients_a_a_b_are_not_all_taken_for_a",
            "it/delivery/misbehaving two_clinics_get_identifiers_that_cannot_be_joined",
        ],
    ),
    (
        "the check of labels is inverted (ASU)",
        &[
            "it/house/peers the_check_of_labels_is_not_inverted",
            "it/house/peers a_label_that_is_withheld_later_stops_what_waits",
        ],
    ),
    (
        "a part of the terms is left as a TODO (ASU)",
        &[
            "it/consent/decision it_permits_exactly_what_some_active_grant_covers",
            "it/consent/decision every_deny_says_what_stands_in_the_way",
        ],
    ),
    (
        "a cold cache sends instead of holding (Koppeltaal)",
        &["it/house/peers a_process_that_has_just_started_holds_and_does_not_send"],
    ),
    (
        "a read is open when the header is missing (Google)",
        &[
            "it/house/peers nothing_is_open_to_whoever_leaves_the_header_out",
            "it/clinic/reads nobody_reads_without_a_token_in_force",
            "it/portal/routes whoever_is_not_signed_in_is_led_to_the_door",
        ],
    ),
    (
        "consent hides data in the page, and not in the API or the export (phenotips)",
        &[
            "it/house/peers what_is_hidden_in_one_place_is_not_shown_in_another",
            "it/audit/shared a_clinic_is_told_what_it_got_and_read_and_never_what_was_kept_from_it",
        ],
    ),
    (
        "what is filtered shows in totals and pages (HAPI #2012, #1507)",
        &[
            "it/house/peers what_is_left_out_shows_in_no_total_and_leaves_no_gap",
            "it/audit/clinic_audit what_was_denied_or_withdrawn_is_not_told",
            "it/clinic/reads pages_follow_each_other_and_together_are_everything_once",
        ],
    ),
    (
        "signatures cover the body alone, and can be replayed (Medplum)",
        &[
            "it/portal/messages a_platform_can_check_who_sends",
            "it/clinic/token an_assertion_is_good_once_whichever_replica_it_is_shown_to",
        ],
    ),
    (
        "hooks ignore the access policy, and psychiatric data is in them (Medplum)",
        &["it/house/peers no_message_to_a_community_says_what_it_is_about"],
    ),
    (
        "a delivery is given up after a minute (HAPI #6002)",
        &["it/house/peers an_ehr_that_is_away_for_half_a_day_gets_everything_afterwards"],
    ),
    (
        "conditional creates race, and make two of one (HAPI #3141, microsoft/fhir-server #1382, CamCOPS)",
        &[
            "faults/connection a_thousand_answers_are_lost_and_a_thousand_resources_arrive_exactly_once",
            "it/delivery/misbehaving a_lane_keeps_its_order_and_many_workers_share_the_lanes",
            "crash/random killed_again_and_again_before_an_ehr_that_takes_one_by_one_nothing_is_lost_or_doubled",
        ],
    ),
    (
        "a revocation overwrites the row, and its history is lost (JupyterHealth Exchange)",
        &["it/house/peers a_revocation_overwrites_nothing"],
    ),
    (
        "consent is enforced at the intake only (JupyterHealth Exchange)",
        &[
            "it/consent/giving no_send_begins_once_a_revocation_is_answered",
            "it/consent/giving consent_that_expires_before_the_send_lets_nothing_out",
        ],
    ),
    (
        "data arrives as an attachment that no EHR can chart (JupyterHealth Exchange)",
        &["it/mapping/moods a_mood_on_a_diarys_own_scale"],
    ),
    (
        "the audit log is lines in a log that anybody can change (JupyterHealth Exchange)",
        &["it/audit/tampering found_1", "it/audit/verified_consents a_consent_that_was_brought_back_is_found"],
    ),
    (
        "an erasure is a cascade, and a backup brings everything back",
        &[
            "it/vault/erasing every_table_that_names_members_is_erased_or_kept_for_a_reason",
            "it/vault/restored whoever_was_erased_does_not_come_back_with_a_backup",
        ],
    ),
    ("a cancelled appointment keeps its slot (athenahealth #389)", &[]),
    ("a hold has no end (Medplum #7688, argonaut/scheduling #25)", &[]),
    ("the address of a video visit is lost in mapping (va.gov-team #93509)", &[]),
    ("reminders stop, and nobody sees it (openemr #7822)", &[]),
];

/// What anybody may know: the texts that members are shown, what there is, where to ask for a token; and what is had by a
/// secret of its own: because whoever has it has no account any more, or is an EHR's Subscription (unknown ones get 404).
const OPEN: [&str; 8] = [
    "/v1/notices",
    "/v1/erasure/certificate",
    "/fhir/metadata",
    "/fhir/.well-known/smart-configuration",
    "/fhir/token",
    "/fhir/Questionnaire",
    "/fhir/Questionnaire/{id}",
    "/fhir/notify/{token}",
];

#[test]
fn each_defect_has_tests_that_are_there() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (defect, shown_by) in DEFECTS {
        for test in *shown_by {
            let (file, name) = test.split_once(' ').unwrap();
            let text = std::fs::read_to_string(tests.join(format!("{file}.rs"))).unwrap_or_default();
            assert!(text.contains(&format!("fn {name}(")), "{defect}: there is no {name} in tests/{file}.rs");
        }
    }
    assert_eq!(DEFECTS.iter().filter(|(_, shown_by)| shown_by.is_empty()).count(), 4, "of booking");
}

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
        let archive = files(&bridge, &member).await;
        assert!(!archive.everything().contains("nobody may"), "nor is it in what its member takes along");
    }
}

on_every_database! {
    async fn a_revocation_overwrites_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.change_terms(&member, &grant, json!({"categories": {"note": "every-entry"}})).await;
        bridge.change_grant(&member, &grant, "pause").await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.grant(&member, &["tags"]).await;
        let got = bridge.as_member(&member, Method::GET, "/v1/grants", None).await.json;
        let mut lived: Vec<(String, String)> = got["grants"].as_array().unwrap().iter()
            .map(|grant| (grant["categories"].to_string(), grant["state"].as_str().unwrap().to_owned()))
            .collect();
        lived.sort();
        let expected = [("mood", "superseded"), ("note", "revoked"), ("tags", "active")];
        let expected = expected.map(|(category, state)| (json!({category: "every-entry"}).to_string(), state.to_owned()));
        assert_eq!(lived, expected, "each version with its own terms");
        let receipts = bridge.as_member(&member, Method::GET, "/v1/receipts", None).await.json;
        assert_eq!(receipts["receipts"].as_array().unwrap().len(), 5, "and a receipt for each step: {receipts}");
    }
}

on_every_database! {
    async fn an_ehr_that_is_away_for_half_a_day_gets_everything_afterwards(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::always(FaultKind::Status { code: 503, retry_after: None }).on("POST", "Observation"));
        bridge.send(&json!([mood("1", "sparrow", 1), mood("2", "sparrow", 2)])).await;
        bridge.deliver_in_time_of(SignedDuration::from_hours(12)).await;
        assert_eq!((ehr.observations().await.len(), bridge.count(DeliveryState::Dead).await), (0, 0));
        faults.clear();
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 2);
    }
}

on_every_database! {
    async fn no_message_to_a_community_says_what_it_is_about(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        let member = portal.bridge.person("sparrow", &ehr.patient).await;
        portal.bridge.grant(&member, &["mood", "note"]).await;
        portal.bridge.send(&note("1", "sparrow", "a night without sleep")).await;
        portal.bridge.deliver().await;
        portal.link(&mut portal.browser(), "sparrow").await;
        let letters = portal.postbox.letters();
        assert!(!letters.is_empty());
        for letter in letters {
            for word in ["sleep", "mood", "Riverside", "riverside"] {
                assert!(!letter.raw.contains(word), "{word}: {}", letter.raw);
            }
        }
    }
}

on_every_database! {
    async fn nothing_is_open_to_whoever_leaves_the_header_out(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9/fhir").await;
        let guarded = |path: &str| ["/v1/", "/fhir/"].iter().any(|room| path.starts_with(room)) && !OPEN.contains(&path);
        for route in ROUTES.iter().filter(|route| guarded(route.path)) {
            for method in route.methods.split(' ') {
                let id = uuid::Uuid::nil().to_string();
                let named = |part: &str| if part.starts_with('{') { id.clone() } else { part.to_owned() };
                let path = route.path.split('/').map(named).collect::<Vec<_>>().join("/");
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
