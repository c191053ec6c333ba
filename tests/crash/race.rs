//! Many members race for few times, through three replicas that are killed, before an EHR whose answers get lost. Judged by the
//! EHR's own store: each time is one member's, nobody has two, and nothing stays busy for nobody.
//!
//! `MOSTIK_TEST_RACE` says for how many times they race, ten members each (3 if unset); 100 is the full race.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jiff::SignedDuration;
use mostik::app;
use mostik::booking::{self, Ask, BookingError, Finder};
use mostik::config::Config;
use mostik::consent::change;
use mostik::domain::booking::{Booking, BookingState, Way};
use mostik::domain::category::{Category, Detail};
use mostik::domain::clock::Clock;
use mostik::domain::grant::{Addressee, Purpose, Terms, WayBack};
use mostik::domain::ids::{BookingId, GrantId};
use mostik::enrolment::join::{join, link};
use mostik::sandbox::{Fault, FaultKind};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::random::number;
use super::traffic::Dice;
use crate::support::booking::{Does, does, first_talk, free_slot, get_all, proposed_by_the_clinic, schedule};
use crate::support::bridge::{Person, forum, riverside};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patients};
use crate::support::proxy::Proxy;
use crate::support::recommendations::key;
use crate::support::server::{Running, Server};

const REPLICAS: usize = 3;

const KILL_EVERY: Duration = Duration::from_secs(3);

/// So many members race for each time.
const RIVALS: u64 = 10;

/// How long somebody waits for an answer before the test has failed.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often somebody looks whether the clinic has answered.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// So many of them look at the database at the same time: it is one process that plays them all.
static LOOKS: Semaphore = Semaphore::const_new(8);

