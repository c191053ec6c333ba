//! Whose answers want a human's eye, and who is told until somebody looks.

mod chat;
pub mod concerns;
mod disclosure;
mod files;
mod operators;
mod phrases;
mod portal;
mod queue;
mod queue_door;
mod room_phrases;
mod screened;
mod shown;
mod telling;
