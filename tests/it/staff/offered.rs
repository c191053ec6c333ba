//! On what terms a clinic offers its kinds of visits: its staff change them, it counts at once, and breaks no promise.

use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use mostik::booking::{BookingError, FindError};
use mostik::domain::audit::Chain;
use mostik::domain::booking::{Booking, BookingState, Way};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::booking::{Does, asks, asks_as, does, done, finder, first_talk, free_slot, schedule, stands};
use crate::support::bridge::{Person, riverside};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::portal::{Browser, Page};
use crate::support::staff::{Ward, main_text};

const TERMS: &str = "/clinic/offered/first-talk";
const USUAL: &str = "/clinic/offered/first-talk/usual";
const ASK: &str = "/visits/ask/riverside/first-talk";

/// Three days, a week and three weeks ahead, in the noon of the tests.
const STARTS: [&str; 3] = ["2026-11-23T09:00:00Z", "2026-11-27T09:00:00Z", "2026-12-11T09:00:00Z"];

/// A clinic in whose schedule these times are free, with these settings more of its kind of visit.
async fn ward(database: Database, more: &str) -> Ward {
    let ehr = Ehr::sandbox().await;
    let schedule = schedule(&ehr.base).await;
    for start in STARTS {
        free_slot(&ehr.base, &schedule, start.parse().unwrap()).await;
    }
    Ward::open(database, ehr, &first_talk(&schedule, more)).await
}

/// Another patient of the clinic.
async fn patient(ward: &Ward, handle: &str) -> Person {
    let bridge = &ward.portal.bridge;
    let person = bridge.person(handle, &create_patient(&ward.ehr.base).await).await;
    bridge.share_by(&person, json!({"categories": {"agenda": "every-entry"}, "way_back": "notice"})).await;
    person
}

/// What a form says: whether it is offered, and the numbers.
fn form<'a>(offered: &'a str, [notice, ahead, hold]: [&'a str; 3]) -> Vec<(&'a str, &'a str)> {
    vec![("offered", offered), ("notice", notice), ("ahead", ahead), ("hold", hold)]
}

/// Somebody sends the form of the page as it stands now.
async fn sends(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(TERMS).await.html();
    let version = page.field("version").get("value").to_owned();
    let fields: Vec<_> = fields.iter().copied().chain([("version", version.as_str())]).collect();
    browser.post(path, &fields).await
}

/// The same, and it is done.
async fn changes(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) {
    let sent = sends(browser, path, fields).await;
    assert_eq!((sent.status, sent.location()), (303, "/clinic/offered"), "{}", sent.body);
}

fn starts(booking: &Booking) -> Vec<String> {
    booking.details.offers.iter().map(|offer| offer.time.start.to_string()).collect()
}

/// What was noted of changes, oldest first, without who made them.
async fn noted(ward: &Ward) -> Vec<Value> {
    let mut tx = ward.portal.bridge.bridge.store.read().await.unwrap();
    let rows = tx.audit_chain(&Chain::of_clinic(&riverside()), 0, Timestamp::UNIX_EPOCH, 100).await.unwrap();
    let changes = rows.into_iter().filter(|row| row.kind == "staff-offered");
    let body = |text: &str| {
        let mut body: Value = serde_json::from_str(text).unwrap();
        assert!(
            body.as_object_mut().unwrap().remove("staff").unwrap().is_string(),
            "it is known who, by no name: {body}"
        );
        body
    };
    changes.map(|row| body(&row.body)).collect()
}

