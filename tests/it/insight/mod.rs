//! Summaries and pages, and what a member sees before they decide.

mod activity;
mod asked;
mod before_visits;
mod denials;
mod history;
pub(crate) mod pages;
mod preview;
mod recommended;
mod replaced;
mod reports;
mod summaries;
