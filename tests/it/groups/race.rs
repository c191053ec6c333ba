//! Many members want few places, through three replicas: exactly as many get one as there are, and the others wait.

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use jiff::SignedDuration;
use mostik::booking::group;
use mostik::domain::booking::BookingState;
use mostik::domain::ids::GroupSessionId;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, riverside};
use crate::support::groups::Circle;

const RIVALS: usize = 60;
const PLACES: u64 = 10;

/// A member presses the button before one of the replicas.
async fn joins(bridge: &TestBridge, person: &Person, id: GroupSessionId) -> BookingState {
    let clinic = riverside();
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let booking = group::join(&bridge.bridge, &mut tx, person.id, (&clinic, id), bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    booking.state
}

on_both_databases! {
    async fn of_sixty_who_want_one_of_ten_places_ten_get_one(database) {
        let circle = Circle::open(database, 10, "open = true").await;
        let id = circle.plan("10").await;
        let first = circle.bridge();
        let (second, third) = (first.beside(SignedDuration::ZERO).await, first.beside(SignedDuration::ZERO).await);
        let replicas = [first, &second, &third];
        let mut rivals = Vec::new();
        for number in 0..RIVALS {
            // Every other is known at the clinic.
            let handle = format!("rival-{number}");
            rivals.push(if number % 2 == 0 {
                let person = first.person(&handle, &format!("patient-{number}")).await;
                first.share_by(&person, json!({"categories": {"mood": "every-entry"}, "way_back": "notice"})).await;
                person
            } else {
                first.unlinked_person(&handle).await
            });
        }
        // Each presses twice, at two replicas.
        let pressed = rivals.iter().enumerate().flat_map(|(number, person)| {
            [joins(replicas[number % 3], person, id), joins(replicas[(number + 1) % 3], person, id)]
        });
        // As many at once as find a connection in time.
        let states: Vec<BookingState> = Box::pin(stream::iter(pressed).buffered(24).collect()).await;
        let booked = |pair: &[BookingState]| pair[0] == BookingState::Booked;
        assert!(states.chunks(2).all(|pair| pair[0] == pair[1]), "pressed twice, it is one place");
        assert_eq!(states.chunks(2).filter(|pair| booked(pair)).count() as u64, PLACES);
        let seats = first.bridge.store.read().await.unwrap().count_seats(id).await.unwrap();
        assert_eq!((seats.taken, seats.waiting), (PLACES, RIVALS as u64 - PLACES));

        // Half of those who got one leave, while every replica gives free places to those who wait.
        let leaving: Vec<&Person> =
            rivals.iter().zip(states.chunks(2)).filter(|(_, pair)| booked(pair)).map(|(person, _)| person).take(5).collect();
        let leaves = join_all(leaving.iter().zip(replicas.iter().cycle()).map(|(person, bridge)| leaves(bridge, person, id)));
        let tends = join_all(replicas.iter().map(|bridge| bridge.chores()));
        futures_util::join!(leaves, tends);
        join_all(replicas.iter().map(|bridge| bridge.chores())).await;
        let seats = first.bridge.store.read().await.unwrap().count_seats(id).await.unwrap();
        assert_eq!((seats.taken, seats.waiting), (PLACES, RIVALS as u64 - PLACES - 5));
    }
}

async fn leaves(bridge: &TestBridge, person: &Person, id: GroupSessionId) {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let theirs = tx.bookings(person.id).await.unwrap().into_iter().find(|row| row.session == Some(id)).unwrap();
    mostik::booking::cancel(&bridge.bridge, &mut tx, person.id, theirs.id, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}
