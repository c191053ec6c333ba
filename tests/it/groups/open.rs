//! Webinars: announced to everybody, without a name; whoever is not known at the clinic takes part without anything of them
//! standing there.

use jiff::SignedDuration;
use mostik::app;
use mostik::booking::remind;
use mostik::config::Config;
use mostik::domain::booking::BookingState;
use mostik::enrolment::credentials::{CONCERNS_MANAGE, create_api_key};
use mostik::enrolment::join::link;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::booking::appointments;
use crate::support::bridge::{forum, riverside};
use crate::support::ehr::create_patient;
use crate::support::groups::Circle;
use crate::support::http;
use crate::support::staff::main_text;

const OPEN: &str = "open = true";

/// What members were told so far outside of the portal, after whatever it is time to tell.
async fn messages(circle: &Circle) -> Vec<String> {
    let config = Config::from_toml(&circle.bridge().config).unwrap();
    let teller = app::teller(&config, &circle.bridge().bridge).unwrap();
    while teller.tell_one().await.unwrap() {}
    let letters = circle.ward.portal.postbox.letters().into_iter();
    letters.filter(|letter| letter.json["type"] == "mostik.message.v1").map(|letter| letter.raw).collect()
}

/// What the community's own program is told.
async fn announced(circle: &Circle) -> Vec<Value> {
    let bridge = circle.bridge();
    let url = format!("{}/v1/announcements", bridge.api);
    let got = http::call(Method::GET, &url, Some(&bridge.api_key), None).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    got.json["announcements"].as_array().unwrap().clone()
}

on_both_databases! {
    async fn whoever_is_known_nowhere_takes_part_and_nothing_of_them_stands_in_the_ehr(database) {
        let circle = Circle::open(database, 2, OPEN).await;
        let id = circle.plan("2").await;
        let mut crow = circle.stranger("crow").await;
        let list = main_text(&crow.browser.get("/visits").await);
        assert!(list.contains("Open to everybody. Riverside does not learn who you are."), "{list}");
        let booking = crow.joined(id).await;
        circle.settle().await;
        assert_eq!(circle.in_ehr("Appointment").len(), 1, "the session, and nothing else");
        assert_eq!(circle.bridge().counts().await.iter().map(|(_, count)| count).sum::<i64>(), 0, "nothing was sent");
        // Somebody whom the clinic knows is known there.
        let mut wren = circle.guest("wren").await;
        wren.joined(id).await;
        circle.settle().await;
        assert_eq!(appointments(&circle.ward.ehr.base, &wren.patient).await.len(), 1);
        let mut nurse = circle.ward.colleague("riverside").await;
        let seen = nurse.get(&format!("/clinic/groups/{id}")).await;
        assert_eq!(seen.html().by_id("taken").text(), "2 of 2 places taken");
        assert_eq!(seen.html().by_id("people").named("li").len(), 1);
        assert!(seen.html().by_id("hidden").text().contains("your clinic does not know them"), "{}", seen.body);
        assert_eq!(nurse.get(&format!("/clinic/visits/{booking}")).await.status, 404);
        nurse.get("/clinic").await;
        assert_eq!(nurse.post(&format!("/clinic/visits/{booking}/cancel"), &[("why", "call")]).await.status, 404);

        circle.go_to_the_evening();
        crow.browser = circle.ward.portal.sign_in(&crow.person).await;
        let page = crow.browser.get(&format!("/visits/{booking}")).await;
        assert!(!main_text(&page).contains("sees in its own system"), "{}", main_text(&page));
        assert!(crow.browser.get(&format!("/visits/{booking}/join")).await.location().starts_with("https://meet.example/"));
        assert_eq!(crow.leaves(booking).await.status, 303);
        assert_eq!(circle.stands(&crow, booking).await.state, BookingState::Cancelled, "at any time");
    }
}

on_both_databases! {
    async fn a_member_without_a_clinic_is_told_and_reminded_by_the_ways_that_they_have(database) {
        let circle = Circle::open(database, 1, OPEN).await;
        let id = circle.plan("1").await;
        let (mut crow, mut rook) = (circle.stranger("crow").await, circle.stranger("rook").await);
        let (taken, waits) = (crow.joined(id).await, rook.joined(id).await);
        crow.leaves(taken).await;
        circle.settle().await;
        assert_eq!(circle.stands(&rook, waits).await.state, BookingState::Booked);
        assert_eq!(messages(&circle).await.len(), 1, "that the place is theirs");
        circle.bridge().clock.advance(SignedDuration::from_hours(53));
        while remind(&circle.bridge().bridge).await.unwrap() {}
        let told = messages(&circle).await;
        assert_eq!(told.len(), 2, "a day before it");
        for canary in ["calm", "Riverside", "roup", "crow", "evening"] {
            assert!(!told[1].contains(canary), "{canary}: {}", told[1]);
        }
        rook.browser = circle.ward.portal.sign_in(&rook.person).await;
        assert_eq!(circle.staff_do(id, "cancel", &[]).await.status, 303);
        circle.settle().await;
        assert_eq!(circle.stands(&rook, waits).await.state, BookingState::Cancelled);
        assert!(main_text(&rook.browser.get("/messages").await).contains("A calm evening"));
        assert_eq!(messages(&circle).await.len(), 3);
        assert_eq!(circle.bridge().counts().await.iter().map(|(_, count)| count).sum::<i64>(), 0, "nothing was sent");
    }
}

