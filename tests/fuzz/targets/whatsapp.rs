#![no_main]
//! Webhooks of WhatsApp.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::Heard;
use mostik_fuzz::connectors::whatsapp::read;

fuzz_target!(|bytes: &[u8]| {
    let said = read(bytes, "106540352242922").unwrap_or_default();
    for it in said.heard {
        let Heard::Said(spoken) = it else { panic!("nothing is counted there") };
        for id in [&spoken.id, &spoken.handle, &spoken.conversation] {
            assert!((1..=256).contains(&id.len()));
        }
        assert!(spoken.handle == spoken.conversation);
    }
    assert!(read(bytes, "").unwrap_or_default().failed.len() <= bytes.len());
});
