//! Enrolment: how members join, how they are linked to a clinic, and how callers get their credentials.

pub mod clinic_access;
pub mod credentials;
pub mod join;
