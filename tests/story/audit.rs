//! What remains to be told when everything is over: the log verifies, and what is exported from it tells the story.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit::wrong;
use crate::support::bridge::{TestBridge, correcting, mood, note};
use crate::support::ehr::Ehr;
use crate::support::validate::assert_valid;

on_both_databases! {
    async fn the_log_tells_the_story(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&json!([mood("1", "sparrow", 4), mood("2", "sparrow", 2), note("3", "sparrow", "a secret")])).await;
        bridge.deliver().await;
        bridge.send(&correcting(mood("4", "sparrow", 3), "1")).await;
        bridge.deliver().await;
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.chores().await;
        assert_eq!(wrong(&bridge).await, [""; 0]);

        let text = export(&bridge);
        for secret in ["sparrow", "a secret", &bridge.api_key, &member.token] {
            assert!(!text.contains(secret), "{secret}");
        }
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for event in &events {
            let profile = event["meta"]["profile"][0].as_str().unwrap_or("none");
            *count.entry(profile.rsplit("IHE.BasicAudit.").next().unwrap()).or_default() += 1;
        }
        assert_eq!((count["PatientCreate"], count["PatientUpdate"], count["PrivacyDisclosure.Source"]), (2, 1, 3));
        let decided: Vec<&str> = events
            .iter()
            .filter(|event| event["subtype"][0]["code"] == "AuthZ-Consent")
            .map(|event| event["outcome"].as_str().unwrap())
            .collect();
        assert!(decided.contains(&"0") && decided.contains(&"8"), "permitted and denied: {decided:?}");
        let told: Vec<&str> = events.iter().filter_map(|event| event["subtype"][1]["code"].as_str()).collect();
        assert_eq!(told, ["consent-granted", "consent-revoked"]);
        let disclosure = events.iter().find(|event| event["subtype"][0]["code"] == "disclose").unwrap();
        assert_eq!(disclosure["entity"][0]["what"]["reference"], format!("{}/Patient/{}", ehr.base, ehr.patient));
        assert_eq!(disclosure["entity"][2]["what"]["identifier"]["value"], format!("urn:uuid:{grant}"));
        assert_eq!(disclosure["entity"][2]["detail"][0]["valueString"], "1");
        for event in &events {
            assert_valid(event).await;
        }
    }
}

/// What `mostik audit export` prints.
fn export(bridge: &TestBridge) -> String {
    let config = bridge.database.folder.path().join("mostik.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_mostik")).args(["audit", "export", "--config"]).arg(config).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
