//! Launches under attack by people, with browsers of their own and of others. Nobody is linked by any of it.

use std::fmt::Write as _;

use jiff::SignedDuration;
use mostik::delivery::smart_auth::launch::Failure;
use mostik::enrolment::launch::{LaunchError, Returned};
use mostik::enrolment::link::Linked;
use mostik::enrolment::trouble::Trouble;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::authority::{Authority, Desk};
use crate::support::bridge::riverside;
use crate::support::browser::parameter;
use crate::support::database::Database;
use crate::support::linking::{COMES_BACK, LaunchHouse, launch_config, launches, unlink_from};

/// A bridge whose clinic's server is under the test's control.
pub struct Attacked {
    pub house: LaunchHouse,
    pub authority: Authority,
}

pub const SESSION: &str = "the-members-own-session";

impl Attacked {
    pub async fn with(database: Database) -> Self {
        let authority = Authority::start();
        let text = launch_config(&database, &authority.base, "mostik", "none");
        Self { house: LaunchHouse::with(database, &text).await, authority }
    }

    /// Begins a launch, and signs in.
    pub async fn sign_in(&self) -> String {
        self.authority.sign_in(&self.house.begin(SESSION).await.unwrap())
    }

    /// A whole launch.
    pub async fn launch(&self) -> Result<Linked, LaunchError> {
        let back = self.sign_in().await;
        self.house.complete(SESSION, &back).await.map(|completed| completed.linked)
    }

    /// Why a whole launch comes to nothing.
    pub async fn failure(&self) -> Failure {
        let error = self.launch().await.unwrap_err();
        assert_eq!(self.house.patient().await, None);
        let LaunchError::Clinic(failure) = error else { panic!("{error}") };
        failure
    }

    /// Why no launch even begins.
    pub async fn unfit(&self, configuration: Value) -> Failure {
        self.authority.configuration_says(configuration);
        let error = self.house.begin(SESSION).await.unwrap_err();
        assert_eq!(self.house.bridge.database.count("launches").await, 0);
        let LaunchError::Clinic(failure) = error else { panic!("{error}") };
        failure
    }
}

fn is_unknown(error: &LaunchError) -> bool {
    matches!(error, LaunchError::Unknown)
}

/// The same query with another value.
pub fn with(query: &str, name: &str, value: Option<&str>) -> String {
    let kept = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).map(str::to_owned);
    kept.chain(value.map(|value| format!("{name}={value}"))).collect::<Vec<_>>().join("&")
}

on_both_databases! {
    async fn an_honest_server_links_and_gets_its_token_back(database) {
        let attacked = Attacked::with(database).await;
        assert_eq!(attacked.launch().await.unwrap(), Linked::Anew);
        assert_eq!(attacked.house.patient().await.as_deref(), Some("a-patient"));
        assert_eq!(attacked.authority.last("redirect_uri").as_deref(), Some(COMES_BACK));
        assert!(attacked.authority.last("code_verifier").unwrap().len() >= 43);
        assert_eq!(attacked.authority.taken_back(), [("access-0".to_owned(), "access_token".to_owned())]);
    }
}

on_both_databases! {
    async fn a_state_is_good_once_for_the_session_that_began_it(database) {
        let attacked = Attacked::with(database).await;
        let (house, back) = (&attacked.house, attacked.sign_in().await);
        for wrong in [with(&back, "state", None), with(&back, "state", Some("")), with(&back, "state", Some("guessed"))] {
            assert!(is_unknown(&house.complete(SESSION, &wrong).await.unwrap_err()), "{wrong}");
        }
        let twice = format!("{back}&state=guessed");
        assert!(is_unknown(&house.complete(SESSION, &twice).await.unwrap_err()));
        for session in ["another-session", "", "The-members-own-session"] {
            assert!(is_unknown(&house.complete(session, &back).await.unwrap_err()), "{session}");
        }
        assert_eq!(attacked.authority.asked(), 0, "the clinic is not even asked");
        house.complete(SESSION, &back).await.unwrap();
        unlink_from(&house.bridge, &house.member).await.unwrap();
        assert!(is_unknown(&house.complete(SESSION, &back).await.unwrap_err()), "used already");
        assert_eq!((attacked.authority.asked(), house.patient().await), (1, None));
    }
}

