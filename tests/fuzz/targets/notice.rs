#![no_main]
//! Notices of EHRs that something changed.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::notice::Notice;

fuzz_target!(|bytes: &[u8]| {
    let Ok(notice) = Notice::read(bytes) else { return };
    assert!(notice.news.len() <= 100 && notice.events.is_none_or(|events| events >= 0));
    assert!(notice.news.iter().all(|news| news.number.is_none_or(|number| number >= 0)));
});
