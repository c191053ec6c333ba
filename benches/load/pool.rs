//! The limit: the same requests from a bare HTTP client pool, and nothing around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::support::tests::http;

/// Sends every body once, so many at the same time; returns how long it took.
pub async fn send(url: &str, bodies: &Arc<Vec<Vec<u8>>>, concurrency: usize) -> Duration {
    let client = http::client();
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for _ in 0..concurrency {
        let (client, next, bodies, url) = (client.clone(), Arc::clone(&next), Arc::clone(bodies), url.to_owned());
        tasks.spawn(async move {
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                let request = client.post(&url).header("content-type", "application/fhir+json").body(body.clone());
                let answer = request.send().await.unwrap();
                assert!(answer.status().is_success());
                answer.bytes().await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    start.elapsed()
}

/// The same resources as batches of so many.
pub fn batches(bodies: &[Vec<u8>], size: usize) -> Vec<Vec<u8>> {
    let entry = |body: &Vec<u8>| {
        let resource = std::str::from_utf8(body).unwrap();
        format!(r#"{{"resource":{resource},"request":{{"method":"POST","url":"Observation"}}}}"#)
    };
    let batch = |part: &[Vec<u8>]| {
        let entries: Vec<String> = part.iter().map(entry).collect();
        format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{}]}}"#, entries.join(",")).into_bytes()
    };
    bodies.chunks(size).map(batch).collect()
}
