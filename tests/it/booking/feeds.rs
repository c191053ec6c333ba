//! A member's visits as their calendar program finds them, under an address that nobody can guess and that ends when they say so.

use jiff::{SignedDuration, Timestamp};
use mostik::domain::booking::{BookingState, Time};
use mostik::domain::consented::Method as By;
use mostik::domain::ids::BookingId;
use mostik::erasure::Wish;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, SET_COOKIE};
use reqwest::{Response, StatusCode};

use crate::on_both_databases;
use crate::support::booking::{ASKED_FOR, MINUTES, put, put_booked, set};
use crate::support::bridge::Person;
use crate::support::database::Database;
use crate::support::http::{self, Got};
use crate::support::parts::part;
use crate::support::portal::{Browser, PORTAL, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::vault::erasing::request;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn open(database: Database) -> (Portal, Person, Browser) {
    let postbox = Postbox::open();
    let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox) + ASKED_FOR;
    let portal = Portal::open_at(database, &text, postbox, at("2026-11-20T12:00:00Z")).await;
    let sparrow = portal.bridge.person("sparrow", "patient").await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser)
}

/// Makes an address; its path.
async fn made(browser: &mut Browser) -> String {
    browser.get("/settings/calendar").await;
    let page = browser.post("/settings/calendar", &[]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page.html().by_id("address").text().strip_prefix(PORTAL).unwrap().to_owned()
}

async fn asked(portal: &Portal, path: &str, known: Option<&str>) -> Response {
    let request = http::client().get(format!("{}{path}", portal.bridge.api));
    let request = if let Some(tag) = known { request.header(IF_NONE_MATCH, tag) } else { request };
    request.send().await.unwrap()
}

/// What a calendar program, which nobody here wrote, finds.
async fn judged(text: &str) -> Option<Got> {
    let base = part("MOSTIK_TEST_RECEIVER", "a reader of calendars")?;
    let asked = http::client().post(format!("{base}/judge/calendar")).body(text.to_owned()).send().await.unwrap();
    Some(Got::read(asked).await)
}

async fn in_state(portal: &Portal, person: &Person, id: BookingId, state: BookingState) {
    set(&portal.bridge, person, id, |row| (row.state, row.sequence) = (state, row.sequence + 1)).await;
}

on_both_databases! {
    async fn a_calendar_shows_when_each_visit_is_and_nothing_of_what_or_with_whom(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let path = made(&mut browser).await;
        let coming = put_booked(&portal.bridge, &sparrow, at("2026-12-01T10:00:00Z")).await;
        let over = put_booked(&portal.bridge, &sparrow, at("2026-11-25T10:00:00Z")).await;
        in_state(&portal, &sparrow, over, BookingState::Cancelled).await;
        put(&portal.bridge, &sparrow, "only asked for").await;
        let held = put_booked(&portal.bridge, &sparrow, at("2026-12-03T10:00:00Z")).await;
        in_state(&portal, &sparrow, held, BookingState::Held).await;
        let got = asked(&portal, &path, None).await;
        assert_eq!((got.status(), got.headers()[CONTENT_TYPE].to_str().unwrap()), (StatusCode::OK, "text/calendar; charset=utf-8"));
        assert_eq!(got.headers()[CACHE_CONTROL], "private, no-cache");
        assert!(!got.headers().contains_key(SET_COOKIE));
        let text = got.text().await.unwrap();
        for canary in ["alk", "iverside", "sparrow", "patient", "join", "VALARM", "only asked for"] {
            assert!(!text.contains(canary), "{canary}: {text}");
        }
        let Some(judged) = judged(&text).await else { return };
        assert_eq!((judged.status, &judged.json["wrong"]), (200, &serde_json::json!([])), "{}", judged.json);
        let mut events = judged.json["events"].as_array().unwrap().clone();
        events.sort_by_key(|event| event["dtstart"].to_string());
        assert_eq!(events.len(), 2, "{}", judged.json);
        let said = |event: &serde_json::Value| ["uid", "sequence", "status", "summary", "dtstart", "url"].map(|name| event[name].as_str().unwrap().to_owned());
        let expected = |id: BookingId, sequence: &str, status: &str, start: &str| {
            [&id.to_string(), sequence, status, "Appointment", start, &format!("{PORTAL}/visits/{id}")].map(str::to_owned)
        };
        assert_eq!(said(&events[0]), expected(over, "1", "CANCELLED", "2026-11-25T10:00:00+00:00"));
        assert_eq!(said(&events[1]), expected(coming, "0", "CONFIRMED", "2026-12-01T10:00:00+00:00"));
        let parsed = ical::IcalParser::new(text.as_bytes()).next().unwrap().unwrap();
        assert!(parsed.events.len() == 2 && parsed.events.iter().all(|event| event.alarms.is_empty()));
    }
}

on_both_databases! {
    async fn whoever_has_it_already_is_told_only_that_until_a_visit_moves(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let path = made(&mut browser).await;
        let id = put_booked(&portal.bridge, &sparrow, at("2026-12-01T10:00:00Z")).await;
        let tag = asked(&portal, &path, None).await.headers()[ETAG].to_str().unwrap().to_owned();
        portal.bridge.clock.advance(SignedDuration::from_hours(1));
        let again = asked(&portal, &path, Some(&tag)).await;
        assert_eq!((again.status(), again.headers()[ETAG].to_str().unwrap()), (StatusCode::NOT_MODIFIED, tag.as_str()));
        assert_eq!(again.headers()[CACHE_CONTROL], "private, no-cache");
        assert!(again.text().await.unwrap().is_empty());
        let time = Time { start: at("2026-12-02T10:00:00Z"), end: at("2026-12-02T10:00:00Z") + SignedDuration::from_mins(MINUTES) };
        set(&portal.bridge, &sparrow, id, |row| (row.time, row.sequence) = (Some(time), 1)).await;
        let moved = asked(&portal, &path, Some(&tag)).await;
        assert_eq!(moved.status(), StatusCode::OK);
        let text = moved.text().await.unwrap();
        assert!(text.contains("SEQUENCE:1") && text.contains("DTSTART:20261202T100000Z") && text.contains(&format!("UID:{id}")), "{text}");
    }
}

on_both_databases! {
    async fn an_address_is_shown_once_and_ends_with_the_next_one_and_with_the_member(database) {
        let (portal, sparrow, mut browser) = open(database).await;
        let first = made(&mut browser).await;
        let page = browser.get("/settings/calendar").await;
        assert!(!page.body.contains("/calendar/0") && !page.body.contains("id=\"address\""), "{}", page.body);
        assert_eq!(page.html().by_id("since").text(), "There is an address since 20 November 2026.");
        let second = made(&mut browser).await;
        assert_ne!(first, second);
        let status = async |path: &str| asked(&portal, path, None).await.status().as_u16();
        assert_eq!((status(&first).await, status(&second).await), (404, 200));
        assert_eq!(status(&second.to_uppercase().replace("/CALENDAR/", "/calendar/").replace("VISITS.ICS", "visits.ics")).await, 404);
        browser.post("/settings/calendar/off", &[]).await;
        assert_eq!(status(&second).await, 404);
        let third = made(&mut browser).await;
        let wren = portal.bridge.person("wren", "patient-2").await;
        let mut other = portal.sign_in(&wren).await;
        put_booked(&portal.bridge, &sparrow, at("2026-12-01T10:00:00Z")).await;
        let theirs = made(&mut other).await;
        assert!(!asked(&portal, &theirs, None).await.text().await.unwrap().contains("VEVENT"), "each their own");
        request(&portal.bridge, &sparrow, Wish { at_once: true, ask_clinics: false, method: By::Portal }).await;
        portal.bridge.chores().await;
        portal.bridge.clock.advance(SignedDuration::from_mins(1));
        portal.bridge.chores().await;
        assert_eq!((status(&third).await, status(&theirs).await), (404, 200));
        assert_eq!(portal.bridge.database.count("calendar_feeds").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_guesses_addresses_at_leisure() {
    let (portal, ..) = open(Database::sqlite()).await;
    let mut last = 404;
    for number in 0..61 {
        last = asked(&portal, &format!("/calendar/{number}/visits.ics"), None).await.status().as_u16();
    }
    assert_eq!(last, 429);
    portal.bridge.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(asked(&portal, "/calendar/0/visits.ics", None).await.status().as_u16(), 404);
}
