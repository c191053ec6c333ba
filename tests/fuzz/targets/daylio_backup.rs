#![no_main]
//! Daylio's backup, without the archive and the base64 around it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::mood::daylio::{DaylioBackup, MoodScale};
use mostik_fuzz::inbound::mood::diary;

fuzz_target!(|bytes: &[u8]| {
    let (whose, scale) = (mostik_fuzz::whose(), MoodScale::default());
    for file in [STANDARD.encode(bytes).into_bytes(), bytes.to_vec()] {
        if let Ok(entries) = DaylioBackup::new(file.as_slice()) {
            mostik_fuzz::drain(diary::lines(entries, &whose, &scale), file.len());
        }
    }
});