on_both_databases! {
    async fn a_change_counts_at_once_on_every_replica(database) {
        let ward = ward(database, "").await;
        let bridge = &ward.portal.bridge;
        let asked = asks(bridge, &ward.sparrow, "").await.unwrap();
        assert_eq!(starts(&asked), STARTS);
        let mut nurse = ward.colleague("riverside").await;
        let page = nurse.get(TERMS).await;
        for (field, (low, high, value)) in
            [("notice", ("0", "336", "2")), ("ahead", ("1", "366", "28")), ("hold", ("1", "60", "10"))]
        {
            let page = page.html();
            let input = page.field(field);
            assert_eq!((input.get("min"), input.get("max"), input.get("value")), (low, high, value));
            let hint = page.by_id(&format!("{field}-hint")).text();
            assert!(hint.contains(&format!("From {low} to {high}")) && hint.contains(&format!("as set up: {value}")), "{hint}");
        }
        let beside = bridge.beside(SignedDuration::ZERO).await;
        let mut elsewhere = nurse.at(&beside.api);
        changes(&mut elsewhere, TERMS, &form("yes", ["96", "14", "3"])).await;
        for replica in [bridge, &beside] {
            assert_eq!(starts(&finder(replica).find(ward.sparrow.id, asked.id).await.unwrap()), STARTS[1..2]);
        }
        let held = done(bridge, &ward.sparrow, asked.id, Does::Choose(0)).await;
        assert_eq!(held.hold_until.unwrap(), bridge.now() + SignedDuration::from_mins(3));
        let page = nurse.get(TERMS).await.html();
        assert_eq!((page.field("notice").get("value"), page.field("hold").get("value")), ("96", "3"));
        assert!(page.by_id("hold-hint").text().contains("as set up: 10"));
        let terms = json!({"is_offered": true, "notice_hours": 96, "ahead_days": 14, "hold_minutes": 3});
        assert_eq!(noted(&ward).await, [json!({"kind": "staff-offered", "visit": "first-talk", "terms": terms})]);
    }
}

on_both_databases! {
    async fn what_was_set_up_counts_again_when_the_staff_want_it(database) {
        let ward = ward(database, "offered = false\n").await;
        let bridge = &ward.portal.bridge;
        let refused = asks_as(bridge, &ward.sparrow, "", Way::Slots).await;
        assert!(matches!(refused, Err(BookingError::NotOfferedNow)), "{refused:?}");
        let mut nurse = ward.colleague("riverside").await;
        assert!(main_text(&nurse.get("/clinic/offered").await).contains("A first talk not offered at present"));
        assert!(main_text(&nurse.get("/clinic/free").await).contains("not offered at present"));
        assert!(!nurse.get(TERMS).await.body.contains("id=\"usual\""), "nothing was changed");
        changes(&mut nurse, TERMS, &form("yes", ["0", "10", "60"])).await;
        assert!(main_text(&nurse.get("/clinic/offered").await).contains("A first talk members can ask for it"));
        let asked = asks(bridge, &ward.sparrow, "").await.unwrap();
        assert_eq!(starts(&asked), STARTS[..2]);
        changes(&mut nurse, TERMS, &form("yes", ["0", "10", "60"])).await;
        assert_eq!(noted(&ward).await.len(), 1, "nothing was changed by that");
        changes(&mut nurse, USUAL, &[]).await;
        let page = nurse.get(TERMS).await.html();
        assert_eq!((page.field("notice").get("value"), page.field("hold").get("value")), ("2", "10"));
        assert!(matches!(asks_as(bridge, &ward.sparrow, "", Way::Slots).await, Err(BookingError::NotOfferedNow)));
        assert_eq!(noted(&ward).await[1], json!({"kind": "staff-offered", "visit": "first-talk"}));
    }
}

