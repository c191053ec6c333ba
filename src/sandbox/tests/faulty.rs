//! Faults: what a client sees of them, and what has happened behind them.

use std::time::Duration;

use super::super::{Fault, FaultKind};
use super::*;

const IMPATIENCE: Duration = Duration::from_millis(100);

impl Bench {
    fn break_next(&self, kind: FaultKind) {
        self.sandbox.faults().switch_on(Fault::once(kind).on("POST", "Patient"));
    }

    fn posting_patient(&self) -> RequestBuilder {
        self.posting(&json!({ "resourceType": "Patient" }))
    }

    async fn at_faults(&self, method: Method, body: Option<Value>) -> Response {
        let mut request = self.client.request(method, format!("{}faults", self.sandbox.home()));
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }
}

#[tokio::test]
async fn a_status_is_answered_as_often_as_wanted_and_nothing_is_executed() {
    let bench = bench().await;
    let kind = FaultKind::Status { code: 429, retry_after: Some(3) };
    bench.sandbox.faults().switch_on(Fault { times: Some(2), ..Fault::always(kind) });
    for _ in 0..2 {
        let response = bench.posting_patient().send().await.unwrap();
        assert_eq!(header(&response, "Retry-After"), "3");
        refused(response, 429, "throttled").await;
    }
    assert!(bench.sandbox.resources("Patient").is_empty());
    assert_eq!(bench.posting_patient().send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(bench.sandbox.requests(), 3);
}

#[tokio::test]
async fn a_fault_strikes_only_the_requests_it_is_meant_for() {
    let bench = bench().await;
    let down = FaultKind::Status { code: 503, retry_after: None };
    bench.sandbox.faults().switch_on(Fault::always(down).on("post", "Observation"));
    let patient = bench.patient().await;
    assert_eq!(bench.get("/Observation").await.status(), StatusCode::OK);
    refused(bench.post(&mood(&patient, "r-1")).await, 503, "transient").await;
    bench.sandbox.faults().clear();
    assert_eq!(bench.post(&mood(&patient, "r-1")).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_lost_reply_is_a_transport_error_after_the_write() {
    let bench = bench().await;
    bench.patient().await; // so that the connection is a reused one, which clients are tempted to retry
    bench.break_next(FaultKind::LostReply);
    let error = bench.posting_patient().send().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    assert_eq!(bench.sandbox.resources("Patient").len(), 2);
    assert_eq!(bench.sandbox.requests(), 2);
    assert_eq!(bench.posting_patient().send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_lost_reply_has_no_byte() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let bench = bench().await;
    bench.break_next(FaultKind::LostReply);
    let address = bench.sandbox.home().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let body = "{\"resourceType\":\"Patient\"}";
    let head =
        "POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: 26\r\n\r\n";
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "");
    assert_eq!(bench.sandbox.resources("Patient").len(), 1);
}

#[tokio::test]
async fn a_reset_is_a_transport_error_before_the_write() {
    let bench = bench().await;
    bench.break_next(FaultKind::Reset);
    let error = bench.posting_patient().send().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    assert!(bench.sandbox.resources("Patient").is_empty());
    assert_eq!(bench.sandbox.requests(), 1);
}

#[tokio::test]
async fn a_stalled_request_never_ends_and_is_never_executed() {
    let bench = bench().await;
    bench.break_next(FaultKind::Stall);
    let error = bench.posting_patient().timeout(IMPATIENCE).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    bench.until(|| bench.sandbox.requests() == 1).await;
    assert!(bench.sandbox.resources("Patient").is_empty());
}

#[tokio::test]
async fn a_delayed_request_is_answered_in_the_end() {
    let bench = bench().await;
    bench.break_next(FaultKind::Delay { millis: 5 });
    assert_eq!(bench.posting_patient().send().await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_delayed_request_is_executed_after_its_client_has_given_up() {
    let bench = bench().await;
    bench.break_next(FaultKind::Delay { millis: 800 });
    let error = bench.posting_patient().timeout(IMPATIENCE).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(bench.sandbox.resources("Patient").is_empty());
    bench.until(|| bench.sandbox.resources("Patient").len() == 1).await;
}

#[tokio::test]
async fn malformed_json_is_a_success_nobody_can_read() {
    let bench = bench().await;
    for prefer in ["return=representation", "return=minimal"] {
        bench.break_next(FaultKind::MalformedJson);
        let response = bench.posting_patient().header("Prefer", prefer).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let body = response.text().await.unwrap();
        assert!(body.starts_with('{') && serde_json::from_str::<Value>(&body).is_err(), "{body}");
    }
    assert_eq!(bench.sandbox.resources("Patient").len(), 2);
}

#[tokio::test]
async fn an_html_error_is_no_operation_outcome() {
    let bench = bench().await;
    bench.break_next(FaultKind::HtmlError);
    let response = bench.posting_patient().send().await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(header(&response, "Content-Type"), "text/html; charset=utf-8");
    assert!(bench.sandbox.resources("Patient").is_empty());
}

#[tokio::test]
async fn faults_are_switched_on_and_off_over_http() {
    let bench = bench().await;
    let down =
        json!({ "kind": { "status": { "code": 503, "retry_after": 1 } }, "on": { "method": "POST", "type": "Task" } });
    let lost = json!({ "kind": "lost-reply", "on": {}, "times": 2 });
    let late = json!({ "kind": { "delay": { "millis": 3 } } });
    let put = bench.at_faults(Method::PUT, Some(json!([down, lost]))).await;
    assert_eq!(put.json::<Value>().await.unwrap(), json!([down, lost]));
    assert_eq!(bench.at_faults(Method::PUT, Some(late)).await.status(), StatusCode::OK);
    let listed: Value = bench.at_faults(Method::GET, None).await.json().await.unwrap();
    assert_eq!(listed, json!([{ "kind": { "delay": { "millis": 3 } }, "on": {} }]), "a put replaces");
    assert_eq!(bench.at_faults(Method::DELETE, None).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(bench.sandbox.faults().list(), []);
}

#[tokio::test]
async fn a_fault_with_a_slip_of_the_pen_is_refused() {
    let bench = bench().await;
    for slip in [
        json!({ "kind": "lost-reply", "time": 1 }),
        json!({ "kind": "lost-replay" }),
        json!({ "kind": { "status": { "code": 503, "retry-after": 1 } } }),
        json!({ "kind": "reset", "on": { "resource": "Task" } }),
    ] {
        refused(bench.at_faults(Method::PUT, Some(slip)).await, 400, "structure").await;
    }
    let fine = json!({ "kind": { "status": { "code": 200 } } });
    refused(bench.at_faults(Method::PUT, Some(fine)).await, 400, "value").await;
    assert_eq!(bench.sandbox.faults().list(), []);
}
