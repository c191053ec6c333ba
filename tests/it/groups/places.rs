//! Places: taken with one press, waited for, given back, and everything around them as around any visit.

use jiff::SignedDuration;
use mostik::booking::remind;
use mostik::domain::booking::{BookingState, Note};
use serde_json::json;

use crate::on_both_databases;
use crate::support::audit;
use crate::support::booking::appointments;
use crate::support::groups::{Circle, EVENING};
use crate::support::staff::main_text;
use crate::support::validate::assert_valid;

on_both_databases! {
    async fn a_member_takes_a_place_with_one_press_and_gives_it_back(database) {
        let circle = Circle::open(database, 8, "").await;
        let id = circle.plan("8").await;
        let mut wren = circle.guest("wren").await;
        let list = wren.browser.get("/visits").await;
        let groups = list.html().by_id("groups").text();
        assert!(groups.contains("A calm evening 23 November 2026, 17:00 · 90 minutes · Riverside · places are free"), "{groups}");
        assert!(groups.contains("Riverside learns that you take part"), "{groups}");
        assert!(!list.html().links().contains(&"/visits/ask/riverside/calm-evening"), "nobody asks for one");
        assert_eq!(wren.browser.get("/visits/ask/riverside/calm-evening").await.status, 404);

        let booking = wren.joined(id).await;
        let page = wren.browser.get(&format!("/visits/{booking}")).await;
        assert_eq!(page.html().by_id("stands").text(), "a place is kept");
        assert!(!page.body.contains("Another time"), "when it is, the session says");
        assert_eq!(wren.joined(id).await, booking, "pressed twice, it is one place");
        circle.settle().await;
        let there = appointments(&circle.ward.ehr.base, &wren.patient).await;
        assert_eq!((there.len(), &there[0]["status"], &there[0]["start"]), (1, &json!("booked"), &json!(EVENING)));
        assert_eq!(there[0]["participant"][0]["status"], "accepted");
        assert_eq!(there[0]["supportingInformation"][0]["identifier"]["value"], id.to_string());
        assert_valid(&there[0]).await;
        let list = wren.browser.get("/visits").await;
        assert!(list.html().by_id("coming").text().contains("A calm evening"), "{}", list.body);
        assert!(list.html().links().contains(&format!("/visits/{booking}").as_str()));

        let sure = main_text(&wren.browser.get(&format!("/visits/{booking}/cancel")).await);
        assert!(sure.contains("Somebody else can have it then."), "{sure}");
        assert_eq!(wren.leaves(booking).await.status, 303);
        assert_eq!(wren.browser.get(&format!("/visits/{booking}")).await.html().by_id("stands").text(), "cancelled");
        circle.settle().await;
        let there = appointments(&circle.ward.ehr.base, &wren.patient).await;
        assert_eq!((&there[0]["status"], &there[0]["participant"][0]["status"]), (&json!("cancelled"), &json!("declined")));
        assert_eq!(circle.stands(&wren, booking).await.wish, None);
        let again = wren.joined(id).await;
        assert_ne!(again, booking);
        circle.settle().await;
        assert_eq!(appointments(&circle.ward.ehr.base, &wren.patient).await.len(), 2, "a new one for a new place");
        assert_eq!(circle.bridge().open_items().await, 0);
        assert_eq!(audit::wrong(circle.bridge()).await, [""; 0]);
    }
}

on_both_databases! {
    async fn whoever_waits_gets_the_place_that_becomes_free_in_the_order_in_which_they_came(database) {
        let circle = Circle::open(database, 1, "").await;
        let id = circle.plan("1").await;
        let (mut first, mut second, mut third) =
            (circle.guest("wren").await, circle.guest("robin").await, circle.guest("finch").await);
        let taken = first.joined(id).await;
        assert!(second.browser.get("/visits").await.html().by_id("groups").text().contains("no place is free"));
        let waits = second.joined(id).await;
        circle.bridge().clock.advance(SignedDuration::from_secs(1));
        let last = third.joined(id).await;
        let page = second.browser.get(&format!("/visits/{waits}")).await;
        assert_eq!(page.html().by_id("stands").text(), "on the waiting list");
        circle.settle().await;
        assert!(appointments(&circle.ward.ehr.base, &second.patient).await.is_empty(), "who waits is nobody's to know");

        first.leaves(taken).await;
        // Whoever comes now does not go past those who wait.
        let mut late = circle.guest("crow").await;
        let late_waits = late.joined(id).await;
        assert_eq!(circle.stands(&late, late_waits).await.state, BookingState::Requested);
        circle.settle().await;
        let up = circle.stands(&second, waits).await;
        assert_eq!((up.state, up.note), (BookingState::Booked, Some(Note::MovedUp)));
        assert_eq!(circle.stands(&third, last).await.state, BookingState::Requested);
        assert_eq!(appointments(&circle.ward.ehr.base, &second.patient).await[0]["status"], "booked");
        let page = second.browser.get(&format!("/visits/{waits}")).await;
        assert!(page.html().by_id("note").text().contains("it is yours"), "{}", page.body);
        let messages = main_text(&second.browser.get("/messages").await);
        assert!(messages.contains("A calm evening"), "{messages}");
        let mut tx = circle.bridge().bridge.store.read().await.unwrap();
        let due = tx.tellings_due(second.person.id, circle.bridge().now()).await.unwrap();
        assert!(due.iter().any(|row| row.recommendation == waits.0));
        drop(tx);
        // Who waits no longer is passed over.
        third.leaves(last).await;
        second.leaves(waits).await;
        circle.settle().await;
        assert_eq!(circle.stands(&late, late_waits).await.state, BookingState::Booked);
    }
}

