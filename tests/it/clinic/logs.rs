//! What a log says about clinics that read: which route and which clinic; never whom it was about, nor a secret.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use mostik::vault::signing::SigningAlgorithm;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::clinic::{ALL_SCOPES, System, post_form, read, show, with_systems};
use crate::support::database::Database;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_everything_names_no_patient_and_no_secret() {
    let log = Log::default();
    // The test's own client says where it goes; the bridge is what is listened to.
    let filter = "trace,hyper=off,hyper_util=off,reqwest=off,h2=off";
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let (bridge, river, lake) = with_systems(Database::sqlite()).await;
    let sparrow = bridge.person("sparrow-canary", "patient-canary").await;
    bridge.grant(&sparrow, &["mood"]).await;
    let stranger = System::new("riverside-ehr", SigningAlgorithm::Es384);
    assert_eq!(stranger.ask(&bridge, "scope-canary").await.status, 400);
    let mut claims = river.claims(&bridge);
    claims["jti"] = "jti-canary".into();
    let assertion = river.key.sign(&claims).unwrap();
    assert_eq!(show(&bridge, &assertion, ALL_SCOPES).await.status, 200);
    assert_eq!(show(&bridge, &assertion, ALL_SCOPES).await.status, 400);
    for system in [&river, &lake] {
        let token = system.token(&bridge, ALL_SCOPES).await;
        for path in ["/fhir/Consent?patient=patient-canary", "/fhir/Consent?patient=patient-canary&status=canary"] {
            read(&bridge, &token, path).await;
        }
        post_form(&bridge, "/fhir/Consent/_search", Some(&token), &[("patient", "patient-canary")]).await;
        read(&bridge, &token, "/fhir/Consent/id-canary").await;
        read(&bridge, &token, "/fhir/patient-canary").await;
        let text = log.text();
        assert!(!text.contains(token.strip_prefix("mc_").unwrap()));
    }
    let text = log.text();
    for said in ["/fhir/Consent/{id}", "/fhir/Consent/_search", "riverside", "unknown-key", "replayed"] {
        assert!(text.contains(said), "{said} is not in the log of {} bytes", text.len());
    }
    let found: Vec<&str> = text.lines().filter(|line| line.contains("canary")).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(!text.contains(&assertion));
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}
