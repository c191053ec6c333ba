#![no_main]
//! What a homeserver brings, and what it says of rooms and events.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::matrix::{Room, Seen, What, author, transaction, written_before};

fuzz_target!(|bytes: &[u8]| {
    let before = written_before(bytes, "!room:example.org", "$invited");
    assert!(before.iter().all(|seen| matches!(seen.what, What::Wrote { .. }) && seen.id != "$invited"));
    for Seen { id, room, by, .. } in transaction(bytes).unwrap_or_default().into_iter().chain(before) {
        assert!(id.starts_with('$') && room.starts_with('!') && by.starts_with('@'));
        assert!([id, room, by].iter().all(|id| id.len() <= 255));
    }
    assert!(author(bytes).is_none_or(|by| by.starts_with('@')));
    if let Some(room) = Room::read(bytes) {
        let (user, member) = ("@mostik:example.org", "@example:example.org");
        assert!(!room.is_private(user, member) || !room.expects("@other:example.org"));
        assert!(!room.is_encrypted_by_others_than(user) || room.is_encrypted());
    }
});
