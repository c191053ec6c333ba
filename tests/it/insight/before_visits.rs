//! Before a visit the clinic finds a page about the days until then: as much as is shared, once, and only if there will be one.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use mostik::domain::booking::{BookingState, Time, Wish};
use mostik::domain::settings::Change;
use mostik::insight::upkeep::look_after_members;
use serde_json::json;

use crate::insight::pages::{documents, rated, send, slept, words};
use crate::on_both_databases;
use crate::support::booking::{ASKED_FOR, MINUTES, first_talk, free_slot, put_booked, schedule, set};
use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, identifier};
use crate::support::outbox::{Item, items};
use crate::support::portal::{Browser, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::validate::assert_valid;

const ASK: &str = "/visits/ask/riverside/first-talk";

/// Wednesday, the 25th of November 2026, 10:00 in Berlin; every test begins five days before.
const VISIT: &str = "2026-11-25T09:00:00Z";

/// A day before it.
const THE_DAY_BEFORE: &str = "2026-11-24T09:00:00Z";

const ON_REQUEST: &str = "page = \"on-request\"";

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A member in Berlin, at a clinic that gets pages by these rules.
async fn open(database: Database, ehr: &Ehr, rules: &str) -> (TestBridge, Person) {
    let text = config_text(&database, &ehr.base, "127.0.0.1:0") + ASKED_FOR;
    let text = format!("{text}[clinics.riverside.summary]\n{rules}\n");
    let bridge = TestBridge::start_with(database, &text).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.move_to(&member, "Europe/Berlin").await;
    (bridge, member)
}

async fn note(bridge: &TestBridge, day: &str, rating: i64) {
    send(bridge, &[rated(day, &format!("{day}T08:00:00+01:00"), rating)]).await;
}

/// A time that begins then.
fn from(start: &str) -> Time {
    Time { start: instant(start), end: instant(start) + SignedDuration::from_mins(MINUTES) }
}

fn is_page(item: &Item) -> bool {
    item.body.as_ref().is_some_and(|body| body["resourceType"] == "DocumentReference")
}

/// How many pages wait to go.
async fn pages(bridge: &TestBridge, member: &Person) -> usize {
    items(bridge, member).await.iter().filter(|it| is_page(it) && it.is_living()).count()
}

/// Books the first time that is offered, in the portal; returns the address of the visit.
async fn books(portal: &Portal, browser: &mut Browser, slot: &str) -> String {
    browser.get(ASK).await;
    let path = browser.post(ASK, &[("reason", "")]).await.location().to_owned();
    browser.get(&path).await;
    browser.post_and_follow(&format!("{path}/choose"), &[("place", &format!("slot:{slot}"))]).await;
    portal.bridge.deliver().await;
    browser.post_and_follow(&format!("{path}/confirm"), &[]).await;
    portal.bridge.deliver().await;
    assert_eq!(browser.get(&path).await.html().by_id("stands").text(), "booked");
    portal.bridge.chores().await;
    path
}

/// A portal where visits are booked at these times, at a clinic that gets pages when somebody asks.
async fn stage(database: Database, ehr: &Ehr, starts: &[&str]) -> (Portal, Person, Browser, Vec<String>) {
    let schedule = schedule(&ehr.base).await;
    let mut slots = Vec::new();
    for start in starts {
        slots.push(free_slot(&ehr.base, &schedule, instant(start)).await);
    }
    let postbox = Postbox::open();
    let text = portal_config(&database, &ehr.base, &postbox) + &first_talk(&schedule, "");
    let text = format!("{text}[clinics.riverside.summary]\n{ON_REQUEST}\n");
    let portal = Portal::open_with(database, &text, postbox).await;
    let sparrow = portal.bridge.person("sparrow", &ehr.patient).await;
    portal.bridge.move_to(&sparrow, "Europe/Berlin").await;
    let terms = json!({"categories": {"mood": "daily-summary", "sleep": "weekly-summary"}, "way_back": "full"});
    portal.bridge.share_by(&sparrow, terms).await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser, slots)
}

