//! Visits in the portal: asked for, chosen, confirmed, changed and cancelled, without a script; each for nobody but whose it is.

use jiff::SignedDuration;
use mostik::domain::booking::BookingState;
use mostik::domain::ids::BookingId;

use crate::on_both_databases;
use crate::support::booking::{appointments, first_talk, free_slot, schedule, stands, status_of};
use crate::support::bridge::Person;
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::portal::{Browser, Page, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::recommendations::open_person;

const ASK: &str = "/visits/ask/riverside/first-talk";

struct Stage {
    ehr: Ehr,
    slots: Vec<String>,
    portal: Portal,
    sparrow: Person,
    browser: Browser,
}

/// A portal before a clinic in whose schedule these times are free.
async fn open(database: Database, starts: &[&str]) -> Stage {
    let ehr = Ehr::sandbox().await;
    let schedule = schedule(&ehr.base).await;
    let mut slots = Vec::new();
    for start in starts {
        slots.push(free_slot(&ehr.base, &schedule, start.parse().unwrap()).await);
    }
    let postbox = Postbox::open();
    let text = portal_config(&database, &ehr.base, &postbox) + &first_talk(&schedule, "");
    let portal = Portal::open_with(database, &text, postbox).await;
    let (sparrow, _) = open_person(&portal.bridge, "sparrow", &ehr.patient).await;
    portal.bridge.move_to(&sparrow, "Europe/Berlin").await;
    let browser = portal.sign_in(&sparrow).await;
    Stage { ehr, slots, portal, sparrow, browser }
}

fn main_text(page: &Page) -> String {
    page.html().named("main")[0].text()
}

fn id_of(path: &str) -> BookingId {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

/// Asks, and returns the address of the visit's page.
async fn asks(browser: &mut Browser) -> String {
    browser.get(ASK).await;
    let asked = browser.post(ASK, &[("reason", "")]).await;
    assert_eq!(asked.status, 303, "{}", asked.body);
    asked.location().to_owned()
}

on_both_databases! {
    async fn a_member_asks_chooses_confirms_changes_and_cancels(database) {
        let starts = ["2026-11-23T09:00:00Z", "2026-11-23T13:00:00Z", "2026-11-24T09:00:00Z"];
        let Stage { ehr, slots, portal, sparrow, mut browser } = open(database, &starts).await;
        let list = browser.get("/visits").await;
        assert!(list.html().links().contains(&ASK), "{}", list.body);
        assert!(main_text(&list).contains("A first talk Riverside · 50 minutes"), "{}", main_text(&list));
        let form = browser.get(ASK).await;
        assert!(main_text(&form).contains("This is not for emergencies."), "{}", main_text(&form));
        assert!(main_text(&form).contains("if you share with it what you want to talk about"), "no reason without consent");

        let path = asks(&mut browser).await;
        let choose = browser.get(&path).await;
        let times = choose.html().by_id("times").text();
        assert!(times.contains("Monday, 23 November 2026 10:00") && times.contains("14:00"), "{times}");
        assert!(times.contains("Tuesday, 24 November 2026 10:00"), "{times}");
        assert!(main_text(&choose).contains("All times are those of Europe/Berlin."));
        let place = format!("slot:{}", slots[0]);
        let asked = browser.post_and_follow(&format!("{path}/choose"), &[("place", &place)]).await;
        assert!(main_text(&asked).contains("has not answered yet"), "{}", main_text(&asked));
        portal.bridge.deliver().await;
        let held = browser.get(&path).await;
        assert_eq!(held.html().by_id("until").text(), "This time is reserved for you until 13:10. Please confirm it before then.");
        assert_eq!(held.html().by_id("when").text(), "Monday, 23 November 2026, 10:00");
        assert_eq!(browser.post(&format!("{path}/choose"), &[("place", &place)]).await.status, 409, "in another window");
        browser.post_and_follow(&format!("{path}/confirm"), &[]).await;
        portal.bridge.deliver().await;
        let booked = browser.get(&path).await;
        assert_eq!(booked.html().by_id("stands").text(), "booked");
        let list = browser.get("/visits").await;
        let coming = list.html().by_id("coming").text();
        assert!(coming.contains("A first talk 23 November 2026, 10:00 · Riverside · booked"), "{coming}");

        let changing = browser.post(&format!("{path}/change"), &[]).await;
        let other = changing.location().to_owned();
        let choose = browser.get(&other).await;
        assert!(main_text(&choose).contains("Your visit stays booked as it is"), "{}", main_text(&choose));
        let place = format!("slot:{}", slots[2]);
        browser.post(&format!("{other}/choose"), &[("place", &place)]).await;
        portal.bridge.deliver().await;
        browser.get(&other).await;
        browser.post(&format!("{other}/confirm"), &[]).await;
        portal.bridge.deliver().await;
        portal.bridge.chores().await;
        portal.bridge.deliver().await;
        assert_eq!(browser.get(&path).await.html().by_id("stands").text(), "moved to another time");
        assert_eq!(status_of(&ehr.base, &slots[0]).await, "free");

        let sure = browser.get(&format!("{other}/cancel")).await;
        assert!(main_text(&sure).contains("Cancel this visit? A first talk , 24 November 2026, 10:00, Riverside"), "{}", main_text(&sure));
        browser.post(&format!("{other}/cancel"), &[]).await;
        portal.bridge.deliver().await;
        assert_eq!(browser.get(&other).await.html().by_id("stands").text(), "cancelled");
        assert_eq!(stands(&portal.bridge, &sparrow, id_of(&other)).await.state, BookingState::Cancelled);
        assert_eq!(status_of(&ehr.base, &slots[2]).await, "free");
    }
}

on_both_databases! {
    async fn a_hold_that_ends_is_said_politely_and_what_is_taken_is_not_offered_again(database) {
        let starts = ["2026-11-23T09:00:00Z", "2026-11-23T13:00:00Z"];
        let Stage { ehr, slots, portal, mut browser, .. } = open(database, &starts).await;
        let path = asks(&mut browser).await;
        browser.get(&path).await;
        let place = format!("slot:{}", slots[0]);
        browser.post(&format!("{path}/choose"), &[("place", &place)]).await;
        portal.bridge.deliver().await;
        portal.bridge.clock.advance(SignedDuration::from_mins(10));
        let over = browser.get(&path).await;
        assert!(!over.body.contains("Yes, book this time"), "{}", main_text(&over));
        portal.bridge.chores().await;
        portal.bridge.deliver().await;
        let over = browser.get(&path).await;
        assert!(over.html().by_id("note").text().contains("not confirmed while it was reserved"), "{}", main_text(&over));

        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        portal.bridge.share_by(&wren, serde_json::json!({"categories": {"mood": "every-entry"}, "way_back": "notice"})).await;
        let mut other = portal.sign_in(&wren).await;
        let second = asks(&mut other).await;
        other.get(&second).await;
        other.post(&format!("{second}/choose"), &[("place", &place)]).await;
        portal.bridge.deliver().await;
        browser.post(&format!("{path}/choose"), &[("place", &place)]).await;
        portal.bridge.deliver().await;
        let taken = browser.get(&path).await;
        assert!(taken.html().by_id("note").text().contains("Somebody else was a moment faster"), "{}", main_text(&taken));
        assert!(!taken.body.contains(&place) && taken.body.contains(&slots[1]), "only what is left");
        assert_eq!(browser.post(&format!("{path}/choose"), &[("place", "slot:elsewhere")]).await.status, 409);
        assert_eq!(browser.post(&format!("{path}/choose"), &[("place", "x")]).await.status, 400);
    }
}

on_both_databases! {
    async fn when_nothing_is_free_a_member_waits_or_looks_again(database) {
        let Stage { ehr, portal, mut browser, .. } = open(database, &[]).await;
        let path = asks(&mut browser).await;
        let none = browser.get(&path).await;
        assert!(main_text(&none).contains("Nothing is free at present"), "{}", main_text(&none));
        let waits = browser.post_and_follow(&format!("{path}/wait"), &[("wait", "yes")]).await;
        assert!(main_text(&waits).contains("You are waiting."), "{}", main_text(&waits));
        let schedule = portal.bridge.config.split("schedules = [\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        free_slot(&ehr.base, &schedule, "2026-11-23T09:00:00Z".parse().unwrap()).await;
        portal.bridge.clock.advance(SignedDuration::from_mins(15));
        let finder = crate::support::booking::finder(&portal.bridge);
        assert!(finder.look_for_waiting(&crate::support::bridge::riverside()).await.unwrap());
        let now = browser.get(&path).await;
        assert!(now.html().by_id("note").text().contains("There are free times now."), "{}", main_text(&now));
        assert!(appointments(&ehr.base, &ehr.patient).await.is_empty(), "the clinic was told nothing");
    }
}

on_both_databases! {
    async fn a_visit_is_for_nobody_but_whose_it_is_and_closed_to_whoever_lets_nothing_come_back(database) {
        let Stage { ehr, portal, sparrow, mut browser, slots } = open(database, &["2026-11-23T09:00:00Z"]).await;
        let path = asks(&mut browser).await;
        let wren = portal.bridge.person("wren", &create_patient(&ehr.base).await).await;
        portal.bridge.share_by(&wren, serde_json::json!({"categories": {"mood": "every-entry"}})).await;
        let mut other = portal.sign_in(&wren).await;
        let list = other.get("/visits").await;
        assert!(main_text(&list).contains("let something come back from that clinic"), "{}", main_text(&list));
        assert_eq!(other.get(ASK).await.status, 404);
        assert_eq!(other.get(&path).await.status, 404);
        let place = format!("slot:{}", slots[0]);
        for (form, fields) in [("choose", vec![("place", place.as_str())]), ("confirm", vec![]), ("cancel", vec![]), ("look", vec![])] {
            assert_eq!(other.post(&format!("{path}/{form}"), &fields).await.status, 404, "{form}");
        }
        assert_eq!(stands(&portal.bridge, &sparrow, id_of(&path)).await.state, BookingState::Offered, "nothing happened");
        browser.get("/visits").await;
        browser.post("/language", &[("language", "ru"), ("back", "/visits")]).await;
        let russian = browser.get(&path).await;
        assert!(main_text(&russian).contains("понедельник, 23 ноября 2026"), "{}", main_text(&russian));
        assert!(main_text(&russian).contains("Первый разговор"), "{}", main_text(&russian));
    }
}
