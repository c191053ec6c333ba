//! What every answer carries, and what no caller can make the bridge say about itself.

use reqwest::header::HeaderMap;
use reqwest::{Method, Response};

use crate::support::bridge::{TestBridge, config_text};
use crate::support::clinic::{PUBLIC_URL, show, token_form, with_systems};
use crate::support::database::Database;
use crate::support::http::{Got, client};

const PATHS: [&str; 9] = [
    "/livez",
    "/openapi.json",
    "/v1/grants",
    "/v1/events",
    "/nowhere",
    "/fhir/metadata",
    "/fhir/Consent",
    "/fhir/nowhere",
    "/.well-known/jwks.json",
];

async fn get(bridge: &TestBridge, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = client().get(format!("{}{path}", bridge.api));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_keeps_browsers_from_doing_more_with_it() {
    let (bridge, _, _) = with_systems(Database::sqlite()).await;
    for path in PATHS {
        let response = get(&bridge, path, &[]).await;
        let headers = response.headers();
        assert_eq!(text(headers, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(text(headers, "referrer-policy"), "no-referrer", "{path}");
        assert!(text(headers, "content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(text(headers, "content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(text(headers, "strict-transport-security"), "max-age=31536000", "{path}");
        let expected = if path == "/.well-known/jwks.json" { "public, max-age=300" } else { "no-store" };
        assert_eq!(text(headers, "cache-control"), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_on_plain_http_does_not_ask_for_https() {
    let database = Database::sqlite();
    let text_of = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0");
    let bridge = TestBridge::start_with(database, &text_of).await;
    let response = get(&bridge, "/livez", &[]).await;
    assert!(!response.headers().contains_key("strict-transport-security"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_has_a_name_that_both_sides_know() {
    let (bridge, _, _) = with_systems(Database::sqlite()).await;
    for path in PATHS {
        let response = get(&bridge, path, &[("x-request-id", "a-name.of_7")]).await;
        assert_eq!(text(response.headers(), "x-request-id"), "a-name.of_7", "{path}");
    }
    let long = "x".repeat(65);
    for given in ["", "a b", "a\tb", "<script>", "ünï", long.as_str()] {
        let response = get(&bridge, "/livez", &[("x-request-id", given)]).await;
        let made = text(response.headers(), "x-request-id").to_owned();
        assert!(made != given && uuid::Uuid::parse_str(&made).is_ok(), "{given:?}: {made}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_a_caller_names_is_never_repeated_and_never_believed() {
    let (bridge, river, _) = with_systems(Database::sqlite()).await;
    bridge.person("sparrow", "17").await;
    let token = river.token(&bridge, "system/Consent.rs").await;
    let evil = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-original-url", "http://evil.example/"),
    ];
    let bearer = format!("Bearer {token}");
    for path in
        ["/fhir/metadata", "/fhir/.well-known/smart-configuration", "/fhir/Consent?patient=17&_count=0", "/nowhere"]
    {
        let headers: Vec<_> = evil.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        let response = get(&bridge, path, &headers).await;
        let shown = format!("{:?}", response.headers());
        let body = response.text().await.unwrap();
        assert!(!shown.contains("evil.example") && !body.contains("evil.example"), "{path}: {body}");
        assert!(path == "/nowhere" || body.contains(PUBLIC_URL), "{path}: {body}");
    }
    let mut claims = river.claims(&bridge);
    claims["aud"] = "https://evil.example/fhir/token".into();
    let assertion = river.key.sign(&claims).unwrap();
    let request = client().post(format!("{}/fhir/token", bridge.api)).header("host", "evil.example");
    let got = Got::read(request.form(&token_form(&assertion, "system/Consent.rs")).send().await.unwrap()).await;
    assert_eq!((got.status, &got.json["error"]), (400, &"invalid_client".into()), "made for another host");
    assert_eq!(show(&bridge, &assertion, "system/Consent.rs").await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_is_not_there_is_told_which_are() {
    let (bridge, _, _) = with_systems(Database::sqlite()).await;
    for (path, allowed) in [
        ("/fhir/token", "POST"),
        ("/fhir/Consent/_search", "POST"),
        ("/fhir/Consent/1", "GET"),
        ("/v1/grants", "GET, POST"),
    ] {
        let request = client().request(Method::DELETE, format!("{}{path}", bridge.api));
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), text(response.headers(), "allow")), (405, allowed), "{path}");
    }
}
