//! Launches at servers that lie, or are not what they should be. Nobody is linked by any of it.

use std::time::Duration;

use mostik::delivery::smart_auth::TokenError;
use mostik::delivery::smart_auth::launch::{Failure, IdTokenError, Unfit};
use mostik::enrolment::link::Linked;
use mostik::enrolment::trouble::Trouble;
use serde_json::{Value, json};

use crate::linking::attacks::{Attacked, SESSION, with};
use crate::on_both_databases;
use crate::support::authority::{Authority, Desk, Signature};
use crate::support::bridge::riverside;
use crate::support::linking::{LaunchHouse, lending_config, unlink_from};

on_both_databases! {
    async fn nobody_is_sent_to_a_server_that_is_not_fit(database) {
        let attacked = Attacked::with(database).await;
        for methods in [Value::Null, json!([]), json!(["plain"])] {
            let failure = attacked.unfit(json!({"code_challenge_methods_supported": methods})).await;
            assert!(matches!(failure, Failure::Unfit(Unfit::Lacks(_))), "{failure}");
        }
        let both = attacked.unfit(json!({"code_challenge_methods_supported": ["plain", "S256"]})).await;
        assert_eq!(both, Failure::Unfit(Unfit::OffersPlain));
        for name in ["issuer", "authorization_endpoint", "jwks_uri", "revocation_endpoint"] {
            let failure = attacked.unfit(json!({name: "https://evil.example/x"})).await;
            let unfit = Unfit::HostNotAllowed { what: name, host: "evil.example".to_owned() };
            assert_eq!(failure, Failure::Unfit(unfit));
            assert!(failure.to_string().contains("launch.hosts"), "{failure}");
        }
        let failure = attacked.unfit(json!({"token_endpoint": "https://evil.example/token"})).await;
        assert_eq!(failure, Failure::Token(TokenError::HostNotAllowed { host: "evil.example".to_owned() }));
        let failure = attacked.unfit(json!({"authorization_endpoint": null})).await;
        assert_eq!(failure, Failure::Unfit(Unfit::Lacks("authorization_endpoint")));
        let failure = attacked.unfit(json!({"padding": "x".repeat(5 * 1024 * 1024)})).await;
        assert_eq!(failure.code(), "token-no-answer", "{failure}");
        attacked.authority.configuration_says(json!({}));
        attacked.launch().await.unwrap();
    }
}

on_both_databases! {
    async fn an_id_token_is_believed_only_if_everything_about_it_is_right(database) {
        let attacked = Attacked::with(database).await;
        let now = attacked.house.bridge.now().as_second();
        for (claims, expected) in [
            (json!({"nonce": "another"}), IdTokenError::Nonce),
            (json!({"nonce": null}), IdTokenError::Nonce),
            (json!({"aud": "another-client"}), IdTokenError::Audience),
            (json!({"aud": ["mostik", "another-client"]}), IdTokenError::Audience),
            (json!({"iss": "https://other.example"}), IdTokenError::Issuer),
            (json!({"exp": now - 120}), IdTokenError::Time),
            (json!({"iat": now + 3600}), IdTokenError::Time),
        ] {
            attacked.authority.id_token_says(claims.clone());
            assert_eq!(attacked.failure().await, Failure::IdToken(expected), "{claims}");
        }
        attacked.authority.id_token_says(json!({}));
        for (signature, expected) in
            [(Signature::None, IdTokenError::Unreadable), (Signature::Forged, IdTokenError::Signature)]
        {
            attacked.authority.signed_by(signature);
            assert_eq!(attacked.failure().await, Failure::IdToken(expected));
        }
        attacked.authority.signed_by(Signature::Own);
        for (answer, expected) in [
            (json!({"id_token": null}), IdTokenError::Missing),
            (json!({"id_token": null, "scope": null}), IdTokenError::Missing),
            (json!({"id_token": "no.token.at-all"}), IdTokenError::Unreadable),
        ] {
            attacked.authority.answer_says(answer.clone());
            assert_eq!(attacked.failure().await, Failure::IdToken(expected), "{answer}");
        }
        let given_back = attacked.authority.taken_back().len();
        assert_eq!(given_back, attacked.authority.asked(), "what is not believed is given back");
        attacked.authority.answer_says(json!({}));
        attacked.authority.flood_keys();
        assert_eq!(attacked.failure().await, Failure::IdToken(IdTokenError::NoKeys));
        attacked.authority.answer_says(json!({"id_token": null, "scope": "launch/patient"}));
        assert_eq!(attacked.launch().await.unwrap(), Linked::Anew, "a server may decline to say who signed in");
    }
}

on_both_databases! {
    async fn nobody_is_linked_to_what_is_no_patient(database) {
        let attacked = Attacked::with(database).await;
        for patient in [
            Value::Null,
            json!(""),
            json!("../Patient/1"),
            json!("a b"),
            json!("a".repeat(65)),
            json!(17),
            json!(["a-patient"]),
            json!({"reference": "Patient/a-patient"}),
        ] {
            attacked.authority.answer_says(json!({"patient": patient}));
            assert_eq!(attacked.failure().await, Failure::NoPatient, "{patient}");
        }
        assert_eq!(attacked.authority.taken_back().len(), 8);
    }
}

