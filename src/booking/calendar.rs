//! Visits as a calendar (iCalendar: RFC 5545, RFC 7986), for the member's own calendar program.
//!
//! Calendars are shared with families and employers and lie at third parties: a visit is called an appointment and no more, says
//! neither clinic nor purpose, and its address leads to the member's own page, which asks who they are. How to join is not in it.

use icalendar::{Calendar, Class, Component, Event, EventStatus, Property};
use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

/// How often calendar programs look again, as RFC 7986 (section 5.7) and the older programs say it.
const LOOK_AGAIN: &str = "PT1H";

/// A visit, as a calendar needs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its id, which stays the same when the visit is moved.
    pub id: Uuid,
    /// How often its time or its state has changed.
    pub sequence: u32,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// Whether it takes place.
    pub state: EntryState,
    /// When it last changed.
    pub changed: Timestamp,
    /// The member's own page of it.
    pub page: Url,
}

/// Whether a visit takes place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryState {
    /// It was asked for.
    Tentative,
    /// It does.
    Confirmed,
    /// It does not.
    Cancelled,
}

/// A calendar of visits: `name` is what the calendar is called, `title` what each of them is.
#[must_use]
pub fn calendar(entries: &[Entry], name: &str, title: &str) -> String {
    let mut calendar = Calendar::empty();
    for (key, value) in [
        ("VERSION", "2.0"),
        ("PRODID", "-//mostik//mostik//EN"),
        ("METHOD", "PUBLISH"),
        ("NAME", name),
        ("X-WR-CALNAME", name),
        ("X-PUBLISHED-TTL", LOOK_AGAIN),
    ] {
        calendar.append_property((key, value));
    }
    calendar.append_property(Property::new("REFRESH-INTERVAL", LOOK_AGAIN).add_parameter("VALUE", "DURATION").done());
    for entry in entries {
        calendar.push(event(entry, title));
    }
    calendar.to_string()
}

fn event(entry: &Entry, title: &str) -> Event {
    let mut event = Event::new();
    event
        .uid(&entry.id.to_string())
        .sequence(entry.sequence)
        .summary(title)
        .class(Class::Private)
        .status(match entry.state {
            EntryState::Tentative => EventStatus::Tentative,
            EntryState::Confirmed => EventStatus::Confirmed,
            EntryState::Cancelled => EventStatus::Cancelled,
        })
        .add_property("DTSTAMP", utc(entry.changed))
        .add_property("LAST-MODIFIED", utc(entry.changed))
        .add_property("DTSTART", utc(entry.start))
        .add_property("DTEND", utc(entry.end))
        .url(entry.page.as_str());
    event.done()
}

/// An instant in UTC (RFC 5545, section 3.3.5, form 2): no zone, and so no rule of a zone, can move it.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
