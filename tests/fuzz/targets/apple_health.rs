#![no_main]
//! Apple Health's export.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::devices::apple_health::AppleHealth;

const HEAD: &[u8] = b"<HealthData locale=\"en_US\">";

fuzz_target!(|bytes: &[u8]| {
    let whose = mostik_fuzz::whose();
    for file in [[HEAD, bytes].concat(), bytes.to_vec()] {
        if let Ok(lines) = AppleHealth::new(file.as_slice(), &whose) {
            mostik_fuzz::drain(lines, file.len());
        }
    }
});
