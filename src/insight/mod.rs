//! What can be said of a member's readings: summaries for clinics, and for the member themselves a preview and charts.

pub mod chart;
pub mod summarise;
