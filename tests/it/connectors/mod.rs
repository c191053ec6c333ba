//! Communities' platforms: what they bring to the bridge, and what its account says there.

mod discourse;
mod mail;
mod matrix;
mod telegram;
mod whatsapp;
