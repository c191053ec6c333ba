//! What comes in: events, data points, files.

mod bad_input;
mod copied;
mod credentials;
mod data_points;
mod daylio;
mod events;
pub(crate) mod files;
mod health_connect;
mod many;
mod map;
mod map_files;
mod names;
mod numbers;
mod pushed;
pub(crate) mod questionnaires;
mod readings;
mod sensed;
mod stopped;
mod ways;
