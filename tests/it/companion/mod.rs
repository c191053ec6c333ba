//! The companion: what members say to it, wherever they do, and what comes of it.

pub mod another;
mod answers;
mod apart;
pub mod chat;
mod dialogues;
pub mod failing;
mod materials;
pub mod portal;
mod rules;
