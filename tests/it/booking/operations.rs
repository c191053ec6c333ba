//! Booking by `$find`, `$hold` and `$book`: as IHE ITI Scheduling and as Argonaut Scheduling have them, at the sandbox.

use jiff::SignedDuration;
use mostik::domain::booking::{Booking, BookingState, Note, Way};
use mostik::domain::clock::{Clock, ManualClock};
use mostik::domain::delivery::DeliveryState;
use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::booking::{
    Does, appointments, asks_as, does, done, finder, free_slot, proposed_by_the_clinic, read, schedule, stands,
    status_of, visit,
};
use crate::support::bridge::{Person, TestBridge, config_text, riverside};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::front::{self, Front};
use crate::support::recommendations::{look_later, open_person, write};
use crate::support::validate::assert_valid;

const MONDAY: &str = "2026-11-23T09:00:00Z";
const TUESDAY: &str = "2026-11-24T09:00:00Z";

/// A bridge before a clinic whose own system proposes times, with these settings more.
async fn bridge_before(database: Database, base: &str, more: &str) -> TestBridge {
    let text = config_text(&database, base, "127.0.0.1:0") + &proposed_by_the_clinic("") + more;
    TestBridge::start_with(database, &text).await
}

/// A member asks for a first talk, in whatever way the clinic's system has, and gets offers.
async fn asks(bridge: &TestBridge, person: &Person, reason: &str) -> Booking {
    let clinic = riverside();
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let visit = bridge.bridge.visit(&mut tx, &clinic, &visit()).await.unwrap().unwrap();
    drop(tx);
    let way = finder(bridge).way(person.id, &clinic, &visit).await.unwrap();
    assert_eq!(way, Way::Operations, "its system says that it has them");
    let asked = asks_as(bridge, person, reason, way).await.unwrap();
    finder(bridge).find(person.id, asked.id).await.unwrap()
}

async fn from_wish_to_visit_and_back(database: Database, does_front: front::Does, shape: &str) {
    let ehr = Ehr::sandbox().await;
    let front = Front::before(&ehr, does_front);
    let schedule = schedule(&ehr.base).await;
    let later = free_slot(&ehr.base, &schedule, TUESDAY.parse().unwrap()).await;
    let slot = free_slot(&ehr.base, &schedule, MONDAY.parse().unwrap()).await;
    let bridge = bridge_before(database, &front.base, "").await;
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    let shares = json!({"categories": {"mood": "every-entry", "agenda": "weekly-summary"}, "way_back": "notice"});
    bridge.share_by(&sparrow, shares).await;

    let asked = asks(&bridge, &sparrow, "It is about the nights.").await;
    let offered: Vec<String> = asked.details.offers.iter().map(|offer| offer.time.start.to_string()).collect();
    assert_eq!(offered, [MONDAY, TUESDAY]);
    assert!(appointments(&ehr.base, &ehr.patient).await.is_empty(), "whoever looks has asked for nothing");
    let held = done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
    assert_eq!((held.state, held.wish), (BookingState::Held, None));
    assert_eq!(status_of(&ehr.base, &slot).await, "busy-tentative");

    let booked = done(&bridge, &sparrow, asked.id, Does::Confirm).await;
    assert_eq!((booked.state, booked.visit().unwrap().time.start.to_string().as_str()), (BookingState::Booked, MONDAY));
    let there = appointments(&ehr.base, &ehr.patient).await;
    assert_eq!((there.len(), &there[0]["status"]), (1, &json!("booked")));
    assert!(there[0].to_string().contains("It is about the nights."), "said when it is booked: {}", there[0]);
    assert_eq!(status_of(&ehr.base, &slot).await, "busy");

    // Another time: the new one first, then the old one.
    let another = does(&bridge.bridge, &sparrow, asked.id, Does::Change).await.unwrap();
    finder(&bridge).find(sparrow.id, another.id).await.unwrap();
    done(&bridge, &sparrow, another.id, Does::Choose(0)).await;
    assert_eq!(done(&bridge, &sparrow, another.id, Does::Confirm).await.state, BookingState::Booked);
    bridge.chores().await;
    bridge.deliver().await;
    assert_eq!(stands(&bridge, &sparrow, asked.id).await.state, BookingState::Rescheduled);
    assert_eq!(
        (status_of(&ehr.base, &slot).await, status_of(&ehr.base, &later).await),
        ("free".to_owned(), "busy".to_owned())
    );
    assert_eq!(done(&bridge, &sparrow, another.id, Does::Cancel).await.state, BookingState::Cancelled);
    assert_eq!(status_of(&ehr.base, &later).await, "free");
    let there = appointments(&ehr.base, &ehr.patient).await;
    assert!(there.len() == 2 && there.iter().all(|one| one["status"] == "cancelled"), "{there:#?}");
    assert_eq!(bridge.open_items().await, 0);
    assert_eq!(audit::wrong(&bridge).await, [""; 0]);
    judge_what_was_told(&front, shape).await;
}

