//! Whose answers want a human's eye, and who is told until somebody looks.

pub mod concerns;
mod disclosure;
mod operators;
mod portal;
mod shown;
mod telling;
