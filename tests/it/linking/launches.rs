//! Standalone launches at an authorization server that nobody here wrote, in front of a FHIR server that nobody here wrote.

use jiff::SignedDuration;
use mostik::config::Config;
use mostik::domain::delivery::DeliveryState;
use mostik::enrolment::launch::{Declined, LaunchError};
use mostik::enrolment::link::{LinkError, Linked, Proof};
use mostik::enrolment::trouble::Trouble;
use mostik::store::PatientTokensState;
use reqwest::Url;

use crate::on_both_databases;
use crate::support::bridge::{mood, riverside};
use crate::support::browser::{parameter, walk};
use crate::support::ehr::{create_patient, observations};
use crate::support::linking::{COMES_BACK, LaunchHouse, launch_config, launches, lending_config, proof, unlink_from};
use crate::support::parts::part;
use crate::support::smart::{SmartFhir, use_known_key};

/// The gate that names the authorization server, that server, and the FHIR server behind the gate.
struct Parts {
    gate: String,
    server: String,
    fhir: String,
}

impl Parts {
    fn find() -> Option<Self> {
        Some(Self {
            gate: part("MOSTIK_TEST_SMART_GATE", "a FHIR endpoint that wants tokens of the authorization server")?,
            server: part("MOSTIK_TEST_AUTHORIZATION_SERVER", "the authorization server oidc-provider")?,
            fhir: part("MOSTIK_TEST_FHIR", "the FHIR server sekmet-fhir")?,
        })
    }
}

/// What a browser brings back whose person signs in as a Patient.
async fn sign_in(url: Url, patient: &str) -> String {
    walk(url, &[("patient", patient)], COMES_BACK).await.query().unwrap().to_owned()
}

on_both_databases! {
    async fn a_member_who_signs_in_at_the_clinic_is_linked_and_lends_nothing(database) {
        let Some(parts) = Parts::find() else { return };
        let patient = create_patient(&parts.fhir).await;
        let text = launch_config(&database, &parts.gate, "launch-public", "none");
        let house = LaunchHouse::with(database, &text).await;
        let url = house.begin("a-session").await.unwrap();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "launch-public"),
            ("redirect_uri", COMES_BACK),
            ("scope", "launch/patient openid fhirUser"),
            ("aud", &parts.gate),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(parameter(&url, name).as_deref(), Some(value), "{name}");
        }
        assert!(url.as_str().starts_with(&format!("{}/auth?", parts.server)), "{url}");
        assert!(parameter(&url, "state").unwrap().len() >= 43 && parameter(&url, "nonce").unwrap().len() >= 43);
        let completed = house.complete("a-session", &sign_in(url, &patient).await).await.unwrap();
        assert_eq!((completed.linked, completed.clinic), (Linked::Anew, riverside()));
        assert_eq!(house.patient().await, Some(patient.clone()));
        let Proof::SmartLaunch { issuer, client_id, scopes, subject } =
            proof(&house.bridge, &house.member).await.unwrap() else { panic!("of a launch") };
        assert_eq!((issuer.as_str(), client_id.as_str()), (parts.server.as_str(), "launch-public"));
        assert_eq!((scopes.as_str(), subject), ("launch/patient", Some(patient)));
        assert_eq!(house.bridge.database.count("patient_tokens").await, 0);
        assert_eq!(house.bridge.database.count("launches").await, 0);
    }
}

