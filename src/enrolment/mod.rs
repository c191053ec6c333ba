//! Enrolment: how members join, how they are linked to a clinic, how they sign in, and how callers get their credentials.

pub mod agreed;
pub mod another;
pub mod calendar;
pub mod clinic_access;
pub mod code;
pub mod credentials;
pub mod identity;
pub mod join;
pub mod launch;
pub mod link;
pub mod returned;
pub mod session;
pub mod sign_in;
pub mod staff;
pub mod trouble;
pub mod unlink;
