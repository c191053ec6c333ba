use super::*;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

fn asked(at: &str) -> Asked<'static> {
    let (client_id, scopes) = ("mostik", "system/Observation.cruds");
    let (token_endpoint, flow) = ("https://as.example/token", Flow::BackendServices);
    Asked { client_id, scopes, kid: "the-key", token_endpoint, at: at.parse().unwrap(), flow }
}

fn answer(status: u16, headers: &[(reqwest::header::HeaderName, &'static str)], body: &str) -> Answer {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
    Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.as_bytes().to_vec() }
}

fn granted(body: &str) -> Result<AccessToken, TokenError> {
    read(&asked("2026-11-20T12:00:00Z"), answer(200, &[], body))
}

fn why(at: &str, words: &str) -> Why {
    let headers = [(DATE, "Fri, 20 Nov 2026 12:00:00 GMT")];
    let body = format!(r#"{{"error":"invalid_client","error_description":"{words}"}}"#);
    match read(&asked(at), answer(401, &headers, &body)) {
        Err(TokenError::Refused(refused)) => refused.why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_renewed_before_its_end() {
    for (expires_in, renew, end) in [
        ("300", "2026-11-20T12:04:00Z", "2026-11-20T12:05:00Z"),
        ("40", "2026-11-20T12:00:30Z", "2026-11-20T12:00:40Z"),
        ("604800", "2026-11-20T12:59:00Z", "2026-11-20T13:00:00Z"),
    ] {
        let body = format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":{expires_in}}}"#);
        let token = granted(&body).unwrap();
        assert_eq!((token.renew_at.to_string(), token.expires_at.to_string()), (renew.to_owned(), end.to_owned()));
        assert_eq!(token.granted, "system/Observation.cruds");
    }
}

#[test]
fn what_is_no_bearer_token_is_refused() {
    for body in [
        "",
        "<html>",
        r#"{"access_token":"t","token_type":"mac","expires_in":60}"#,
        r#"{"access_token":"","token_type":"bearer","expires_in":60}"#,
        r#"{"access_token":"a\nb","token_type":"bearer","expires_in":60}"#,
        r#"{"access_token":"t","token_type":"bearer","expires_in":0}"#,
        r#"{"token_type":"bearer"}"#,
    ] {
        assert_eq!(granted(body).unwrap_err(), TokenError::Unreadable, "{body}");
    }
}

#[test]
fn nothing_shows_a_token() {
    let token = granted(r#"{"access_token":"s3cret","token_type":"bearer","expires_in":60}"#).unwrap();
    let shown = format!("{token:?} {:?}", token.header().unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_server_that_asks_for_patience_is_not_a_refusal() {
    for status in [429, 500, 503] {
        let error = read(&asked("2026-11-20T12:00:00Z"), answer(status, &[(RETRY_AFTER, "7")], "")).unwrap_err();
        assert_eq!(error, TokenError::NotNow { status, retry_after: Some(SignedDuration::from_secs(7)) });
    }
}

#[test]
fn clocks_that_differ_are_known_by_the_date_and_not_by_words() {
    assert_eq!(why("2026-11-20T12:01:00Z", ""), Why::Unsaid, "a minute can be borne");
    assert_eq!(why("2026-11-20T12:01:01Z", "signature"), Why::Clock(SignedDuration::from_secs(61)));
    assert_eq!(why("2026-11-20T11:56:00Z", ""), Why::Clock(SignedDuration::from_secs(-240)));
    assert_eq!(why("2026-11-20T11:56:01Z", ""), Why::Unsaid);
}

#[test]
fn a_server_s_own_words_are_never_repeated() {
    let body = r#"{"error":"invalid_client","error_description":"bad assertion eyJhbGciOi"}"#;
    let error = read(&asked("2026-11-20T12:00:00Z"), answer(400, &[], body)).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("eyJ"), "{error:?}");
    assert!(error.to_string().contains("invalid_client") && error.to_string().contains("the-key"), "{error}");
}
