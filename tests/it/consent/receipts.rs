//! Receipts and notices: what a member can prove, and to whom.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::jwk::JwkSet;
use mostik::consent::notice::Notice;
use mostik::consent::receipt::{NotGenuine, rows, verify};
use mostik::domain::language::Language;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_every_database;
use crate::support::bridge::{Person, TestBridge};
use crate::support::database::Database;
use crate::support::http;

const NOWHERE: &str = "http://127.0.0.1:9/fhir";

async fn keys(bridge: &TestBridge) -> JwkSet {
    let got = http::call(Method::GET, &format!("{}/.well-known/jwks.json", bridge.api), None, None).await;
    serde_json::from_value(got.json).unwrap()
}

/// The member's receipts, as they were signed, oldest first.
async fn receipts(bridge: &TestBridge, member: &Person) -> Vec<String> {
    let list = bridge.as_member(member, Method::GET, "/v1/receipts", None).await;
    assert_eq!(list.status, 200, "{:?}", list.json);
    let mut signed = Vec::new();
    for entry in list.json["receipts"].as_array().unwrap() {
        let url = format!("{}/v1/receipts/{}", bridge.api, entry["id"].as_str().unwrap());
        let response = http::client().get(url).bearer_auth(&member.token).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/jose");
        signed.push(response.text().await.unwrap());
    }
    signed
}

fn asked(notice: &Value) -> Value {
    json!({"clinic": "riverside", "terms": {
        "categories": {"mood": "every-entry", "tags": "weekly-summary"}, "withheld": ["SUD"], "way_back": "notice",
        "practitioner": {"id": "dr-7", "display": "Dr Ada Example"}, "notice": notice,
    }})
}

on_every_database! {
    async fn every_change_of_a_consent_gives_a_receipt_that_anyone_can_verify(database) {
        let bridge = TestBridge::start(database, NOWHERE).await;
        let member = bridge.person("sparrow", "pat-1").await;
        let got = bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked(&json!({"version": 1, "language": "ru"})))).await;
        assert_eq!(got.status, 201, "{:?}", got.json);
        let grant = got.json["id"].as_str().unwrap().to_owned();
        for how in ["pause", "resume"] {
            bridge.clock.advance(SignedDuration::from_mins(1));
            assert_eq!(bridge.change_grant(&member, &grant, how).await.status, 200);
        }
        let fewer = json!({"categories": {"mood": "daily-summary"}});
        bridge.as_member(&member, Method::PUT, &format!("/v1/grants/{grant}"), Some(&fewer)).await;
        for _ in 0..2 {
            assert_eq!(bridge.change_grant(&member, &grant, "revoke").await.status, 200);
        }
        let (signed, keys) = (receipts(&bridge, &member).await, keys(&bridge).await);
        let genuine: Vec<_> = signed.iter().map(|receipt| verify(receipt, &keys).unwrap()).collect();
        let did = |n: usize| genuine[n].events.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>();
        assert_eq!(did(4), ["given", "paused", "resumed", "changed", "revoked"], "and the second revocation changes nothing");
        assert_eq!(did(0), ["given"]);
        let first = &genuine[0];
        assert_eq!(first.pii_principal_id, member.id.0);
        assert_eq!(first.pii_processing.privacy_notice.as_ref().unwrap().sha256, Notice::current(Language::Ru).shown().hash);
        assert_eq!(first.party_identification[2].party_name, "Dr Ada Example");
        assert_eq!(genuine[4].record_version, 2);
        assert!(genuine[4].pii_processing.privacy_notice.is_none(), "the second version was made without a text");
        let mut tx = bridge.bridge.store.read().await.unwrap();
        let kept = tx.notice(&Notice::current(Language::Ru).shown().hash).await.unwrap();
        assert_eq!(kept.as_deref(), Some(Notice::current(Language::Ru).text), "the text itself is kept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_follows_its_schema_and_reads_well() {
    let bridge = TestBridge::start(Database::sqlite(), NOWHERE).await;
    let member = bridge.person("sparrow", "pat-1").await;
    bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked(&json!({"version": 1, "language": "en"})))).await;
    bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked(&json!(null)))).await;
    let signed = receipts(&bridge, &member).await.remove(0);
    let payload = BASE64_URL_SAFE_NO_PAD.decode(signed.split('.').nth(1).unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../../schemas/receipt.v1.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&payload).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "{payload:#}");
    let genuine = verify(&signed, &keys(&bridge).await).unwrap();
    for language in Language::ALL {
        let lines: Vec<String> =
            rows(&genuine, language).iter().map(|row| format!("{}: {}", row.name, row.value)).collect();
        let text = lines
            .join("\n")
            .replace(&genuine.receipt_id.to_string(), "RECEIPT")
            .replace(&genuine.record_id.to_string(), "GRANT");
        insta::assert_snapshot!(format!("receipt_{}", language.as_str()), text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_was_changed_or_signed_by_another_is_not_genuine() {
    let bridge = TestBridge::start(Database::sqlite(), NOWHERE).await;
    let member = bridge.person("sparrow", "pat-1").await;
    bridge.grant(&member, &["mood"]).await;
    let (signed, keys) = (receipts(&bridge, &member).await.remove(0), keys(&bridge).await);
    verify(&signed, &keys).unwrap();
    let parts: Vec<&str> = signed.split('.').collect();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let more = String::from_utf8(payload).unwrap().replace("every-entry", "daily-summary");
    let more = BASE64_URL_SAFE_NO_PAD.encode(more);
    let unsigned = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"consent-receipt+jws"}"#);
    for forged in [
        format!("{}.{more}.{}", parts[0], parts[2]),
        format!("{unsigned}.{more}."),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].chars().rev().collect::<String>()),
        "no receipt".to_owned(),
    ] {
        assert!(verify(&forged, &keys).is_err(), "{forged}");
    }
    let other = TestBridge::start(Database::sqlite(), NOWHERE).await;
    let theirs = self::keys(&other).await;
    assert!(matches!(verify(&signed, &theirs), Err(NotGenuine::UnknownKey(_))), "another bridge has another key");
}

