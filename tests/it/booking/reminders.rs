//! Members are reminded of their visits: as long before as they wish, once, of the time that counts, and nothing is said of it.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use mostik::booking::remind;
use mostik::domain::booking::{BookingState, Note, Time, Wish};
use mostik::domain::ids::BookingId;
use mostik::domain::settings::{Change, Reminders};
use mostik::domain::telling::{Subject, Wishes};
use serde_json::Value;

use crate::on_both_databases;
use crate::support::booking::{ASKED_FOR, MINUTES, put_booked, set};
use crate::support::bridge::Person;
use crate::support::database::Database;
use crate::support::portal::{Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::receiver::{Receiver, Telling, any_time};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn before(minutes: &[u16]) -> Reminders {
    Reminders::Before(minutes.iter().copied().collect())
}

/// A member, at this instant, whose clinic offers visits with these settings.
async fn open(database: Database, receiver: &Receiver, start: &str, more: &str) -> (Telling, Person) {
    let ways = receiver.by_hook(&database, "full") + ASKED_FOR + more;
    let telling = Telling::open(database, &ways, at(start)).await;
    let sparrow = telling.member("sparrow", "full", any_time()).await;
    (telling, sparrow)
}

/// Time goes by until an instant, a quarter of an hour at a time, and with it whatever it brings about. Returns when the member
/// was told something.
async fn told_until(telling: &Telling, receiver: &Receiver, until: &str) -> Vec<String> {
    let (until, mut told) = (at(until), Vec::new());
    while telling.bridge.now() < until {
        telling.bridge.clock.advance(SignedDuration::from_mins(15));
        let before = receiver.seen().await.len();
        remind(&telling.bridge.bridge).await.unwrap();
        telling.tell().await;
        if receiver.seen().await.len() > before {
            told.push(telling.bridge.now().to_string());
        }
    }
    told
}

async fn moved(telling: &Telling, person: &Person, id: BookingId, start: &str) {
    let time = Time { start: at(start), end: at(start) + SignedDuration::from_mins(MINUTES) };
    set(&telling.bridge, person, id, |row| row.time = Some(time)).await;
}

on_both_databases! {
    async fn a_member_is_reminded_a_day_and_an_hour_before_and_nothing_is_said_of_it(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = open(database, &receiver, "2026-11-22T11:00:00Z", "").await;
        put_booked(&telling.bridge, &sparrow, at("2026-11-23T12:00:00Z")).await;
        let told = told_until(&telling, &receiver, "2026-11-23T13:00:00Z").await;
        assert_eq!(told, ["2026-11-22T12:00:00Z", "2026-11-23T11:00:00Z"]);
        assert_eq!(telling.open_tellings().await, 0);
        for letter in receiver.seen().await {
            let body: Value = serde_json::from_str(letter["raw"].as_str().unwrap()).unwrap();
            assert_eq!((&body["data"]["subject"], &body["data"]["url"]), (&"You have a message".into(), &"https://mostik.example/messages".into()));
            for canary in ["isit", "talk", "ppointment", "Riverside", "23 ", "12:00"] {
                assert!(!body["data"]["text"].to_string().contains(canary), "{canary}: {letter}");
            }
        }
    }
}

on_both_databases! {
    async fn quiet_hours_keep_a_reminder_back_unless_it_would_come_too_late(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = open(database, &receiver, "2026-11-22T20:00:00Z", "").await;
        telling.wish(&sparrow, Wishes::default()).await;
        // The day before falls into the night, and waits for the morning; the hour before cannot.
        put_booked(&telling.bridge, &sparrow, at("2026-11-23T23:30:00Z")).await;
        let told = told_until(&telling, &receiver, "2026-11-24T00:00:00Z").await;
        assert_eq!(told, ["2026-11-23T08:00:00Z", "2026-11-23T22:30:00Z"]);
        // The night ends half an hour before the visit: early enough for a word of an hour before.
        put_booked(&telling.bridge, &sparrow, at("2026-11-24T08:30:00Z")).await;
        assert_eq!(told_until(&telling, &receiver, "2026-11-24T09:00:00Z").await, ["2026-11-24T08:00:00Z"]);
        put_booked(&telling.bridge, &sparrow, at("2026-11-25T08:15:00Z")).await;
        let told = told_until(&telling, &receiver, "2026-11-25T08:15:00Z").await;
        assert_eq!(told, ["2026-11-25T07:15:00Z"], "and too late for this one");
    }
}

on_both_databases! {
    async fn a_reminder_goes_with_its_visit_when_that_is_moved_and_away_when_it_is_called_off(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = open(database, &receiver, "2026-11-22T11:30:00Z", "").await;
        telling.wish(&sparrow, Wishes { quiet: None, ..Wishes::default() }).await;
        let id = put_booked(&telling.bridge, &sparrow, at("2026-11-23T12:00:00Z")).await;
        assert_eq!(told_until(&telling, &receiver, "2026-11-22T12:30:00Z").await, ["2026-11-22T12:00:00Z"]);
        moved(&telling, &sparrow, id, "2026-11-23T18:00:00Z").await;
        let told = told_until(&telling, &receiver, "2026-11-23T16:00:00Z").await;
        assert_eq!(told, ["2026-11-22T18:00:00Z"], "none an hour before the time that it had");
        // It is due, and before it is told the visit is moved, or called off, or begins.
        telling.bridge.clock.advance(SignedDuration::from_hours(1));
        remind(&telling.bridge.bridge).await.unwrap();
        assert_eq!(telling.open_tellings().await, 1);
        moved(&telling, &sparrow, id, "2026-11-23T20:00:00Z").await;
        telling.tell().await;
        assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (2, 0));
        telling.bridge.clock.advance(SignedDuration::from_hours(2));
        remind(&telling.bridge.bridge).await.unwrap();
        assert_eq!(telling.open_tellings().await, 1);
        set(&telling.bridge, &sparrow, id, |row| row.wish = Some(Wish::Cancel)).await;
        telling.tell().await;
        assert_eq!((receiver.seen().await.len(), telling.open_tellings().await), (2, 0), "they do not want it any more");
        set(&telling.bridge, &sparrow, id, |row| (row.state, row.wish) = (BookingState::Cancelled, None)).await;
        assert!(told_until(&telling, &receiver, "2026-11-23T21:00:00Z").await.is_empty());
        let id = put_booked(&telling.bridge, &sparrow, at("2026-11-23T22:00:00Z")).await;
        telling.bridge.clock.advance(SignedDuration::from_hours(1));
        remind(&telling.bridge.bridge).await.unwrap();
        assert_eq!((telling.open_tellings().await, id), (0, id), "it has begun");
    }
}

