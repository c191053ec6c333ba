//! Today's visits: who sees them, enters them, calls them off and says what became of them.

use jiff::SignedDuration;
use mostik::domain::booking::{BookingState, Note};
use mostik::domain::ids::BookingId;
use serde_json::json;

use crate::on_both_databases;
use crate::support::booking::{Does, appointments, asks, done, first_talk, free_slot, schedule, stands, status_of};
use crate::support::concerns::secret_file;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::staff::{Ward, main_text};

/// A clinic that holds visits by video, and a patient whose visit begins so many minutes from noon in London.
async fn booked(database: Database, minutes: i64) -> (Ward, BookingId, String) {
    let ehr = Ehr::sandbox().await;
    let schedule = schedule(&ehr.base).await;
    let secret = secret_file(&database);
    let video = format!(
        "[clinics.riverside.video]\nmethod = \"jitsi\"\nurl = \"https://meet.example/\"\napp_id = \"mostik\"\n\
         secret_file = {secret:?}\n"
    );
    let ward = Ward::open(database, ehr, &(first_talk(&schedule, "") + &video)).await;
    let bridge = &ward.portal.bridge;
    let start = bridge.now() + SignedDuration::from_mins(minutes);
    let slot = free_slot(&ward.ehr.base, &schedule, start).await;
    let id = asks(bridge, &ward.sparrow, "The nights.").await.unwrap().id;
    for what in [Does::Choose(0), Does::Confirm] {
        done(bridge, &ward.sparrow, id, what).await;
    }
    assert_eq!(stands(bridge, &ward.sparrow, id).await.state, BookingState::Booked);
    (ward, id, slot)
}

on_both_databases! {
    async fn todays_visits_are_those_of_the_clinics_own_day(database) {
        // 22:30 in Berlin.
        let (ward, id, _) = Box::pin(booked(database, 570)).await;
        let mut nurse = ward.colleague("riverside").await;
        let words = main_text(&nurse.get("/clinic/today").await);
        for said in ["20 November 2026", "22:30–23:20", "A first talk", ward.ehr.patient.as_str(), "Europe/Berlin"] {
            assert!(words.contains(said), "{said}: {words}");
        }
        assert!(!words.contains("canary-sparrow") && !words.contains("The nights"), "{words}");
        assert!(main_text(&nurse.get(&format!("/clinic/visits/{id}")).await).contains("The nights."));
        let mut lake = ward.colleague("lakeside").await;
        assert!(main_text(&lake.get("/clinic/today").await).contains("There are no visits today"));
        assert_eq!(lake.get(&format!("/clinic/visits/{id}")).await.status, 404);
        assert_eq!(lake.get(&format!("/clinic/visits/{id}/join")).await.status, 404);
        ward.portal.bridge.clock.advance(SignedDuration::from_mins(11 * 60 + 1));
        let mut again = ward.colleague("riverside").await;
        assert!(main_text(&again.get("/clinic/today").await).contains("no visits today"), "it is tomorrow in Berlin");
    }
}

on_both_databases! {
    async fn a_visit_after_midnight_is_not_todays(database) {
        // Half past midnight in Berlin, and half past eleven in London.
        let (ward, ..) = Box::pin(booked(database, 690)).await;
        let mut nurse = ward.colleague("riverside").await;
        assert!(main_text(&nurse.get("/clinic/today").await).contains("There are no visits today"));
    }
}

on_both_databases! {
    async fn whoever_enters_leads_the_visit_by_an_address_of_their_own(database) {
        let (ward, id, _) = Box::pin(booked(database, 180)).await;
        let (page, join) = (format!("/clinic/visits/{id}"), format!("/clinic/visits/{id}/join"));
        let mut nurse = ward.colleague("riverside").await;
        assert_eq!(nurse.get(&join).await.location(), page, "not yet");
        assert!(main_text(&nurse.get(&page).await).contains("You can enter from 20 November 2026, 15:45"));
        ward.portal.bridge.clock.advance(SignedDuration::from_mins(170));
        let mut nurse = ward.colleague("riverside").await;
        let today = nurse.get("/clinic/today").await;
        assert!(today.html().links().contains(&join.as_str()), "{}", today.body);
        let entered = nurse.get(&join).await;
        let way: url::Url = entered.location().parse().unwrap();
        assert_eq!((entered.status, way.host_str()), (303, Some("meet.example")));
        let token = way.query_pairs().find(|(name, _)| name == "jwt").unwrap().1.into_owned();
        let claims = jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(&token).unwrap().claims;
        assert!(claims.to_string().contains("\"moderator\":true"), "{claims}");
        let mut member = ward.portal.sign_in(&ward.sparrow).await;
        let theirs: url::Url = member.get(&format!("/visits/{id}/join")).await.location().parse().unwrap();
        assert_eq!(way.path(), theirs.path(), "they meet in the same room");
        assert_ne!(way.query(), theirs.query(), "and each has a way of their own");
    }
}

on_both_databases! {
    async fn what_became_of_a_visit_is_written_into_the_ehr_and_can_be_put_right(database) {
        let (ward, id, _) = Box::pin(booked(database, 180)).await;
        let (page, mark) = (format!("/clinic/visits/{id}"), format!("/clinic/visits/{id}/mark"));
        let mut nurse = ward.colleague("riverside").await;
        let early = ward.does(&mut nurse, &page, &mark, &[("from", "booked"), ("as", "noshow")]).await;
        assert_eq!(early.status, 409, "it has not begun");
        ward.portal.bridge.clock.advance(SignedDuration::from_mins(200));
        let mut nurse = ward.colleague("riverside").await;
        for (from, said, expected) in [
            ("booked", "noshow", BookingState::NoShow),
            ("noshow", "fulfilled", BookingState::Fulfilled),
        ] {
            let marked = ward.does(&mut nurse, &page, &mark, &[("from", from), ("as", said)]).await;
            assert_eq!(marked.status, 303, "{}", marked.body);
            assert_eq!(appointments(&ward.ehr.base, &ward.ehr.patient).await[0]["status"], said);
            assert_eq!(stands(&ward.portal.bridge, &ward.sparrow, id).await.state, expected);
        }
        let old = ward.does(&mut nurse, &page, &mark, &[("from", "booked"), ("as", "noshow")]).await;
        assert_eq!(old.status, 409, "whoever saw it otherwise looks again first");
    }
}

on_both_databases! {
    async fn a_visit_that_the_clinic_calls_off_frees_its_time_and_the_member_is_told_why(database) {
        let (ward, id, slot) = Box::pin(booked(database, 180)).await;
        let page = format!("/clinic/visits/{id}");
        let mut nurse = ward.colleague("riverside").await;
        let off = ward.does(&mut nurse, &page, &format!("{page}/cancel"), &[("why", "cancelled")]).await;
        assert_eq!((off.status, off.location()), (303, page.as_str()), "{}", off.body);
        assert_eq!(status_of(&ward.ehr.base, &slot).await, "free");
        let there = appointments(&ward.ehr.base, &ward.ehr.patient).await.remove(0);
        assert_eq!((&there["status"], &there["cancelationReason"]["coding"][0]["code"]), (&json!("cancelled"), &json!("prov")));
        let over = stands(&ward.portal.bridge, &ward.sparrow, id).await;
        assert_eq!((over.state, over.note), (BookingState::Cancelled, Some(Note::ClinicCancelled)));
        let mut tx = ward.portal.bridge.bridge.store.read().await.unwrap();
        let due = tx.tellings_due(ward.sparrow.id, ward.portal.bridge.now()).await.unwrap();
        assert!(due.iter().any(|row| row.recommendation == id.0));
    }
}
