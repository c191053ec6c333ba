//! `visits.json`: what the member booked at clinics, or was about to.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Archive, Exported, Writing};
use crate::booking;
use crate::domain::booking::Booking;

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let mut said = Vec::new();
        for booking in booking::all(&mut tx, &of.key).await? {
            let arrived_at = tx.arrived_at((booking.member, booking.id)).await?;
            said.push(told(&booking, arrived_at));
        }
        drop(tx);
        archive.file("visits/visits.json").await?;
        archive.write(format!("{:#}\n", Value::from(said)).as_bytes()).await
    })
}

fn told(booking: &Booking, arrived_at: Option<Timestamp>) -> Value {
    json!({
        "booking": booking.id,
        "clinic": booking.clinic,
        "visit": booking.visit,
        "state": booking.state.as_str(),
        "asked_of_the_clinic": booking.wish.map(crate::domain::booking::Wish::as_str),
        "time": booking.time,
        "kept_until": booking.hold_until,
        "waits_for_a_free_time": booking.waits,
        "said_to_be_there_at": arrived_at,
        "takes_the_place_of": booking.replaces,
        "group_session": booking.seat.map(|seat| seat.session),
        "details": booking.details,
        "created_at": booking.created_at,
        "updated_at": booking.updated_at,
    })
}
