//! The parsers, from the house's own files, and what the targets have in common.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "a part of the house, looked at from outside")]

#[path = "../../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../../src/inbound/mod.rs"]
pub mod inbound;

pub mod companion;
pub mod connectors;

use domain::day::Days;
use domain::ids::MemberId;
use inbound::files::{Line, Whose};
use jiff::tz::TimeZone;

/// Somebody in Berlin.
pub fn whose() -> Whose {
    let zone = TimeZone::get("Europe/Berlin").expect("the time zone database");
    let now = "2026-11-20T12:00:00Z".parse().expect("a time");
    Whose { member: MemberId(uuid::Uuid::nil()), days: Days::new(std::iter::empty(), zone), now }
}

/// Reads all lines; there are never more than a file of this length can have.
pub fn drain(lines: impl Iterator<Item = Line>, length: usize) {
    assert!(lines.count() <= length * 8 + 16, "the reading does not end");
}
