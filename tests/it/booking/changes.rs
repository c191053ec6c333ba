//! What a clinic's people do with a visit in their own system: it comes back to the booking and to the member, at the instant
//! that they mean.

use mostik::booking::{BookingError, FindError};
use mostik::domain::booking::{BookingState, Note, Way};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::booking::{
    ASKED_FOR, Does, appointments, asks, asks_as, done, finder, first_talk, free_slot, read, schedule, stands,
    status_of,
};
use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::recommendations::{look_later, open_person, write};

/// A bridge before a clinic that offers this, and looks for what its people did.
async fn looking(database: Database, ehr: &Ehr, visits: &str) -> TestBridge {
    let back = "[clinics.riverside.way_back]\nkinds = [\"appointment\"]\n";
    let text = config_text(&database, &ehr.base, "127.0.0.1:0") + visits + back;
    TestBridge::start_with(database, &text).await
}

/// The clinic's people change the one Appointment of the patient that is not cancelled.
async fn they(ehr: &Ehr, change: impl FnOnce(&mut Value)) {
    let all = appointments(&ehr.base, &ehr.patient).await;
    let mut one = all.into_iter().find(|it| it["status"] != "cancelled").unwrap();
    change(&mut one);
    write(&ehr.base, one).await;
}

/// A member whose first talk is booked.
async fn booked(database: Database, ehr: &Ehr) -> (TestBridge, Person, mostik::domain::ids::BookingId) {
    let schedule = schedule(&ehr.base).await;
    free_slot(&ehr.base, &schedule, "2026-11-30T09:00:00Z".parse().unwrap()).await;
    let bridge = looking(database, ehr, &first_talk(&schedule, "")).await;
    let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
    let id = asks(&bridge, &sparrow, "").await.unwrap().id;
    done(&bridge, &sparrow, id, Does::Choose(0)).await;
    assert_eq!(done(&bridge, &sparrow, id, Does::Confirm).await.state, BookingState::Booked);
    look_later(&bridge).await;
    assert_eq!(stands(&bridge, &sparrow, id).await.note, None, "what the bridge did itself is no news");
    (bridge, sparrow, id)
}

on_both_databases! {
    async fn a_clinic_that_moves_a_visit_moves_its_instant_and_nothing_else_does(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, sparrow, id) = booked(database, &ehr).await;
        they(&ehr, |visit| {
            visit["start"] = json!("2026-12-01T08:00:00-05:00");
            visit["end"] = json!("2026-12-01T08:50:00-05:00");
        }).await;
        look_later(&bridge).await;
        let moved = stands(&bridge, &sparrow, id).await;
        assert_eq!((moved.state, moved.note), (BookingState::Booked, Some(Note::ClinicMoved)));
        assert_eq!(moved.time.unwrap().start.to_string(), "2026-12-01T13:00:00Z", "wherever the clinic is");
        let sequence = moved.sequence;
        bridge.move_to(&sparrow, "Asia/Tokyo").await;
        look_later(&bridge).await;
        let later = stands(&bridge, &sparrow, id).await;
        assert_eq!((later.time, later.sequence), (moved.time, sequence), "and what was seen before is no news");
    }
}

on_both_databases! {
    async fn what_becomes_of_a_visit_at_the_clinic_becomes_of_the_booking(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, sparrow, id) = booked(database, &ehr).await;
        for (status, expected) in [
            ("arrived", BookingState::Booked),
            ("noshow", BookingState::NoShow),
            ("fulfilled", BookingState::Fulfilled),
        ] {
            they(&ehr, |visit| visit["status"] = json!(status)).await;
            look_later(&bridge).await;
            assert_eq!(stands(&bridge, &sparrow, id).await.state, expected, "{status}");
        }
    }
}

on_both_databases! {
    async fn a_visit_that_the_clinic_cancels_is_cancelled_and_its_member_told(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, sparrow, id) = booked(database, &ehr).await;
        they(&ehr, |visit| visit["status"] = json!("cancelled")).await;
        look_later(&bridge).await;
        let over = stands(&bridge, &sparrow, id).await;
        assert_eq!((over.state, over.note), (BookingState::Cancelled, Some(Note::ClinicCancelled)));
        let due = bridge.bridge.store.read().await.unwrap().tellings_due(sparrow.id, bridge.now()).await.unwrap();
        assert_eq!(due.iter().map(|row| row.recommendation).collect::<Vec<_>>(), [id.0]);
    }
}