on_both_databases! {
    async fn a_kind_that_is_switched_off_is_given_to_nobody_anew_and_taken_from_nobody(database) {
        let ward = ward(database, "").await;
        let bridge = &ward.portal.bridge;
        let [wren, robin] = [patient(&ward, "wren").await, patient(&ward, "robin").await];
        let booked = asks(bridge, &ward.sparrow, "").await.unwrap().id;
        done(bridge, &ward.sparrow, booked, Does::Choose(0)).await;
        done(bridge, &ward.sparrow, booked, Does::Confirm).await;
        let held = asks(bridge, &wren, "").await.unwrap().id;
        let before = done(bridge, &wren, held, Does::Choose(0)).await;
        let open = asks(bridge, &robin, "").await.unwrap().id;
        let mut nurse = ward.colleague("riverside").await;
        let mut member = ward.portal.sign_in(&ward.sparrow).await;
        assert!(member.get("/visits").await.html().links().contains(&ASK));
        assert_eq!(member.get(ASK).await.status, 200);

        changes(&mut nurse, TERMS, &form("", ["2", "28", "1"])).await;
        // It was on the screen before.
        for page in [member.post(ASK, &[("reason", "")]).await, member.get(ASK).await] {
            assert_eq!((page.status, page.location()), (303, "/visits"), "{}", page.body);
        }
        let list = member.get("/visits").await;
        assert!(list.body.contains("does not offer this visit at present") && !list.html().links().contains(&ASK), "{}", list.body);
        let chosen = does(&bridge.bridge, &robin, open, Does::Choose(0)).await;
        assert!(matches!(chosen, Err(BookingError::NotOfferedNow)), "{chosen:?}");
        let found = finder(bridge).find(robin.id, open).await;
        assert!(matches!(found, Err(FindError::Booking(BookingError::NotOfferedNow))), "{found:?}");
        let mut other = ward.portal.sign_in(&robin).await;
        let page = other.get(&format!("/visits/{open}")).await;
        assert!(page.html().by_id("not-offered").text().contains("no time can be chosen"), "{}", page.body);
        assert!(!page.body.contains("/choose") && !page.body.contains("/look"), "{}", page.body);

        let still = stands(bridge, &wren, held).await;
        assert_eq!((still.state, still.hold_until), (BookingState::Held, before.hold_until), "as it was promised");
        bridge.clock.advance(SignedDuration::from_mins(9));
        assert_eq!(done(bridge, &wren, held, Does::Confirm).await.state, BookingState::Booked);
        let page = member.get(&format!("/visits/{booked}")).await;
        assert!(page.html().by_id("not-offered").text().contains("you can cancel it, but not move it"), "{}", page.body);
        assert!(!page.body.contains("/change") && page.body.contains("/cancel"), "{}", page.body);
        let moved = does(&bridge.bridge, &ward.sparrow, booked, Does::Change).await;
        assert!(matches!(moved, Err(BookingError::NotOfferedNow)), "{moved:?}");
        assert_eq!(done(bridge, &ward.sparrow, booked, Does::Cancel).await.state, BookingState::Cancelled);

        changes(&mut nurse, TERMS, &form("yes", ["2", "28", "1"])).await;
        assert_eq!(finder(bridge).find(robin.id, open).await.unwrap().details.offers.len(), 2, "one is free again");
        assert_eq!(done(bridge, &robin, open, Does::Choose(0)).await.state, BookingState::Held);
    }
}

on_both_databases! {
    async fn whoever_waits_goes_on_waiting_while_it_is_switched_off(database) {
        let ehr = Ehr::sandbox().await;
        let schedule = schedule(&ehr.base).await;
        let ward = Ward::open(database, ehr, &first_talk(&schedule, "")).await;
        let bridge = &ward.portal.bridge;
        let id = asks(bridge, &ward.sparrow, "").await.unwrap().id;
        finder(bridge).wait(ward.sparrow.id, id, true).await.unwrap();
        let mut nurse = ward.colleague("riverside").await;
        changes(&mut nurse, TERMS, &form("", ["2", "28", "10"])).await;
        free_slot(&ward.ehr.base, &schedule, STARTS[0].parse().unwrap()).await;
        let looks = async || {
            bridge.clock.advance(SignedDuration::from_mins(15));
            assert!(finder(bridge).look_for_waiting(&riverside()).await.unwrap());
            let booking = stands(bridge, &ward.sparrow, id).await;
            (booking.state, booking.waits)
        };
        assert_eq!(looks().await, (BookingState::Requested, true));
        let mut nurse = ward.colleague("riverside").await;
        changes(&mut nurse, USUAL, &[]).await;
        assert_eq!(looks().await, (BookingState::Offered, false));
    }
}

on_both_databases! {
    async fn times_that_were_shown_before_cannot_be_chosen_when_they_are_not_offered_any_more(database) {
        let ward = ward(database, "").await;
        let bridge = &ward.portal.bridge;
        let asked = asks(bridge, &ward.sparrow, "").await.unwrap();
        let mut nurse = ward.colleague("riverside").await;
        changes(&mut nurse, TERMS, &form("yes", ["96", "14", "10"])).await;
        let mut member = ward.portal.sign_in(&ward.sparrow).await;
        let times = member.get(&format!("/visits/{}", asked.id)).await.html().by_id("times").text();
        assert!(times.contains("27 November") && !times.contains("23 November") && !times.contains("11 December"), "{times}");
        for (which, may) in [(0, false), (2, false), (1, true)] {
            let chosen = does(&bridge.bridge, &ward.sparrow, asked.id, Does::Choose(which)).await;
            assert!(if may { chosen.is_ok() } else { matches!(chosen, Err(BookingError::NotOffered)) }, "{which}: {chosen:?}");
        }
    }
}

