//! **mostik** joins a peer-support community to the clinic: a member's consent decides what a clinic may see.
//!
//! The modules stand here in the order in which the data flows through them; `tests/architecture.rs` holds who may
//! import whom.

// The words.

/// Members, communities, clinics, grants, readings, deliveries: as types.
pub mod domain;

// What every stage stands on.

/// Keys, sealing, and keyed indexes.
pub mod vault;

/// SQLite or PostgreSQL, behind one transaction type.
pub mod store;

/// Logs without personal data, and the crash points that tests use.
pub mod telemetry;

// The five stages.

/// 1. What comes in is checked against its schema and parsed.
pub mod inbound;

/// 2. The decision, and the only place where a permit comes from.
pub mod consent;

/// 3. Reading → FHIR.
pub mod mapping;

/// The audit log: verified, noted outside of the database, told to those it concerns.
pub mod audit;

/// 4. What may go out is stored together with what caused it.
pub mod outbox;

/// 5. Lanes are leased, items decided again, sent once, and settled.
pub mod delivery;

/// Where members are: forums, messengers and chats, as the bridge takes part in them.
pub mod connectors;

// What puts them together.

/// How members join and callers get their credentials.
pub mod enrolment;

/// What members have for themselves: settings, and the readings kept for their own view and for summaries.
pub mod readings;

/// What clinics have for members, as it is kept for them.
pub mod recommendations;

/// What wants a human's eye is told to the people of the member's community.
pub mod safety;

/// What clinics publish for everybody: verified, versioned, never changed.
pub mod materials;

/// The master key is replaced while everything runs.
pub mod rotation;

/// Stages 1 to 4 on one page.
pub mod pipeline;

/// Members book visits at clinics.
pub mod booking;

/// What can be said of readings: summaries for clinics, and a preview and charts for the member.
pub mod insight;

/// Members are told that there is something for them.
pub mod telling;

/// Communities are told in their rooms what there is for everybody.
pub mod announcing;

/// What clinics have for members is looked for in their EHRs, and kept.
pub mod way_back;

/// A member's own files, through the pipeline.
pub mod import;

/// Everything the bridge has of a member, for the member.
pub mod export;

/// A member takes everything back, for good.
pub mod erasure;

/// A program that talks with members, by a script, and does for them what the portal does.
pub mod companion;

/// What the time brings about, without anybody asking.
pub mod chores;

// The doors.

/// Typed settings.
pub mod config;

/// The HTTP API.
pub mod web;

/// The only wiring: from settings to a running bridge.
pub mod app;

/// A FHIR R4 server in memory, for the demo and the tests.
pub mod sandbox;

/// The command line.
pub mod cli;
