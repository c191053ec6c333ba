//! The keys that a clinic publishes: fetched when they are needed, kept as long as it allows, and never for a stranger's
//! asking.

use jiff::SignedDuration;
use mostik::vault::signing::SigningAlgorithm;
use serde_json::json;

use crate::support::bridge::TestBridge;
use crate::support::clinic::{ALL_SCOPES, System, show, two_clinics};
use crate::support::database::Database;
use crate::support::http::Got;
use crate::support::key_server::{Answer, KeyServer};

async fn ready(cache_control: &str) -> (TestBridge, System, KeyServer) {
    let system = System::new("riverside-ehr", SigningAlgorithm::Es384);
    let server = KeyServer::with(&[system.public()], cache_control);
    let database = Database::sqlite();
    let text = two_clinics(&database, &system.published("riverside", &server.url));
    (TestBridge::start_with(database, &text).await, system, server)
}

async fn status(bridge: &TestBridge, system: &System) -> u16 {
    system.ask(bridge, ALL_SCOPES).await.status
}

fn seconds(bridge: &TestBridge, count: i64) {
    bridge.clock.advance(SignedDuration::from_secs(count));
}

fn unavailable(got: &Got) {
    assert_eq!((got.status, got.retry_after, &got.json["error"]), (503, Some(10), &json!("temporarily_unavailable")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_kept_as_long_as_the_clinic_allows() {
    let (bridge, system, server) = ready("public, max-age=60").await;
    assert_eq!(server.asked(), 0, "before anybody comes, nobody is asked");
    for (pause, asked) in [(0, 1), (59, 1), (1, 2), (59, 2), (1, 3)] {
        seconds(&bridge, pause);
        assert_eq!(status(&bridge, &system).await, 200);
        assert_eq!(server.asked(), asked);
    }
    let (bridge, system, server) = ready("no-store").await;
    for (pause, asked) in [(0, 1), (1, 2), (1, 3)] {
        seconds(&bridge, pause);
        assert_eq!(status(&bridge, &system).await, 200);
        assert_eq!(server.asked(), asked);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_is_found_at_once_and_an_old_one_ends_with_the_copy() {
    let (bridge, old, server) = ready("max-age=600").await;
    let new = System::new("riverside-ehr", SigningAlgorithm::Rs384);
    assert_eq!(status(&bridge, &old).await, 200);
    seconds(&bridge, 60);
    server.publish(&[new.public()], "max-age=600");
    assert_eq!(status(&bridge, &new).await, 200, "a name that is not known is asked for");
    assert_eq!(server.asked(), 2);
    assert_eq!(status(&bridge, &old).await, 400, "what is no longer published is no longer good");
    assert_eq!(server.asked(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_cannot_make_the_bridge_ask_without_end() {
    let (bridge, system, server) = ready("max-age=600").await;
    let stranger = System::new("riverside-ehr", SigningAlgorithm::Es384);
    let at_once = futures_util::future::join_all((0..20).map(|_| status(&bridge, &stranger))).await;
    assert_eq!(at_once, [400; 20]);
    assert_eq!(server.asked(), 1, "the first fetch is not followed by another one");
    seconds(&bridge, 29);
    assert_eq!((status(&bridge, &stranger).await, server.asked()), (400, 1));
    seconds(&bridge, 1);
    assert_eq!((status(&bridge, &stranger).await, server.asked()), (400, 2));
    assert_eq!((status(&bridge, &stranger).await, server.asked()), (400, 2));
    assert_eq!((status(&bridge, &system).await, server.asked()), (200, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clinic_that_is_down_is_waited_for_without_being_asked_all_the_time() {
    let (bridge, system, server) = ready("max-age=60").await;
    assert_eq!(status(&bridge, &system).await, 200);
    server.say(Answer { status: 500, headers: Vec::new(), body: String::new() });
    seconds(&bridge, 59);
    assert_eq!(status(&bridge, &system).await, 200, "the copy is still good");
    seconds(&bridge, 1);
    for _ in 0..3 {
        unavailable(&system.ask(&bridge, ALL_SCOPES).await);
    }
    assert_eq!(server.asked(), 2);
    server.publish(&[system.public()], "max-age=60");
    seconds(&bridge, 9);
    unavailable(&system.ask(&bridge, ALL_SCOPES).await);
    seconds(&bridge, 1);
    assert_eq!((status(&bridge, &system).await, server.asked()), (200, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_set_of_keys_is_no_key() {
    let (bridge, system, server) = ready("max-age=600").await;
    let redirect = vec![("location", server.url.replace("/jwks", "/elsewhere"))];
    for answer in [
        Answer { status: 302, headers: redirect, body: String::new() },
        Answer { status: 200, headers: Vec::new(), body: "<html>".to_owned() },
        Answer { status: 200, headers: Vec::new(), body: "[]".to_owned() },
        Answer { status: 404, headers: Vec::new(), body: json!({"keys": [system.public()]}).to_string() },
    ] {
        server.say(answer);
        let asked = server.asked();
        unavailable(&system.ask(&bridge, ALL_SCOPES).await);
        assert_eq!(server.asked(), asked + 1, "nobody is followed anywhere");
        seconds(&bridge, 10);
    }
    // One that cannot be used does not spoil the others, and one that is no secret any more proves nothing.
    let mut leaked = system.public();
    leaked["d"] = json!("AAAA");
    let other = System::new("riverside-ehr", SigningAlgorithm::Es384);
    server.publish(
        &[json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "ed"}), json!(7), leaked, other.public()],
        "",
    );
    assert_eq!((status(&bridge, &system).await, status(&bridge, &other).await), (400, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_may_say_where_its_keys_are_registered_to_be() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let (bridge, system, server) = ready("max-age=600").await;
    let key = EncodingKey::from_ec_pem(&std::fs::read(&system.key_file).unwrap()).unwrap();
    let with = |jku: &str| {
        let kid = Some(system.key.kid().to_owned());
        let header = Header { kid, jku: Some(jku.to_owned()), ..Header::new(Algorithm::ES384) };
        encode(&header, &system.claims(&bridge), &key).unwrap()
    };
    assert_eq!(show(&bridge, &with(&server.url), ALL_SCOPES).await.status, 200);
    let asked = server.asked();
    for jku in [server.url.replace("/jwks", "/other"), "https://evil.example/jwks".to_owned(), String::new()] {
        assert_eq!(show(&bridge, &with(&jku), ALL_SCOPES).await.status, 400, "{jku}");
    }
    assert_eq!(server.asked(), asked, "nobody else is asked");
}