on_both_databases! {
    async fn of_two_who_come_back_with_the_same_answer_at_once_one_is_heard(database) {
        let attacked = Attacked::with(database).await;
        let back = attacked.sign_in().await;
        let all = futures_util::future::join_all((0..8).map(|_| attacked.house.complete(SESSION, &back))).await;
        assert_eq!(all.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(attacked.authority.asked(), 1);
    }
}

on_both_databases! {
    async fn nobody_ends_a_launch_of_another_member(database) {
        let attacked = Attacked::with(database).await;
        let house = &attacked.house;
        let wren = house.bridge.unlinked_person("wren").await;
        // Wren signs in as themselves, and lures the other member's browser to the answer; or steals an answer.
        let url = house.launches.begin(wren.id, &riverside(), "wrens-session").await.unwrap();
        let of_wren = attacked.authority.sign_in(&url);
        assert!(is_unknown(&house.complete(SESSION, &of_wren).await.unwrap_err()), "a lured browser");
        assert!(is_unknown(&house.complete("wrens-session", &of_wren).await.unwrap_err()), "whatever its session");
        let of_sparrow = attacked.sign_in().await;
        let stolen = Returned::read(&of_sparrow).unwrap();
        for session in ["wrens-session", SESSION] {
            assert!(is_unknown(&house.launches.complete(wren.id, session, &stolen).await.unwrap_err()), "{session}");
        }
        assert_eq!(attacked.authority.asked(), 0);
        assert!(house.complete(SESSION, &of_sparrow).await.is_ok(), "whose it is, they still end it");
    }
}

on_both_databases! {
    async fn a_code_of_another_members_launch_is_good_for_nothing(database) {
        let attacked = Attacked::with(database).await;
        let house = &attacked.house;
        let wren = house.bridge.unlinked_person("wren").await;
        for (desk, code) in [(Desk::Honest, "token-refused"), (Desk::Careless, "launch-id-token")] {
            attacked.authority.desk_is(desk);
            let url = house.launches.begin(wren.id, &riverside(), "wrens-session").await.unwrap();
            let of_wren = attacked.authority.sign_in(&url);
            let code_of_wren = of_wren.split('&').next().unwrap().trim_start_matches("code=").to_owned();
            let injected = with(&attacked.sign_in().await, "code", Some(&code_of_wren));
            let error = house.complete(SESSION, &injected).await.unwrap_err();
            assert_eq!(error.code(), code, "PKCE stops it, and where the server forgets that, the nonce: {error}");
        }
        assert_eq!(house.patient().await, None);
    }
}

on_both_databases! {
    async fn a_launch_ends_after_ten_minutes_or_with_the_next_one(database) {
        let attacked = Attacked::with(database).await;
        let house = &attacked.house;
        let first = attacked.sign_in().await;
        let second = attacked.sign_in().await;
        assert!(is_unknown(&house.complete(SESSION, &first).await.unwrap_err()), "the next one took its place");
        house.bridge.clock.advance(SignedDuration::from_mins(10));
        let error = house.complete(SESSION, &second).await.unwrap_err();
        assert!(matches!(error, LaunchError::TooLate), "{error}");
        assert!(is_unknown(&house.complete(SESSION, &second).await.unwrap_err()), "and it is gone");
        let later = house.bridge.now().as_second() + 3600;
        attacked.authority.id_token_says(json!({"exp": later}));
        let third = attacked.sign_in().await;
        house.bridge.chores().await;
        assert_eq!(house.bridge.database.count("launches").await, 1);
        house.bridge.clock.advance(SignedDuration::from_mins(9));
        house.complete(SESSION, &third).await.unwrap();
        attacked.sign_in().await;
        house.bridge.clock.advance(SignedDuration::from_mins(10));
        house.bridge.chores().await;
        assert_eq!(house.bridge.database.count("launches").await, 0, "whoever never comes back is forgotten");
    }
}

on_both_databases! {
    async fn a_link_that_ends_takes_a_launch_under_way_with_it(database) {
        let attacked = Attacked::with(database).await;
        attacked.launch().await.unwrap();
        let back = attacked.sign_in().await;
        unlink_from(&attacked.house.bridge, &attacked.house.member).await.unwrap();
        assert!(is_unknown(&attacked.house.complete(SESSION, &back).await.unwrap_err()));
    }
}

on_both_databases! {
    async fn an_answer_of_another_server_is_not_taken_to_this_one(database) {
        let attacked = Attacked::with(database).await;
        for issuer in [None, Some("https://other.example"), Some("")] {
            let back = with(&attacked.sign_in().await, "iss", issuer);
            let error = attacked.house.complete(SESSION, &back).await.unwrap_err();
            assert!(matches!(error, LaunchError::Clinic(Failure::OtherIssuer)), "{issuer:?}: {error}");
            assert_eq!(error.trouble(), Trouble::NotTrusted);
        }
        let declined = with(&with(&attacked.sign_in().await, "iss", None), "error", Some("access_denied"));
        let error = attacked.house.complete(SESSION, &declined).await.unwrap_err();
        assert!(matches!(error, LaunchError::Clinic(Failure::OtherIssuer)), "an error too: {error}");
        assert_eq!(attacked.authority.asked(), 0, "no code is shown anywhere");
    }
}

on_both_databases! {
    async fn a_code_is_shown_only_to_the_server_that_was_named_when_the_launch_began(database) {
        let attacked = Attacked::with(database).await;
        for changed in [
            json!({"token_endpoint": format!("{}/other", attacked.authority.home)}),
            json!({"issuer": format!("{}/other", attacked.authority.home)}),
        ] {
            attacked.authority.configuration_says(json!({}));
            let back = attacked.sign_in().await;
            attacked.authority.configuration_says(changed.clone());
            // Another replica, which has not asked before.
            let replica = launches(&attacked.house.bridge);
            let back = Returned::read(&back).unwrap();
            let error = replica.complete(attacked.house.member.id, SESSION, &back).await.unwrap_err();
            assert!(matches!(error, LaunchError::Clinic(Failure::Moved)), "{changed}: {error}");
        }
        assert_eq!(attacked.authority.asked(), 0);
    }
}

on_both_databases! {
    async fn a_clinic_where_nobody_can_launch_says_so(database) {
        let authority = Authority::start();
        let text = crate::support::bridge::config_text(&database, &authority.base, "127.0.0.1:0");
        let house = LaunchHouse::with(database, &text).await;
        assert!(!house.launches.are_offered_at(&riverside()));
        let error = house.begin(SESSION).await.unwrap_err();
        assert!(matches!(error, LaunchError::NotOffered), "{error}");
    }
}

on_both_databases! {
    async fn the_address_of_the_return_comes_from_the_configuration_alone(database) {
        let attacked = Attacked::with(database).await;
        let url = attacked.house.begin(SESSION).await.unwrap();
        assert_eq!(parameter(&url, "redirect_uri").as_deref(), Some(COMES_BACK));
        assert_eq!(url.origin().ascii_serialization(), attacked.authority.home);
        assert_eq!(parameter(&url, "aud").as_deref(), Some(attacked.authority.base.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_or_personal_is_in_the_log_or_the_database() {
    let log = crate::support::log::Log::listen();
    let attacked = Attacked::with(Database::sqlite()).await;
    attacked.authority.signs_in("canary-patient");
    let mut secrets = vec!["canary-patient".to_owned(), "access-0".to_owned(), SESSION.to_owned()];
    let mut shown = String::new();
    for answer in [json!({}), json!({"patient": "canary/x"}), json!({"id_token": "canary.token.x"})] {
        attacked.authority.answer_says(answer);
        let url = attacked.house.begin(SESSION).await.unwrap();
        secrets.extend([parameter(&url, "state").unwrap(), parameter(&url, "nonce").unwrap()]);
        let back = format!("{}&error_description=canary-words", attacked.authority.sign_in(&url));
        let ended = attacked.house.complete(SESSION, &back).await;
        secrets.push(attacked.authority.last("code_verifier").unwrap());
        let said = ended.as_ref().err().map(ToString::to_string).unwrap_or_default();
        write!(shown, "{ended:?} {said}").unwrap();
        if ended.is_ok() {
            unlink_from(&attacked.house.bridge, &attacked.house.member).await.unwrap();
        }
    }
    let url = attacked.house.begin(SESSION).await.unwrap();
    secrets.extend([parameter(&url, "state").unwrap(), parameter(&url, "nonce").unwrap()]);
    let declined = format!(
        "state={}&error=access_denied&error_description=canary-words&iss={}",
        parameter(&url, "state").unwrap(),
        attacked.authority.home
    );
    write!(shown, "{:?}", attacked.house.complete(SESSION, &declined).await).unwrap();
    attacked.house.begin(SESSION).await.unwrap();
    secrets.extend(["canary/x", "canary.token", "canary-words", "user-of-"].map(str::to_owned));
    let log = log.text();
    assert!(log.contains("a launch came to nothing") && log.contains("launch-no-patient"), "{log}");
    for secret in &secrets {
        assert!(!log.contains(secret.as_str()), "{secret} in the log");
        assert!(!shown.contains(secret.as_str()), "{secret} in {shown}");
    }
    let mut searched = 0;
    for file in std::fs::read_dir(attacked.house.bridge.database.folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() || path.ends_with("mostik.toml") {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        searched += bytes.len();
        for secret in secrets.iter().map(String::as_bytes) {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{secret:?} in the database");
        }
    }
    assert!(searched > 50_000, "the database was looked at");
}