on_both_databases! {
    async fn a_day_before_a_visit_that_a_member_books_their_clinic_has_a_page_of_the_days_until_then(database) {
        let ehr = Ehr::sandbox().await;
        let (portal, _, mut browser, slots) = stage(database, &ehr, &[VISIT]).await;
        let bridge = &portal.bridge;
        send(bridge, &[rated("1", "2026-11-18T08:00:00+01:00", 4), slept("2", "2026-11-18T08:00:00+01:00", 430)]).await;
        books(&portal, &mut browser, &slots[0]).await;
        bridge.until("2026-11-24T07:00:00Z").await;
        send(bridge, &[rated("3", "2026-11-23T08:00:00+01:00", 2), slept("4", "2026-11-23T08:00:00+01:00", 380)]).await;
        bridge.until("2026-11-24T08:59:59Z").await;
        bridge.deliver().await;
        assert!(documents(&ehr).await.is_empty(), "it is not a day before yet");
        bridge.until(THE_DAY_BEFORE).await;
        bridge.deliver().await;
        let found = documents(&ehr).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["context"]["period"],
            json!({"start": "2026-11-02T00:00:00+01:00", "end": "2026-11-23T23:59:59+01:00"}));
        let said = words(&found[0]).split_whitespace().collect::<Vec<_>>().join(" ");
        for wanted in ["Week of 23–29 Nov 2026 up to 23 Nov, and the three weeks before", "Mood: 2.00",
            "4.00 the week before (-2). Noted on 1 of 1 days.",
            "Sleep: this week is told when it is over; 7:10 the week before"] {
            assert!(said.contains(wanted), "{wanted} in {said}");
        }
        assert!(!said.contains("6:20"), "no day can be read of what is shared by weeks alone: {said}");
        assert_valid(&found[0]).await;
        for instant in ["2026-11-24T20:00:00Z", "2026-11-25T08:00:00Z", "2026-11-25T12:00:00Z"] {
            bridge.until(instant).await;
            bridge.deliver().await;
        }
        let found = documents(&ehr).await;
        assert_eq!((found.len(), &found[0]["docStatus"]), (1, &json!("final")), "once, and it stays as it is");
        bridge.until("2026-11-29T23:00:00Z").await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        assert_eq!((found.len(), &found[0]["docStatus"]), (1, &json!("amended")), "the week is over");
        assert_eq!(found[0]["context"]["period"]["end"], "2026-11-29T23:59:59+01:00");
        assert!(words(&found[0]).contains("Sleep: 6:20; 7:10 the week before"), "{}", words(&found[0]));
    }
}

on_both_databases! {
    async fn whoever_books_late_has_it_made_at_once_and_the_portal_says_that_it_goes_by_itself(database) {
        let ehr = Ehr::sandbox().await;
        let (portal, _, mut browser, slots) = stage(database, &ehr, &["2026-11-20T18:00:00Z"]).await;
        note(&portal.bridge, "2026-11-19", 4).await;
        let page = browser.get("/data/summary").await;
        assert!(page.body.contains("Before a visit that you have booked there, the clinic gets it by itself."));
        books(&portal, &mut browser, &slots[0]).await;
        portal.bridge.deliver().await;
        let found = documents(&ehr).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["context"]["period"]["end"], "2026-11-19T23:59:59+01:00", "today is not over");
        assert!(words(&found[0]).contains("Mood: 4.00"), "{}", words(&found[0]));
    }
}

on_both_databases! {
    async fn a_visit_that_is_called_off_brings_no_page(database) {
        let ehr = Ehr::sandbox().await;
        let (portal, sparrow, mut browser, slots) = stage(database, &ehr, &[VISIT]).await;
        note(&portal.bridge, "2026-11-18", 4).await;
        let path = books(&portal, &mut browser, &slots[0]).await;
        browser.post(&format!("{path}/cancel"), &[]).await;
        portal.bridge.deliver().await;
        assert_eq!(browser.get(&path).await.html().by_id("stands").text(), "cancelled");
        portal.bridge.until(THE_DAY_BEFORE).await;
        portal.bridge.deliver().await;
        assert!(documents(&ehr).await.is_empty());
        // Nor does one that the clinic was asked to cancel and has not answered about, or that is only asked for.
        let id = put_booked(&portal.bridge, &sparrow, instant("2026-11-24T18:00:00Z")).await;
        for (state, wish) in [(BookingState::Booked, Some(Wish::Cancel)), (BookingState::Requested, None)] {
            set(&portal.bridge, &sparrow, id, |row| (row.state, row.wish) = (state, wish)).await;
            portal.bridge.set(&sparrow, Change::default()).await;
            look_after_members(&portal.bridge.bridge).await.unwrap();
            assert_eq!(pages(&portal.bridge, &sparrow).await, 0, "{state:?}");
        }
        set(&portal.bridge, &sparrow, id, |row| row.state = BookingState::Booked).await;
        portal.bridge.chores().await;
        assert_eq!(pages(&portal.bridge, &sparrow).await, 1, "as one does that will be");
    }
}

on_both_databases! {
    async fn a_page_goes_with_a_visit_that_is_moved_and_is_made_once_for_each_time(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = open(database, &ehr, ON_REQUEST).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        note(&bridge, "2026-11-18", 4).await;
        note(&bridge, "2026-11-19", 4).await;
        let id = put_booked(&bridge, &member, instant(VISIT)).await;
        bridge.until("2026-11-23T09:00:00Z").await;
        set(&bridge, &member, id, |row| row.time = Some(from("2026-12-02T09:00:00Z"))).await;
        bridge.until(THE_DAY_BEFORE).await;
        assert_eq!(pages(&bridge, &member).await, 0, "none at the time that it had");
        bridge.until("2026-12-01T09:00:00Z").await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["context"]["period"]["end"], "2026-11-30T23:59:59+01:00");
        // By an hour: the clinic has the page already.
        set(&bridge, &member, id, |row| row.time = Some(from("2026-12-02T10:00:00Z"))).await;
        bridge.until("2026-12-02T09:30:00Z").await;
        assert_eq!(bridge.open_items().await, 0, "it says nothing new");
    }
}

