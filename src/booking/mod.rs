//! Booking: a member's way to a visit at a clinic, over the same outbox as everything else.
//!
//! What a member does ([`ask`], [`choose`], [`confirm`], [`release`], [`cancel`], [`change`]) is one transaction of the caller's: the booking and what
//! its clinic is asked are stored together. The answer is written into the booking where the item is settled. Free times are
//! read from the clinic's own system ([`Finder`]), outside of any transaction. What the time brings about ([`tend`]) finds its
//! work in the database: a hold that has ended is given back, whoever died meanwhile.

mod act;
pub mod calendar;
mod changed;
mod decided;
mod error;
mod find;
pub mod group;
mod here;
mod kept;
mod put;
mod rate;
mod remind;
mod seen;
mod tend;
pub mod video;

pub use act::{Ask, ask, cancel, change, choose, confirm, release};
pub use changed::changed;
pub use decided::{Given, decline, give, mark};
pub use error::BookingError;
pub use find::{FindError, Finder, MOST_OFFERS};
pub use here::{arrive, arrived};
pub use kept::{all, of, one};
pub use put::may_ask;
pub use rate::{is_to_be_rated, rate};
pub use remind::{remind, reminded_of};
pub use seen::{Seen, see, seen};
pub use tend::{let_go_of, tend};

use jiff::SignedDuration;

/// How long a member who has confirmed waits for the clinic's system at most; then the time is given back.
pub const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// How many visits a member may be about to book at one clinic at the same time: times that are kept for them are kept from
/// others.
pub const MOST_AT_ONCE: usize = 4;
