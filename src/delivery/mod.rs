//! Delivery: lanes are leased, each item is decided again, sent once, and settled by what is known of its fate.

pub mod check;
pub mod egress;
pub mod ehr;
mod settle;
pub mod smart_auth;
pub mod worker;
