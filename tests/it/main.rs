//! Behaviour seen from outside: HTTP in, what the EHR and the caller receive out.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

#[path = "../support/mod.rs"]
mod support;

mod authorization_server;
mod bad_input;
mod canaries;
mod clinic_check;
mod consent;
mod corrections;
mod credentials;
mod decision;
mod delivery;
mod deploy;
mod desks;
mod documents;
mod entries;
mod erasure;
mod events;
mod export;
mod import;
mod jwks;
mod lent;
mod mapping;
mod migrations;
mod patient_token;
mod patient_token_faults;
mod patient_token_secrets;
mod queue;
mod restored;
mod revocation;
mod rotation;
mod sealing;
mod settings;
mod smart_auth;
mod swaps;
mod updates;
