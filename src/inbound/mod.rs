//! Inbound: what comes in is authenticated, checked against its JSON Schema and parsed into the words of the house.

pub mod event;
pub mod mood;
