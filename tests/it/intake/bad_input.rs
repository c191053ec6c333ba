//! Bad input gets a clear answer that names the field, and nothing of it is stored.

use mostik::inbound::event::{EventSchemas, parse_body};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::bridge::{Person, TestBridge, mood};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http::{Got, client};

async fn ready() -> (TestBridge, Person) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, &["mood", "note", "tags"]).await;
    (bridge, member)
}

pub async fn post(bridge: &TestBridge, content_type: &str, body: impl Into<reqwest::Body>) -> Got {
    let request = client().post(format!("{}/v1/events", bridge.api)).bearer_auth(&bridge.api_key);
    Got::read(request.header("content-type", content_type).body(body).send().await.unwrap()).await
}

/// Sends a body in chunks, without announcing its length, and returns the beginning of the answer.
async fn chunked(bridge: &TestBridge, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(bridge.api.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n",
        bridge.api_key,
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for chunk in body.chunks(65536) {
        let size = format!("{:x}\r\n", chunk.len());
        // The bridge may answer and hang up before everything is sent.
        let sent = async {
            stream.write_all(size.as_bytes()).await?;
            stream.write_all(chunk).await?;
            stream.write_all(b"\r\n").await
        };
        if sent.await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn a_body_without_events_is_refused_as_a_whole() {
    let (bridge, member) = ready().await;
    let cut = &mood("1", "sparrow", 4).to_string()[..60];
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", b"".to_vec(), "at least one event"),
        ("blank", b" \n ".to_vec(), "at least one event"),
        ("an empty batch", b"[]".to_vec(), "at least one event"),
        ("truncated", cut.as_bytes().to_vec(), "ends too early"),
        ("two values", b"{}{}".to_vec(), "no JSON"),
        ("a number", b"12".to_vec(), "an object"),
        ("a string", b"\"hello\"".to_vec(), "an object"),
        ("latin-1", b"{\"id\":\"caf\xe9\"}".to_vec(), "UTF-8"),
        ("utf-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect(), "JSON"),
        ("a deep nest", format!("{{\"data\":{}", "[".repeat(100_000)).into_bytes(), "JSON"),
    ];
    for (what, body, expected) in cases {
        let got = post(&bridge, "application/json", body).await;
        assert_eq!((got.status, got.content_type.as_str()), (400, "application/problem+json"), "{what}");
        let detail = got.json["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{what}: {detail}");
    }
    assert_eq!(bridge.traces(&member).await, 0);
}

#[tokio::test]
async fn another_media_type_or_charset_is_refused() {
    let (bridge, _) = ready().await;
    let event = mood("1", "sparrow", 4).to_string();
    for content_type in ["text/plain", "application/xml", "application/json; charset=iso-8859-1", "application/jsonx"] {
        let got = post(&bridge, content_type, event.clone()).await;
        assert_eq!((got.status, got.json["field"].as_str()), (415, Some("Content-Type")), "{content_type}");
    }
    for content_type in ["application/json; charset=UTF-8", "application/cloudevents+json", "Application/JSON"] {
        assert!(post(&bridge, content_type, event.clone()).await.status < 300, "{content_type}");
    }
}

#[tokio::test]
async fn data_is_json_whatever_its_type_says_beside_that() {
    let (bridge, _) = ready().await;
    for (id, datacontenttype, status) in [
        ("1", "application/json", 202),
        ("2", "application/json; charset=utf-8", 202),
        ("3", "application/json;profile=\"x\"", 202),
        ("4", "application/jsonx", 422),
        ("5", "text/plain", 422),
        ("6", "", 422),
    ] {
        let mut event = mood(id, "sparrow", 4);
        event["datacontenttype"] = json!(datacontenttype);
        let got = bridge.send(&event).await;
        assert_eq!(got.status, status, "{datacontenttype}: {:?}", got.json);
        let field = got.json["refusal"]["field"].as_str();
        assert_eq!(field, (status == 422).then_some("/datacontenttype"), "{datacontenttype}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let (bridge, _) = ready().await;
    let request = client().post(format!("{}/v1/events", bridge.api)).bearer_auth(&bridge.api_key);
    let request = request.header("content-type", "application/json").header("content-encoding", "gzip");
    let got = Got::read(request.body(mood("1", "sparrow", 4).to_string()).send().await.unwrap()).await;
    assert_eq!((got.status, got.json["field"].as_str()), (415, Some("Content-Encoding")));
}

proptest! {
    #[test]
    fn no_bytes_at_all_bring_the_parser_down(bytes: Vec<u8>, wrap in prop::bool::ANY) {
        let schemas = EventSchemas::compile().unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let bytes = if wrap { format!("[{}]", String::from_utf8_lossy(&bytes)).into_bytes() } else { bytes };
        let _ = parse_body(&schemas, &bytes, now);
    }

    #[test]
    fn an_event_with_anything_in_one_place_is_taken_or_refused_by_name(
        place in prop::sample::select(vec!["/id", "/source", "/subject", "/time", "/type", "/data", "/data/rating", "/data/rating/value"]),
        value in any_json(),
    ) {
        let schemas = EventSchemas::compile().unwrap();
        let mut event = mood("1", "sparrow", 4);
        *event.pointer_mut(place).unwrap() = value;
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let (parsed, _) = parse_body(&schemas, event.to_string().as_bytes(), now).unwrap();
        if let Err(refusal) = &parsed[0] {
            prop_assert!(refusal.field.as_deref().unwrap().starts_with('/'));
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

#[tokio::test]
async fn too_much_is_refused_with_the_limit() {
    let (bridge, _) = ready().await;
    let huge = format!("[{}]", " ".repeat(2 * 1024 * 1024));
    let got = post(&bridge, "application/json", huge.clone()).await;
    assert_eq!(got.status, 413);
    assert!(got.json["detail"].as_str().unwrap().contains("2097152"));
    assert!(chunked(&bridge, huge.as_bytes()).await.starts_with("HTTP/1.1 413"), "counted while it comes");
    let many: Value = (0..1001).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
    let got = bridge.send(&many).await;
    assert_eq!(got.status, 413);
    assert!(got.json["detail"].as_str().unwrap().contains("1000"));
}

#[tokio::test]
async fn a_bad_field_is_named_and_its_value_is_not_repeated() {
    let (bridge, member) = ready().await;
    let with = |pointer: &str, value: Value| {
        let mut event = mood("x", "sparrow", 4);
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    let without = |name: &str| {
        let mut event = mood("x", "sparrow", 4);
        event.as_object_mut().unwrap().remove(name);
        event
    };
    let secret = "a-secret-value";
    let cases = [
        (with("/time", json!("2026-11-20T11:00:00")), "/time", "offset"),
        (with("/time", json!("2026-11-20")), "/time", "offset"),
        (with("/time", json!("0000-01-01T00:00:00Z")), "/time", "RFC 3339"),
        (with("/time", json!("2026-11-20T13:00:00Z")), "/time", "future"),
        (with("/time", json!("2999-12-31T23:59:59Z")), "/time", "future"),
        (with("/time", json!(secret)), "/time", "RFC 3339"),
        (with("/time", json!(5)), "/time", "string"),
        (with("/specversion", json!("0.3")), "/specversion", "1.0"),
        (with("/type", json!(secret)), "/type", "mostik.mood.v1"),
        (with("/id", json!("")), "/id", "1"),
        (with("/id", json!("i".repeat(201))), "/id", "200"),
        (with("/subject", json!({"name": secret})), "/subject", "string"),
        (with("/data", json!([secret])), "/data", "object"),
        (with("/data", json!({})), "/data", ""),
        (with("/data", json!({"rating": {"value": 4, "worst": 1, "best": 5}, "extra": secret})), "/data", "extra"),
        (with("/data/rating/value", json!(secret)), "/data/rating/value", "number"),
        (with("/data/rating/value", json!(6)), "/data/rating/value", "between"),
        (with("/data/rating/best", json!(1)), "/data/rating/best", "another"),
        (with("/data/rating/value", json!(1.5e300)), "/data", "digits"),
        (
            with("/data", json!({"state_of_mind": {"kind": "dailyMood", "valence": 1.01}})),
            "/data/state_of_mind/valence",
            "1",
        ),
        (
            with("/data", json!({"state_of_mind": {"kind": secret, "valence": 0}})),
            "/data/state_of_mind/kind",
            "dailyMood",
        ),
        (with("/data", json!({"rating": {"value": 4, "worst": 1, "best": 5}, "label": "a\u{0}b"})), "/data/label", ""),
        (without("id"), "/", "id"),
        (without("subject"), "/", "subject"),
        (without("time"), "/", "time"),
        (without("data"), "/", "data"),
    ];
    for (event, field, expected) in cases {
        let got = bridge.send(&event).await;
        assert_eq!(got.status, 422, "{event}");
        let refusal = &got.json["refusal"];
        assert_eq!(refusal["reason"], "invalid", "{event}");
        assert_eq!(refusal["field"], field, "{event} {refusal}");
        assert!(refusal["expected"].as_str().unwrap().contains(expected), "{event} {refusal}");
        assert!(!got.json.to_string().contains(secret), "{refusal}");
    }
    assert_eq!(bridge.traces(&member).await, 0);
    assert_eq!(bridge.open_items().await, 0);
}

#[tokio::test]
async fn a_field_given_twice_is_refused() {
    let (bridge, member) = ready().await;
    let event = mood("1", "sparrow", 4).to_string().replace("\"value\":4", "\"value\":4,\"value\":1");
    let got = post(&bridge, "application/json", event).await;
    assert_eq!(got.json["refusal"]["field"], "/data", "{:?}", got.json);
    let event = mood("1", "sparrow", 4).to_string().replace("\"id\":\"1\"", "\"id\":\"1\",\"id\":\"2\"");
    assert_eq!(post(&bridge, "application/json", event).await.status, 422);
    assert_eq!(bridge.traces(&member).await, 0);
}

#[tokio::test]
async fn notes_and_tags_have_bounds_of_their_own() {
    let (bridge, _) = ready().await;
    let event = |kind: &str, data: Value| {
        let mut event = mood("1", "sparrow", 4);
        event["type"] = json!(format!("mostik.{kind}.v1"));
        event["data"] = data;
        event
    };
    for (data, kind, field) in [
        (json!({"text": ""}), "note", "/data/text"),
        (json!({"text": " \n\t "}), "note", "/data/text"),
        (json!({"text": "x".repeat(10_001)}), "note", "/data/text"),
        (json!({"tags": []}), "tags", "/data/tags"),
        (json!({"tags": vec!["x"; 51]}), "tags", "/data/tags"),
        (json!({"tags": ["ok", ""]}), "tags", "/data/tags/1"),
    ] {
        let got = bridge.send(&event(kind, data)).await;
        assert_eq!((got.status, got.json["refusal"]["field"].as_str()), (422, Some(field)), "{:?}", got.json);
    }
    assert_eq!(bridge.send(&event("note", json!({"text": "дневник\nsecond line 🙂"}))).await.status, 202);
}

#[tokio::test]
async fn a_grant_that_cannot_be_is_refused_with_the_field() {
    let (bridge, _) = ready().await;
    let fresh = bridge.unlinked_person("wren").await;
    let asked = |terms: Value| json!({"clinic": "riverside", "terms": terms});
    for (body, status, field) in [
        (json!({"clinic": "riverside"}), 400, "/"),
        (json!({"clinic": "Not A Slug", "terms": {"categories": {"mood": "every-entry"}}}), 400, "/clinic"),
        (json!({"clinic": "nowhere", "terms": {"categories": {"mood": "every-entry"}}}), 422, "/clinic"),
        (asked(json!({"categories": {"mood": "all"}})), 400, "/terms/categories"),
        (asked(json!({"categories": {"dreams": "every-entry"}})), 400, "/terms/categories"),
        (asked(json!({"categories": {"mood": "every-entry"}, "colour": 1})), 400, "/terms/colour"),
        (asked(json!({"categories": {}})), 422, "/terms/categories"),
        (asked(json!({"categories": {"mood": "every-entry"}, "purposes": []})), 422, "/terms/purposes"),
        (
            asked(json!({"categories": {"mood": "every-entry"}, "valid_until": "2020-01-01T00:00:00Z"})),
            422,
            "/terms/valid_until",
        ),
        (asked(json!({"categories": {"mood": "every-entry"}, "valid_until": "soon"})), 400, "/terms/valid_until"),
    ] {
        let got = bridge.as_member(&fresh, Method::POST, "/v1/grants", Some(&body)).await;
        assert_eq!(got.status, status, "{body} {:?}", got.json);
        let named = got.json["field"].as_str().unwrap_or_default();
        assert!(named.starts_with(field), "{body} {:?}", got.json);
    }
    let good = asked(json!({"categories": {"mood": "every-entry"}}));
    let got = bridge.as_member(&fresh, Method::POST, "/v1/grants", Some(&good)).await;
    assert!(
        got.json["type"].as_str().unwrap().ends_with("/not-linked"),
        "no consent towards a clinic that knows nobody"
    );
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_told_so() {
    let (bridge, member) = ready().await;
    for (method, path, status) in [
        (Method::GET, "/v1/events", 405),
        (Method::DELETE, "/v1/grants", 405),
        (Method::POST, "/livez", 405),
        (Method::HEAD, "/livez", 200),
        (Method::HEAD, "/readyz", 200),
    ] {
        assert_eq!(bridge.as_member(&member, method.clone(), path, None).await.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_there() {
    let (bridge, member) = ready().await;
    for path in
        ["/v1", "/v1/nothing", "/v1/grants/no-uuid/revoke", "/v1/grants/018f0000-0000-7000-8000-000000000000/pause"]
    {
        let got = bridge.as_member(&member, Method::POST, path, None).await;
        assert_eq!((got.status, got.content_type.as_str()), (404, "application/problem+json"), "{path}");
    }
}
