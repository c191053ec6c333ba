#![no_main]
//! Updates of Telegram.

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::Heard;
use mostik_fuzz::connectors::telegram::read;

fuzz_target!(|bytes: &[u8]| {
    let heard = read(bytes, &BTreeSet::from([-100, 1])).unwrap_or_default();
    assert!(heard.len() <= 5, "an Update is one thing, of two people at most, its words, and a press and a reaction beside it");
    for it in heard {
        let (id, handle) = match it {
            Heard::Said(spoken) => (spoken.id, spoken.handle),
            Heard::Happened(happened) => (happened.id, happened.handle),
            Heard::Wrote(wrote) => (String::new(), wrote.handle),
            Heard::Undone(undone) => (undone.id, undone.handle),
        };
        assert!(handle.parse::<i64>().is_ok() && id.len() <= bytes.len() + 64);
    }
});
