use reqwest::StatusCode;

use super::*;

#[expect(clippy::unnecessary_wraps, reason = "the answers of an EHR come as results")]
fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Result<Answer, EgressError> {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    Ok(Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.as_bytes().to_vec() })
}

fn confirmed(id: &str, version: Option<&str>) -> Sent {
    Sent::Confirmed(Stored {
        resource_type: "Observation".to_owned(),
        id: id.to_owned(),
        version: version.map(str::to_owned),
    })
}

#[test]
fn a_create_is_confirmed_however_the_vendor_says_where() {
    let cases = [
        (answer(201, &[("location", "http://ehr/fhir/Observation/a-1/_history/7")], ""), confirmed("a-1", Some("7"))),
        (answer(201, &[("location", "Observation/a-1")], ""), confirmed("a-1", None)),
        (answer(201, &[("location", "Observation/a-1"), ("etag", "W/\"3\"")], ""), confirmed("a-1", Some("3"))),
        (
            answer(200, &[], r#"{"resourceType":"Observation","id":"b","meta":{"versionId":"2"}}"#),
            confirmed("b", Some("2")),
        ),
    ];
    for (answer, expected) in cases {
        assert_eq!(sent("Observation", answer), expected);
    }
}

#[test]
fn a_create_without_a_place_or_with_a_foreign_one_is_unknown_not_confirmed() {
    for (headers, body) in [
        (vec![], ""),
        (vec![("location", "http://ehr/fhir/Patient/a-1")], ""),
        (vec![("location", "http://ehr/fhir/Observation/")], ""),
        (vec![("location", "http://ehr/fhir/Observation/sp%20ace")], ""),
        (vec![], r#"{"resourceType":"OperationOutcome","id":"x"}"#),
        (vec![], "<html>"),
    ] {
        let got = sent("Observation", answer(201, &headers, body));
        assert_eq!(got, Sent::Unknown { reason: "no-location".to_owned() }, "{headers:?} {body}");
    }
}

#[test]
fn every_status_is_read_as_what_it_says_about_the_resource() {
    let kind = |status| match sent("Observation", answer(status, &[], "")) {
        Sent::Confirmed(_) => "confirmed",
        Sent::NotStored { .. } | Sent::TokenSpent | Sent::NotBegun | Sent::Declined { .. } | Sent::Absent => {
            "not stored"
        }
        Sent::Unknown { .. } => "unknown",
        Sent::Rejected { .. } => "rejected",
    };
    for status in [301, 302, 401, 404, 405, 408, 425, 429, 501] {
        assert_eq!(kind(status), "not stored", "{status}");
    }
    for status in [202, 204, 206, 409, 412, 500, 502, 503, 504, 507, 520, 522, 524, 529] {
        assert_eq!(kind(status), "unknown", "{status}");
    }
    for status in [400, 403, 410, 413, 415, 422] {
        assert_eq!(kind(status), "rejected", "{status}");
    }
    let patient = sent("Observation", answer(503, &[("retry-after", "7")], ""));
    assert!(matches!(patient, Sent::NotStored { retry_after: Some(_), .. }), "{patient:?}");
}

#[test]
fn a_transport_error_is_unknown_unless_nothing_was_sent() {
    assert!(matches!(sent("Observation", Err(EgressError::NoConnection)), Sent::NotStored { .. }));
    assert!(matches!(sent("Observation", Err(EgressError::Refused)), Sent::NotStored { .. }));
    for error in [EgressError::NoAnswer, EgressError::Timeout, EgressError::AnswerTooLong] {
        assert!(matches!(sent("Observation", Err(error)), Sent::Unknown { .. }));
    }
}

#[test]
fn retry_after_is_understood_in_seconds_and_as_a_date() {
    let asked = |headers: &[(&'static str, &'static str)]| match sent("Observation", answer(429, headers, "")) {
        Sent::NotStored { retry_after, .. } => retry_after.map(|wait| wait.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(asked(&[("retry-after", "120")]), Some(120));
    let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
    assert_eq!(asked(&[("retry-after", "Wed, 21 Oct 2026 07:29:00 GMT"), date]), Some(60));
    assert_eq!(asked(&[("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT"), date]), None);
    assert_eq!(asked(&[("retry-after", "soon")]), None);
    assert_eq!(asked(&[]), None);
}

fn search(body: &str) -> Found {
    found("Observation", "sys", "val", answer(200, &[], body))
}

#[test]
fn a_search_finds_only_the_very_identifier() {
    let with = |identifier: &str| {
        format!(
            r#"{{"resourceType":"Bundle","entry":[{{"resource":{{"resourceType":"OperationOutcome"}}}},
            {{"resource":{{"resourceType":"Observation","id":"o1","identifier":{identifier}}}}}]}}"#
        )
    };
    let stored = Found::Stored(Stored { resource_type: "Observation".to_owned(), id: "o1".to_owned(), version: None });
    assert_eq!(search(&with(r#"[{"system":"x","value":"val"},{"system":"sys","value":"val"}]"#)), stored);
    assert_eq!(search(&with(r#"{"system":"sys","value":"val"}"#)), stored);
    assert_eq!(search(&with(r#"[{"system":"sys","value":"other"}]"#)), Found::Absent);
}

#[test]
fn an_empty_bundle_means_absent_but_an_unfiltered_page_means_nothing() {
    assert_eq!(search(r#"{"resourceType":"Bundle"}"#), Found::Absent);
    let more = r#"{"resourceType":"Bundle","link":[{"relation":"next","url":"x"}],"entry":[]}"#;
    let unfiltered =
        r#"{"resourceType":"Bundle","link":[{"relation":"self","url":"http://ehr/Observation?_count=10"}]}"#;
    for body in [more, unfiltered] {
        assert!(matches!(search(body), Found::NoSearch { .. }), "{body}");
    }
    for body in [
        r#"{"resourceType":"Bundle","total":1}"#,
        r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"OperationOutcome",
            "issue":[{"severity":"warning","code":"not-supported"}]}}]}"#,
    ] {
        assert!(matches!(search(body), Found::Undecided { .. }), "{body}");
    }
    let honest = r#"{"resourceType":"Bundle","total":0,"link":[{"relation":"self","url":"http://ehr/O?identifier=x"}],
        "entry":[{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}}]}"#;
    assert_eq!(search(honest), Found::Absent);
}

#[test]
fn what_is_no_search_result_decides_nothing() {
    for body in ["", "<html>", "[]", r#"{"resourceType":"OperationOutcome"}"#] {
        assert!(matches!(search(body), Found::Undecided { .. }), "{body}");
    }
    assert!(matches!(found("Observation", "s", "v", answer(500, &[], "")), Found::Undecided { .. }));
    assert!(matches!(found("Observation", "s", "v", answer(404, &[], "")), Found::NoSearch { .. }));
    assert!(matches!(found("Observation", "s", "v", Err(EgressError::NoConnection)), Found::Undecided { .. }));
}
