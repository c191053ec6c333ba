//! What it takes to book, and what is left when a consent ends.

use mostik::booking::BookingError;
use mostik::consent::decide::DenyReason;
use mostik::domain::booking::BookingState;
use mostik::domain::consented::Method;
use mostik::erasure::Wish;
use serde_json::json;

use crate::on_both_databases;
use crate::support::booking::{
    Does, appointments, asks, booking_bridge, does, done, free_slot, schedule, stands, status_of,
};
use crate::support::bridge::{Person, TestBridge};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::recommendations::open_person;
use crate::vault::erasing::request;

async fn before(database: Database) -> (Ehr, TestBridge, String) {
    let ehr = Ehr::sandbox().await;
    let schedule = schedule(&ehr.base).await;
    let slot = free_slot(&ehr.base, &schedule, "2026-11-23T09:00:00Z".parse().unwrap()).await;
    let bridge = booking_bridge(database, &ehr.base, &schedule).await;
    (ehr, bridge, slot)
}

async fn sharing(bridge: &TestBridge, handle: &str, patient: &str, terms: serde_json::Value) -> (Person, String) {
    let person = bridge.person(handle, patient).await;
    let grant = bridge.share_by(&person, terms).await;
    (person, grant)
}

on_both_databases! {
    async fn whoever_lets_nothing_come_back_books_nothing(database) {
        let (ehr, bridge, _) = before(database).await;
        let none = json!({"categories": {"mood": "every-entry"}});
        let (sparrow, _) = sharing(&bridge, "sparrow", &ehr.patient, none).await;
        let denied = asks(&bridge, &sparrow, "").await;
        assert!(matches!(denied, Err(BookingError::NotPermitted(DenyReason::DirectionNotGranted))), "{denied:?}");
        let unlinked = bridge.unlinked_person("wren").await;
        let denied = asks(&bridge, &unlinked, "").await;
        assert!(matches!(denied, Err(BookingError::NotPermitted(DenyReason::NoGrant))), "{denied:?}");
    }
}

on_both_databases! {
    async fn why_somebody_comes_goes_only_if_they_say_so_and_share_that(database) {
        let (ehr, bridge, _) = before(database).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let denied = asks(&bridge, &sparrow, "I cannot sleep").await;
        assert!(matches!(denied, Err(BookingError::NotPermitted(DenyReason::CategoryNotShared))), "{denied:?}");
        let terms = json!({"categories": {"mood": "every-entry", "agenda": "weekly-summary"}, "way_back": "notice"});
        let patient = create_patient(&ehr.base).await;
        let (wren, _) = sharing(&bridge, "wren", &patient, terms).await;
        let asked = asks(&bridge, &wren, " I cannot\u{7} sleep ").await.unwrap();
        done(&bridge, &wren, asked.id, Does::Choose(0)).await;
        let there = appointments(&ehr.base, &patient).await;
        assert_eq!(there[0]["reasonCode"][0]["text"], "I cannot sleep");
        let labels = there[0]["meta"]["security"].to_string();
        assert!(labels.contains("\"R\"") && labels.contains("\"PSY\""), "{labels}");
        let long = asks(&bridge, &wren, &"x".repeat(501)).await;
        assert!(matches!(long, Err(BookingError::Reason)));
    }
}

on_both_databases! {
    async fn a_consent_that_ends_gives_back_what_is_kept_and_leaves_what_is_booked(database) {
        let (ehr, bridge, slot) = before(database).await;
        let second = {
            let schedule = bridge.config.split("schedules = [\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            free_slot(&ehr.base, &schedule, "2026-11-24T09:00:00Z".parse().unwrap()).await
        };
        let (sparrow, grant) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let booked = asks(&bridge, &sparrow, "").await.unwrap();
        done(&bridge, &sparrow, booked.id, Does::Choose(0)).await;
        done(&bridge, &sparrow, booked.id, Does::Confirm).await;
        let held = asks(&bridge, &sparrow, "").await.unwrap();
        done(&bridge, &sparrow, held.id, Does::Choose(0)).await;
        assert_eq!(status_of(&ehr.base, &second).await, "busy-tentative");
        assert_eq!(bridge.change_grant(&sparrow, &grant, "revoke").await.status, 200);
        bridge.chores().await;
        bridge.deliver().await;
        assert_eq!(status_of(&ehr.base, &second).await, "free");
        assert_eq!(status_of(&ehr.base, &slot).await, "busy", "a visit is a visit");
        assert_eq!(stands(&bridge, &sparrow, booked.id).await.state, BookingState::Booked);
        // They can still call it off.
        assert_eq!(done(&bridge, &sparrow, booked.id, Does::Cancel).await.state, BookingState::Cancelled);
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        let again = asks(&bridge, &sparrow, "").await;
        assert!(matches!(again, Err(BookingError::NotPermitted(DenyReason::NoGrant | DenyReason::Ended))), "{again:?}");
    }
}

on_both_databases! {
    async fn a_time_that_is_given_back_does_not_wait_for_the_end_of_a_pause(database) {
        let (ehr, bridge, slot) = before(database).await;
        let (sparrow, grant) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let asked = asks(&bridge, &sparrow, "").await.unwrap();
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        bridge.send(&crate::support::bridge::mood("1", "sparrow", 3)).await;
        bridge.change_grant(&sparrow, &grant, "pause").await;
        bridge.deliver().await;
        assert_eq!(bridge.open_items().await, 1, "the mood waits");
        let denied = does(&bridge.bridge, &sparrow, asked.id, Does::Confirm).await;
        assert!(matches!(denied, Err(BookingError::NotPermitted(DenyReason::Paused))), "{denied:?}");
        assert_eq!(done(&bridge, &sparrow, asked.id, Does::Cancel).await.state, BookingState::Cancelled);
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        assert_eq!(bridge.open_items().await, 1, "and still does");
    }
}

on_both_databases! {
    async fn whoever_is_erased_keeps_no_time_from_others(database) {
        let (ehr, bridge, slot) = before(database).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let asked = asks(&bridge, &sparrow, "").await.unwrap();
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        assert_eq!(status_of(&ehr.base, &slot).await, "busy-tentative");
        request(&bridge, &sparrow, Wish { at_once: true, ask_clinics: false, method: Method::Portal }).await;
        bridge.chores().await;
        bridge.deliver().await;
        bridge.clock.advance(jiff::SignedDuration::from_mins(1));
        bridge.chores().await;
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        assert!(bridge.bridge.store.read().await.unwrap().bookings(sparrow.id).await.unwrap().is_empty());
    }
}

on_both_databases! {
    async fn nobody_keeps_many_times_at_once(database) {
        let (ehr, bridge, _) = before(database).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        for _ in 0..mostik::booking::MOST_AT_ONCE {
            asks(&bridge, &sparrow, "").await.unwrap();
        }
        let more = asks(&bridge, &sparrow, "").await;
        assert!(matches!(more, Err(BookingError::TooMany)));
    }
}
