//! What mood apps write into files, one folder per app.

pub mod bearable;
pub mod daylio;
pub mod diary;
pub mod emoods;