on_both_databases! {
    async fn a_place_is_reminded_of_entered_and_rated_as_a_visit(database) {
        let circle = Circle::open(database, 8, "").await;
        let id = circle.plan("8").await;
        let mut wren = circle.guest("wren").await;
        let booking = wren.joined(id).await;
        circle.settle().await;
        let file = wren.browser.get(&format!("/visits/{booking}/calendar.ics")).await;
        let text = file.body.replace("\r\n ", "");
        assert!(text.contains("DTSTART:20261123T170000Z") && text.contains("SUMMARY:Appointment"), "{text}");
        assert!(!text.contains("calm") && !text.contains("Riverside") && !text.contains(&id.to_string()), "{text}");
        circle.bridge().clock.advance(SignedDuration::from_hours(53));
        let before = circle.bridge().bridge.store.read().await.unwrap().count_tellings().await.unwrap().0;
        assert!(remind(&circle.bridge().bridge).await.unwrap());
        let after = circle.bridge().bridge.store.read().await.unwrap().count_tellings().await.unwrap().0;
        assert_eq!(after, before + 1, "a day before it");
        circle.go_to_the_evening();
        wren.browser = circle.ward.portal.sign_in(&wren.person).await;
        let page = wren.browser.get(&format!("/visits/{booking}")).await;
        assert!(main_text(&page).contains("you are called “Guest”, like everybody"), "{}", main_text(&page));
        let here = wren.browser.post_and_follow(&format!("/visits/{booking}/here"), &[]).await;
        assert!(main_text(&here).contains("You said at"), "{}", main_text(&here));
        circle.settle().await;
        assert_eq!(appointments(&circle.ward.ehr.base, &wren.patient).await[0]["status"], "arrived");
        let entered = wren.browser.get(&format!("/visits/{booking}/join")).await;
        assert!(entered.location().starts_with("https://meet.example/"), "{}", entered.body);
        circle.bridge().clock.advance(SignedDuration::from_hours(2));
        wren.browser = circle.ward.portal.sign_in(&wren.person).await;
        let page = wren.browser.get(&format!("/visits/{booking}")).await;
        assert!(main_text(&page).contains("How was this visit for you?"), "{}", main_text(&page));
        wren.browser.post(&format!("/visits/{booking}/rate"), &[("rating", "5")]).await;
        let counted = circle.bridge().bridge.store.read().await.unwrap().ratings().await.unwrap();
        assert_eq!((counted.len(), counted[0].visit.as_str(), counted[0].rating), (1, "calm-evening", 5));
        assert_eq!(wren.leaves(booking).await.status, 409, "it was");
    }
}

on_both_databases! {
    async fn a_session_is_shown_only_to_those_who_let_something_come_back_from_its_clinic(database) {
        let circle = Circle::open(database, 8, "").await;
        let id = circle.plan("8").await;
        let mut stranger = circle.stranger("crow").await;
        let list = stranger.browser.get("/visits").await;
        assert!(!list.body.contains("A calm evening"), "{}", main_text(&list));
        assert_eq!(stranger.joins(id).await.status, 404);
        let mut wren = circle.guest("wren").await;
        circle.bridge().change_grant(&wren.person, &wren.grant, "pause").await;
        assert!(!wren.browser.get("/visits").await.body.contains("A calm evening"));
        assert_eq!(wren.joins(id).await.status, 404);
        assert_eq!(wren.browser.get("/announcements").await.html().by_id("none").text(), "No open session is planned at present.");
        circle.bridge().change_grant(&wren.person, &wren.grant, "resume").await;
        wren.browser.post("/language", &[("language", "ru"), ("back", "/visits")]).await;
        let russian = main_text(&wren.browser.get("/visits").await);
        assert!(russian.contains("Спокойный вечер") && russian.contains("есть места"), "{russian}");
    }
}
