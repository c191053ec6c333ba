//! From a Task that a clinician writes into the EHR to the member's list: with rest-hooks, and by looking alone.
//!
//! The EHR is sekmet-fhir, as `tests/run --up` starts it (`MOSTIK_TEST_FHIR`). Each member gets one Task; with rest-hooks one
//! after another, by looking at times spread over a minute, which is how often it is looked then.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use mostik::app;
use mostik::config::Config;
use mostik::domain::clock::Clock;
use mostik::domain::entropy::Entropy;
use mostik::domain::grant::WayBack;
use mostik::domain::ids::{GrantId, MemberId};
use mostik::domain::way_back::SubscriptionState;
use mostik::enrolment::join::{join, link};
use mostik::pipeline::Bridge;
use mostik::vault::Key;
use tokio::sync::oneshot;

use super::figures::{millis, summary};
use crate::support::sample;
use crate::support::tests::bridge::{config_text, forum, riverside};
use crate::support::tests::database::Database;
use crate::support::tests::ehr::create_patients;
use crate::support::tests::parts::part;
use crate::support::tests::recommendations::{task, write};

/// How many members, and Tasks.
const MEMBERS: usize = 60;

/// How often the list is looked at while a Task is waited for.
const TICK: Duration = Duration::from_millis(2);

pub async fn run() {
    let Some(ehr) = part("MOSTIK_TEST_FHIR", "the FHIR server sekmet-fhir") else { return };
    println!("\nFrom a Task in the EHR to the member's list, {MEMBERS} members with one Task each");
    for database in Database::all().await {
        Box::pin(measure(database, &ehr, true)).await;
    }
    for database in Database::all().await {
        Box::pin(measure(database, &ehr, false)).await;
    }
}

async fn measure(database: Database, ehr: &str, by_hook: bool) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap().to_string();
    drop(free);
    let subscribe = if by_hook { "criteria" } else { "never" };
    let text = config_text(&database, ehr, &listen)
        .replacen("[server]\n", &format!("[server]\npublic_url = \"http://{listen}/\"\n"), 1)
        .replace("timeout_seconds = 1\nlease_seconds = 3\n", "");
    let rules =
        format!("[clinics.riverside.way_back]\npoll_minutes = 1\nkinds = [\"task\"]\nsubscribe = {subscribe:?}\n");
    let config = Config::from_toml(&format!("{text}{rules}")).unwrap();
    Key::generate(&Entropy::System).unwrap().create_file(config.vault.master_key.file().unwrap()).unwrap();
    let bridge = app::open(&config, Clock::System, Entropy::System).await.unwrap();
    let patients = create_patients(ehr, MEMBERS).await;
    let members = enrol(&bridge, &patients).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (listening, address) = oneshot::channel();
    let (served_config, served_bridge) = (config.clone(), bridge.clone());
    let served = tokio::spawn(async move {
        let told = move |address| listening.send(address).unwrap();
        app::serve(&served_config, served_bridge, told, async { stopped.await.unwrap() }).await.unwrap();
    });
    address.await.unwrap();
    settle(&bridge, by_hook).await;
    let mut waits = Vec::with_capacity(MEMBERS);
    if by_hook {
        for (member, patient) in members.iter().zip(&patients) {
            waits.push(wait(&bridge, *member, ehr, patient, Duration::ZERO).await);
        }
    } else {
        let spread = Duration::from_mins(1) / u32::try_from(MEMBERS).unwrap();
        let each = members.iter().zip(&patients).zip(0u32..);
        let each = each.map(|((member, patient), number)| wait(&bridge, *member, ehr, patient, spread * number));
        waits = futures_util::future::join_all(each).await;
    }
    let way = if by_hook { "rest-hook" } else { "looking each minute" };
    println!("  {:<10} {way:<20} {}", bridge.store.kind(), summary(waits));
    stop.send(()).unwrap();
    served.await.unwrap();
}

/// Members who let everything come back.
async fn enrol(bridge: &Bridge, patients: &[String]) -> Vec<MemberId> {
    let (keyring, now) = (&bridge.keyring, bridge.clock.now());
    let day = jiff::SignedDuration::from_hours(24);
    let mut tx = bridge.store.begin().await.unwrap();
    let mut members = Vec::with_capacity(patients.len());
    for (number, patient) in patients.iter().enumerate() {
        let member = join(&mut tx, keyring, &forum(), &format!("sparrow-{number}"), now).await.unwrap();
        link(&mut tx, keyring, member, &riverside(), patient, "test", now).await.unwrap();
        let mut grant = sample::grant(0, member, riverside());
        grant.id = GrantId(keyring.entropy().uuid(now).unwrap());
        (grant.terms.valid_from, grant.terms.valid_until) = (now - day, now + day);
        grant.terms.way_back = WayBack::Full;
        tx.insert_grant(&grant).await.unwrap();
        members.push(member);
    }
    tx.commit().await.unwrap();
    members
}

/// Waits until everybody was looked at once, and every Subscription works.
async fn settle(bridge: &Bridge, by_hook: bool) {
    loop {
        let mut tx = bridge.store.read().await.unwrap();
        let looks = tx.count_looks().await.unwrap();
        let is_looked = looks.iter().all(|look| look.looked_at.is_some() && look.reason.is_none());
        let made: i64 = tx
            .count_subscriptions()
            .await
            .unwrap()
            .into_iter()
            .filter(|(_, state, _, _)| *state != SubscriptionState::Wanted)
            .map(|(_, _, _, count)| count)
            .sum();
        drop(tx);
        if is_looked && (!by_hook || made == i64::try_from(MEMBERS).unwrap()) {
            // Another look is not taken sooner than a few seconds after the last one.
            return tokio::time::sleep(Duration::from_secs(6)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Writes a Task after a while; how long it takes until the member has it.
async fn wait(bridge: &Bridge, member: MemberId, ehr: &str, patient: &str, after: Duration) -> f64 {
    tokio::time::sleep(after).await;
    write(ehr, task(patient, "Walk half an hour")).await;
    let written = Instant::now();
    loop {
        let found = bridge.store.read().await.unwrap().recommendations(member, None, 1).await.unwrap();
        if !found.is_empty() {
            return millis(written.elapsed());
        }
        tokio::time::sleep(TICK).await;
    }
}
