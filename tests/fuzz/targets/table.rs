#![no_main]
//! Any table, and the file that says which column is what: they stand one after the other, with a zero between them.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::table::{Columns, Table};

const COLUMNS: &str = "[time]\ncolumn = \"a\"\n[[reading]]\ncolumn = \"b\"\nas = \"mood\"\nworst = 1\nbest = 5\n\
    [[reading]]\ncolumn = \"c\"\nas = \"sleep-duration\"\nunit = \"h\"\n[[reading]]\ncolumn = \"d\"\nas = \"tags\"\n";

fuzz_target!(|bytes: &[u8]| {
    let whose = mostik_fuzz::whose();
    let known = (Columns::from_toml(COLUMNS), [b"a,b,c,d\n", bytes].concat());
    let zero = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, table) = bytes.split_at(zero);
    let own = (Columns::from_toml(&String::from_utf8_lossy(text)), table.to_vec());
    for (columns, file) in [known, own] {
        let Ok(columns) = columns else { continue };
        if let Ok(lines) = Table::new(file.as_slice(), &columns, &whose) {
            mostik_fuzz::drain(lines, file.len());
        }
    }
});
