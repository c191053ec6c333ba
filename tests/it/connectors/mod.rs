//! Communities' platforms: what they bring to the bridge, and what its account says there.

mod clients;
mod discourse;
mod hostile_matrix;
mod hostile_misago;
mod limits;
mod mail;
mod matrix;
mod misago;
mod silent;
mod telegram;
mod webhook;
mod whatsapp;
mod xmpp;
