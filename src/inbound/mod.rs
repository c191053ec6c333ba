//! Inbound: what comes in is authenticated, checked against its JSON Schema and parsed into the words of the house.

pub mod devices;
pub mod event;
pub mod files;
pub mod mood;
pub mod observations;
pub mod table;
