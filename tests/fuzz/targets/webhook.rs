#![no_main]
//! What a platform of one's own brings, signed.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::webhook::read;
use mostik_fuzz::connectors::{Heard, LONGEST_NAME};

fuzz_target!(|bytes: &[u8]| {
    let Ok(heard) = read("msg_1", bytes) else { return };
    let (id, handle) = match heard {
        Heard::Said(spoken) => {
            assert!(spoken.conversation.is_empty());
            (spoken.id, spoken.handle)
        }
        Heard::Wrote(_) => panic!("no words are brought from there"),
        Heard::Happened(happened) => (happened.id, happened.handle),
        Heard::Undone(undone) => ("msg_1".to_owned(), undone.handle),
    };
    assert!(id == "msg_1" && (1..=LONGEST_NAME).contains(&handle.len()));
});
