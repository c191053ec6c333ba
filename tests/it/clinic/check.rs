//! `mostik clinic check`: every step of the way to a clinic, judged, with what to fix.

use std::future::ready;
use std::net::TcpListener;
use std::process::Command;

use actix_web::web::{get, post};
use actix_web::{App, HttpResponse, HttpServer};
use jiff::SignedDuration;
use mostik::delivery::check::{Outcome, Step, check};
use mostik::domain::entropy::Entropy;
use serde_json::{Value, json};

use crate::support::bridge::config_text;
use crate::support::database::Database;
use crate::support::desk::Desk;
use crate::support::ehr::Ehr;
use crate::support::gate::{Gate, Tokens};
use crate::support::smart::{SmartFhir, client, lent_config, smart_config, use_known_key, use_unknown_key};

async fn walk(text: &str) -> Vec<Step> {
    check(&client(text, Entropy::System, SignedDuration::ZERO)).await
}

/// The step that went wrong, and the words about it.
fn wrong(steps: &[Step]) -> Vec<(&'static str, String)> {
    let wrong = |step: &Step| match &step.outcome {
        Outcome::Wrong(words) => Some((step.name, words.clone())),
        Outcome::Good(_) | Outcome::Skipped(_) => None,
    };
    steps.iter().filter_map(wrong).collect()
}