on_both_databases! {
    async fn what_a_member_lends_by_a_launch_carries_their_entries_into_the_ehr(database) {
        let Some(parts) = Parts::find() else { return };
        let patient = create_patient(&parts.fhir).await;
        let text = lending_config(&database, &parts.gate, "launch-public", "none");
        let house = LaunchHouse::with(database, &text).await;
        let url = house.begin("a-session").await.unwrap();
        assert_eq!(parameter(&url, "prompt").as_deref(), Some("consent"), "or lasting access would not be granted");
        assert!(parameter(&url, "scope").unwrap().contains("offline_access"));
        house.complete("a-session", &sign_in(url, &patient).await).await.unwrap();
        house.bridge.grant(&house.member, &["mood"]).await;
        assert_eq!(house.bridge.send(&mood("1", "sparrow", 4)).await.status, 202);
        house.bridge.deliver().await;
        assert_eq!(house.bridge.count(DeliveryState::Confirmed).await, 1, "{:?}", house.bridge.counts().await);
        assert_eq!(observations(&parts.fhir, &patient).await.len(), 1);
        let mut tx = house.bridge.bridge.store.read().await.unwrap();
        let row = tx.patient_tokens(&riverside(), house.member.id).await.unwrap().unwrap();
        assert_eq!(row.state, PatientTokensState::Good);
        drop(tx);
        let ended = unlink_from(&house.bridge, &house.member).await.unwrap();
        house.launches.give_back(&riverside(), &ended.lent.unwrap()).await;
        assert_eq!(house.bridge.database.count("patient_tokens").await, 0);
    }
}

on_both_databases! {
    async fn nothing_about_one_patient_goes_with_what_was_lent_about_another(database) {
        let Some(parts) = Parts::find() else { return };
        let patients = [create_patient(&parts.fhir).await, create_patient(&parts.fhir).await];
        let text = lending_config(&database, &parts.gate, "launch-public", "none");
        let house = LaunchHouse::with(database, &text).await;
        for (number, patient) in patients.iter().enumerate() {
            let url = house.begin("a-session").await.unwrap();
            house.complete("a-session", &sign_in(url, patient).await).await.unwrap();
            house.bridge.grant(&house.member, &["mood"]).await;
            assert_eq!(house.bridge.send(&mood(&number.to_string(), "sparrow", 4)).await.status, 202);
            // The gate refuses a token that is about another Patient.
            house.bridge.deliver().await;
            assert_eq!(house.bridge.count(DeliveryState::Confirmed).await, 1 + i64::try_from(number).unwrap());
            assert_eq!(observations(&parts.fhir, patient).await.len(), 1);
            unlink_from(&house.bridge, &house.member).await.unwrap();
            house.bridge.clock.advance(SignedDuration::from_secs(1));
        }
    }
}

on_both_databases! {
    async fn a_member_connects_again_and_stays_linked(database) {
        let Some(parts) = Parts::find() else { return };
        let patient = create_patient(&parts.fhir).await;
        let text = lending_config(&database, &parts.gate, "launch-public", "none");
        let house = LaunchHouse::with(database, &text).await;
        for expected in [Linked::Anew, Linked::Already] {
            let url = house.begin("a-session").await.unwrap();
            let completed = house.complete("a-session", &sign_in(url, &patient).await).await.unwrap();
            assert_eq!(completed.linked, expected);
        }
        let mut tx = house.bridge.bridge.store.read().await.unwrap();
        let row = tx.patient_tokens(&riverside(), house.member.id).await.unwrap().unwrap();
        assert_eq!(row.rotation, house.bridge.now().as_microsecond() + 1, "with what the second launch gave");
    }
}

on_both_databases! {
    async fn a_client_that_signs_launches_too(database) {
        let (Some(parts), Some(fhir)) = (Parts::find(), SmartFhir::find()) else { return };
        use_known_key(&database, &fhir.keys, "ES384");
        let patient = create_patient(&parts.fhir).await;
        let text = launch_config(&database, &parts.gate, "launch-signed", "private_key_jwt");
        let house = LaunchHouse::with(database, &text).await;
        let url = house.begin("a-session").await.unwrap();
        let completed = house.complete("a-session", &sign_in(url, &patient).await).await.unwrap();
        assert_eq!(completed.linked, Linked::Anew);
        // The server did look: the same client without a signature gets nothing.
        let unsigned = house.bridge.config.replace("\"private_key_jwt\"", "\"none\"");
        let unsigned = mostik::app::launches(&Config::from_toml(&unsigned).unwrap(), &house.bridge.bridge).unwrap();
        let url = unsigned.begin(house.member.id, &riverside(), "a-session").await.unwrap();
        let back = mostik::enrolment::launch::Returned::read(&sign_in(url, &patient).await).unwrap();
        let error = unsigned.complete(house.member.id, "a-session", &back).await.unwrap_err();
        assert_eq!(error.code(), "token-refused", "{error}");
    }
}