/// All that was asked is valid, and as it was before.
async fn judge_what_was_told(front: &Front, shape: &str) {
    let told = front.told();
    let lines: Vec<&str> = told.iter().map(|(line, _)| line.split('?').next().unwrap()).collect();
    let of = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!((of("$find"), of("$hold")), (2, 2), "{lines:?}");
    for (line, body) in &told {
        if body.is_object() {
            assert_valid(body).await;
        }
        for parameter in body["parameter"].as_array().into_iter().flatten() {
            if parameter["resource"].is_object() {
                assert_valid(&parameter["resource"]).await;
            }
        }
        assert!(!line.contains("Patient"), "{line}");
    }
    let firsts = ["$find", "$hold", "$book", "PATCH"].map(|word| told.iter().find(|(line, _)| line.contains(word)));
    let firsts: Vec<Value> =
        firsts.into_iter().flatten().map(|(line, body)| json!({"asked": line, "body": body})).collect();
    insta::assert_json_snapshot!(format!("operations_{shape}"), firsts, {
        ".**.value" => insta::dynamic_redaction(redacted), ".**.id" => insta::dynamic_redaction(redacted),
        ".**.reference" => insta::dynamic_redaction(redacted), ".**.valueUri" => insta::dynamic_redaction(redacted),
        ".**.asked" => insta::dynamic_redaction(redacted), ".**.policy" => "[grant]",
    });
}

/// Ids are new each time.
fn redacted(value: insta::internals::Content, _path: insta::internals::ContentPath<'_>) -> insta::internals::Content {
    let Some(text) = value.as_str() else { return value };
    let is_id = |part: &str| part.len() == 36 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let parts = text.split('/').map(|part| match part.strip_prefix("slot-") {
        Some(id) if is_id(id) => "slot-[id]",
        _ if is_id(part) => "[id]",
        _ => part,
    });
    parts.collect::<Vec<_>>().join("/").into()
}

on_both_databases! {
    async fn a_member_books_changes_and_cancels_a_visit_as_ihe_has_it(database) {
        from_wish_to_visit_and_back(database, front::Does::Nothing, "ihe").await;
    }
}

on_both_databases! {
    async fn a_member_books_changes_and_cancels_a_visit_as_argonaut_has_it(database) {
        from_wish_to_visit_and_back(database, front::Does::Argonaut, "argonaut").await;
    }
}

/// A bridge, somebody to whom one time is offered, and its Slot.
async fn offered(database: Database, ehr: &Ehr, base: &str) -> (TestBridge, Person, Booking, String) {
    let schedule = schedule(&ehr.base).await;
    let slot = free_slot(&ehr.base, &schedule, MONDAY.parse().unwrap()).await;
    let bridge = bridge_before(database, base, "[clinics.riverside.way_back]\nkinds = [\"appointment\"]\n").await;
    let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
    let asked = asks(&bridge, &sparrow, "").await;
    (bridge, sparrow, asked, slot)
}

async fn whoever_is_second(database: Database, does_front: front::Does) {
    let ehr = Ehr::sandbox().await;
    let front = Front::before(&ehr, does_front);
    let (bridge, sparrow, first, slot) = offered(database, &ehr, &front.base).await;
    let (wren, _) = open_person(&bridge, "wren", &create_patient(&ehr.base).await).await;
    let second = asks(&bridge, &wren, "").await;
    assert_eq!(done(&bridge, &sparrow, first.id, Does::Choose(0)).await.state, BookingState::Held);
    let late = done(&bridge, &wren, second.id, Does::Choose(0)).await;
    assert_eq!((late.state, late.note, late.hold_until), (BookingState::Offered, Some(Note::Taken), None));
    assert_eq!(bridge.count(DeliveryState::Rejected).await, 0, "nothing for a human");
    let found = finder(&bridge).find(wren.id, second.id).await.unwrap();
    assert_eq!(found.state, BookingState::Requested, "nothing is free any more");
    done(&bridge, &sparrow, first.id, Does::Release).await;
    assert_eq!(status_of(&ehr.base, &slot).await, "free");
    finder(&bridge).find(wren.id, second.id).await.unwrap();
    assert_eq!(done(&bridge, &wren, second.id, Does::Choose(0)).await.state, BookingState::Held);
}

on_both_databases! {
    async fn whoever_is_second_is_told_so_in_a_bundle_and_may_choose_once_more(database) {
        Box::pin(whoever_is_second(database, front::Does::Nothing)).await;
    }
}

on_both_databases! {
    async fn whoever_is_second_is_told_so_by_a_status_and_may_choose_once_more(database) {
        Box::pin(whoever_is_second(database, front::Does::Argonaut)).await;
    }
}