on_both_databases! {
    async fn what_cannot_be_is_named_with_what_was_expected_and_stays_in_the_form(database) {
        let ward = ward(database, "").await;
        let mut nurse = ward.colleague("riverside").await;
        for (field, number, said) in [
            ("notice", "337", "a whole number of hours from 0 to 336"),
            ("notice", "-1", "a whole number of hours from 0 to 336"),
            ("notice", "two", "a whole number of hours from 0 to 336"),
            ("ahead", "0", "a whole number of days from 1 to 366"),
            ("ahead", "367", "a whole number of days from 1 to 366"),
            ("ahead", "1.5", "a whole number of days from 1 to 366"),
            ("hold", "0", "a whole number of minutes from 1 to 60"),
            ("hold", "61", "a whole number of minutes from 1 to 60"),
            ("hold", "", "a whole number of minutes from 1 to 60"),
            ("hold", "99999999999999999999", "a whole number of minutes from 1 to 60"),
        ] {
            let fields: Vec<_> = form("", ["7", "29", "11"])
                .into_iter()
                .map(|(name, typed)| (name, if name == field { number } else { typed }))
                .collect();
            let page = sends(&mut nurse, TERMS, &fields).await;
            assert_eq!(page.status, 422, "{field} = {number}");
            let html = page.html();
            assert!(html.by_id(&format!("{field}-wrong")).text().contains(said), "{}", page.body);
            assert_eq!(html.field(field).get("aria-invalid"), "true");
            for (name, typed) in &fields[1..] {
                assert_eq!(html.field(name).get("value"), *typed, "what was typed stays");
                assert!(*name == field || html.field(name).get("aria-invalid").is_empty(), "{name}");
            }
            assert!(!page.body.contains("value=\"yes\" aria-describedby=\"offered-hint\" checked"), "{}", page.body);
        }
        let page = sends(&mut nurse, TERMS, &form("yes", ["48", "2", "10"])).await;
        assert!(page.status == 422 && page.html().by_id("notice-wrong").text().contains("ends before the days ahead do"), "{}", page.body);
        assert!(noted(&ward).await.is_empty(), "nothing was changed");
        assert_eq!(nurse.get(TERMS).await.html().field("notice").get("value"), "2");
        for version in ["", "x", "-1"] {
            let fields: Vec<_> = form("yes", ["1", "2", "3"]).into_iter().chain([("version", version)]).collect();
            assert_eq!(nurse.post(TERMS, &fields).await.status, 400);
        }
        assert_eq!(nurse.get("/clinic/offered/never-heard-of").await.status, 404);
    }
}

on_both_databases! {
    async fn of_two_who_change_it_at_once_one_does_and_the_other_is_told(database) {
        let ward = ward(database, "").await;
        let (mut one, mut other) = (ward.colleague("riverside").await, ward.colleague("riverside").await);
        let (mine, theirs) = (form("yes", ["3", "28", "10"]), form("yes", ["4", "28", "10"]));
        for round in 0..2 {
            let (first, second) = join(sends(&mut one, TERMS, &mine), sends(&mut other, TERMS, &theirs)).await;
            let mut statuses = [first.status, second.status];
            statuses.sort_unstable();
            // In turns is well, too: then the second saw what the first did.
            assert!([[303, 409], [303, 303]].contains(&statuses), "{statuses:?}");
            let changes = noted(&ward).await.len();
            assert!(changes > round && changes <= 2 * (round + 1));
        }
        let seen = one.get(TERMS).await.html().field("version").get("value").to_owned();
        changes(&mut other, TERMS, &form("yes", ["5", "28", "10"])).await;
        for (path, fields) in [(TERMS, mine), (USUAL, Vec::new())] {
            let fields: Vec<_> = fields.into_iter().chain([("version", seen.as_str())]).collect();
            let late = one.post(path, &fields).await;
            assert!(late.status == 409 && late.body.contains("was a moment faster"), "{}", late.body);
        }
        assert_eq!(one.get(TERMS).await.html().field("notice").get("value"), "5");
    }
}
