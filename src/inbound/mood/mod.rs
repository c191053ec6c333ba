//! What mood and wellness apps hand over, one folder per app.

pub mod daylio;
pub mod diary;
