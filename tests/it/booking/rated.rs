//! After a visit its member may say how it was: it is counted, and nothing keeps who said what.

use jiff::{SignedDuration, Timestamp};
use mostik::domain::booking::BookingState;
use mostik::domain::ids::BookingId;
use mostik::store::RatingCount;

use crate::on_both_databases;
use crate::support::booking::{ASKED_FOR, put_booked, set};
use crate::support::bridge::Person;
use crate::support::database::Database;
use crate::support::portal::{Browser, Portal, portal_config};
use crate::support::postbox::Postbox;

/// A member whose visit ended a moment ago.
async fn after(database: Database) -> (Portal, Person, Browser, BookingId) {
    let postbox = Postbox::open();
    let text = portal_config(&database, "http://127.0.0.1:9/fhir", &postbox) + ASKED_FOR;
    let portal = Portal::open_at(database, &text, postbox, "2026-11-23T09:00:00Z".parse::<Timestamp>().unwrap()).await;
    let sparrow = portal.bridge.person("sparrow", "patient").await;
    let id = put_booked(&portal.bridge, &sparrow, portal.bridge.now()).await;
    portal.bridge.clock.advance(SignedDuration::from_mins(49));
    let mut browser = portal.sign_in(&sparrow).await;
    assert!(!browser.get(&format!("/visits/{id}")).await.body.contains("id=\"rate\""), "it is not over yet");
    assert_eq!(browser.post(&format!("/visits/{id}/rate"), &[("rating", "5")]).await.status, 409);
    portal.bridge.clock.advance(SignedDuration::from_mins(1));
    (portal, sparrow, browser, id)
}

async fn counted(portal: &Portal) -> Vec<(String, i64, i64)> {
    let counts = portal.bridge.bridge.store.read().await.unwrap().ratings().await.unwrap();
    let one = |it: RatingCount| (format!("{} {} {}", it.clinic_id, it.visit, it.month), it.rating, it.answers);
    counts.into_iter().map(one).collect()
}

on_both_databases! {
    async fn what_a_member_says_is_counted_once_and_not_whose_it_is(database) {
        let (portal, sparrow, mut browser, id) = after(database).await;
        let (path, rate) = (format!("/visits/{id}"), format!("/visits/{id}/rate"));
        let page = browser.get(&path).await;
        let words = page.html().by_id("rate").text();
        assert!(words.contains("How was this visit for you?") && words.contains("I do not want to say"), "{words}");
        let none = browser.post_and_follow(&rate, &[]).await;
        assert!(none.body.contains("Please choose one of the answers"), "{}", none.body);
        for wrong in ["6", "-1", "x"] {
            assert_eq!(browser.post(&rate, &[("rating", wrong)]).await.status, 400, "{wrong}");
        }
        assert!(counted(&portal).await.is_empty());
        let thanks = browser.post_and_follow(&rate, &[("rating", "4")]).await;
        assert!(thanks.body.contains("Thank you. It is counted.") && !thanks.body.contains("id=\"rate\""), "{}", thanks.body);
        assert_eq!(browser.post(&rate, &[("rating", "1")]).await.status, 303, "in another window");
        let of = "riverside first-talk 2026-11".to_owned();
        assert_eq!(counted(&portal).await, [(of.clone(), 4, 1)]);
        // Nothing of it stands with the member, or goes anywhere.
        let (now, mut tx) = (portal.bridge.now(), portal.bridge.bridge.store.begin().await.unwrap());
        let row = tx.booking((sparrow.id, id)).await.unwrap().unwrap();
        assert!(row.updated_at < now && tx.tellings_due(sparrow.id, now).await.unwrap().is_empty());
        drop(tx);
        assert_eq!(portal.bridge.open_items().await, 0);
        let wren = portal.bridge.person("wren", "patient-2").await;
        let other = put_booked(&portal.bridge, &wren, now - SignedDuration::from_hours(2)).await;
        set(&portal.bridge, &wren, other, |row| row.state = BookingState::Fulfilled).await;
        let mut browser = portal.sign_in(&wren).await;
        browser.get("/visits").await;
        assert_eq!(browser.post(&rate, &[("rating", "5")]).await.status, 404, "each their own");
        browser.get(&format!("/visits/{other}")).await;
        browser.post(&format!("/visits/{other}/rate"), &[("rating", "4")]).await;
        assert_eq!(counted(&portal).await, [(of, 4, 2)]);
    }
}

on_both_databases! {
    async fn whoever_does_not_want_to_say_is_not_asked_again_nor_is_anybody_after_two_weeks(database) {
        let (portal, sparrow, mut browser, id) = after(database).await;
        browser.get(&format!("/visits/{id}")).await;
        browser.post(&format!("/visits/{id}/rate"), &[("rating", "0")]).await;
        assert_eq!(counted(&portal).await, [("riverside first-talk 2026-11".to_owned(), 0, 1)]);
        assert!(!browser.get(&format!("/visits/{id}")).await.body.contains("id=\"rate\""));
        let missed = put_booked(&portal.bridge, &sparrow, portal.bridge.now() - SignedDuration::from_hours(3)).await;
        set(&portal.bridge, &sparrow, missed, |row| row.state = BookingState::NoShow).await;
        assert!(!browser.get(&format!("/visits/{missed}")).await.body.contains("id=\"rate\""), "it did not take place");
        let old = put_booked(&portal.bridge, &sparrow, portal.bridge.now() - SignedDuration::from_hours(15 * 24)).await;
        assert!(!browser.get(&format!("/visits/{old}")).await.body.contains("id=\"rate\""));
    }
}
