//! The audit log, and who is told what is in it.

mod balp;
mod clinic_audit;
mod events;
mod log;
mod shared;
mod tampering;
mod verified_consents;
