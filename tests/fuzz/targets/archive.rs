#![no_main]
//! ZIP archives: the table of contents, and the first files of it.

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::files::archive::Archive;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut archive) = Archive::open(Cursor::new(bytes)) else { return };
    for place in archive.ending_in("") {
        if let Ok(file) = archive.read(place) {
            let _ = std::io::copy(&mut file.take(1 << 20), &mut std::io::sink());
        }
    }
});
