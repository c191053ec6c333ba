//! Booking by free Slots, seen from the EHR: at the sandbox, and at a FHIR server that nobody here wrote.

use jiff::SignedDuration;
use mostik::domain::booking::{BookingState, Note, Wish};
use mostik::domain::delivery::DeliveryState;
use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::booking::{
    Does, appointments, asks, booking_bridge, does, done, finder, free_slot, read, schedule, stands, status_of,
};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::front::{self, Front};
use crate::support::recommendations::{open_person, write};
use crate::support::validate::assert_valid;

const MONDAY: &str = "2026-11-23T09:00:00Z";
const TUESDAY: &str = "2026-11-24T09:00:00Z";

/// The status of an Appointment, and the patient's own word in it.
fn standing(appointment: &Value) -> (&str, &str) {
    (appointment["status"].as_str().unwrap(), appointment["participant"][0]["status"].as_str().unwrap())
}

async fn from_wish_to_visit_and_back(database: Database, ehr: Ehr) {
    let base = &ehr.base;
    let schedule = schedule(base).await;
    let later = free_slot(base, &schedule, TUESDAY.parse().unwrap()).await;
    let slot = free_slot(base, &schedule, MONDAY.parse().unwrap()).await;
    free_slot(base, &schedule, "2026-11-20T12:30:00Z".parse().unwrap()).await;
    let bridge = booking_bridge(database, base, &schedule).await;
    let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;

    let asked = asks(&bridge, &sparrow, "").await.unwrap();
    assert_eq!(asked.state, BookingState::Offered);
    let offered: Vec<String> = asked.details.offers.iter().map(|offer| offer.time.start.to_string()).collect();
    assert_eq!(offered, [MONDAY, TUESDAY], "the earliest first, and none that begins in half an hour");
    assert!(appointments(base, &ehr.patient).await.is_empty(), "whoever looks has asked for nothing");

    let held = done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
    assert_eq!((held.state, held.wish), (BookingState::Held, None));
    assert_eq!(held.hold_until, Some(bridge.now() + SignedDuration::from_mins(10)));
    let there = appointments(base, &ehr.patient).await;
    assert_eq!(there.len(), 1);
    assert_eq!(standing(&there[0]), ("pending", "tentative"));
    assert_eq!(there[0]["slot"][0]["reference"], format!("Slot/{slot}"));
    assert_eq!((&there[0]["start"], &there[0]["minutesDuration"]), (&json!(MONDAY), &json!(50)));
    assert_valid(&there[0]).await;
    let kept = read(base, &format!("Slot/{slot}")).await;
    assert_eq!((&kept["status"], &kept["comment"]), (&json!("busy-tentative"), &json!("Room 4")));
    assert_eq!(kept["identifier"][0]["value"], there[0]["identifier"][0]["value"], "whose it is");

    let booked = done(&bridge, &sparrow, asked.id, Does::Confirm).await;
    assert_eq!((booked.state, booked.hold_until, booked.sequence), (BookingState::Booked, None, 1));
    let visit = booked.visit().unwrap();
    assert_eq!((visit.time.start.to_string(), visit.clinic.as_str()), (MONDAY.to_owned(), "riverside"));
    let there = appointments(base, &ehr.patient).await;
    assert_eq!((there.len(), standing(&there[0])), (1, ("booked", "accepted")));
    assert_valid(&there[0]).await;
    assert_eq!(status_of(base, &slot).await, "busy");

    // Another time: the new one first, then the old one.
    let another = does(&bridge.bridge, &sparrow, asked.id, Does::Change).await.unwrap();
    assert_eq!(does(&bridge.bridge, &sparrow, asked.id, Does::Change).await.unwrap().id, another.id, "begun once");
    finder(&bridge).find(sparrow.id, another.id).await.unwrap();
    done(&bridge, &sparrow, another.id, Does::Choose(0)).await;
    assert_eq!(status_of(base, &slot).await, "busy", "the first stays until the second is booked");
    assert_eq!(done(&bridge, &sparrow, another.id, Does::Confirm).await.state, BookingState::Booked);
    bridge.chores().await;
    bridge.deliver().await;
    let old = stands(&bridge, &sparrow, asked.id).await;
    assert_eq!((old.state, old.sequence), (BookingState::Rescheduled, 2));
    assert_eq!((status_of(base, &slot).await, status_of(base, &later).await), ("free".to_owned(), "busy".to_owned()));

    let cancelled = done(&bridge, &sparrow, another.id, Does::Cancel).await;
    assert_eq!(cancelled.state, BookingState::Cancelled);
    let there = appointments(base, &ehr.patient).await;
    assert!(there.iter().all(|one| standing(one) == ("cancelled", "declined")), "{there:#?}");
    for one in &there {
        assert_eq!(one["cancelationReason"]["coding"][0]["code"], "pat-cpp");
        assert_valid(one).await;
    }
    let free = read(base, &format!("Slot/{later}")).await;
    assert_eq!((&free["status"], &free["identifier"]), (&json!("free"), &Value::Null), "free for anybody");
    assert_eq!(bridge.open_items().await, 0);
    assert_eq!(audit::wrong(&bridge).await, [""; 0]);
}

