#![no_main]
//! Transactions of a Matrix homeserver.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::matrix::transaction;

fuzz_target!(|bytes: &[u8]| {
    let Ok(seen) = transaction(bytes) else { return };
    assert!(seen.len() <= bytes.len(), "no more happened than there is");
    assert!(seen.iter().all(|it| it.id.len() + it.room.len() + it.by.len() <= 3 * bytes.len()));
});