on_both_databases! {
    async fn signing_in_as_somebody_else_links_nobody_anew(database) {
        let Some(parts) = Parts::find() else { return };
        let (patient, another) = (create_patient(&parts.fhir).await, create_patient(&parts.fhir).await);
        let text = launch_config(&database, &parts.gate, "launch-public", "none");
        let house = LaunchHouse::with(database, &text).await;
        let url = house.begin("a-session").await.unwrap();
        house.complete("a-session", &sign_in(url, &patient).await).await.unwrap();
        let url = house.begin("a-session").await.unwrap();
        let error = house.complete("a-session", &sign_in(url, &another).await).await.unwrap_err();
        assert!(matches!(error, LaunchError::Link(LinkError::LinkedToAnother { .. })), "{error}");
        assert_eq!(house.patient().await, Some(patient.clone()));
        let wren = house.bridge.unlinked_person("wren").await;
        let url = house.launches.begin(wren.id, &riverside(), "another-session").await.unwrap();
        let back = mostik::enrolment::launch::Returned::read(&sign_in(url, &patient).await).unwrap();
        let error = house.launches.complete(wren.id, "another-session", &back).await.unwrap_err();
        assert!(matches!(error, LaunchError::Link(LinkError::PatientTaken { .. })), "{error}");
        assert_eq!(error.trouble(), Trouble::PatientTaken);
    }
}

on_both_databases! {
    async fn the_server_itself_refuses_what_was_tampered_with_on_the_way(database) {
        let Some(parts) = Parts::find() else { return };
        let patient = create_patient(&parts.fhir).await;
        let text = launch_config(&database, &parts.gate, "launch-public", "none");
        let house = LaunchHouse::with(database, &text).await;
        let tampered = |url: &Url, name: &str, value: &str| {
            let mut other = url.clone();
            let pairs = url.query_pairs().filter(|(found, _)| found != name);
            other.query_pairs_mut().clear().extend_pairs(pairs).append_pair(name, value);
            other
        };
        let url = house.begin("a-session").await.unwrap();
        let elsewhere = sign_in(tampered(&url, "aud", "https://evil.example/fhir"), &patient).await;
        let error = house.complete("a-session", &elsewhere).await.unwrap_err();
        assert!(matches!(error, LaunchError::Declined(Declined::Other)), "{error}");
        let url = house.begin("a-session").await.unwrap();
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let somebody_elses = sign_in(tampered(&url, "code_challenge", challenge), &patient).await;
        let error = house.complete("a-session", &somebody_elses).await.unwrap_err();
        assert_eq!(error.code(), "token-refused", "{error}");
        let url = house.begin("a-session").await.unwrap();
        let replayed = sign_in(tampered(&url, "nonce", "an-earlier-one"), &patient).await;
        let error = house.complete("a-session", &replayed).await.unwrap_err();
        assert_eq!(error.code(), "launch-id-token", "{error}");
        assert_eq!(house.patient().await, None);
    }
}

on_both_databases! {
    async fn another_replica_ends_what_one_has_begun(database) {
        let Some(parts) = Parts::find() else { return };
        let patient = create_patient(&parts.fhir).await;
        let text = launch_config(&database, &parts.gate, "launch-public", "none");
        let house = LaunchHouse::with(database, &text).await;
        let url = house.begin("a-session").await.unwrap();
        let back = mostik::enrolment::launch::Returned::read(&sign_in(url, &patient).await).unwrap();
        let completed = launches(&house.bridge).complete(house.member.id, "a-session", &back).await.unwrap();
        assert_eq!(completed.linked, Linked::Anew);
    }
}