fn names(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clinic_with_everything_has_nothing_to_fix() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    use_known_key(&database, &fhir.keys, "ES384");
    let steps = walk(&smart_config(&database, &fhir.base, "mostik-es384")).await;
    assert_eq!(wrong(&steps), [], "{steps:#?}");
    let every = [
        "connection",
        "TLS",
        "discovery",
        "token",
        "scopes",
        "FHIR version",
        "takes data as",
        "update",
        "conditional create",
        "batch",
        "consent",
        "dry write",
        "search by identifier",
    ];
    assert_eq!(names(&steps), every);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clinic_without_tokens_is_judged_too() {
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    let steps = walk(&config_text(&database, &ehr.base, "127.0.0.1:0")).await;
    assert_eq!(wrong(&steps), [], "{steps:#?}");
    assert!(!names(&steps).contains(&"token"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_ends_where_the_next_step_has_nothing_to_stand_on() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    let without_a_key = walk(&smart_config(&database, &fhir.base, "mostik-es384")).await;
    assert_eq!(names(&without_a_key), ["connection", "TLS", "discovery", "token"]);
    assert!(wrong(&without_a_key)[0].1.contains("mostik keys sign-create"), "{without_a_key:?}");
    let kid = use_unknown_key(&database);
    let with_a_wrong_key = walk(&smart_config(&database, &fhir.base, "mostik-es384")).await;
    assert!(matches!(wrong(&with_a_wrong_key).as_slice(), [("token", words)] if words.contains(&kid)));
    let nobody_there = walk(&smart_config(&database, "http://127.0.0.1:9/fhir", "mostik")).await;
    assert!(matches!(wrong(&nobody_there).as_slice(), [("connection", words)] if words.contains("port 9")));
    let sandbox = Ehr::sandbox().await;
    let no_smart = walk(&smart_config(&database, &sandbox.base, "mostik")).await;
    assert!(matches!(wrong(&no_smart).as_slice(), [("discovery", words)] if words.contains("fhir_base")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn narrowed_scopes_are_named_and_what_they_break_is_shown() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    use_known_key(&database, &fhir.keys, "ES384");
    let steps = walk(&smart_config(&database, &fhir.base, "mostik-narrow")).await;
    let wrong = wrong(&steps);
    assert_eq!(wrong.iter().map(|(name, _)| *name).collect::<Vec<_>>()[0], "scopes", "{wrong:?}");
    assert!(wrong[0].1.contains("system/Observation.cruds"), "{wrong:?}");
    assert!(wrong.iter().any(|(name, _)| *name == "search by identifier"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_proves_nothing_is_a_matter_of_tls() {
    // Whoever speaks plain HTTP where TLS is expected can prove nothing.
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    let gate = Gate::before(&ehr.base, Tokens::Own);
    let text = config_text(&database, &gate.base.replace("http:", "https:"), "127.0.0.1:0");
    let steps = walk(&text).await;
    assert!(matches!(wrong(&steps).as_slice(), [("TLS", words)] if words.contains("certificate")), "{steps:?}");
}

/// Runs the program as an operator does; returns whether it says that all is well, and what it prints.
pub fn run(database: &Database, text: &str, arguments: &[&str]) -> (bool, String) {
    let file = database.folder.path().join("mostik.toml");
    std::fs::write(&file, text).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_mostik")).args(arguments).arg("--config").arg(&file).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_prints_a_line_for_each_step_and_fails_when_one_does() {
    let Some(fhir) = SmartFhir::find() else { return };
    let database = Database::sqlite();
    let text = smart_config(&database, &fhir.base, "mostik-es384");
    let (well, printed) = run(&database, &text, &["clinic", "check", "riverside"]);
    assert!(!well && printed.contains("✗ token") && printed.contains("keys sign-create"), "{printed}");
    let (well, printed) = run(&database, &text, &["keys", "sign-create", "--alg", "es384"]);
    assert!(well && printed.contains("ES384"), "{printed}");
    let (well, printed) = run(&database, &text, &["clinic", "check", "riverside"]);
    assert!(!well && printed.contains("✗ token") && printed.contains("it does not know the key"), "{printed}");
    std::fs::remove_dir_all(database.folder.path().join("keys")).unwrap();
    use_known_key(&database, &fhir.keys, "ES384");
    let (well, printed) = run(&database, &text, &["clinic", "check", "riverside"]);
    assert!(well && printed.contains("✓ token") && !printed.contains('✗'), "{printed}");
    let (well, printed) = run(&database, &text, &["clinic", "check", "hillside"]);
    assert!(!well && printed.contains("[clinics.hillside]"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_members_lend_their_access_all_is_judged_that_takes_no_token() {
    let database = Database::sqlite();
    let desk = Desk::before("http://127.0.0.1:9");
    let check = |authentication: &str| {
        let text = lent_config(&database, &desk.base, authentication);
        run(&database, &text, &["clinic", "check", "riverside"]).1
    };
    let printed = check("none");
    for line in [
        "✓ discovery            tokens are at http://127.0.0.1:",
        "✓ grant types          access can be renewed",
        "✓ scopes               it does not name patient/Observation.cud,",
        "- token                tokens come from members",
        "✗ FHIR version",
        "- search by identifier takes a member's token",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    assert!(!printed.contains("signing key") && !printed.contains("offline_access"), "{printed}");
    let printed = check("private_key_jwt");
    assert!(printed.contains("✗ signing key") && printed.contains("keys sign-create"), "{printed}");
    assert!(printed.contains("not needed here: client-confidential-asymmetric in capabilities"), "{printed}");
    let kid = use_unknown_key(&database);
    assert!(check("private_key_jwt").contains(&format!("✓ signing key          {kid}")));
    assert_eq!(desk.asked(), 0);
    // A clinic that offers the bridge's own access only.
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    let gate = Gate::before(&ehr.base, Tokens::OwnForServices);
    let text = lent_config(&database, &gate.base, "none");
    let (well, printed) = run(&database, &text, &["clinic", "check", "riverside"]);
    assert!(!well && printed.contains("authorization_code") && printed.contains("launches by patients"), "{printed}");
}

/// An EHR that only says what it can do, and looks at what it is shown.
pub fn examiner(outcome: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let statement = json!({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": [
        {"type": "Observation", "interaction": [{"code": "create"}], "operation": [{"name": "validate"}]},
    ]}]});
    let server = HttpServer::new(move || {
        let (statement, outcome) = (statement.clone(), outcome.clone());
        App::new()
            .route("/fhir/metadata", get().to(move || ready(HttpResponse::Ok().json(&statement))))
            .route("/fhir/Observation/$validate", post().to(move || ready(HttpResponse::Ok().json(&outcome))))
            .route("/fhir/Observation", get().to(|| ready(HttpResponse::Ok().json(json!({"resourceType": "Bundle"})))))
    });
    tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
    base
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ehr_that_can_looks_at_an_observation_without_storing_it() {
    for (severity, is_wrong) in [("information", false), ("warning", false), ("error", true)] {
        let outcome = json!({"resourceType": "OperationOutcome", "issue": [
            {"severity": severity, "code": "required", "diagnostics": "Observation.device is missing"},
        ]});
        let database = Database::sqlite();
        let steps = walk(&config_text(&database, &examiner(outcome), "127.0.0.1:0")).await;
        let found = steps.iter().find(|step| step.name == "dry write").unwrap();
        match &found.outcome {
            Outcome::Wrong(words) => assert!(is_wrong && words.contains("Observation.device is missing"), "{words}"),
            Outcome::Good(_) => assert!(!is_wrong, "{severity}"),
            Outcome::Skipped(words) => panic!("{words}"),
        }
    }
}
