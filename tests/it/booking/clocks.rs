//! Clocks: the instant of a visit never moves, whatever clocks do and wherever its member is.

use jiff::Timestamp;
use serde_json::json;

use crate::on_both_databases;
use crate::support::booking::{Does, appointments, asks, done, first_talk, free_slot, schedule, stands};
use crate::support::bridge::{Person, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::{Browser, Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::recommendations::{open_person, write};

/// A portal before a clinic that offers a first talk, whose clock begins at `start`.
async fn open_at(database: Database, ehr: &Ehr, schedule: &str, start: &str) -> (Portal, Person, Browser) {
    let postbox = Postbox::open();
    let text = portal_config(&database, &ehr.base, &postbox) + &first_talk(schedule, "");
    let portal = Portal::open_at(database, &text, postbox, start.parse().unwrap()).await;
    let (sparrow, _) = open_person(&portal.bridge, "sparrow", &ehr.patient).await;
    let browser = portal.sign_in(&sparrow).await;
    (portal, sparrow, browser)
}

on_both_databases! {
    async fn clocks_that_change_and_members_who_travel_move_no_visit(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        // The clinic is in New York, and its clocks changed three weeks before those in Berlin do.
        let start: Timestamp = "2026-03-30T10:00:00-04:00".parse().unwrap();
        free_slot(&ehr.base, &schedule, start).await;
        let (portal, sparrow, mut browser) = open_at(database, &ehr, &schedule, "2026-03-27T12:00:00Z").await;
        let bridge = &portal.bridge;
        bridge.move_to(&sparrow, "Europe/Berlin").await;
        let asked = asks(bridge, &sparrow, "").await.unwrap();
        let path = format!("/visits/{}", asked.id);
        let offered = browser.get(&path).await;
        let times = offered.html().by_id("times").text();
        assert!(times.contains("Monday, 30 March 2026 16:00"), "by the clock of that day: {times}");
        done(bridge, &sparrow, asked.id, Does::Choose(0)).await;
        done(bridge, &sparrow, asked.id, Does::Confirm).await;
        for (zone, shown) in [
            ("Europe/Berlin", "Monday, 30 March 2026, 16:00"),
            ("America/New_York", "Monday, 30 March 2026, 10:00"),
            ("Asia/Tokyo", "Monday, 30 March 2026, 23:00"),
            ("Pacific/Auckland", "Tuesday, 31 March 2026, 03:00"),
        ] {
            bridge.move_to(&sparrow, zone).await;
            assert_eq!(browser.get(&path).await.html().by_id("when").text(), shown, "{zone}");
        }
        // After the change of clocks, back home.
        bridge.clock.advance(jiff::SignedDuration::from_hours(60));
        bridge.move_to(&sparrow, "Europe/Berlin").await;
        browser = portal.sign_in(&sparrow).await;
        assert_eq!(browser.get(&path).await.html().by_id("when").text(), "Monday, 30 March 2026, 16:00");
        assert_eq!(stands(bridge, &sparrow, asked.id).await.time.unwrap().start, start);
        let there = appointments(&ehr.base, &ehr.patient).await;
        assert_eq!(there[0]["start"].as_str().unwrap().parse::<Timestamp>().unwrap(), start);
    }
}

on_both_databases! {
    async fn an_hour_that_clocks_show_twice_is_two_different_times(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        for start in ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"] {
            free_slot(&ehr.base, &schedule, start.parse().unwrap()).await;
        }
        let text = config_text(&database, &ehr.base, "127.0.0.1:0") + &first_talk(&schedule, "");
        let start = "2026-10-20T12:00:00Z".parse().unwrap();
        let bridge = crate::support::bridge::TestBridge::start_at(database, &text, start).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        bridge.move_to(&sparrow, "Europe/Berlin").await;
        let asked = asks(&bridge, &sparrow, "").await.unwrap();
        let starts: Vec<String> = asked.details.offers.iter().map(|offer| offer.time.start.to_string()).collect();
        assert_eq!(starts, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]);
        done(&bridge, &sparrow, asked.id, Does::Choose(1)).await;
        assert_eq!(appointments(&ehr.base, &ehr.patient).await[0]["start"], "2026-10-25T01:30:00Z");
    }
}

on_both_databases! {
    async fn a_slot_without_a_zone_is_offered_to_nobody(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let slot = json!({"resourceType": "Slot", "schedule": {"reference": format!("Schedule/{schedule}")},
            "status": "free", "start": "2026-11-23T09:00:00", "end": "2026-11-23T09:50:00"});
        write(&ehr.base, slot).await;
        let bridge = crate::support::booking::booking_bridge(database, &ehr.base, &schedule).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        assert!(asks(&bridge, &sparrow, "").await.unwrap().details.offers.is_empty(), "nobody knows when it is");
    }
}
