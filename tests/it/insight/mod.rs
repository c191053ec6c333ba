//! Summaries and pages, and what a member sees before they decide.

mod activity;
mod asked;
mod denials;
mod history;
pub(crate) mod pages;
mod preview;
mod recommended;
mod reports;
mod summaries;
