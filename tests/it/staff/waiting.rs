//! Those who wait until something is free, at a clinic with times of its own: a time is given to them, and to nobody else.

use mostik::booking::FindError;
use mostik::domain::booking::{BookingState, Way};
use mostik::domain::ids::BookingId;

use crate::on_both_databases;
use crate::support::booking::{
    Does, appointments, asks_as, done, finder, first_talk, free_slot, proposed_by_the_clinic, schedule, stands,
    status_of,
};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::recommendations::write;
use crate::support::staff::{Ward, main_text};

/// A clinic at which nothing is free, and a patient who waits.
async fn waiting(database: Database) -> (Ward, String, BookingId) {
    let ehr = Ehr::sandbox().await;
    let schedule = schedule(&ehr.base).await;
    let ward = Ward::open(database, ehr, &first_talk(&schedule, "")).await;
    let bridge = &ward.portal.bridge;
    let booking = asks_as(bridge, &ward.sparrow, "", Way::Slots).await.unwrap();
    let finder = finder(bridge);
    assert_eq!(finder.find(ward.sparrow.id, booking.id).await.unwrap().state, BookingState::Requested);
    finder.wait(ward.sparrow.id, booking.id, true).await.unwrap();
    (ward, schedule, booking.id)
}

on_both_databases! {
    async fn somebody_who_waits_is_given_a_time_that_is_free_in_the_ehr(database) {
        let (ward, schedule, id) = Box::pin(waiting(database)).await;
        let path = format!("/clinic/requests/{id}");
        let mut nurse = ward.colleague("riverside").await;
        assert!(main_text(&nurse.get("/clinic").await).contains("waits until something is free"));
        assert!(main_text(&nurse.get(&path).await).contains("No time is free"), "nothing is, and it is said so");
        let slot = free_slot(&ward.ehr.base, &schedule, "2026-11-30T09:00:00Z".parse().unwrap()).await;
        let page = nurse.get(&path).await;
        assert!(main_text(&page).contains("30 November 2026") && main_text(&page).contains("10:00–10:50"), "{}", page.body);
        let place = format!("slot:{slot}");
        let given = ward.does(&mut nurse, &path, &path, &[("place", &place), ("how", "give")]).await;
        assert_eq!(given.status, 303, "{}", given.body);
        assert_eq!(status_of(&ward.ehr.base, &slot).await, "busy");
        let there = appointments(&ward.ehr.base, &ward.ehr.patient).await;
        assert_eq!((there.len(), &there[0]["status"]), (1, &serde_json::json!("booked")));
        let booked = stands(&ward.portal.bridge, &ward.sparrow, id).await;
        assert_eq!((booked.state, booked.waits), (BookingState::Booked, false));
        let looked = finder(&ward.portal.bridge).find(ward.sparrow.id, id).await;
        assert!(matches!(looked, Err(FindError::Booking(_))), "nothing is looked for any more");
    }
}

on_both_databases! {
    async fn somebody_who_waits_is_offered_or_given_a_time_that_the_ehr_proposes_by_operations(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let ward = Ward::open(database, ehr, &proposed_by_the_clinic("")).await;
        let bridge = &ward.portal.bridge;
        let mut nurse = ward.colleague("riverside").await;
        for (start, how, after) in
            [("2026-11-30T09:00:00Z", "offer", BookingState::Held), ("2026-12-01T09:00:00Z", "give", BookingState::Booked)]
        {
            let id = asks_as(bridge, &ward.sparrow, "", Way::Operations).await.unwrap().id;
            assert_eq!(finder(bridge).find(ward.sparrow.id, id).await.unwrap().state, BookingState::Requested);
            finder(bridge).wait(ward.sparrow.id, id, true).await.unwrap();
            let path = format!("/clinic/requests/{id}");
            assert!(main_text(&nurse.get(&path).await).contains("No time is free"), "the EHR has times, and none is free");
            let slot = free_slot(&ward.ehr.base, &schedule, start.parse().unwrap()).await;
            assert!(main_text(&nurse.get("/clinic/free").await).contains("1 time"), "within two weeks");
            let page = nurse.get(&path).await;
            let place = format!("proposed:slot-{slot}");
            assert!(page.body.contains(&place) && main_text(&page).contains("10:00–10:50"), "{}", page.body);
            let fields = [("place", place.as_str()), ("how", how), ("hours", "48")];
            let given = ward.does(&mut nurse, &path, &path, &fields).await;
            assert_eq!(given.status, 303, "{}", given.body);
            let stood = stands(bridge, &ward.sparrow, id).await;
            assert_eq!((stood.state, stood.wish), (after, None));
            if after == BookingState::Held {
                assert_eq!(status_of(&ward.ehr.base, &slot).await, "busy-tentative");
                assert_eq!(done(bridge, &ward.sparrow, id, Does::Confirm).await.state, BookingState::Booked);
            }
            assert_eq!(status_of(&ward.ehr.base, &slot).await, "busy");
        }
        let there = appointments(&ward.ehr.base, &ward.ehr.patient).await;
        assert!(there.len() == 2 && there.iter().all(|one| one["status"] == "booked"), "{there:#?}");
    }
}

