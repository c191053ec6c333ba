//! Communities' platforms: what they bring to the bridge, and what its account says there.

mod clients;
mod discourse;
mod mail;
mod matrix;
mod misago;
mod telegram;
mod webhook;
mod whatsapp;
mod xmpp;
