//! The staff view: who of a clinic's people gets in, what they see of whom, and what comes of what they decide.

mod offered;
mod requests;
mod sign_in;
mod visits;
mod waiting;
