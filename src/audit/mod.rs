//! The audit log seen from above: opened, verified, noted outside of the database, and told to those it concerns.
//!
//! Entries are written by [`crate::store::Tx::record`], in the transaction that does what they tell. What can happen is
//! in [`crate::domain::audit`].

pub mod checkpoint;
pub mod events;
mod open;
mod sealed;
pub mod shared;
pub mod verify;

pub use open::{OpenError, note_signing_keys, note_start, open};
