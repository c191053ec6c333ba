//! The life of the server, and its page for humans.

use super::super::{Fault, FaultKind, SandboxError};
use super::*;

async fn starts_answers_and_stops() {
    let bench = bench().await;
    bench.patient().await;
    let address = format!("{}/metadata", bench.sandbox.fhir_base());
    bench.sandbox.stop().await;
    let error = client().get(address).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
}

#[tokio::test]
async fn it_runs_under_a_single_threaded_tokio_runtime() {
    starts_answers_and_stops().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_under_a_multi_threaded_tokio_runtime() {
    tokio::spawn(starts_answers_and_stops()).await.unwrap();
}

#[test]
fn it_runs_under_an_actix_runtime() {
    actix_web::rt::System::new().block_on(starts_answers_and_stops());
}

#[tokio::test]
async fn it_stops_while_a_request_is_stalled() {
    let bench = bench().await;
    bench.sandbox.faults().switch_on(Fault::once(FaultKind::Stall));
    let stalled = bench.call(Method::GET, "/metadata").send();
    let (answer, ()) = tokio::join!(stalled, async {
        bench.until(|| bench.sandbox.faults().list().is_empty()).await;
        bench.sandbox.server.end();
    });
    assert!(!answer.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_dropped_sandbox_frees_its_port() {
    let bench = bench().await;
    let home = bench.sandbox.home();
    drop(bench.sandbox);
    for _ in 0..10_000 {
        if bench.client.get(&home).send().await.is_err() {
            return;
        }
    }
    panic!("it still answers");
}

#[tokio::test]
async fn two_sandboxes_share_nothing() {
    let (one, other) = (bench().await, bench().await);
    one.patient().await;
    assert_ne!(one.sandbox.home(), other.sandbox.home());
    assert!(other.sandbox.resources("Patient").is_empty());
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let bench = bench().await;
    let address = bench.sandbox.home().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let second = Sandbox::start(address, Clock::System, Entropy::System).await;
    assert!(matches!(second, Err(SandboxError::Listen { address: refused, .. }) if refused == address));
}

#[tokio::test]
async fn the_page_shows_what_is_there_and_escapes_it() {
    let bench = bench().await;
    let patient = bench.patient().await;
    bench.stored(&mood(&patient, "r-1")).await;
    bench.sandbox.faults().switch_on(Fault::once(FaultKind::Stall).on("POST", "<script>"));
    let response = bench.client.get(bench.sandbox.home()).send().await.unwrap();
    assert_eq!(header(&response, "Content-Type"), "text/html; charset=utf-8");
    assert!(header(&response, "Content-Security-Policy").starts_with("default-src 'none'"));
    let page = response.text().await.unwrap();
    assert!(page.contains("nothing here is kept"));
    assert!(page.contains("<td><a href=\"/fhir/Observation\">Observation</a></td><td>1</td>"));
    assert!(page.contains(&format!("<a href=\"/fhir/Patient/{patient}\">")));
    assert!(page.contains("stall") && page.contains("&#60;script&#62;") && !page.contains("<script"));
}

#[tokio::test]
async fn an_address_outside_fhir_is_404() {
    let bench = bench().await;
    let response = bench.client.get(format!("{}elsewhere", bench.sandbox.home())).send().await.unwrap();
    refused(response, 404, "not-found").await;
    let near = bench.client.get(format!("{}fhirish/Patient", bench.sandbox.home())).send().await.unwrap();
    refused(near, 404, "not-found").await;
}
