//! What a clinic's own system can read: the consents of its own patients, each as a resource; and nothing else.

use jiff::SignedDuration;
use mostik::enrolment::join::link;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge};
use crate::support::clinic::{ALL_SCOPES, PUBLIC_URL, entries, post_form, read, with_systems};
use crate::support::database::Database;
use crate::support::http::{self, Got, client};
use crate::support::validate::assert_valid;

const RIVER_EHR: &str = "http://127.0.0.1:9/fhir";

async fn link_at(bridge: &TestBridge, person: &Person, clinic: &str, patient: &str) {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let clinic = clinic.parse().unwrap();
    link(&mut tx, &bridge.bridge.keyring, person.id, &clinic, patient, "test", bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn grant_at(bridge: &TestBridge, person: &Person, clinic: &str) -> String {
    let asked = json!({"clinic": clinic, "terms": {"categories": {"mood": "every-entry"}}});
    let got = bridge.as_member(person, Method::POST, "/v1/grants", Some(&asked)).await;
    assert_eq!(got.status, 201, "{:?}", got.json);
    got.json["id"].as_str().unwrap().to_owned()
}

fn issue(got: &Got) -> (u16, &str, &str) {
    assert_eq!(
        (got.content_type.as_str(), &got.json["resourceType"]),
        ("application/fhir+json", &json!("OperationOutcome"))
    );
    let issue = &got.json["issue"][0];
    (got.status, issue["code"].as_str().unwrap(), issue["diagnostics"].as_str().unwrap())
}

fn statuses(bundle: &Value) -> Vec<String> {
    entries(bundle).iter().map(|consent| consent["status"].as_str().unwrap().to_owned()).collect()
}

on_both_databases! {
    async fn a_clinic_finds_the_consents_of_its_own_patient(database) {
        let (bridge, river, _) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        let grant = bridge.grant(&sparrow, &["mood"]).await;
        let token = river.token(&bridge, ALL_SCOPES).await;
        for patient in ["17", "Patient/17", "http://127.0.0.1:9/fhir/Patient/17"] {
            let got = read(&bridge, &token, &format!("/fhir/Consent?patient={patient}")).await;
            assert_eq!((got.status, got.content_type.as_str(), &got.json["total"]), (200, "application/fhir+json", &json!(1)));
            let found = entries(&got.json);
            assert_eq!(found[0]["patient"]["reference"], format!("{RIVER_EHR}/Patient/17"));
            assert_valid(&got.json).await;
            assert_valid(&found[0]).await;
        }
        let got = read(&bridge, &token, "/fhir/Consent?patient=17&status=active").await;
        assert_eq!(statuses(&got.json), ["active"]);
        assert_eq!(got.json["link"][0]["url"], format!("{PUBLIC_URL}/fhir/Consent?patient=17&status=active"));
        assert_eq!(got.json["entry"][0]["search"]["mode"], "match");
        let full_url = got.json["entry"][0]["fullUrl"].as_str().unwrap();
        let by_id = read(&bridge, &token, full_url.strip_prefix(PUBLIC_URL).unwrap()).await;
        assert_eq!((by_id.status, &by_id.json), (200, &entries(&got.json)[0]));
        assert_eq!(bridge.change_grant(&sparrow, &grant, "revoke").await.status, 200);
        assert_eq!(statuses(&read(&bridge, &token, "/fhir/Consent?patient=17").await.json), ["inactive"]);
        let none = read(&bridge, &token, "/fhir/Consent?patient=17&status=active").await;
        assert_eq!((&none.json["total"], none.json.get("entry")), (&json!(0), None));
    }
}

on_both_databases! {
    async fn a_search_can_come_as_a_form(database) {
        let (bridge, river, _) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        bridge.grant(&sparrow, &["mood"]).await;
        let token = river.token(&bridge, ALL_SCOPES).await;
        let address = format!("{RIVER_EHR}/Patient/17");
        let identifier = format!("urn:ietf:rfc:3986|{address}");
        for (path, form) in [
            ("/fhir/Consent/_search", vec![("patient", "17")]),
            ("/fhir/Consent/_search", vec![("patient", "Patient/17"), ("status", "active,inactive")]),
            ("/fhir/Consent/_search", vec![("patient.identifier", identifier.as_str())]),
            ("/fhir/Consent/_search?patient=17", vec![("status", "http://hl7.org/fhir/consent-state-codes|active")]),
        ] {
            let got = post_form(&bridge, path, Some(&token), &form).await;
            assert_eq!((got.status, &got.json["total"]), (200, &json!(1)), "{form:?} {:?}", got.json);
        }
        let search = format!("{}/fhir/Consent/_search", bridge.api);
        let request = client().post(&search).bearer_auth(&token).header("content-type", "application/json").body("{}");
        let got = Got::read(request.send().await.unwrap()).await;
        assert_eq!(issue(&got).0, 415);
        let long = "x".repeat(20_000);
        let got = post_form(&bridge, "/fhir/Consent/_search", Some(&token), &[("patient", &long)]).await;
        assert_eq!((issue(&got).0, issue(&got).1), (413, "too-long"));
    }
}

on_both_databases! {
    async fn another_clinics_patient_and_nobody_look_the_same(database) {
        let (bridge, river, lake) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        bridge.grant(&sparrow, &["mood"]).await;
        let wren = bridge.unlinked_person("wren").await;
        link_at(&bridge, &wren, "lakeside", "18").await;
        grant_at(&bridge, &wren, "lakeside").await;
        // One who is a patient of both: each clinic sees what they gave it.
        link_at(&bridge, &sparrow, "lakeside", "19").await;
        let to_lake = grant_at(&bridge, &sparrow, "lakeside").await;
        let (river_token, lake_token) = (river.token(&bridge, ALL_SCOPES).await, lake.token(&bridge, ALL_SCOPES).await);
        let count = async |token: &str, patient: &str| {
            let got = read(&bridge, token, &format!("/fhir/Consent?patient={patient}")).await;
            (got.status, got.json["total"].clone(), entries(&got.json).len())
        };
        for (token, patient, found) in [
            (&river_token, "17", 1),
            (&river_token, "18", 0),
            (&river_token, "19", 0),
            (&river_token, "nobody", 0),
            (&lake_token, "17", 0),
            (&lake_token, "18", 1),
            (&lake_token, "19", 1),
            (&river_token, "http://127.0.0.1:9/lake/Patient/18", 0),
        ] {
            assert_eq!(count(token, patient).await, (200, json!(found), found), "{patient}");
        }
        let at_lake = entries(&read(&bridge, &lake_token, "/fhir/Consent?patient=19").await.json);
        let path = format!("/fhir/Consent/{}", at_lake[0]["id"].as_str().unwrap());
        assert_eq!(read(&bridge, &lake_token, &path).await.status, 200);
        let foreign = read(&bridge, &river_token, &path).await;
        let nobodys = read(&bridge, &river_token, "/fhir/Consent/0190163d8694739bacd7e1c5f3ab3fd1-1").await;
        assert_eq!((issue(&foreign), &foreign.json), (issue(&nobodys), &nobodys.json), "nobody can tell which it is");
        assert_eq!(issue(&foreign).0, 404);
        let odd = path.to_uppercase().replace("/FHIR/CONSENT", "/fhir/Consent");
        for path in [odd, format!("/fhir/Consent/{to_lake}"), format!("{path}0"), "/fhir/Consent/..%2f".to_owned()] {
            assert_eq!(read(&bridge, &lake_token, &path).await.status, 404, "{path}");
        }
    }
}

on_both_databases! {
    async fn who_is_no_longer_linked_is_no_longer_shown(database) {
        let (bridge, river, _) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        bridge.grant(&sparrow, &["mood"]).await;
        let token = river.token(&bridge, ALL_SCOPES).await;
        let found = entries(&read(&bridge, &token, "/fhir/Consent?patient=17").await.json);
        let path = format!("/fhir/Consent/{}", found[0]["id"].as_str().unwrap());
        assert_eq!(read(&bridge, &token, &path).await.status, 200);
        bridge.database.run("DELETE FROM links").await;
        assert_eq!(read(&bridge, &token, "/fhir/Consent?patient=17").await.json["total"], 0);
        assert_eq!(read(&bridge, &token, &path).await.status, 404);
    }
}

on_both_databases! {
    async fn pages_follow_each_other_and_together_are_everything_once(database) {
        let (bridge, river, _) = with_systems(database).await;
        let sparrow = bridge.person("sparrow", "17").await;
        let grant = bridge.grant(&sparrow, &["mood"]).await;
        for _ in 0..6 {
            bridge.clock.advance(SignedDuration::from_secs(1));
            let terms = json!({"categories": {"mood": "every-entry"}});
            let path = format!("/v1/grants/{grant}");
            assert_eq!(bridge.as_member(&sparrow, Method::PUT, &path, Some(&terms)).await.status, 200);
        }
        let token = river.token(&bridge, ALL_SCOPES).await;
        let all = read(&bridge, &token, "/fhir/Consent?patient=17").await.json;
        let all: Vec<Value> = entries(&all).iter().map(|consent| consent["id"].clone()).collect();
        assert_eq!(all.len(), 7);
        let (mut next, mut seen) = (Some("/fhir/Consent?patient=17&_count=3&colour=red".to_owned()), Vec::new());
        let mut pages = 0;
        while let Some(path) = next {
            let page = read(&bridge, &token, &path).await.json;
            assert_eq!(page["total"], 7, "on every page");
            seen.extend(entries(&page).iter().map(|consent| consent["id"].clone()));
            let link = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
            next = link.map(|link| link["url"].as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap().to_owned());
            assert!(!page["link"].to_string().contains("colour"), "what was not applied is not shown");
            assert_valid(&page).await;
            pages += 1;
        }
        assert_eq!((pages, seen), (3, all));
        let none = read(&bridge, &token, "/fhir/Consent?patient=17&_count=0").await.json;
        assert_eq!((&none["total"], entries(&none).len()), (&json!(7), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_that_is_about_nobody_or_cannot_be_read_is_refused() {
    let (bridge, river, _) = with_systems(Database::sqlite()).await;
    let token = river.token(&bridge, ALL_SCOPES).await;
    for (query, code) in [
        ("", "required"),
        ("status=active", "required"),
        ("patient=", "required"),
        ("colour=red", "required"),
        ("patient=17,18", "not-supported"),
        ("patient:missing=false", "not-supported"),
        ("patient:Patient=17", "not-supported"),
        ("patient=17&status:not=active", "not-supported"),
        ("patient=17&status=revoked", "value"),
        ("patient=17&_count=many", "value"),
    ] {
        let got = read(&bridge, &token, &format!("/fhir/Consent?{query}")).await;
        let (status, found, words) = issue(&got);
        assert_eq!((status, found), (400, code), "{query}: {words}");
        assert!(!words.contains("17"), "{words}");
        assert_valid(&got.json).await;
    }
    let strict = async |query: &str| {
        let request = client().get(format!("{}/fhir/Consent?{query}", bridge.api)).bearer_auth(&token);
        Got::read(request.header("Prefer", "handling=strict").send().await.unwrap()).await
    };
    assert_eq!(issue(&strict("patient=17&colour=red").await).1, "not-supported");
    assert_eq!(strict("patient=17&status=active&_count=5&_format=json").await.status, 200);
    let request = client().get(format!("{}/fhir/Consent?patient=17", bridge.api)).bearer_auth(&token);
    let xml = Got::read(request.header("Accept", "application/fhir+xml").send().await.unwrap()).await;
    assert_eq!(issue(&xml).0, 406);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_without_a_token_in_force() {
    let (bridge, river, _) = with_systems(Database::sqlite()).await;
    let sparrow = bridge.person("sparrow", "17").await;
    let token = river.token(&bridge, ALL_SCOPES).await;
    let url = format!("{}/fhir/Consent?patient=17", bridge.api);
    let altered = format!("{token}0");
    for (header, challenge) in [
        (None, "Bearer"),
        (Some(String::new()), "Bearer error=\"invalid_token\""),
        (Some("Bearer".to_owned()), "Bearer error=\"invalid_token\""),
        (Some(format!("Bearer {altered}")), "Bearer error=\"invalid_token\""),
        (Some(format!("Bearer {}", bridge.api_key)), "Bearer error=\"invalid_token\""),
        (Some(format!("Bearer {}", sparrow.token)), "Bearer error=\"invalid_token\""),
        (Some(format!("Basic {token}")), "Bearer error=\"invalid_token\""),
        (Some(token.clone()), "Bearer error=\"invalid_token\""),
    ] {
        let mut request = client().get(&url);
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], challenge, "{header:?}");
        let got = Got::read(response).await;
        assert_eq!((issue(&got).0, issue(&got).1), (401, "login"), "{header:?}");
        assert_valid(&got.json).await;
    }
    let in_the_query = format!("{url}&access_token={token}");
    assert_eq!(http::call(Method::GET, &in_the_query, None, None).await.status, 401, "a token in an address is none");
    let events = format!("{}/v1/events", bridge.api);
    assert_eq!(http::call(Method::POST, &events, Some(&token), Some(&json!([]))).await.status, 401);
    let grants = format!("{}/v1/grants", bridge.api);
    assert_eq!(http::call(Method::GET, &grants, Some(&token), None).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_what_it_can_do() {
    let (bridge, _, _) = with_systems(Database::sqlite()).await;
    let got = http::call(Method::GET, &format!("{}/fhir/metadata", bridge.api), None, None).await;
    assert_eq!((got.status, got.content_type.as_str()), (200, "application/fhir+json"));
    assert_eq!(got.json["implementation"]["url"], format!("{PUBLIC_URL}/fhir"));
    assert_valid(&got.json).await;
    let parameters = |resource: &Value| {
        let named = resource["searchParam"].as_array().unwrap().iter();
        named.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(parameters(&got.json["rest"][0]["resource"][0]), ["patient", "patient.identifier", "status"]);
    let url = format!("{}/fhir/.well-known/smart-configuration", bridge.api);
    let got = http::call(Method::GET, &url, None, None).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.json["token_endpoint"], format!("{PUBLIC_URL}/fhir/token"));
    assert_eq!(got.json["token_endpoint_auth_signing_alg_values_supported"], json!(["ES384", "RS384"]));
    let unknown = http::call(Method::GET, &format!("{}/fhir/Patient/17", bridge.api), None, None).await;
    assert_eq!((issue(&unknown).0, issue(&unknown).1), (404, "not-found"));
    assert_valid(&unknown.json).await;
}
