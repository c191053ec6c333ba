//! The staff view: sessions are planned, looked at, moved, called off and led there.

use jiff::SignedDuration;
use mostik::domain::booking::{BookingState, Note};
use serde_json::json;

use crate::on_both_databases;
use crate::support::booking::appointments;
use crate::support::groups::Circle;
use crate::support::staff::main_text;

on_both_databases! {
    async fn staff_plan_a_session_and_see_how_many_come_and_who_as_far_as_they_may(database) {
        let circle = Circle::open(database, 3, "").await;
        let mut nurse = circle.ward.colleague("riverside").await;
        let none = nurse.get("/clinic/groups").await;
        assert!(main_text(&none).contains("No session is planned."), "{}", main_text(&none));
        for (day, time, places, wrong) in [
            ("2026-11-19", "18:00", "3", "a day and a time that are to come"),
            ("", "18:00", "3", "a day and a time that are to come"),
            ("2028-11-19", "18:00", "3", "a day and a time that are to come"),
            ("2026-11-23", "18:00", "0", "a number of places from 1 to 500"),
            ("2026-11-23", "18:00", "501", "a number of places from 1 to 500"),
        ] {
            let fields = [("kind", "calm-evening"), ("day", day), ("time", time), ("places", places)];
            let refused = nurse.post("/clinic/groups", &fields).await;
            assert_eq!(refused.status, 422, "{day} {places}");
            assert!(refused.html().by_id("wrong").text().contains(wrong), "{day} {places}: {}", refused.body);
        }
        let id = circle.plan("3").await;
        let page = format!("/clinic/groups/{id}");
        let (mut wren, mut robin) = (circle.guest("wren").await, circle.guest("robin").await);
        wren.joined(id).await;
        robin.joined(id).await;
        circle.settle().await;
        circle.bridge().change_grant(&robin.person, &robin.grant, "pause").await;
        let seen = nurse.get(&page).await;
        assert_eq!(seen.html().by_id("taken").text(), "2 of 3 places taken");
        assert_eq!(seen.html().by_id("when").text(), "23 November 2026, 18:00–19:30");
        assert_eq!(seen.html().by_id("told").text(), "Yes, as it stands here");
        let people = seen.html().by_id("people").text();
        assert!(people.contains(&format!("Patient {}", wren.patient)) && !people.contains(&robin.patient), "{people}");
        assert!(seen.html().by_id("hidden").text().contains("One more takes part"), "{}", seen.body);
        assert!(!seen.body.contains("wren") && !seen.body.contains("robin"), "no name of the community");
        let list = main_text(&nurse.get("/clinic/groups").await);
        assert!(list.contains("A calm evening 23 November 2026, 18:00–19:30 · 2 of 3 places taken · planned"), "{list}");
        let mut lake = circle.ward.colleague("lakeside").await;
        assert_eq!(lake.get(&page).await.status, 404);
        assert!(!lake.get("/clinic/groups").await.body.contains("calm"));
        lake.get("/clinic/groups").await;
        assert_eq!(lake.post(&format!("{page}/cancel"), &[]).await.status, 404);
        nurse.post("/clinic/language", &[("language", "ru"), ("back", &page)]).await;
        let russian = main_text(&nurse.get(&page).await);
        assert!(russian.contains("занято мест: 2 из 3") && russian.contains("Спокойный вечер"), "{russian}");
    }
}

on_both_databases! {
    async fn a_session_that_is_moved_takes_everybody_along(database) {
        let circle = Circle::open(database, 1, "").await;
        let id = circle.plan("1").await;
        let (mut wren, mut robin) = (circle.guest("wren").await, circle.guest("robin").await);
        let (taken, waits) = (wren.joined(id).await, robin.joined(id).await);
        circle.settle().await;
        let moved = circle.staff_do(id, "change", &[("day", "2026-11-24"), ("time", "20:00"), ("places", "2")]).await;
        assert_eq!(moved.status, 303, "{}", moved.body);
        circle.settle().await;
        let booking = circle.stands(&wren, taken).await;
        assert_eq!((booking.note, booking.time.unwrap().start.to_string()), (Some(Note::ClinicMoved), "2026-11-24T19:00:00Z".to_owned()));
        assert_eq!(booking.sequence, 2, "calendars see that it was moved");
        let up = circle.stands(&robin, waits).await;
        assert_eq!((up.state, up.time), (BookingState::Booked, booking.time), "there is a place more");
        for start in [&circle.of_session(id)[0], &appointments(&circle.ward.ehr.base, &wren.patient).await[0]] {
            assert_eq!((&start["start"], &start["status"]), (&json!("2026-11-24T19:00:00Z"), &json!("booked")));
        }
        assert_eq!(appointments(&circle.ward.ehr.base, &wren.patient).await.len(), 1, "it is the same visit");
        assert_eq!(circle.of_session(id)[0]["extension"][0]["valuePositiveInt"], 2);
        let news = main_text(&wren.browser.get("/messages").await);
        assert!(news.contains("A calm evening"), "{news}");
        let fewer = circle.staff_do(id, "change", &[("day", "2026-11-24"), ("time", "20:00"), ("places", "1")]).await;
        assert_eq!(fewer.status, 303);
        circle.settle().await;
        assert_eq!(circle.stands(&robin, waits).await.state, BookingState::Booked, "nobody loses a place");
        let mut late = circle.guest("crow").await;
        let late_waits = late.joined(id).await;
        assert_eq!(circle.stands(&late, late_waits).await.state, BookingState::Requested);
    }
}

