//! `/v1/erasure`: a member's own program takes everything back for them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use mostik::erasure::{GRACE, verify};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge};
use crate::support::ehr::{Ehr, create_patient};
use crate::support::http::{self, Got};
use crate::vault::erasing::{named_in, signing_bridge};

async fn ask(bridge: &TestBridge, person: &Person) -> Got {
    bridge.as_member(person, Method::POST, "/v1/erasure", Some(&json!({"ask_clinics": true}))).await
}

/// What anybody is told who has this secret.
async fn certificate(bridge: &TestBridge, secret: &Value) -> Got {
    let url = format!("{}/v1/erasure/certificate", bridge.api);
    http::call(Method::POST, &url, None, Some(&json!({"secret": secret}))).await
}

on_both_databases! {
    async fn a_program_asks_looks_and_calls_it_off(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        assert_eq!(bridge.as_member(&sparrow, Method::GET, "/v1/erasure", None).await.status, 404);
        let asked = ask(&bridge, &sparrow).await;
        assert_eq!(asked.status, 201, "{:?}", asked.json);
        assert_eq!((&asked.json["state"], &asked.json["requested_by"]), (&json!("requested"), &json!("api")));
        let due: Timestamp = asked.json["due_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(due, bridge.now().checked_add(GRACE).unwrap());
        let twice = ask(&bridge, &sparrow).await;
        assert!(twice.status == 409 && twice.json["type"].as_str().unwrap().ends_with("/already-requested"), "{:?}", twice.json);
        let stands = bridge.as_member(&sparrow, Method::GET, "/v1/erasure", None).await;
        assert_eq!(stands.json, asked.json, "with the secret once more");
        let early = certificate(&bridge, &asked.json["certificate_secret"]).await;
        assert_eq!(early.json, json!({"state": "requested", "certificate": null}));
        let off = bridge.as_member(&sparrow, Method::POST, "/v1/erasure/cancel", None).await;
        assert_eq!((off.status, &off.json["state"], off.json["certificate_secret"].is_null()), (200, &json!("cancelled"), true));
        assert_eq!(bridge.as_member(&sparrow, Method::POST, "/v1/erasure/cancel", None).await.status, 404);
        assert_eq!(bridge.as_member(&sparrow, Method::POST, "/v1/erasure/hurry", None).await.status, 404);
        bridge.clock.advance(GRACE);
        bridge.chores().await;
        assert_eq!(bridge.as_member(&sparrow, Method::GET, "/v1/grants", None).await.status, 200);
    }
}

on_both_databases! {
    async fn what_is_hurried_is_gone_and_leaves_a_certificate_that_says_who_asked(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = bridge.unlinked_person("sparrow").await;
        let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
        let secret = ask(&bridge, &sparrow).await.json["certificate_secret"].clone();
        assert_eq!(bridge.as_member(&wren, Method::POST, "/v1/erasure/hurry", None).await.status, 404, "each their own");
        bridge.clock.advance(SignedDuration::from_mins(1));
        let hurried = bridge.as_member(&sparrow, Method::POST, "/v1/erasure/hurry", None).await;
        assert_eq!((hurried.status, &hurried.json["state"], &hurried.json["certificate_secret"]), (200, &json!("erased"), &secret));
        assert_eq!(named_in(&bridge.database, &sparrow).await, BTreeSet::new());
        assert_eq!(bridge.as_member(&sparrow, Method::GET, "/v1/erasure", None).await.status, 401, "the token went with them");
        let got = certificate(&bridge, &secret).await;
        let says = verify(got.json["certificate"].as_str().unwrap(), &bridge.bridge.signing.published(bridge.now())).unwrap();
        assert_eq!((&says["member"], &says["requested_by"]), (&json!(sparrow.id), &json!("api")));
        let file = bridge.database.folder.path().join("certificate.jws");
        std::fs::write(&file, got.json["certificate"].as_str().unwrap()).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mostik"));
        command.args(["erasure", "verify", "--jwks", &format!("{}/.well-known/jwks.json", bridge.api)]).arg(&file);
        let judged = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&judged.stderr);
        assert!(judged.status.success() && said.contains("The certificate is good."), "as the page says it is checked: {said}");
        assert_eq!(certificate(&bridge, &json!("ec_0")).await.status, 404);
        assert_eq!(certificate(&bridge, &json!(7)).await.status, 400);
        assert_eq!(bridge.as_member(&wren, Method::GET, "/v1/grants", None).await.status, 200);
    }
}
