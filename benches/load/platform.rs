//! A community's platform that brings a thousand things a second for a minute: each is taken, or told to come again. Beside it the
//! same calls to a handler that does nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mostik::app;
use mostik::enrolment::join::{join, link};
use reqwest::{Client, RequestBuilder};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::figures::{millis, summary};
use super::house::{House, Plan};
use super::memory::resident;
use crate::support::tests::bridge::{forum, riverside};
use crate::support::tests::database::Database;
use crate::support::tests::http;
use crate::support::tests::telegram::{SECRET, Telegram};

const A_SECOND: u32 = 1000;
const SECONDS: u32 = 60;
const MEMBERS: i64 = 200;

pub async fn run() {
    println!("\n{A_SECOND} webhooks a second for {SECONDS} s: how long each takes, from when it was due");
    for database in Database::all().await {
        Box::pin(measure(database)).await;
    }
}

async fn measure(database: Database) {
    let telegram = Telegram::open();
    let settings = telegram.settings(&database, "forum");
    let plan = Plan { concurrency: 4, batch_size: 20 };
    let mut house = House::open_with(database, "http://127.0.0.1:9/fhir", &plan, &settings).await;
    enrol(&mut house).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (listening, address) = oneshot::channel();
    let (config, bridge) = (house.config.clone(), house.bridge.clone());
    let served = tokio::spawn(async move {
        let told = move |address| listening.send(address).unwrap();
        app::serve(&config, bridge, told, async { stopped.await.unwrap() }).await.unwrap();
    });
    let (client, address) = (http::client(), address.await.unwrap());
    println!("{}", house.describe().await);
    let before = resident();
    let empty = format!("http://{address}/livez");
    load(&client, SECONDS / 6, "an empty handler", |client, _| client.get(&empty)).await;
    let (url, at) = (format!("http://{address}/connectors/forum/"), house.now());
    load(&client, SECONDS, "a thing that happened", |client, number| {
        let update = telegram.writes_in_group(number % MEMBERS + 1, at, Some(number % 7 + 1));
        client.post(&url).header("X-Telegram-Bot-Api-Secret-Token", SECRET).json(&update)
    })
    .await;
    println!("  memory of the whole process, {before:.1} MiB before, {:.1} after", resident());
    stop.send(()).unwrap();
    served.await.unwrap();
    house.close().await;
}

/// Sends on time, whether earlier ones were answered or not, and says what became of them.
async fn load(client: &Client, seconds: u32, what: &str, request: impl Fn(&Client, i64) -> RequestBuilder) {
    let (start, refused) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut under_way = JoinSet::new();
    for number in 0..A_SECOND * seconds {
        let due = start + Duration::from_secs(1) * number / A_SECOND;
        tokio::time::sleep_until(due.into()).await;
        let (request, refused) = (request(client, i64::from(number)), Arc::clone(&refused));
        under_way.spawn(async move {
            let status = request.send().await.unwrap().status().as_u16();
            assert!([200, 429].contains(&status), "{status}");
            refused.fetch_add(u64::from(status == 429), Ordering::Relaxed);
            millis(due.elapsed())
        });
    }
    let took = under_way.join_all().await;
    let (sent, refused) = (took.len(), refused.load(Ordering::Relaxed));
    println!("  {what:<22} {sent} sent, {refused} told 429   {}", summary(took));
}

/// Members who share what is counted.
async fn enrol(house: &mut House) {
    let now = house.now();
    let mut tx = house.bridge.store.begin().await.unwrap();
    for member in 1..=MEMBERS {
        let keyring = &house.bridge.keyring;
        let id = join(&mut tx, keyring, &forum(), &member.to_string(), now).await.unwrap();
        link(&mut tx, keyring, id, &riverside(), &format!("patient-{member}"), "test", now).await.unwrap();
        let mut grant = house.consent(id);
        grant.terms.categories =
            [(mostik::domain::category::Category::Community, mostik::domain::category::Detail::WeeklySummary)].into();
        tx.insert_grant(&grant).await.unwrap();
    }
    tx.commit().await.unwrap();
}
