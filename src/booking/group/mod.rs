//! Group sessions: a clinic's people make them ([`plan`]), members take places in them ([`join`]) and give them back, and the EHR is
//! kept up to what they are ([`super::Finder::look_after_sessions`]). A session that is open to everybody is a webinar.
//!
//! **Two kinds of Appointment.** A session is one Appointment: who leads it, when, and how many places it has. It names no
//! patient. Each member whom the clinic knows has an Appointment of their own, with their Patient alone, that refers to the
//! session by its identifier (`supportingInformation`). R4 would let one Appointment list all patients; but whatever lists a
//! patient belongs to that patient's compartment, and they may read it whole: each would see everybody else's Patient. Of
//! members who take part in a webinar without being known at the clinic nothing stands in its EHR at all. So the clinic finds
//! everybody whom it may know of by the session, and nobody finds anybody else.
//!
//! **A place is a [`crate::domain::booking::Booking`]** with a [`crate::domain::group::Seat`]: reminders, calendar, joining, rating,
//! export, erasure and the consent that each of them takes are those of every booking. There is no counter. Whoever takes a
//! place holds the session's row and counts its bookings, so there are never more than it has, and a place is free as soon as
//! its booking is over or gone: given back, called off, ended with a consent, or erased.
//!
//! **The bridge says who has a place, and the EHR is told.** A place is a member's from the moment on in which they take it; what
//! the EHR answers to that is for a human to see to, as with everything else that it is told. Nobody waits for it.

mod follow;
mod look;
mod open;
mod plan;
mod seat;

pub(super) use follow::tend;
pub use open::{Announced, announced};
pub use plan::{Plan, call_off, change, plan};
pub(super) use seat::leave;
pub use seat::{join, may_join};
