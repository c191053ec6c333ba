#![no_main]
//! eMoods' table.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::mood::emoods::Emoods;

const HEADER: &[u8] = b"ID,DATE (YYYY-MM-DD),IRRITABILITY,ANXIETY,DEPRESSED,ELEVATED,SLEEP,NOTE\n";

fuzz_target!(|bytes: &[u8]| {
    let whose = mostik_fuzz::whose();
    for file in [[HEADER, bytes].concat(), bytes.to_vec()] {
        if let Ok(lines) = Emoods::new(file.as_slice(), &whose) {
            mostik_fuzz::drain(lines, file.len());
        }
    }
});
