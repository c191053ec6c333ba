#![no_main]
//! Bearable's table.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::mood::bearable::Bearable;

const HEADER: &[u8] = b"date,date formatted,weekday,time of day,category,rating/amount,detail,notes\n";

fuzz_target!(|bytes: &[u8]| {
    let whose = mostik_fuzz::whose();
    for file in [[HEADER, bytes].concat(), bytes.to_vec()] {
        if let Ok(lines) = Bearable::new(file.as_slice(), &whose) {
            mostik_fuzz::drain(lines, file.len());
        }
    }
});
