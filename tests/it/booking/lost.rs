//! Answers that never come, at every step and in both orders of writing: each time is kept once, for whom it should, or not at
//! all; and nothing is left behind.

use mostik::domain::booking::BookingState;
use mostik::sandbox::{Fault, FaultKind};

use crate::on_both_databases;
use crate::support::booking::{
    Does, appointments, asks, booking_bridge, does, free_slot, proposed_by_the_clinic, read, schedule, stands,
    status_of,
};
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::recommendations::open_person;

/// What goes wrong: done, and the answer lost; perhaps done; not done.
const FAULTS: [FaultKind; 4] = [FaultKind::LostReply, FaultKind::MalformedJson, FaultKind::HtmlError, FaultKind::Reset];

/// The requests that write, where the EHR takes transactions, where it has operations, and where it has neither.
const AT_ONCE: &[(&str, &str)] = &[("POST", "Bundle")];
const BY_OPERATIONS: &[(&str, &str)] = &[("POST", "Appointment")];
const BY_TURNS: &[(&str, &str)] = &[("PUT", "Slot"), ("POST", "Appointment"), ("PUT", "Appointment")];

/// Every step of a booking, each with such a fault at its first such request; then everything is given back.
async fn each_step_survives(bridge: &TestBridge, ehr: &Ehr, schedule: &str, requests: &[(&str, &str)]) {
    let sandbox = ehr.sandbox.as_ref().unwrap();
    let faults = sandbox.faults();
    // Capabilities are known before anything fails.
    let silent = faults.list();
    let mut number = 0;
    for kind in FAULTS {
        for (method, resource_type) in requests {
            number += 1;
            let slot = free_slot(&ehr.base, schedule, "2026-11-30T09:00:00Z".parse().unwrap()).await;
            let patient = create_patient(&ehr.base).await;
            let (bird, _) = open_person(bridge, &format!("bird-{number}"), &patient).await;
            let asked = asks(bridge, &bird, "").await.unwrap();
            let what = format!("{kind:?} at {method} {resource_type}");
            for (step, expected, status) in [
                (Does::Choose(0), BookingState::Held, "busy-tentative"),
                (Does::Confirm, BookingState::Booked, "busy"),
                (Does::Cancel, BookingState::Cancelled, "free"),
            ] {
                let fault = Fault::once(kind).on(method, resource_type);
                faults.replace(silent.iter().cloned().chain([fault]).collect());
                does(&bridge.bridge, &bird, asked.id, step).await.unwrap();
                bridge.deliver_in_time().await;
                faults.replace(silent.clone());
                let stands = stands(bridge, &bird, asked.id).await;
                assert_eq!((stands.state, stands.wish), (expected, None), "{what}: {step:?}");
                assert_eq!(status_of(&ehr.base, &slot).await, status, "{what}: {step:?}");
                let all = sandbox.resources("Appointment");
                let of_slot = all.iter().filter(|it| it["slot"][0]["reference"] == format!("Slot/{slot}"));
                assert_eq!(of_slot.count(), 1, "{what}: {step:?}");
                // `$hold` does not say for whom it is.
                let is_anonymous = requests == BY_OPERATIONS && step == Does::Choose(0);
                let there = appointments(&ehr.base, &patient).await;
                assert_eq!(there.len(), usize::from(!is_anonymous), "{what}: {step:?}");
            }
            // So that nobody else is offered it.
            let mut gone = read(&ehr.base, &format!("Slot/{slot}")).await;
            gone["status"] = "busy-unavailable".into();
            crate::support::recommendations::write(&ehr.base, gone).await;
        }
    }
}

async fn bridge_before(database: Database, ehr: &Ehr) -> (TestBridge, String) {
    let schedule = schedule(&ehr.base).await;
    (booking_bridge(database, &ehr.base, &schedule).await, schedule)
}

on_both_databases! {
    async fn an_answer_that_never_comes_to_a_transaction_changes_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, schedule) = bridge_before(database, &ehr).await;
        each_step_survives(&bridge, &ehr, &schedule, AT_ONCE).await;
    }
}

on_both_databases! {
    async fn an_answer_that_never_comes_to_one_write_of_two_changes_nothing(database) {
        let ehr = Ehr::without_conditional_create().await;
        let (bridge, schedule) = bridge_before(database, &ehr).await;
        each_step_survives(&bridge, &ehr, &schedule, BY_TURNS).await;
    }
}

on_both_databases! {
    async fn an_answer_that_never_comes_to_an_operation_changes_nothing(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0") + &proposed_by_the_clinic("way = \"operations\"");
        let bridge = TestBridge::start_with(database, &text).await;
        each_step_survives(&bridge, &ehr, &schedule, BY_OPERATIONS).await;
    }
}

on_both_databases! {
    async fn a_hold_whose_answer_never_came_is_given_back_when_its_member_gives_up(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, schedule) = bridge_before(database, &ehr).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        for (number, kind) in [FaultKind::LostReply, FaultKind::Reset].into_iter().enumerate() {
            let slot = free_slot(&ehr.base, &schedule, "2026-11-30T09:00:00Z".parse().unwrap()).await;
            let patient = create_patient(&ehr.base).await;
            let (bird, _) = open_person(&bridge, &format!("bird-{number}"), &patient).await;
            let asked = asks(&bridge, &bird, "").await.unwrap();
            faults.switch_on(Fault::once(kind).on("POST", "Bundle"));
            does(&bridge.bridge, &bird, asked.id, Does::Choose(0)).await.unwrap();
            bridge.deliver().await;
            does(&bridge.bridge, &bird, asked.id, Does::Cancel).await.unwrap();
            bridge.deliver_in_time().await;
            assert_eq!(stands(&bridge, &bird, asked.id).await.state, BookingState::Cancelled, "{kind:?}");
            assert_eq!(status_of(&ehr.base, &slot).await, "free", "{kind:?}");
            let there = appointments(&ehr.base, &patient).await;
            assert!(there.iter().all(|one| one["status"] == "cancelled"), "{kind:?}: {there:?}");
            let mut gone = read(&ehr.base, &format!("Slot/{slot}")).await;
            gone["status"] = "busy-unavailable".into();
            crate::support::recommendations::write(&ehr.base, gone).await;
        }
    }
}
