//! **mostik** joins a peer-support community to the clinic: a member's consent decides what a clinic may see.
//!
//! The modules stand in the order in which the data flows through them.

pub mod domain;
pub mod inbound;
