//! Delivery: each clinic has a [`desk`]; lanes are leased, each item is decided again, sent once, and settled by what is known of its fate.

mod account;
mod booked;
pub mod check;
pub mod desk;
pub mod desks;
pub mod egress;
pub mod ehr;
pub mod form;
pub mod identity;
pub mod member;
mod names;
mod rate_limit;
mod send;
mod settle;
pub mod smart_auth;
mod throttle;
mod turn;
mod weigh;

pub use turn::ANSWER_COLUMN;
