//! What a log says about clinics that read: which route and which clinic; never whom it was about, nor a secret.

use mostik::vault::signing::SigningAlgorithm;

use crate::support::clinic::{ALL_SCOPES, System, post_form, read, show, with_systems};
use crate::support::database::Database;
use crate::support::log::Log;

/// What is logged, but for what the test's own client says: the bridge is what is listened to.
fn of_the_bridge(log: &Log) -> String {
    let is_the_bridge = |line: &&str| [" hyper", " reqwest", " h2"].iter().all(|client| !line.contains(client));
    log.text().lines().filter(is_the_bridge).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_everything_names_no_patient_and_no_secret() {
    let log = Log::listen();
    let (bridge, river, lake) = with_systems(Database::sqlite()).await;
    let sparrow = bridge.person("sparrow-siskin", "patient-siskin").await;
    bridge.grant(&sparrow, &["mood"]).await;
    let stranger = System::new("riverside-ehr", SigningAlgorithm::Es384);
    assert_eq!(stranger.ask(&bridge, "scope-siskin").await.status, 400);
    let mut claims = river.claims(&bridge);
    claims["jti"] = "jti-siskin".into();
    let assertion = river.key.sign(&claims).unwrap();
    assert_eq!(show(&bridge, &assertion, ALL_SCOPES).await.status, 200);
    assert_eq!(show(&bridge, &assertion, ALL_SCOPES).await.status, 400);
    for system in [&river, &lake] {
        let token = system.token(&bridge, ALL_SCOPES).await;
        for path in ["/fhir/Consent?patient=patient-siskin", "/fhir/Consent?patient=patient-siskin&status=siskin"] {
            read(&bridge, &token, path).await;
        }
        post_form(&bridge, "/fhir/Consent/_search", Some(&token), &[("patient", "patient-siskin")]).await;
        read(&bridge, &token, "/fhir/Consent/id-siskin").await;
        read(&bridge, &token, "/fhir/patient-siskin").await;
        assert!(!of_the_bridge(&log).contains(token.strip_prefix("mc_").unwrap()));
    }
    let text = of_the_bridge(&log);
    for said in ["/fhir/Consent/{id}", "/fhir/Consent/_search", "riverside", "unknown-key", "replayed"] {
        assert!(text.contains(said), "{said} is not in the log of {} bytes", text.len());
    }
    let found: Vec<&str> = text.lines().filter(|line| line.contains("siskin")).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(!text.contains(&assertion));
}
