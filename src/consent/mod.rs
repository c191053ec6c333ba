//! Consent: what a member allows a clinic to see, and the decision that lets anything out at all.

pub mod change;
pub mod decide;
