//! Behaviour seen from outside: HTTP in, what the EHR and the caller receive out.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod consent;
mod credentials;
mod delivery;
mod documents;
mod events;
mod import;
mod mapping;
mod sealing;
