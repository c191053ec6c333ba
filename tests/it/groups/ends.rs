//! A place is free when its member's consent ends, or they are erased; and what the clinic had of it is taken back there.

use mostik::domain::booking::BookingState;
use mostik::domain::consented::Method;
use mostik::erasure::Wish;

use crate::on_both_databases;
use crate::support::booking::appointments;
use crate::support::groups::{Circle, Guest};
use crate::vault::erasing::request;

/// One who has the only place, and one who waits for it.
async fn one_of_two(circle: &Circle) -> (Guest, Guest, [mostik::domain::ids::BookingId; 2]) {
    let id = circle.plan("1").await;
    let (mut wren, mut robin) = (circle.guest("wren").await, circle.guest("robin").await);
    let bookings = [wren.joined(id).await, robin.joined(id).await];
    circle.settle().await;
    assert_eq!(circle.stands(&robin, bookings[1]).await.state, BookingState::Requested);
    (wren, robin, bookings)
}

on_both_databases! {
    async fn a_consent_that_ends_frees_the_place(database) {
        let circle = Circle::open(database, 1, "").await;
        let (wren, robin, [taken, waits]) = one_of_two(&circle).await;
        assert_eq!(circle.bridge().change_grant(&wren.person, &wren.grant, "revoke").await.status, 200);
        assert_eq!(circle.stands(&wren, taken).await.state, BookingState::Cancelled, "at once");
        circle.settle().await;
        assert_eq!(appointments(&circle.ward.ehr.base, &wren.patient).await[0]["status"], "cancelled");
        assert_eq!(circle.stands(&wren, taken).await.wish, None);
        assert_eq!(circle.stands(&robin, waits).await.state, BookingState::Booked);
    }
}

on_both_databases! {
    async fn who_waits_and_may_no_longer_take_part_is_passed_over(database) {
        let circle = Circle::open(database, 1, "").await;
        let (mut wren, robin, [taken, waits]) = one_of_two(&circle).await;
        circle.bridge().change_grant(&robin.person, &robin.grant, "revoke").await;
        wren.leaves(taken).await;
        circle.settle().await;
        assert_eq!(circle.stands(&robin, waits).await.state, BookingState::Cancelled);
        assert!(appointments(&circle.ward.ehr.base, &robin.patient).await.is_empty());
    }
}

on_both_databases! {
    async fn whoever_is_erased_leaves_a_free_place_and_nobody_is_expected(database) {
        let circle = Circle::open(database, 1, "").await;
        let (wren, robin, [_, waits]) = one_of_two(&circle).await;
        request(circle.bridge(), &wren.person, Wish { at_once: true, ask_clinics: false, method: Method::Portal }).await;
        circle.settle().await;
        circle.bridge().clock.advance(jiff::SignedDuration::from_mins(1));
        circle.settle().await;
        assert_eq!(appointments(&circle.ward.ehr.base, &wren.patient).await[0]["status"], "cancelled");
        assert_eq!(circle.stands(&robin, waits).await.state, BookingState::Booked);
        assert!(circle.bridge().bridge.store.read().await.unwrap().bookings(wren.person.id).await.unwrap().is_empty());
    }
}

on_both_databases! {
    async fn who_waited_in_vain_waits_no_longer_when_it_is_over(database) {
        let circle = Circle::open(database, 1, "").await;
        let (_, robin, [_, waits]) = one_of_two(&circle).await;
        circle.bridge().clock.advance(jiff::SignedDuration::from_hours(24 * 5));
        circle.settle().await;
        assert_eq!(circle.stands(&robin, waits).await.state, BookingState::Cancelled);
    }
}