on_every_database! {
    async fn all_replicas_sign_with_the_same_key_and_restarts_keep_it(database) {
        let bridge = TestBridge::start(database, NOWHERE).await;
        let beside = bridge.beside(SignedDuration::ZERO).await;
        assert_eq!(keys(&bridge).await.keys.len(), 1);
        assert_eq!(keys(&bridge).await, keys(&beside).await);
    }
}

on_every_database! {
    async fn a_receipt_is_sealed_and_nobody_elses(database) {
        let bridge = TestBridge::start(database, NOWHERE).await;
        let member = bridge.person("sparrow", "pat-1").await;
        let other = bridge.person("wren", "pat-2").await;
        bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked(&json!(null)))).await;
        let list = bridge.as_member(&member, Method::GET, "/v1/receipts", None).await;
        let path = format!("/v1/receipts/{}", list.json["receipts"][0]["id"].as_str().unwrap());
        assert_eq!(bridge.as_member(&other, Method::GET, &path, None).await.status, 404);
        assert_eq!(bridge.as_member(&other, Method::GET, "/v1/receipts/none", None).await.status, 404);
        let records = bridge.bridge.store.read().await.unwrap().consent_records(member.id).await.unwrap();
        for sealed in [records[0].sealed_practitioner.as_ref().unwrap(), &records[0].sealed_receipt] {
            let text = String::from_utf8_lossy(sealed);
            assert!(!text.contains("Ada") && !text.contains("dr-7") && !text.contains("every-entry"));
        }
        let grants = bridge.bridge.store.read().await.unwrap().grant_history(member.id).await.unwrap();
        let terms = serde_json::to_string(&grants[0].terms).unwrap();
        assert!(!terms.contains("Ada") && !terms.contains("dr-7"), "nor do the terms name them: {terms}");
    }
}

