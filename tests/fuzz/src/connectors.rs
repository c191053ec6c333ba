//! What platforms bring.

#[path = "../../../src/connectors/discourse/read.rs"]
pub mod discourse;
#[path = "../../../src/connectors/heard.rs"]
mod heard;
#[path = "../../../src/connectors/mail"]
pub mod mail {
    pub mod lines;
    pub mod proof;
    pub mod read;
}
#[path = "../../../src/connectors/matrix/read.rs"]
pub mod matrix;
#[path = "../../../src/connectors/misago/read.rs"]
pub mod misago;
#[path = "../../../src/connectors/telegram/read.rs"]
pub mod telegram;
#[path = "../../../src/connectors/webhook/read.rs"]
pub mod webhook;
#[path = "../../../src/connectors/whatsapp/read.rs"]
pub mod whatsapp;
#[path = "../../../src/connectors/xmpp/frames.rs"]
pub mod xmpp_frames;
#[path = "../../../src/connectors/xmpp/read.rs"]
pub mod xmpp_read;

pub use heard::{Happened, Heard, LONGEST_NAME, Refused, Spoken, Undone, Words, Wrote};