on_both_databases! {
    async fn whoever_books_late_has_just_been_told_and_is_reminded_of_what_is_still_to_come(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = open(database, &receiver, "2026-11-23T08:00:00Z", "").await;
        put_booked(&telling.bridge, &sparrow, at("2026-11-23T12:00:00Z")).await;
        assert_eq!(told_until(&telling, &receiver, "2026-11-23T13:00:00Z").await, ["2026-11-23T11:00:00Z"]);
    }
}

on_both_databases! {
    async fn the_member_says_when_else_the_clinic_and_whoever_wants_none_gets_none(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = open(database, &receiver, "2026-11-23T08:00:00Z", "remind_minutes = [120]\n").await;
        let wishes = |minutes: &[u16]| Change { reminders: Some(before(minutes)), ..Change::default() };
        put_booked(&telling.bridge, &sparrow, at("2026-11-23T12:00:00Z")).await;
        assert_eq!(told_until(&telling, &receiver, "2026-11-23T12:00:00Z").await, ["2026-11-23T10:00:00Z"], "the clinic");
        telling.bridge.set(&sparrow, wishes(&[15])).await;
        put_booked(&telling.bridge, &sparrow, at("2026-11-23T16:00:00Z")).await;
        assert_eq!(told_until(&telling, &receiver, "2026-11-23T16:00:00Z").await, ["2026-11-23T15:45:00Z"], "the member");
        telling.bridge.set(&sparrow, wishes(&[])).await;
        put_booked(&telling.bridge, &sparrow, at("2026-11-23T20:00:00Z")).await;
        assert!(told_until(&telling, &receiver, "2026-11-23T20:00:00Z").await.is_empty());
        telling.bridge.set(&sparrow, wishes(&[60])).await;
        telling.wish(&sparrow, Wishes { silent: [Subject::Appointment].into(), ..any_time() }).await;
        put_booked(&telling.bridge, &sparrow, at("2026-11-24T00:00:00Z")).await;
        assert!(told_until(&telling, &receiver, "2026-11-24T00:00:00Z").await.is_empty());
    }
}

on_both_databases! {
    async fn nobody_is_reminded_who_lets_nothing_come_back(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, _) = open(database, &receiver, "2026-11-23T08:00:00Z", "").await;
        let wren = telling.member("wren", "none", any_time()).await;
        put_booked(&telling.bridge, &wren, at("2026-11-23T12:00:00Z")).await;
        assert!(told_until(&telling, &receiver, "2026-11-23T12:00:00Z").await.is_empty());
        assert_eq!(telling.open_tellings().await, 0);
    }
}

