#![no_main]
//! Mails, and what a mail server says of them.

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use mostik_fuzz::connectors::mail::lines::written;
use mostik_fuzz::connectors::mail::proof::proves;
use mostik_fuzz::connectors::mail::read::{Trust, read};

const OWN: &str = "helper@forum.example";

fuzz_target!(|bytes: &[u8]| {
    // 2026-11-20T12:00:00Z
    let at = Timestamp::from_second(1_795_176_000).unwrap();
    let trusted = read(bytes, OWN, Trust::Server, at);
    let proven = read(bytes, OWN, Trust::Results("mx.forum.example"), at);
    assert!(proven.is_err() || proven == trusted, "what is proven is heard where all is believed");
    if let Ok(letter) = trusted {
        assert!(letter.from != OWN && letter.from.is_ascii() && !letter.from.contains(char::is_whitespace));
        assert!(letter.from.matches('@').count() == 1 && letter.from.len() <= 254);
        assert!((1..=252).contains(&letter.id.len()) && letter.answers.len() <= 11);
        assert!(letter.answers.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_graphic())), "no line breaks");
        assert!(letter.text.chars().count() <= 4000);
    }
    let text = String::from_utf8_lossy(bytes);
    assert!(!written(&text).lines().any(|line| line.starts_with('>')));
    // What one server says is nothing that another one says.
    let said = ["mx.forum.example", "mx.evil.example"].map(|server| proves(&text, server, "member.example"));
    assert!(said.contains(&None));
});