on_both_databases! {
    async fn whoever_may_see_a_patient_is_not_that_patient(database) {
        let attacked = Attacked::with(database).await;
        for user in [
            "Practitioner/a-patient",
            "https://ehr.example/fhir/RelatedPerson/a-patient",
            "https://ehr.example/fhir/Patient/another",
            "Patient/a-patient/_history/1",
            "a-patient",
        ] {
            attacked.authority.id_token_says(json!({"fhirUser": user}));
            assert_eq!(attacked.failure().await, Failure::NotThePatient, "{user}");
        }
        attacked.authority.id_token_says(json!({"fhirUser": "Patient/a-patient"}));
        assert_eq!(attacked.launch().await.unwrap(), Linked::Anew);
        unlink_from(&attacked.house.bridge, &attacked.house.member).await.unwrap();
        attacked.authority.id_token_says(json!({"fhirUser": null}));
        assert_eq!(attacked.launch().await.unwrap(), Linked::Anew, "not every server says it");
    }
}

on_both_databases! {
    async fn a_token_endpoint_that_sends_elsewhere_or_never_ends_gets_nothing(database) {
        let attacked = Attacked::with(database).await;
        let elsewhere = Authority::start();
        for status in [301, 302, 303, 307, 308] {
            attacked.authority.desk_is(Desk::Redirect(status, format!("{}/token", elsewhere.home)));
            let failure = attacked.failure().await;
            assert_eq!(failure.code(), "token-refused", "{status}: {failure}");
        }
        assert_eq!(elsewhere.asked(), 0, "no code goes there");
        attacked.authority.desk_is(Desk::Flood(5 * 1024 * 1024));
        assert_eq!(attacked.failure().await.code(), "token-no-answer");
        for (status, body) in [
            (200, json!({})),
            (200, json!([])),
            (200, json!({"access_token": "a", "token_type": "mac", "patient": "a-patient"})),
            (200, json!({"access_token": "a\nb", "token_type": "bearer", "patient": "a-patient"})),
            (200, json!({"access_token": "", "token_type": "bearer", "patient": "a-patient"})),
            (201, json!({"access_token": "a", "token_type": "bearer", "patient": "a-patient"})),
            (400, json!({"error": "invalid_grant"})),
            (500, json!({"access_token": "a", "token_type": "bearer", "patient": "a-patient"})),
        ] {
            attacked.authority.desk_is(Desk::Say(status, body.clone()));
            let failure = attacked.failure().await;
            assert!(matches!(failure, Failure::Token(_)), "{status} {body}: {failure}");
        }
    }
}

on_both_databases! {
    async fn an_error_of_the_server_has_a_text_for_the_member(database) {
        let attacked = Attacked::with(database).await;
        for (error, text) in [
            ("access_denied", Trouble::Declined),
            ("invalid_scope", Trouble::NotSetUp),
            ("unauthorized_client", Trouble::NotSetUp),
            ("server_error", Trouble::ClinicTrouble),
            ("temporarily_unavailable", Trouble::ClinicTrouble),
            ("login_required", Trouble::ClinicTrouble),
        ] {
            let back = attacked.sign_in().await;
            let back = with(&with(&back, "code", None), "error", Some(error));
            let told = attacked.house.complete(SESSION, &back).await.unwrap_err();
            assert_eq!(told.trouble(), text, "{error}");
        }
        assert_eq!(attacked.authority.asked(), 0);
    }
}

on_both_databases! {
    async fn a_member_is_linked_although_nobody_takes_the_token_back(database) {
        let attacked = Attacked::with(database).await;
        attacked.authority.configuration_says(json!({"revocation_endpoint": "http://127.0.0.1:9/revoke"}));
        let linked = tokio::time::timeout(Duration::from_mins(1), attacked.launch()).await.unwrap();
        assert_eq!(linked.unwrap(), Linked::Anew);
        attacked.authority.configuration_says(json!({"revocation_endpoint": null}));
        unlink_from(&attacked.house.bridge, &attacked.house.member).await.unwrap();
        assert_eq!(attacked.launch().await.unwrap(), Linked::Anew);
    }
}

on_both_databases! {
    async fn what_is_lent_is_given_back_when_the_link_ends(database) {
        let authority = Authority::start();
        let text = lending_config(&database, &authority.base, "mostik", "none");
        let house = LaunchHouse::with(database, &text).await;
        authority.answer_says(json!({"refresh_token": "a-refresh-token"}));
        let back = authority.sign_in(&house.begin(SESSION).await.unwrap());
        house.complete(SESSION, &back).await.unwrap();
        assert_eq!(authority.taken_back(), [], "it is kept");
        let ended = unlink_from(&house.bridge, &house.member).await.unwrap();
        house.launches.give_back(&riverside(), &ended.lent.unwrap()).await;
        assert_eq!(authority.taken_back(), [("a-refresh-token".to_owned(), "refresh_token".to_owned())]);
    }
}
