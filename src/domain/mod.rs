//! The words of the house as types: no I/O, no clock of its own, no randomness of its own.

pub mod audit;
pub mod category;
pub mod clock;
pub mod consented;
pub mod day;
pub mod decimal;
pub mod delivery;
pub mod entropy;
pub mod form;
pub mod grant;
pub mod ids;
pub mod label;
pub mod language;
pub mod matter;
pub mod measurement;
pub mod moment;
pub mod outbound;
pub mod page;
pub mod reading;
pub mod reliable;
pub mod settings;
pub mod statistics;
pub mod stretch;
pub mod summary;
pub mod zone;