on_both_databases! {
    async fn a_time_that_somebody_else_has_meanwhile_is_given_to_nobody(database) {
        let (ward, schedule, id) = Box::pin(waiting(database)).await;
        let path = format!("/clinic/requests/{id}");
        let slot = free_slot(&ward.ehr.base, &schedule, "2026-11-30T09:00:00Z".parse().unwrap()).await;
        let place = format!("slot:{slot}");
        let mut nurse = ward.colleague("riverside").await;
        nurse.get(&path).await;
        // Free when it was chosen, and gone before the EHR was asked.
        let given = nurse.post(&path, &[("place", &place), ("how", "give")]).await;
        assert_eq!(given.status, 303, "{}", given.body);
        let mut taken = crate::support::booking::read(&ward.ehr.base, &format!("Slot/{slot}")).await;
        taken["status"] = serde_json::json!("busy");
        write(&ward.ehr.base, taken).await;
        ward.portal.bridge.deliver().await;
        let again = stands(&ward.portal.bridge, &ward.sparrow, id).await;
        assert_eq!((again.state, again.wish, again.time), (BookingState::Requested, None, None));
        assert!(appointments(&ward.ehr.base, &ward.ehr.patient).await.is_empty());
        assert!(main_text(&nurse.get("/clinic").await).contains(&ward.ehr.patient), "it waits for another time");
        nurse.get(&path).await;
        let gone = nurse.post(&path, &[("place", &place), ("how", "give")]).await;
        assert!(gone.status == 422 && gone.body.contains("not free any more"), "{}", gone.body);
        let other = free_slot(&ward.ehr.base, &schedule, "2026-12-01T09:00:00Z".parse().unwrap()).await;
        let place = format!("slot:{other}");
        ward.does(&mut nurse, &path, &path, &[("place", &place), ("how", "give")]).await;
        assert_eq!(stands(&ward.portal.bridge, &ward.sparrow, id).await.state, BookingState::Booked);
        assert_eq!(appointments(&ward.ehr.base, &ward.ehr.patient).await.len(), 1);
    }
}

on_both_databases! {
    async fn an_ehr_that_does_not_answer_is_said_to_be_away_and_not_to_be_full(database) {
        let (mut ward, _, id) = Box::pin(waiting(database)).await;
        let path = format!("/clinic/requests/{id}");
        let text = ward.portal.bridge.config.replace(&ward.ehr.base, "http://127.0.0.1:9/fhir");
        let nurse = ward.colleague("riverside").await;
        let database = Database::at(&ward.portal.bridge.database.url);
        let now = ward.portal.bridge.now();
        let other = crate::support::bridge::TestBridge::start_at(database, &text, now).await;
        // The folder of SQLite's file goes with it.
        let _before = std::mem::replace(&mut ward.portal.bridge, other);
        let mut nurse = nurse.at(&ward.portal.bridge.api);
        let page = nurse.get(&path).await;
        let words = main_text(&page);
        assert!(words.contains("does not say at present") && !words.contains("No time is free"), "{words}");
        let free = main_text(&nurse.get("/clinic/free").await);
        assert!(free.contains("does not say at present") && !free.contains("nothing free"), "{free}");
        nurse.get(&path).await;
        let sent = nurse.post(&path, &[("place", "slot:1"), ("how", "give")]).await;
        assert!(sent.status == 422 && sent.body.contains("The EHR does not answer"), "{}", sent.body);
    }
}

on_both_databases! {
    async fn what_is_free_is_counted_by_the_clinics_own_days(database) {
        let (ward, schedule, _) = Box::pin(waiting(database)).await;
        // Late in the evening in London, and past midnight in Berlin; the last is past two weeks.
        for start in ["2026-11-23T09:00:00Z", "2026-11-23T23:30:00Z", "2026-11-24T09:00:00Z", "2026-12-10T09:00:00Z"] {
            free_slot(&ward.ehr.base, &schedule, start.parse().unwrap()).await;
        }
        let mut nurse = ward.colleague("riverside").await;
        let page = nurse.get("/clinic/free").await;
        let pairs = page.html().named("dl")[0].text();
        for (day, said) in [("23 November 2026", "1 time"), ("24 November 2026", "2 times"), ("25 November 2026", "nothing free")] {
            let after = pairs.split(day).nth(1).unwrap().trim();
            assert!(after.starts_with(said), "{day}: {pairs}");
        }
        assert!(pairs.contains("3 December 2026") && !pairs.contains("10 December"), "{pairs}");
        let mut lake = ward.colleague("lakeside").await;
        assert!(main_text(&lake.get("/clinic/free").await).contains("No kind of visit"));
    }
}
