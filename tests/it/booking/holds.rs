//! A hold always has an end: whoever does not confirm in time, or dies, keeps no time from others.

use jiff::SignedDuration;
use mostik::booking::{ANSWERED_WITHIN, BookingError};
use mostik::domain::booking::{Booking, BookingState, Note, Wish};
use mostik::sandbox::{Fault, FaultKind};

use crate::on_both_databases;
use crate::support::booking::{
    Does, appointments, asks, booking_bridge, does, done, free_slot, schedule, stands, status_of,
};
use crate::support::bridge::{Person, TestBridge};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::recommendations::open_person;

/// A member to whom one time is offered.
async fn offered(database: Database, ehr: &Ehr) -> (TestBridge, Person, Booking, String) {
    let schedule = schedule(&ehr.base).await;
    let slot = free_slot(&ehr.base, &schedule, "2026-11-23T09:00:00Z".parse().unwrap()).await;
    let bridge = booking_bridge(database, &ehr.base, &schedule).await;
    let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
    let asked = asks(&bridge, &sparrow, "").await.unwrap();
    (bridge, sparrow, asked, slot)
}

on_both_databases! {
    async fn a_hold_that_nobody_confirms_ends_and_the_time_is_free(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, sparrow, asked, slot) = offered(database, &ehr).await;
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        bridge.clock.advance(SignedDuration::from_mins(10) - SignedDuration::from_secs(1));
        bridge.chores().await;
        bridge.deliver().await;
        assert_eq!(status_of(&ehr.base, &slot).await, "busy-tentative", "not a second too early");
        bridge.clock.advance(SignedDuration::from_secs(1));
        let late = does(&bridge.bridge, &sparrow, asked.id, Does::Confirm).await;
        assert!(matches!(late, Err(BookingError::NotNow)), "{late:?}");
        bridge.chores().await;
        bridge.deliver().await;
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        assert_eq!(appointments(&ehr.base, &ehr.patient).await[0]["status"], "cancelled");
        let back = stands(&bridge, &sparrow, asked.id).await;
        assert_eq!((back.state, back.note, back.time), (BookingState::Offered, Some(Note::HoldEnded), None));
        // And once more, as a new Appointment.
        assert_eq!(done(&bridge, &sparrow, asked.id, Does::Choose(0)).await.state, BookingState::Held);
        assert_eq!(done(&bridge, &sparrow, asked.id, Does::Confirm).await.state, BookingState::Booked);
        assert_eq!(appointments(&ehr.base, &ehr.patient).await.len(), 2);
    }
}

on_both_databases! {
    async fn a_hold_that_never_reached_the_clinic_ends_too(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, sparrow, asked, slot) = offered(database, &ehr).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::always(FaultKind::Status { code: 500, retry_after: None }));
        let waiting = done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        assert_eq!((waiting.state, waiting.wish), (BookingState::Offered, Some(Wish::Hold)));
        bridge.clock.advance(SignedDuration::from_mins(10));
        bridge.chores().await;
        assert_eq!(stands(&bridge, &sparrow, asked.id).await.wish, Some(Wish::Release));
        faults.clear();
        bridge.deliver_in_time().await;
        let back = stands(&bridge, &sparrow, asked.id).await;
        assert_eq!((back.state, back.wish), (BookingState::Offered, None));
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        assert!(appointments(&ehr.base, &ehr.patient).await.iter().all(|one| one["status"] == "cancelled"));
    }
}

on_both_databases! {
    async fn a_confirmation_that_is_not_answered_ends_as_well(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, sparrow, asked, slot) = offered(database, &ehr).await;
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::always(FaultKind::Status { code: 500, retry_after: None }));
        let waiting = done(&bridge, &sparrow, asked.id, Does::Confirm).await;
        assert_eq!((waiting.state, waiting.wish), (BookingState::Held, Some(Wish::Book)));
        bridge.clock.advance(ANSWERED_WITHIN);
        bridge.chores().await;
        faults.clear();
        bridge.deliver_in_time().await;
        let back = stands(&bridge, &sparrow, asked.id).await;
        assert_eq!((back.state, back.note), (BookingState::Offered, Some(Note::HoldEnded)));
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
    }
}

on_both_databases! {
    async fn two_replicas_that_look_after_the_same_hold_give_it_back_once(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, sparrow, asked, slot) = offered(database, &ehr).await;
        let other = bridge.beside(SignedDuration::ZERO).await;
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        bridge.clock.advance(SignedDuration::from_mins(10));
        other.clock.advance(SignedDuration::from_mins(10));
        futures_util::future::join(bridge.chores(), other.chores()).await;
        bridge.deliver().await;
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        assert_eq!(stands(&bridge, &sparrow, asked.id).await.state, BookingState::Offered);
        let retracted = bridge.counts().await.iter().map(|(_, count)| count).sum::<i64>();
        assert_eq!(retracted, 2, "the hold, and its end");
    }
}