on_both_databases! {
    async fn a_time_that_a_clinic_keeps_after_its_member_gave_up_is_given_back(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let slot = free_slot(&ehr.base, &schedule, "2026-11-30T09:00:00Z".parse().unwrap()).await;
        let bridge = looking(database, &ehr, &first_talk(&schedule, "")).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        for (gives_up, left) in [(Does::Release, BookingState::Offered), (Does::Cancel, BookingState::Cancelled)] {
            let id = asks(&bridge, &sparrow, "").await.unwrap().id;
            done(&bridge, &sparrow, id, Does::Choose(0)).await;
            let late = [read(&ehr.base, &format!("Slot/{slot}")).await, appointments(&ehr.base, &ehr.patient).await.pop().unwrap()];
            done(&bridge, &sparrow, id, gives_up).await;
            assert_eq!(status_of(&ehr.base, &slot).await, "free");
            // What had been on its way for so long that nobody waited any more gets there at last.
            for mut one in late {
                one["meta"] = read(&ehr.base, &format!("{}/{}", one["resourceType"].as_str().unwrap(), one["id"].as_str().unwrap())).await["meta"].clone();
                write(&ehr.base, one).await;
            }
            assert_eq!(status_of(&ehr.base, &slot).await, "busy-tentative");
            look_later(&bridge).await;
            bridge.chores().await;
            bridge.deliver_in_time().await;
            assert_eq!(status_of(&ehr.base, &slot).await, "free", "{gives_up:?}");
            let there = appointments(&ehr.base, &ehr.patient).await;
            assert!(there.iter().all(|one| one["status"] == "cancelled"), "{gives_up:?}: {there:?}");
            let stands = stands(&bridge, &sparrow, id).await;
            assert_eq!((stands.state, stands.wish, stands.hold_until), (left, None, None));
            look_later(&bridge).await;
            assert!(bridge.open_items().await == 0, "once is enough");
        }
    }
}

on_both_databases! {
    async fn a_clinic_that_is_asked_decides_when_and_whether(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = looking(database, &ehr, ASKED_FOR).await;
        let (sparrow, _) = open_person(&bridge, "sparrow", &ehr.patient).await;
        let first = asks_as(&bridge, &sparrow, "", Way::Request).await.unwrap();
        bridge.deliver().await;
        let asked = stands(&bridge, &sparrow, first.id).await;
        assert_eq!((asked.state, asked.wish, asked.time), (BookingState::Requested, None, None));
        let there = appointments(&ehr.base, &ehr.patient).await;
        assert_eq!((there.len(), &there[0]["status"]), (1, &json!("proposed")));
        assert!(there[0]["requestedPeriod"][0]["end"].is_string() && there[0]["start"].is_null(), "{}", there[0]);
        look_later(&bridge).await;
        assert_eq!(stands(&bridge, &sparrow, first.id).await.state, BookingState::Requested, "they think about it");
        let searched = finder(&bridge).find(sparrow.id, first.id).await;
        assert!(matches!(searched, Err(FindError::Booking(BookingError::NotNow))), "nothing is chosen beside that");
        they(&ehr, |visit| {
            visit["status"] = json!("booked");
            visit["start"] = json!("2026-11-30T10:00:00+01:00");
            visit["end"] = json!("2026-11-30T10:50:00+01:00");
        }).await;
        look_later(&bridge).await;
        let booked = stands(&bridge, &sparrow, first.id).await;
        assert_eq!((booked.state, booked.time.unwrap().start.to_string().as_str()), (BookingState::Booked, "2026-11-30T09:00:00Z"));
        done(&bridge, &sparrow, first.id, Does::Cancel).await;
        let there = appointments(&ehr.base, &ehr.patient).await;
        assert_eq!((there.len(), &there[0]["status"]), (1, &json!("cancelled")), "the member may cancel what they gave");

        let second = asks_as(&bridge, &sparrow, "", Way::Request).await.unwrap();
        bridge.deliver().await;
        they(&ehr, |visit| visit["status"] = json!("cancelled")).await;
        look_later(&bridge).await;
        let refused = stands(&bridge, &sparrow, second.id).await;
        assert_eq!((refused.state, refused.note), (BookingState::Cancelled, Some(Note::ClinicCancelled)));
    }
}
