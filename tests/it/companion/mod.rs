//! The companion: what members say to it, wherever they do, and what comes of it.

pub mod chat;
mod dialogues;
mod materials;
mod portal;
mod rules;