on_both_databases! {
    async fn a_member_books_changes_and_cancels_a_visit(database) {
        from_wish_to_visit_and_back(database, Ehr::sandbox().await).await;
    }
}

on_both_databases! {
    async fn a_member_books_changes_and_cancels_a_visit_where_the_ehr_takes_no_transactions(database) {
        // It says nothing of itself, and so nothing special is believed of it.
        from_wish_to_visit_and_back(database, Ehr::without_conditional_create().await).await;
    }
}

on_both_databases! {
    async fn a_member_books_changes_and_cancels_a_visit_at_a_server_that_nobody_here_wrote(database) {
        if let Some(ehr) = Ehr::sekmet().await {
            from_wish_to_visit_and_back(database, ehr).await;
        }
    }
}

on_both_databases! {
    async fn whoever_is_second_is_told_so_and_may_choose_once_more(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let slot = free_slot(&ehr.base, &schedule, MONDAY.parse().unwrap()).await;
        let bridge = booking_bridge(database, &ehr.base, &schedule).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let (wren, _) = open_person(&bridge, "wren", &create_patient(&ehr.base).await).await;
        let (first, second) = (asks(&bridge, &sparrow, "").await.unwrap(), asks(&bridge, &wren, "").await.unwrap());
        assert_eq!(done(&bridge, &sparrow, first.id, Does::Choose(0)).await.state, BookingState::Held);
        let late = done(&bridge, &wren, second.id, Does::Choose(0)).await;
        assert_eq!((late.state, late.note, late.hold_until), (BookingState::Offered, Some(Note::Taken), None));
        assert_eq!(bridge.count(DeliveryState::Rejected).await, 0, "nothing for a human");
        let found = finder(&bridge).find(wren.id, second.id).await.unwrap();
        assert_eq!(found.state, BookingState::Requested, "nothing is free any more");
        // The first gives it back, and whoever waits is told.
        finder(&bridge).wait(wren.id, second.id, true).await.unwrap();
        done(&bridge, &sparrow, first.id, Does::Release).await;
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        let clinic = crate::support::bridge::riverside();
        assert!(!finder(&bridge).look_for_waiting(&clinic).await.unwrap(), "not yet");
        bridge.clock.advance(SignedDuration::from_mins(15));
        assert!(finder(&bridge).look_for_waiting(&clinic).await.unwrap());
        let now = stands(&bridge, &wren, second.id).await;
        assert_eq!((now.state, now.note, now.waits), (BookingState::Offered, Some(Note::NowFree), false));
        assert_eq!(done(&bridge, &wren, second.id, Does::Choose(0)).await.state, BookingState::Held);
    }
}

