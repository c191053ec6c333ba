//! Whose answers want a human's eye, and who is told until somebody looks.

mod concerns;
mod operators;
mod portal;
mod telling;
