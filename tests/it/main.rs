//! Behaviour seen from outside: HTTP in, what the EHR and the caller receive out.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../sim/dice.rs"]
mod dice;

mod audit;
mod audit_events;
mod authorization_server;
mod bad_input;
mod canaries;
mod clinic_check;
mod clinic_client;
mod clinic_keys;
mod clinic_logs;
mod clinic_reads;
mod clinic_token;
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
mod headers;
mod export;
mod import;
mod jwks;
mod lent;
mod mapping;
mod migrations;
mod patient_token;
mod patient_token_faults;
mod patient_token_secrets;
mod portal_attacks;
mod portal_sessions;
mod portal_sign_in;
mod queue;
mod receipts;
mod restored;
mod revocation;
mod rotation;
mod routes;
mod sealing;
mod settings;
mod shared;
mod smart_auth;
mod tampering;
mod swaps;
mod updates;