on_both_databases! {
    async fn a_time_that_the_clinic_gave_away_by_itself_is_not_booked_over(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let slot = free_slot(&ehr.base, &schedule, MONDAY.parse().unwrap()).await;
        let bridge = booking_bridge(database, &ehr.base, &schedule).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let asked = asks(&bridge, &sparrow, "").await.unwrap();
        let mut taken = read(&ehr.base, &format!("Slot/{slot}")).await;
        taken["status"] = json!("busy");
        write(&ehr.base, taken).await;
        let late = done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        assert_eq!((late.state, late.note), (BookingState::Offered, Some(Note::Taken)));
        assert_eq!(status_of(&ehr.base, &slot).await, "busy", "it stays theirs");
        assert!(appointments(&ehr.base, &ehr.patient).await.is_empty());
    }
}

on_both_databases! {
    async fn an_ehr_that_keeps_no_identifier_of_a_slot_must_write_both_at_once(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let slot = free_slot(&ehr.base, &schedule, MONDAY.parse().unwrap()).await;
        let by_turns = Front::before(&ehr, front::Does::KeepsNoMarkByTurns);
        let bridge = booking_bridge(database, &by_turns.base, &schedule).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let asked = asks(&bridge, &sparrow, "").await.unwrap();
        let left = done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        assert_eq!((left.state, left.note), (BookingState::Offered, Some(Note::NotDone)));
        assert_eq!(status_of(&ehr.base, &slot).await, "free", "it is not left taken for nobody");
        assert!(appointments(&ehr.base, &ehr.patient).await.is_empty());
        assert_eq!(bridge.count(DeliveryState::Rejected).await, 1, "for a human to see");
    }
}

on_both_databases! {
    async fn an_ehr_that_keeps_no_identifier_of_a_slot_is_understood_by_the_appointment_that_has_it(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let slot = free_slot(&ehr.base, &schedule, MONDAY.parse().unwrap()).await;
        let at_once = Front::before(&ehr, front::Does::KeepsNoMark);
        let bridge = booking_bridge(database, &at_once.base, &schedule).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let (wren, _) = open_person(&bridge, "wren", &create_patient(&ehr.base).await).await;
        let (asked, others) = (asks(&bridge, &sparrow, "").await.unwrap(), asks(&bridge, &wren, "").await.unwrap());
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        for (step, status) in [(Does::Choose(0), "busy-tentative"), (Does::Confirm, "busy"), (Does::Cancel, "free")] {
            faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "Bundle"));
            does(&bridge.bridge, &sparrow, asked.id, step).await.unwrap();
            bridge.deliver_in_time().await;
            assert_eq!(status_of(&ehr.base, &slot).await, status, "{step:?}");
            if step == Does::Confirm {
                let late = done(&bridge, &wren, others.id, Does::Choose(0)).await;
                assert_eq!((late.state, late.note), (BookingState::Offered, Some(Note::Taken)));
            }
        }
        let marked = ehr.sandbox.as_ref().unwrap().resources("Slot");
        assert_eq!(marked[0]["identifier"], Value::Null);
        assert_eq!(appointments(&ehr.base, &ehr.patient).await.len(), 1);
    }
}

on_both_databases! {
    async fn an_ehr_that_refuses_the_visit_gets_its_time_back(database) {
        let ehr = Ehr::without_conditional_create().await;
        let schedule = schedule(&ehr.base).await;
        let slot = free_slot(&ehr.base, &schedule, MONDAY.parse().unwrap()).await;
        let bridge = booking_bridge(database, &ehr.base, &schedule).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let asked = asks(&bridge, &sparrow, "").await.unwrap();
        let refuses = Fault::always(FaultKind::Status { code: 422, retry_after: None }).on("POST", "Appointment");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(refuses);
        let left = done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        assert_eq!((left.state, left.note), (BookingState::Offered, Some(Note::NotDone)));
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        assert_eq!(bridge.count(DeliveryState::Rejected).await, 1, "for a human to see");
        // Whatever it says, it may keep something for somebody who has nothing of it.
        bridge.chores().await;
        assert_eq!(stands(&bridge, &sparrow, asked.id).await.wish, Some(Wish::Release));
        bridge.deliver_in_time().await;
        bridge.chores().await;
        assert_eq!(stands(&bridge, &sparrow, asked.id).await.wish, None, "it is given back once");
    }
}