on_both_databases! {
    async fn a_reminder_comes_once_whoever_looks_and_whoever_dies(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let (telling, sparrow) = open(database, &receiver, "2026-11-23T08:00:00Z", "").await;
        put_booked(&telling.bridge, &sparrow, at("2026-11-23T12:00:00Z")).await;
        remind(&telling.bridge.bridge).await.unwrap();
        telling.bridge.clock.advance(SignedDuration::from_hours(3));
        // Nobody gets as far as to write down that it was due.
        let (database, noon) = (&telling.bridge.database, at("2026-11-23T12:00:00Z").as_microsecond());
        let (stop, go_on) = if database.is_sqlite() {
            let stop = "CREATE TRIGGER died BEFORE UPDATE OF remind_at ON bookings BEGIN SELECT RAISE(ABORT, 'died'); END";
            (stop.to_owned(), "DROP TRIGGER died")
        } else {
            let stop = format!("ALTER TABLE bookings ADD CONSTRAINT died CHECK (remind_at IS NOT NULL OR starts_at <> {noon})");
            (stop, "ALTER TABLE bookings DROP CONSTRAINT died")
        };
        database.run(&stop).await;
        assert!(remind(&telling.bridge.bridge).await.is_err());
        assert_eq!(telling.open_tellings().await, 0, "what was not written down is not told");
        database.run(go_on).await;
        for round in 0..3 {
            let replicas = join_all((0..4).map(|_| remind(&telling.bridge.bridge))).await;
            assert!(replicas.iter().all(Result::is_ok));
            telling.tell().await;
            assert_eq!(receiver.seen().await.len(), 1, "round {round}");
        }
    }
}

on_both_databases! {
    async fn a_member_says_in_the_portal_when_and_finds_what_is_near_among_the_messages(database) {
        let postbox = Postbox::open();
        let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox) + ASKED_FOR;
        let portal = Portal::open_at(database, &text, postbox, at("2026-11-23T08:00:00Z")).await;
        let sparrow = portal.bridge.person("sparrow", "patient").await;
        let mut browser = portal.sign_in(&sparrow).await;
        let id = put_booked(&portal.bridge, &sparrow, at("2026-11-23T12:00:00Z")).await;
        remind(&portal.bridge.bridge).await.unwrap();
        let page = browser.get("/settings/messages").await;
        let words = page.html().by_id("reminders").text();
        assert!(words.contains("As your clinic does") && words.contains("Three hours before"), "{words}");
        let form = [("grade", "notice"), ("when", "now"), ("remind", "own"), ("remind-15", "yes"), ("remind-2880", "yes")];
        assert_eq!(browser.post("/settings/messages", &form).await.status, 303);
        let chosen = portal.bridge.settings(&sparrow).await.reminders;
        assert!(chosen == before(&[15, 2880]));
        portal.bridge.clock.advance(SignedDuration::from_mins(225));
        remind(&portal.bridge.bridge).await.unwrap();
        let told = portal.bridge.bridge.store.read().await.unwrap().tellings_due(sparrow.id, portal.bridge.now()).await.unwrap();
        assert_eq!(told.len(), 1, "a visit that was booked before they said so, too");
        let mut browser = portal.sign_in(&sparrow).await;
        let page = browser.get("/messages").await;
        assert!(page.body.contains("You have a visit: A first talk, 23 November 2026, 12:00."), "{}", page.body);
        assert!(page.html().links().contains(&format!("/visits/{id}").as_str()));
        set(&portal.bridge, &sparrow, id, |row| row.note = Some(Note::ClinicMoved)).await;
        assert!(browser.get("/messages").await.body.contains("There is news of your visit: A first talk."));
        assert_eq!(browser.post("/settings/messages", &[("grade", "notice"), ("when", "now")]).await.status, 303);
        assert!(portal.bridge.settings(&sparrow).await.reminders == chosen, "whoever is not asked changes nothing");
        let usual = [("grade", "notice"), ("when", "now"), ("remind", "usual")];
        assert_eq!(browser.post("/settings/messages", &usual).await.status, 303);
        assert!(portal.bridge.settings(&sparrow).await.reminders == Reminders::Usual);
        let wrong = [("grade", "notice"), ("when", "now"), ("remind", "sometimes")];
        assert_eq!(browser.post("/settings/messages", &wrong).await.status, 400);
    }
}
