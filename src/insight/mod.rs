//! What can be said of a member's readings: summaries for clinics, and for the member themselves a preview and charts. And
//! what they note down with the bridge itself.

pub mod activity;
pub mod asks;
pub mod chart;
pub mod due;
pub mod entry;
mod forget;
mod measured;
mod nights;
pub mod page;
mod plan;
pub mod preview;
mod questionnaire;
pub mod remind;
mod stale;
mod standing;
pub mod summarise;
mod tell;
pub mod upkeep;
pub mod words;
