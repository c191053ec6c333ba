//! What platforms bring.

#[path = "../../../src/connectors/discourse/read.rs"]
pub mod discourse;
#[path = "../../../src/connectors/heard.rs"]
mod heard;
#[path = "../../../src/connectors/matrix/read.rs"]
pub mod matrix;
#[path = "../../../src/connectors/telegram/read.rs"]
pub mod telegram;

pub use heard::{Happened, Heard, Refused, Spoken, Undone, Words};
