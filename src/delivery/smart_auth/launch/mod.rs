//! Standalone launches (SMART App Launch 2.2.0): a member's browser is sent to the clinic's authorization server, where the
//! member signs in, and comes back with a code. Whoever has the code *and* what the bridge kept for this launch learns
//! which Patient the member is.
//!
//! [`server`] checks whether a server is fit for that, [`client`] begins a launch and redeems its code, [`begun`] is what is kept in between, [`id_token`] reads
//! who signed in, [`rehearsal`] is for operators. What came of it is stored by whoever called.

mod begun;
mod client;
mod failure;
mod id_token;
mod rehearsal;
mod server;

pub use begun::Begun;
pub use client::{Given, LaunchClient, LaunchSettings, Start, Voucher};
pub use failure::Failure;
pub use id_token::IdTokenError;
pub use rehearsal::{Rehearsal, Rehearsed};
pub(super) use server::Said;
pub use server::Unfit;
