//! What comes in: events, data points, files.

mod bad_input;
mod credentials;
mod data_points;
mod daylio;
mod events;
mod files;
mod map;
mod map_files;
pub(crate) mod questionnaires;
mod readings;
mod sensed;
mod stopped;
