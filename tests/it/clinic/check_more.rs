//! `mostik clinic check`: whether the EHR hears of consents, and the way of members who sign in at the clinic.

use serde_json::json;

use crate::clinic::check::{examiner, run};
use crate::support::authority::Authority;
use crate::support::booking::proposed_by_the_clinic;
use crate::support::bridge::config_text;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::front::{Does, Front};
use crate::support::gate::{Gate, Tokens};
use crate::support::linking::{COMES_BACK, launch_config};
use crate::support::parts::part;
use crate::support::smart::{lent_config, smart_config, use_unknown_key};

fn check(database: &Database, text: &str) -> String {
    run(database, text, &["clinic", "check", "riverside"]).1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_whether_the_ehr_hears_how_consents_stand() {
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    let without = examiner(json!({"resourceType": "OperationOutcome", "issue": []}));
    let plain = |base: &str| config_text(&database, base, "127.0.0.1:0");
    assert!(check(&database, &plain(&ehr.base)).contains("✓ consent              taken"));
    assert!(check(&database, &plain(&without)).contains("- consent              not taken"));
    let gate = Gate::before(&ehr.base, Tokens::Own);
    use_unknown_key(&database);
    let services = smart_config(&database, &gate.base, "mostik");
    // The gate grants what it grants, whatever is asked for: `system/*.cruds`.
    assert!(check(&database, &services).contains("✓ consent              taken"));
    let lent = lent_config(&database, &gate.base, "none");
    assert!(check(&database, &lent).contains("- consent              no scope for it: add patient/Consent.crus"));
    let scopes = "scopes = \"launch/patient offline_access patient/Observation.cruds patient/Consent.crus\"\n";
    let more = lent.replace("client_authentication", &format!("{scopes}client_authentication"));
    assert!(check(&database, &more).contains("✓ consent              taken"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_which_forms_the_clinic_gets_and_in_which_the_ehr_takes_them() {
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    let plain = |base: &str, more: &str| format!("{}{more}", config_text(&database, base, "127.0.0.1:0"));
    let printed = check(&database, &plain(&ehr.base, ""));
    for line in [
        "✓ questionnaires       none asked for; what is filled in goes as each answer and the total, and the form",
        "- pages                none wanted",
        "✓ visits               none offered; the EHR has $find, $hold and $book (IHE ITI Scheduling), free Slots, requests",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    let asked = "[clinics.riverside.questionnaires]\nphq-9 = \"P2W\"\n";
    let paged = |report: bool| {
        format!("{asked}[clinics.riverside.summary]\npage = \"weekly\"\nlanguage = \"ru\"\nreport = {report}\n")
    };
    let printed = check(&database, &plain(&ehr.base, &paged(true)));
    assert!(printed.contains("✓ questionnaires       asked for: PHQ-9; "), "{printed}");
    let page = "✓ pages                each week, in ru, as text and PDF (DocumentReference)";
    assert!(printed.contains(&format!("{page}, and as a DiagnosticReport\n")), "{printed}");
    assert!(check(&database, &plain(&ehr.base, &paged(false))).contains(&format!("{page}\n")));
    let lent = |scopes: &str| {
        let gate = Gate::before(&ehr.base, Tokens::Own);
        let scopes = format!("scopes = \"launch/patient offline_access patient/Observation.cruds {scopes}\"\n");
        let text = lent_config(&database, &gate.base, "none");
        check(
            &database,
            &(text.replace("client_authentication", &format!("{scopes}client_authentication")) + &paged(true)),
        )
    };
    let printed = lent("patient/QuestionnaireResponse.rs");
    assert!(printed.contains("without the form"), "{printed}");
    assert!(printed.contains(&format!("{page}; not as a DiagnosticReport, which the EHR, or its scopes")), "{printed}");
    let printed = lent("patient/QuestionnaireResponse.crus patient/DiagnosticReport.crus");
    assert!(printed.contains(&format!("{page}, and as a DiagnosticReport")) && !printed.contains("without the form"));
    let without = examiner(json!({"resourceType": "OperationOutcome", "issue": []}));
    let printed = check(&database, &plain(&without, &paged(false)));
    assert!(
        printed.contains("✗ pages                the EHR says that it takes no new DocumentReferences"),
        "{printed}"
    );
    let unchanging = Front::before(&ehr, Does::KeepsDocuments);
    let printed = check(&database, &plain(&unchanging.base, &paged(false)));
    assert!(printed.contains("✗ pages                the EHR says that it takes no changes of"), "{printed}");
    let replacing = paged(false) + "corrections = \"replace\"\n";
    assert!(check(&database, &plain(&unchanging.base, &replacing)).contains(&format!("{page}\n")));
    let visits = proposed_by_the_clinic("way = \"operations\"");
    let printed = check(&database, &plain(&ehr.base, &visits));
    assert!(printed.contains("✓ visits               1 offered; the EHR has $find"), "{printed}");
    let printed = check(&database, &plain(&without, &visits));
    assert!(printed.contains("✗ visits               the EHR does not say that it has"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_is_walked_as_far_as_the_page_where_somebody_signs_in() {
    let Some(server) = part("MOSTIK_TEST_AUTHORIZATION_SERVER", "the authorization server oidc-provider") else {
        return;
    };
    let (ehr, database) = (Ehr::sandbox().await, Database::sqlite());
    let gate = Gate::before(&ehr.base, Tokens::Of(server.clone()));
    // oidc-provider knows one audience in these tests, and the FHIR base of the real gate.
    let Some(fhir) = part("MOSTIK_TEST_SMART_GATE", "the gate before the FHIR server") else { return };
    let printed = check(&database, &launch_config(&database, &fhir, "launch-public", "none"));
    for line in [
        format!("✓ launch: back here    to {COMES_BACK}: the redirect URI that the clinic registers"),
        "✓ launch: discovery    members sign in at 127.0.0.1".to_owned(),
        "✓ launch: sign-in      the server asks whoever comes to sign in".to_owned(),
    ] {
        assert!(printed.contains(&line), "{line}: {printed}");
    }
    assert!(!printed.contains("launch: key"), "nobody has to sign: {printed}");
    let elsewhere = launch_config(&database, &fhir, "launch-public", "none").replace("mostik.example", "other.example");
    let printed = check(&database, &elsewhere);
    assert!(printed.contains("✗ launch: sign-in      the server refuses whoever comes (400 Bad Request)"), "{printed}");
    assert!(
        printed.contains("registered launch-public with the redirect URI https://other.example/launch/return"),
        "{printed}"
    );
    let printed = check(&database, &launch_config(&database, &fhir, "nobody-knows", "none"));
    assert!(printed.contains("✗ launch: sign-in") && printed.contains("nobody-knows"), "{printed}");
    let printed = check(&database, &launch_config(&database, &gate.base, "launch-public", "none"));
    assert!(
        printed.contains("✗ launch: discovery    the SMART configuration lacks authorization_endpoint"),
        "{printed}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_launch_lacks_is_said_with_what_to_do_about_it() {
    let (authority, database) = (Authority::start(), Database::sqlite());
    let signed = launch_config(&database, &authority.base, "mostik", "private_key_jwt");
    let printed = check(&database, &signed);
    assert!(printed.contains("✗ launch: key") && printed.contains("keys sign-create"), "{printed}");
    // There is no such page at this server.
    assert!(printed.contains("✗ launch: sign-in      the server refuses whoever comes (404 Not Found)"), "{printed}");
    let kid = use_unknown_key(&database);
    assert!(check(&database, &signed).contains(&format!("✓ launch: key          {kid}")));
    let here = signed.replace("https://mostik.example", "http://127.0.0.1:8420");
    let printed = check(&database, &here);
    assert!(
        printed.contains("✗ launch: back here    to http://127.0.0.1:8420/launch/return, on their own"),
        "{printed}"
    );
    authority.configuration_says(json!({"scopes_supported": ["openid", "fhirUser"]}));
    let printed = check(&database, &signed);
    assert!(printed.contains("✓ launch: scopes       it does not name launch/patient"), "{printed}");
    authority.configuration_says(json!({"code_challenge_methods_supported": ["S256", "plain"]}));
    let printed = check(&database, &signed);
    assert!(printed.contains("✗ launch: discovery") && printed.contains("`plain`"), "{printed}");
    let none = check(&database, &config_text(&database, &authority.base, "127.0.0.1:0"));
    assert!(!none.contains("launch:"), "where nobody launches: {none}");
}