on_both_databases! {
    async fn no_page_goes_before_a_visit_without_consent_when_it_is_made_and_when_it_is_sent(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = open(database, &ehr, ON_REQUEST).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        note(&bridge, "2026-11-18", 4).await;
        put_booked(&bridge, &member, instant(VISIT)).await;
        bridge.change_grant(&member, &grant, "pause").await;
        bridge.until(THE_DAY_BEFORE).await;
        assert_eq!(pages(&bridge, &member).await, 0, "nothing is made during a pause");
        bridge.change_grant(&member, &grant, "resume").await;
        bridge.chores().await;
        assert_eq!(pages(&bridge, &member).await, 1, "what was due is made when it ends");
        bridge.change_grant(&member, &grant, "revoke").await;
        bridge.chores().await;
        bridge.deliver().await;
        assert!(documents(&ehr).await.is_empty(), "it was decided once more");
        put_booked(&bridge, &member, instant("2026-11-26T09:00:00Z")).await;
        bridge.until("2026-11-25T10:00:00Z").await;
        assert_eq!(bridge.open_items().await, 0, "and none is made any more");
    }
}

on_both_databases! {
    async fn it_is_made_once_whoever_looks_and_whoever_dies(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = open(database, &ehr, ON_REQUEST).await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        note(&bridge, "2026-11-18", 4).await;
        put_booked(&bridge, &member, instant(VISIT)).await;
        bridge.chores().await;
        bridge.deliver().await;
        bridge.clock.advance(instant(THE_DAY_BEFORE).duration_since(bridge.now()));
        // Nobody gets as far as to put it into the outbox.
        let (stop, go_on) = if bridge.database.is_sqlite() {
            ("CREATE TRIGGER died BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'died'); END", "DROP TRIGGER died")
        } else {
            ("ALTER TABLE outbox ADD CONSTRAINT died CHECK (kind <> 'page') NOT VALID", "ALTER TABLE outbox DROP CONSTRAINT died")
        };
        bridge.database.run(stop).await;
        assert!(look_after_members(&bridge.bridge).await.is_err());
        assert_eq!(pages(&bridge, &member).await, 0);
        bridge.database.run(go_on).await;
        for round in 0..3 {
            let replicas = join_all((0..4).map(|_| look_after_members(&bridge.bridge))).await;
            assert!(replicas.iter().all(Result::is_ok), "round {round}");
            bridge.deliver().await;
            let found = documents(&ehr).await;
            let sent = items(&bridge, &member).await.into_iter().filter(|it| it.identifier == identifier(&found[0]));
            assert_eq!((found.len(), sent.count()), (1, 1), "round {round}");
            // Something else has the member looked after once more.
            bridge.set(&member, Change::default()).await;
        }
    }
}

on_both_databases! {
    async fn a_clinic_that_wants_none_before_visits_gets_none_and_one_that_is_told_of_weeks_gets_whole_ones(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = open(database, &ehr, &format!("{ON_REQUEST}\nbefore_visit_hours = 0")).await;
        bridge.share(&member, json!({"mood": "weekly-summary"})).await;
        note(&bridge, "2026-11-18", 4).await;
        put_booked(&bridge, &member, instant(VISIT)).await;
        bridge.until(THE_DAY_BEFORE).await;
        assert_eq!(pages(&bridge, &member).await, 0);
        // Switched on meanwhile, two days before.
        let text = bridge.config.replace("before_visit_hours = 0", "before_visit_hours = 48");
        let database = Database::at(&bridge.database.url);
        let bridge = TestBridge::start_at(database, &text, bridge.now()).await;
        put_booked(&bridge, &member, instant("2026-11-25T11:00:00Z")).await;
        bridge.chores().await;
        bridge.deliver().await;
        let found = documents(&ehr).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["context"]["period"]["end"], "2026-11-22T23:59:59+01:00");
        assert!(words(&found[0]).contains("Mood: 4.00"), "{}", words(&found[0]));
    }
}

on_both_databases! {
    async fn a_week_of_which_nothing_could_be_told_before_the_visit_is_told_when_it_is_over(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member) = open(database, &ehr, "page = \"weekly\"").await;
        bridge.share(&member, json!({"mood": "daily-summary"})).await;
        put_booked(&bridge, &member, instant(VISIT)).await;
        bridge.until("2026-11-24T08:00:00Z").await;
        note(&bridge, "2026-11-24", 4).await;
        bridge.until(THE_DAY_BEFORE).await;
        bridge.deliver_in_time().await;
        assert!(documents(&ehr).await.is_empty(), "the day is not over");
        bridge.until("2026-11-29T23:00:00Z").await;
        bridge.deliver_in_time().await;
        let found = documents(&ehr).await;
        assert_eq!(found.len(), 1);
        assert!(words(&found[0]).contains("Mood: 4.00"), "{}", words(&found[0]));
    }
}
