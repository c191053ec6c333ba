//! What the companion understands.

#[path = "../../../src/companion/script.rs"]
pub mod script;
#[path = "../../../src/companion/talk.rs"]
pub mod talk;
#[path = "../../../src/companion/words.rs"]
pub mod words;