on_both_databases! {
    async fn a_session_that_is_called_off_is_so_for_everybody(database) {
        let circle = Circle::open(database, 1, "").await;
        let id = circle.plan("1").await;
        let (mut wren, mut robin) = (circle.guest("wren").await, circle.guest("robin").await);
        let (taken, waits) = (wren.joined(id).await, robin.joined(id).await);
        circle.settle().await;
        assert_eq!(circle.staff_do(id, "cancel", &[]).await.status, 303);
        circle.settle().await;
        circle.settle().await;
        for (guest, booking) in [(&wren, taken), (&robin, waits)] {
            let booking = circle.stands(guest, booking).await;
            assert_eq!((booking.state, booking.note, booking.wish), (BookingState::Cancelled, Some(Note::ClinicCancelled), None));
            let mut tx = circle.bridge().bridge.store.read().await.unwrap();
            let due = tx.tellings_due(guest.person.id, circle.bridge().now()).await.unwrap();
            assert_eq!(due.len(), 1, "told once");
        }
        let session = circle.of_session(id).remove(0);
        assert_eq!((&session["status"], &session["cancelationReason"]["coding"][0]["code"]), (&json!("cancelled"), &json!("prov")));
        let theirs = appointments(&circle.ward.ehr.base, &wren.patient).await.remove(0);
        assert_eq!((&theirs["status"], &theirs["cancelationReason"]["coding"][0]["code"]), (&json!("cancelled"), &json!("prov")));
        assert_eq!(wren.joins(id).await.status, 409);
        assert!(!robin.browser.get("/visits").await.body.contains("id=\"groups\""));
        assert_eq!(circle.staff_do(id, "cancel", &[]).await.status, 409, "once");
        assert_eq!(circle.staff_do(id, "change", &[("day", "2026-11-24"), ("time", "20:00"), ("places", "2")]).await.status, 409);
    }
}

on_both_databases! {
    async fn staff_call_off_one_place_and_note_who_came(database) {
        let circle = Circle::open(database, 2, "").await;
        let id = circle.plan("2").await;
        let (mut wren, mut robin) = (circle.guest("wren").await, circle.guest("robin").await);
        let (taken, other) = (wren.joined(id).await, robin.joined(id).await);
        circle.settle().await;
        let mut nurse = circle.ward.colleague("riverside").await;
        let page = format!("/clinic/visits/{taken}");
        let off = circle.ward.does(&mut nurse, &page, &format!("{page}/cancel"), &[("why", "call")]).await;
        assert_eq!(off.status, 303, "{}", off.body);
        assert_eq!(circle.stands(&wren, taken).await.note, Some(Note::ClinicCall));
        assert_eq!(nurse.get(&format!("/clinic/groups/{id}")).await.html().by_id("taken").text(), "1 of 2 places taken");
        circle.go_to_the_evening();
        circle.bridge().clock.advance(SignedDuration::from_mins(30));
        let mut nurse = circle.ward.colleague("riverside").await;
        let today = nurse.get("/clinic/today").await;
        assert!(today.html().by_id("groups").text().contains("1 of 2 places taken"), "{}", today.body);
        assert!(!today.body.contains(&robin.patient), "who takes part stands with the session");
        let page = format!("/clinic/visits/{other}");
        let came = circle.ward.does(&mut nurse, &page, &format!("{page}/mark"), &[("from", "booked"), ("as", "fulfilled")]).await;
        assert_eq!(came.status, 303, "{}", came.body);
        assert_eq!(appointments(&circle.ward.ehr.base, &robin.patient).await[0]["status"], "fulfilled");
        assert_eq!(circle.stands(&robin, other).await.state, BookingState::Fulfilled);
    }
}

on_both_databases! {
    async fn whoever_leads_it_enters_as_moderator_the_room_of_everybody(database) {
        let circle = Circle::open(database, 2, "").await;
        let id = circle.plan("2").await;
        let mut wren = circle.guest("wren").await;
        let booking = wren.joined(id).await;
        let join = format!("/clinic/groups/{id}/join");
        let mut nurse = circle.ward.colleague("riverside").await;
        assert_eq!(nurse.get(&join).await.location(), format!("/clinic/groups/{id}"), "not yet");
        circle.go_to_the_evening();
        let mut nurse = circle.ward.colleague("riverside").await;
        wren.browser = circle.ward.portal.sign_in(&wren.person).await;
        let page = nurse.get(&format!("/clinic/groups/{id}")).await;
        assert!(page.html().links().contains(&join.as_str()), "{}", page.body);
        let way: url::Url = nurse.get(&join).await.location().parse().unwrap();
        let theirs: url::Url = wren.browser.get(&format!("/visits/{booking}/join")).await.location().parse().unwrap();
        assert_eq!(way.path(), theirs.path(), "they meet");
        let claims = |way: &url::Url| {
            let token = way.query_pairs().find(|(name, _)| name == "jwt").unwrap().1.into_owned();
            jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(&token).unwrap().claims
        };
        assert_eq!(claims(&way)["context"]["user"]["moderator"], true);
        assert_eq!(claims(&theirs)["context"]["user"]["moderator"], false);
    }
}