on_every_database! {
    async fn whoever_did_not_see_the_text_is_asked_again_and_an_old_text_is_not_taken(database) {
        let bridge = TestBridge::start(database, NOWHERE).await;
        let member = bridge.person("sparrow", "pat-1").await;
        let old = asked(&json!({"version": 0, "language": "en"}));
        let got = bridge.as_member(&member, Method::POST, "/v1/grants", Some(&old)).await;
        assert_eq!((got.status, &got.json["field"]), (422, &json!("/terms/notice/version")), "{:?}", got.json);
        let got = bridge.as_member(&member, Method::POST, "/v1/grants", Some(&asked(&json!(null)))).await;
        assert_eq!((got.status, &got.json["needs_asking"]), (201, &json!(true)), "it holds until they are asked");
        let current = http::call(Method::GET, &format!("{}/v1/notices", bridge.api), None, None).await.json;
        assert!(current["notices"][1]["text"].as_str().unwrap().contains("112"));
        let terms = json!({"categories": {"mood": "every-entry"}, "notice": {"version": current["version"], "language": "en"}});
        let path = format!("/v1/grants/{}", got.json["id"].as_str().unwrap());
        let got = bridge.as_member(&member, Method::PUT, &path, Some(&terms)).await;
        assert_eq!((got.status, &got.json["needs_asking"]), (200, &json!(false)), "{:?}", got.json);
        assert_eq!(got.json["notice"], json!({"version": 1, "language": "en"}));
    }
}

on_every_database! {
    async fn a_grant_from_before_there_were_records_still_reads_and_can_be_taken_back(database) {
        let bridge = TestBridge::start(database, NOWHERE).await;
        let member = bridge.person("sparrow", "pat-1").await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.database.run("DELETE FROM consent_records").await;
        let terms = r#"{"categories":{"mood":"every-entry"},"purposes":["TREAT"],"valid_from":"2026-11-20T12:00:00Z",
            "valid_until":"2027-05-22T12:00:00Z","data_from":null}"#;
        bridge.database.run(&format!("UPDATE grants SET terms = '{terms}'")).await;
        let list = bridge.as_member(&member, Method::GET, "/v1/grants", None).await;
        let first = &list.json["grants"][0];
        assert_eq!((&first["needs_asking"], &first["way_back"]), (&json!(true), &json!("none")), "{first:#}");
        assert_eq!(bridge.change_grant(&member, &grant, "revoke").await.status, 200);
        let newest = verify(&receipts(&bridge, &member).await[0], &keys(&bridge).await).unwrap();
        assert_eq!(newest.events.last().unwrap().event_type, "revoked");
    }
}

/// What the command says of a file, and whether it ended well.
fn judged(config: Option<&std::path::Path>, file: &std::path::Path, jwks: Option<&str>) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.args(["receipt", "verify"]).arg(file);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    if let Some(jwks) = jwks {
        command.args(["--jwks", jwks]);
    }
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_says_in_plain_words_whether_a_receipt_is_genuine() {
    let bridge = TestBridge::start(Database::sqlite(), NOWHERE).await;
    let member = bridge.person("sparrow", "pat-1").await;
    bridge.grant(&member, &["mood"]).await;
    let folder = bridge.database.folder.path();
    let (config, file, jwks) = (folder.join("mostik.toml"), folder.join("receipt.jws"), folder.join("jwks.json"));
    let signed = receipts(&bridge, &member).await.remove(0);
    std::fs::write(&file, format!("{signed}\n")).unwrap();
    std::fs::write(&jwks, serde_json::to_vec(&keys(&bridge).await).unwrap()).unwrap();
    let address = format!("{}/.well-known/jwks.json", bridge.api);
    for (config, jwks) in [(Some(&*config), None), (None, jwks.to_str()), (None, Some(&*address))] {
        let (genuine, said) = judged(config, &file, jwks);
        assert!(genuine && said.contains("The receipt is genuine") && said.contains("Mood: every entry"), "{said}");
    }
    std::fs::write(&file, signed.replacen('A', "B", 1)).unwrap();
    let (genuine, said) = judged(Some(&config), &file, None);
    assert!(!genuine && said.contains("is not a genuine receipt of this bridge"), "{said}");
    let (genuine, said) = judged(None, &folder.join("none"), Some(&address));
    assert!(!genuine && said.contains("cannot be read"), "{said}");
}
