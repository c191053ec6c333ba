//! Summaries and pages, and what a member sees before they decide.

mod activity;
mod asked;
mod asking;
mod before_visits;
mod denials;
mod first_zone;
mod history;
mod nights;
mod page_forms;
pub(crate) mod pages;
mod preview;
mod recommended;
mod replaced;
mod reports;
mod summaries;
mod withheld;
