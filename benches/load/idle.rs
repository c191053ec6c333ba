//! From an event that is sent to the request at the EHR, when there is nothing else to do.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use mostik::app;
use mostik::enrolment::credentials::{EVENTS_WRITE, create_api_key};
use mostik::enrolment::join::{join, link};
use tokio::sync::oneshot;

use super::ehr::{self, Manner};
use super::figures::{millis, summary};
use super::house::{House, Plan};
use crate::support::tests::bridge::{forum, mood, riverside};
use crate::support::tests::database::Database;
use crate::support::tests::http;

const TIMES: usize = 500;

/// So long nothing happens between two events: the desk has gone to sleep.
const PAUSE: Duration = Duration::from_millis(15);

pub async fn run() {
    println!("\nOne event at a time, in an idle house: what passes before its request has reached the EHR");
    for database in Database::all().await {
        Box::pin(measure(database)).await;
    }
}

async fn measure(database: Database) {
    let (seen, requests) = mpsc::channel();
    let manner = Manner { takes: Duration::from_millis(2), batch: false };
    let base = ehr::serve(manner, move |at| seen.send(at).unwrap());
    let mut house = House::open(database, &base, &Plan { concurrency: 4, batch_size: 20 }).await;
    let api_key = enrol(&mut house).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (listening, address) = oneshot::channel();
    let (config, bridge) = (house.config.clone(), house.bridge.clone());
    let served = tokio::spawn(async move {
        let told = move |address| listening.send(address).unwrap();
        app::serve(&config, bridge, told, async { stopped.await.unwrap() }).await.unwrap();
    });
    let url = format!("http://{}/v1/events", address.await.unwrap());
    let client = http::client();
    let (mut whole, mut after) = (Vec::new(), Vec::new());
    // The first few open connections.
    for number in 0..TIMES + 20 {
        let body = mood(&number.to_string(), "sparrow", 4).to_string();
        let request = client.post(&url).bearer_auth(&api_key).header("content-type", "application/json").body(body);
        let sent = Instant::now();
        let answer = request.send().await.unwrap();
        let accepted = Instant::now();
        assert_eq!(answer.status().as_u16(), 202);
        let arrived = tokio::task::block_in_place(|| requests.recv().unwrap());
        if number >= 20 {
            whole.push(millis(arrived - sent));
            after.push(millis(arrived.saturating_duration_since(accepted)));
        }
        tokio::time::sleep(PAUSE).await;
    }
    println!("{}", house.describe().await);
    println!("  sent by the community → at the EHR   {}", summary(whole));
    println!("  accepted (202)        → at the EHR   {}", summary(after));
    stop.send(()).unwrap();
    served.await.unwrap();
    house.close().await;
}

/// A member who consented, and the community's key.
async fn enrol(house: &mut House) -> String {
    let now = house.now();
    let keyring = &house.bridge.keyring;
    let mut tx = house.bridge.store.begin().await.unwrap();
    let key = create_api_key(&mut tx, keyring, &forum(), EVENTS_WRITE, now).await.unwrap();
    let member = join(&mut tx, keyring, &forum(), "sparrow", now).await.unwrap();
    link(&mut tx, keyring, member, &riverside(), "example", "test", now).await.unwrap();
    tx.insert_grant(&house.consent(member)).await.unwrap();
    tx.commit().await.unwrap();
    key.secret
}