on_both_databases! {
    async fn a_hold_that_ends_by_the_clinics_own_clock_is_not_booked_any_more(database) {
        let clock = ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap());
        let ehr = Ehr::sandbox_by(Clock::Manual(clock.clone())).await;
        let (bridge, sparrow, asked, slot) = offered(database, &ehr, &ehr.base).await;
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        clock.advance(SignedDuration::from_mins(15));
        let late = done(&bridge, &sparrow, asked.id, Does::Confirm).await;
        assert_eq!(late.note, Some(Note::HoldEnded));
        bridge.chores().await;
        bridge.deliver_in_time().await;
        let back = stands(&bridge, &sparrow, asked.id).await;
        assert_eq!((back.state, back.wish, back.hold_until), (BookingState::Offered, None, None));
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
        assert_eq!(bridge.count(DeliveryState::Rejected).await, 0, "nothing for a human");
        finder(&bridge).find(sparrow.id, asked.id).await.unwrap();
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        assert_eq!(done(&bridge, &sparrow, asked.id, Does::Confirm).await.state, BookingState::Booked);
    }
}

on_both_databases! {
    async fn what_is_lost_at_a_clinic_that_keeps_no_identifier_is_taken_by_nobody_and_ends_by_its_clock(database) {
        let clock = ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap());
        let ehr = Ehr::sandbox_by(Clock::Manual(clock.clone())).await;
        let front = Front::before(&ehr, front::Does::KeepsNoMark);
        let (bridge, sparrow, asked, slot) = offered(database, &ehr, &front.base).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "Appointment"));
        does(&bridge.bridge, &sparrow, asked.id, Does::Choose(0)).await.unwrap();
        bridge.deliver_in_time().await;
        let left = stands(&bridge, &sparrow, asked.id).await;
        assert_eq!((left.state, left.note), (BookingState::Offered, Some(Note::Taken)), "nobody knows whose it is");
        assert_eq!(status_of(&ehr.base, &slot).await, "busy-tentative");
        clock.advance(SignedDuration::from_mins(15));
        finder(&bridge).find(sparrow.id, asked.id).await.unwrap();
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        // An answer to `$book` that is lost is found by where it was held.
        faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "Appointment"));
        does(&bridge.bridge, &sparrow, asked.id, Does::Confirm).await.unwrap();
        bridge.deliver_in_time().await;
        assert_eq!(stands(&bridge, &sparrow, asked.id).await.state, BookingState::Booked);
        let all = ehr.sandbox.as_ref().unwrap().resources("Appointment");
        assert_eq!(all.iter().filter(|one| one["status"] == "booked").count(), 1, "{all:?}");
    }
}

on_both_databases! {
    async fn what_the_clinic_does_with_a_visit_comes_back_and_is_given_back_by_operations(database) {
        let ehr = Ehr::sandbox().await;
        let front = Front::before(&ehr, front::Does::Nothing);
        let (bridge, sparrow, asked, slot) = offered(database, &ehr, &front.base).await;
        done(&bridge, &sparrow, asked.id, Does::Choose(0)).await;
        done(&bridge, &sparrow, asked.id, Does::Confirm).await;
        let mut moved = appointments(&ehr.base, &ehr.patient).await.remove(0);
        (moved["start"], moved["end"]) = (json!("2026-12-01T08:00:00-05:00"), json!("2026-12-01T08:50:00-05:00"));
        write(&ehr.base, moved).await;
        look_later(&bridge).await;
        let told = stands(&bridge, &sparrow, asked.id).await;
        assert_eq!((told.note, told.time.unwrap().start.to_string().as_str()), (Some(Note::ClinicMoved), "2026-12-01T13:00:00Z"));
        assert_eq!(done(&bridge, &sparrow, asked.id, Does::Cancel).await.state, BookingState::Cancelled);
        let cancelled = front.told().into_iter().next_back().unwrap();
        assert_eq!(cancelled.0, "POST /Appointment/$book");
        assert_eq!(cancelled.1["parameter"][0]["resource"]["status"], "cancelled");
        assert_eq!(status_of(&ehr.base, &slot).await, "free");
    }
}

on_both_databases! {
    async fn a_clinic_that_cannot_look_for_times_has_not_found_none(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, sparrow, asked, _) = offered(database, &ehr, &ehr.base).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        for kind in [FaultKind::Status { code: 422, retry_after: None }, FaultKind::HtmlError, FaultKind::Reset, FaultKind::MalformedJson] {
            faults.switch_on(Fault::once(kind).on("POST", "Appointment"));
            let found = finder(&bridge).find(sparrow.id, asked.id).await;
            assert!(found.is_err(), "{kind:?}: {found:?}");
        }
        assert_eq!(stands(&bridge, &sparrow, asked.id).await.details.offers.len(), 1, "what was offered before still is");
        let slot = read(&ehr.base, "Slot?_count=1").await;
        assert_eq!(slot["entry"][0]["resource"]["status"], "free");
    }
}
