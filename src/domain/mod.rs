//! The words of the house as types: no I/O, no clock of its own, no randomness of its own.

pub mod clock;
pub mod entropy;
