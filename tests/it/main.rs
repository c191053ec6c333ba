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
mod clinic_audit;
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
mod export;
mod headers;
mod import;
mod jwks;
mod launch;
mod launch_attacks;
mod launch_servers;
mod lent;
mod link_codes;
mod mapping;
mod migrations;
mod patient_token;
mod patient_token_faults;
mod patient_token_secrets;
mod portal_attacks;
mod portal_clinics;
mod portal_messages;
mod portal_routes;
mod portal_sessions;
mod portal_sharing;
mod portal_sign_in;
mod preview;
mod queue;
mod readings;
mod receipts;
mod restored;
mod revocation;
mod rotation;
mod routes;
mod sealing;
mod settings;
mod shared;
mod smart_auth;
mod summaries;
mod summary_history;
mod summary_mapping;
mod swaps;
mod tampering;
mod unlinking;
mod updates;
