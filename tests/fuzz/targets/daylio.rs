#![no_main]
//! Daylio's table.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::mood::daylio::{DaylioReader, MoodScale};
use mostik_fuzz::inbound::mood::diary;

const HEADER: &[u8] = b"full_date,date,weekday,time,mood,activities,note_title,note\n";

fuzz_target!(|bytes: &[u8]| {
    let (whose, scale) = (mostik_fuzz::whose(), MoodScale::default());
    // With its header, so that what stands under it is reached; and without.
    for file in [[HEADER, bytes].concat(), bytes.to_vec()] {
        if let Ok(entries) = DaylioReader::new(file.as_slice()) {
            mostik_fuzz::drain(diary::lines(entries, &whose, &scale), file.len());
        }
    }
});