on_both_databases! {
    async fn a_place_that_was_taken_before_the_clinic_knew_them_stays_theirs_alone(database) {
        let circle = Circle::open(database, 2, OPEN).await;
        let id = circle.plan("2").await;
        let mut crow = circle.stranger("crow").await;
        let booking = crow.joined(id).await;
        let patient = create_patient(&circle.ward.ehr.base).await;
        let mut tx = circle.bridge().bridge.store.begin().await.unwrap();
        let (keyring, now) = (&circle.bridge().bridge.keyring, circle.bridge().now());
        link(&mut tx, keyring, crow.person.id, &riverside(), &patient, "test", now).await.unwrap();
        tx.commit().await.unwrap();
        let terms = json!({"categories": {"mood": "every-entry"}, "way_back": "notice"});
        let grant = circle.bridge().share_by(&crow.person, terms).await;
        circle.settle().await;
        assert!(appointments(&circle.ward.ehr.base, &patient).await.is_empty());
        let mut nurse = circle.ward.colleague("riverside").await;
        let seen = nurse.get(&format!("/clinic/groups/{id}")).await;
        assert!(!seen.body.contains(&patient) && seen.html().by_id("hidden").text().contains("One more"), "{}", seen.body);
        assert_eq!(nurse.get(&format!("/clinic/visits/{booking}")).await.status, 404);
        nurse.get("/clinic").await;
        assert_eq!(nurse.post(&format!("/clinic/visits/{booking}/cancel"), &[("why", "call")]).await.status, 404);
        circle.go_to_the_evening();
        crow.browser = circle.ward.portal.sign_in(&crow.person).await;
        crow.browser.get(&format!("/visits/{booking}")).await;
        crow.browser.post(&format!("/visits/{booking}/here"), &[]).await;
        circle.settle().await;
        // A consent of which the place is none does not end it.
        circle.bridge().change_grant(&crow.person, &grant, "revoke").await;
        circle.settle().await;
        assert_eq!(circle.stands(&crow, booking).await.state, BookingState::Booked);
        assert!(appointments(&circle.ward.ehr.base, &patient).await.is_empty());
        crow.leaves(booking).await;
        circle.settle().await;
        assert_eq!(circle.in_ehr("Appointment").len(), 1, "the session, and nothing else");
    }
}

on_both_databases! {
    async fn what_is_open_is_announced_to_everybody_and_says_no_more_than_what_and_when(database) {
        let circle = Circle::open(database, 1, OPEN).await;
        let mut anybody = circle.ward.portal.browser();
        let none = anybody.get("/announcements").await;
        assert!(main_text(&none).contains("No open session is planned"), "{}", main_text(&none));
        assert!(announced(&circle).await.is_empty());
        let id = circle.plan("1").await;
        let shown = anybody.get("/announcements").await;
        let line = shown.html().by_id("announced").text();
        assert_eq!(line.trim(), "A calm evening 23 November 2026, 17:00 · 90 minutes · Riverside · places are free");
        let expected = json!({
            "id": id.to_string(), "title": {"en": "A calm evening", "ru": "Спокойный вечер"}, "clinic": "Riverside",
            "starts_at": "2026-11-23T17:00:00Z", "ends_at": "2026-11-23T18:30:00Z", "has_free_places": true,
            "page": "https://mostik.example/visits",
        });
        assert_eq!(announced(&circle).await, [expected]);
        circle.stranger("crow").await.joined(id).await;
        assert_eq!(announced(&circle).await[0]["has_free_places"], false);
        assert!(anybody.get("/announcements").await.html().by_id("announced").text().contains("no place is free"));
        let mut tx = circle.bridge().bridge.store.begin().await.unwrap();
        let (keyring, now) = (&circle.bridge().bridge.keyring, circle.bridge().now());
        let other = create_api_key(&mut tx, keyring, &forum(), CONCERNS_MANAGE, now).await.unwrap();
        tx.commit().await.unwrap();
        let url = format!("{}/v1/announcements", circle.bridge().api);
        assert_eq!(http::call(Method::GET, &url, Some(&other.secret), None).await.status, 403);
        assert_eq!(http::call(Method::GET, &url, None, None).await.status, 401);
        circle.bridge().clock.advance(SignedDuration::from_hours(24 * 4));
        assert!(announced(&circle).await.is_empty(), "it was");
    }
}

on_both_databases! {
    async fn a_kind_that_is_switched_off_is_announced_to_nobody_and_taken_from_nobody(database) {
        let circle = Circle::open(database, 2, OPEN).await;
        let id = circle.plan("2").await;
        let mut crow = circle.stranger("crow").await;
        let booking = crow.joined(id).await;
        let mut nurse = circle.ward.colleague("riverside").await;
        let page = "/clinic/offered/calm-evening";
        for (offered, is_offered) in [("no", false), ("yes", true)] {
            let version = nurse.get(page).await.html().field("version").get("value").to_owned();
            let terms = [("offered", offered), ("notice", "0"), ("ahead", "30"), ("hold", "10"), ("version", &version)];
            assert_eq!(nurse.post(page, &terms).await.status, 303);
            assert_eq!(announced(&circle).await.len(), usize::from(is_offered));
            let told = main_text(&crow.browser.get("/announcements").await);
            assert_eq!(told.contains("A calm evening"), is_offered, "{told}");
            let mut wren = circle.stranger(&format!("wren-{offered}")).await;
            assert_eq!(wren.joins(id).await.status, if is_offered { 303 } else { 404 });
            assert_eq!(circle.stands(&crow, booking).await.state, BookingState::Booked);
        }
    }
}
