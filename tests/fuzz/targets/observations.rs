#![no_main]
//! FHIR in JSON.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::observations::Observations;

fuzz_target!(|bytes: &[u8]| {
    let whose = mostik_fuzz::whose();
    if let Ok(lines) = Observations::new(bytes, &whose) {
        mostik_fuzz::drain(lines, bytes.len());
    }
});