/// How a clinic's system gives times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    /// Free Slots, each written with its Appointment at once.
    Transactions,
    /// Free Slots, one written after the other.
    Turns,
    /// `$find`, `$hold` and `$book`.
    Operations,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_time_is_booked_by_one_of_those_who_race_for_it_where_both_are_written_at_once() {
    let Some(database) = Database::postgres().await else { return };
    Box::pin(race(&database, &Ehr::sandbox().await, By::Transactions)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_time_is_booked_by_one_of_those_who_race_for_it_where_one_is_written_after_the_other() {
    let Some(database) = Database::postgres().await else { return };
    Box::pin(race(&database, &Ehr::without_conditional_create().await, By::Turns)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_time_is_booked_by_one_of_those_who_race_for_it_by_operations() {
    let Some(database) = Database::postgres().await else { return };
    Box::pin(race(&database, &Ehr::sandbox().await, By::Operations)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_time_is_booked_by_one_of_those_who_race_for_it_through_one_process_that_is_killed_and_started_again() {
    Box::pin(race(&Database::sqlite(), &Ehr::sandbox().await, By::Transactions)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_time_is_booked_by_one_of_those_who_race_for_it_at_a_server_nobody_here_wrote() {
    let Some(database) = Database::postgres().await else { return };
    let Some(ehr) = Ehr::sekmet().await else { return };
    Box::pin(race(&database, &ehr, By::Transactions)).await;
}

async fn race(database: &Database, ehr: &Ehr, by: By) {
    let times = number("MOSTIK_TEST_RACE").unwrap_or(3);
    let seed = number("MOSTIK_TEST_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    // SQLite is for one machine.
    let replicas = if database.is_sqlite() { 1 } else { REPLICAS };
    println!("MOSTIK_TEST_SEED={seed} MOSTIK_TEST_RACE={times}: {by:?}, {replicas} replicas");
    let began = Instant::now();
    let schedule = schedule(&ehr.base).await;
    let start = (Clock::System.now() + SignedDuration::from_hours(48)).round(jiff::Unit::Hour).unwrap();
    let mut slots = BTreeSet::new();
    for n in 0..times {
        let at = start + SignedDuration::from_hours(i64::try_from(n).unwrap());
        slots.insert(free_slot(&ehr.base, &schedule, at).await);
    }
    // Nothing is ever given back by the clock: what ends this race is that everybody was answered.
    let visits = match by {
        By::Operations => proposed_by_the_clinic("way = \"operations\"\nhold_minutes = 60"),
        By::Transactions | By::Turns => first_talk(&schedule, "way = \"slots\"\nhold_minutes = 60"),
    };
    // The sandbox loses answers itself.
    let proxy = ehr.sandbox.is_none().then(|| Proxy::before(&ehr.base));
    let base = proxy.as_ref().map_or(&ehr.base, |proxy| &proxy.base);
    let server = Server::prepare_with(database, base, &ehr.patient, &visits).await;
    // Whoever looks for times has patience: a thousand do so at once, and one process plays them all.
    let text = std::fs::read_to_string(&server.config).unwrap();
    let patient = text.replace("timeout_seconds = 1\nlease_seconds = 3", "timeout_seconds = 20\nlease_seconds = 60");
    let config = Config::from_toml(&patient.replace(base, &ehr.base)).unwrap();
    let finder = app::finder(&config, &server.bridge, &app::desks(&config, &server.bridge).unwrap());
    let mut members = Vec::new();
    while members.len() as u64 != times * RIVALS {
        let count = usize::try_from(times * RIVALS).unwrap() - members.len();
        for patient in create_patients(&ehr.base, count.min(100)).await {
            members.push(member(&server, members.len(), &patient).await);
        }
    }
    // Everybody sees the same times before anything fails.
    let asked = join_all(members.iter().map(|person| looks(&server, &finder, person))).await;
    lose_answers(ehr, proxy.as_ref(), times, by);
    let is_over = AtomicBool::new(false);
    let ready = began.elapsed();
    let replicas = join_all((0..replicas).map(|_| server.start(None))).await;
    let racing = async {
        let ran = join_all(
            members
                .iter()
                .zip(asked)
                .enumerate()
                .map(|(n, (person, id))| run(&server, &finder, (person, id), Dice::new(seed + n as u64))),
        )
        .await;
        is_over.store(true, Ordering::SeqCst);
        ran
    };
    let (ran, (replicas, kills)) = tokio::join!(racing, kill(&server, replicas, Dice::new(seed), &is_over));
    replicas[0].wait_until_idle(&server).await;
    if let Some(sandbox) = &ehr.sandbox {
        sandbox.faults().replace(Vec::new());
    }
    if let Some(proxy) = &proxy {
        assert!(proxy.lost() > 0, "answers were lost");
    }
    let booked = ran.iter().filter(|booking| booking.state == BookingState::Booked).count();
    let told = ran.iter().filter(|booking| booking.state == BookingState::Requested && booking.wish.is_none()).count();
    judge(ehr, &schedule, &slots).await;
    let raced = began.elapsed().saturating_sub(ready);
    println!("{booked} booked and {told} told in {raced:?} after {ready:?} of preparation, with {kills} kills");
    assert_eq!((booked as u64, told as u64), (times, times * (RIVALS - 1)));
}

/// Some answers never come, whether or not what they answer was done.
fn lose_answers(ehr: &Ehr, proxy: Option<&Proxy>, times: u64, by: By) {
    let times = u32::try_from(times.div_ceil(10)).unwrap();
    if let Some(proxy) = proxy {
        proxy.lose_answers(times);
    }
    let Some(sandbox) = &ehr.sandbox else { return };
    let written: &[(&str, &str)] = match by {
        By::Transactions => &[("POST", "Bundle")],
        By::Turns => &[("PUT", "Slot"), ("POST", "Appointment"), ("PUT", "Appointment")],
        By::Operations => &[("POST", "Appointment")],
    };
    let mut faults = sandbox.faults().list();
    for (method, resource_type) in written {
        for kind in [FaultKind::LostReply, FaultKind::Reset, FaultKind::MalformedJson] {
            faults.push(Fault { times: Some(times), ..Fault::always(kind).on(method, resource_type) });
        }
    }
    sandbox.faults().replace(faults);
}

async fn member(server: &Server, n: usize, patient: &str) -> Person {
    let (keyring, now) = (&server.bridge.keyring, server.bridge.clock.now());
    let handle = format!("racer-{n}");
    let mut tx = server.bridge.store.begin().await.unwrap();
    let id = join(&mut tx, keyring, &forum(), &handle, now).await.unwrap();
    link(&mut tx, keyring, id, &riverside(), patient, "test", now).await.unwrap();
    let terms = Terms {
        categories: BTreeMap::from([(Category::Mood, Detail::EveryEntry)]),
        purposes: [Purpose::Treatment].into(),
        valid_from: now,
        valid_until: now + SignedDuration::from_hours(24 * 365),
        data_from: None,
        recipient: Addressee::Clinic,
        way_back: WayBack::Notice,
        withheld: [].into(),
    };
    let grant = GrantId(keyring.entropy().uuid(now).unwrap());
    change::grant(&mut tx, grant, id, riverside(), terms, now).await.unwrap();
    tx.commit().await.unwrap();
    Person { id, handle, token: String::new() }
}

/// Somebody asks for a visit, and sees what is free.
async fn looks(server: &Server, finder: &Finder, person: &Person) -> BookingId {
    let bridge = &server.bridge;
    let (clinic, visit) = (riverside(), "first-talk".parse().unwrap());
    let asked = Ask { clinic: &clinic, visit: &visit, reason: "", way: Way::Slots };
    let _turn = LOOKS.acquire().await.unwrap();
    let mut tx = bridge.store.begin().await.unwrap();
    let id = booking::ask(bridge, &mut tx, person.id, asked, bridge.clock.now()).await.unwrap().id;
    tx.commit().await.unwrap();
    finder.find(person.id, id).await.unwrap();
    id
}

/// Somebody tries until they have a time, or nothing is free.
async fn run(server: &Server, finder: &Finder, (person, id): (&Person, BookingId), dice: Dice) -> Booking {
    let (bridge, began) = (&server.bridge, Instant::now());
    loop {
        assert!(began.elapsed() < PATIENCE, "somebody was never answered: {:?}", stands(server, person, id).await);
        let booking = answered(server, person, id, began).await;
        let _turn = LOOKS.acquire().await.unwrap();
        let next = match booking.state {
            BookingState::Held => Does::Confirm,
            BookingState::Booked => return booking,
            BookingState::Offered if booking.note.is_none() => Does::Choose(dice.below(booking.details.offers.len())),
            _ => {
                let Ok(found) = finder.find(person.id, id).await else { continue };
                match found.details.offers.len() {
                    0 if found.wish.is_none() && found.state == BookingState::Requested => return found,
                    0 => continue,
                    offers => Does::Choose(dice.below(offers)),
                }
            }
        };
        match does(bridge, person, id, next).await {
            Ok(_) | Err(BookingError::NotNow | BookingError::NotOffered) => {}
            Err(error) => panic!("{next:?}: {error}"),
        }
    }
}

/// A booking, once the clinic's system has answered.
async fn answered(server: &Server, person: &Person, id: BookingId, began: Instant) -> Booking {
    loop {
        let turn = LOOKS.acquire().await.unwrap();
        let booking = stands(server, person, id).await;
        drop(turn);
        let is_let_go = booking.state != BookingState::Held && booking.hold_until.is_some();
        if booking.wish.is_none() && !is_let_go || began.elapsed() > PATIENCE {
            return booking;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn stands(server: &Server, person: &Person, id: BookingId) -> Booking {
    let key = key(&server.bridge, person).await;
    let mut tx = server.bridge.store.read().await.unwrap();
    booking::one(&mut tx, &key, id).await.unwrap().unwrap()
}

/// One replica after the other, until it is over; another one takes its place at once.
async fn kill<'a>(
    server: &'a Server,
    mut replicas: Vec<Running<'a>>,
    dice: Dice,
    is_over: &AtomicBool,
) -> (Vec<Running<'a>>, usize) {
    let mut kills = 0;
    while !is_over.load(Ordering::SeqCst) {
        tokio::time::sleep(KILL_EVERY).await;
        let victim = dice.below(replicas.len());
        assert!(replicas[victim].kill(), "it died by itself: {}", server.last_words());
        replicas[victim] = server.start(None).await;
        kills += 1;
    }
    (replicas, kills)
}

/// Each time is busy for one Appointment that is booked, and no other stands or has one.
async fn judge(ehr: &Ehr, schedule: &str, slots: &BTreeSet<String>) {
    let named = |appointment: &Value| {
        let slot = appointment["slot"][0]["reference"].as_str().unwrap_or_default();
        slot.strip_prefix("Slot/").map(str::to_owned)
    };
    let mut booked: BTreeMap<String, usize> = BTreeMap::new();
    for appointment in get_all(&ehr.base, "Appointment?_count=100").await {
        let Some(slot) = named(&appointment).filter(|slot| slots.contains(slot)) else { continue };
        match appointment["status"].as_str().unwrap() {
            "booked" => *booked.entry(slot).or_default() += 1,
            "cancelled" => {}
            other => panic!("an Appointment is left {other}: {appointment}"),
        }
    }
    assert_eq!(booked, slots.iter().map(|slot| (slot.clone(), 1)).collect(), "each once");
    for slot in get_all(&ehr.base, &format!("Slot?schedule=Schedule/{schedule}&_count=100")).await {
        assert_eq!(slot["status"], "busy", "{slot}");
    }
}
