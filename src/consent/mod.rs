//! Consent: what a member allows a clinic to see, the decision that lets anything out at all, and what proves both.

pub mod change;
pub mod decide;
pub mod notice;
pub mod receipt;
pub mod share;
pub mod words;
