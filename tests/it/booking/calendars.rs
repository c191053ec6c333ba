//! A calendar of visits, read by programs that others wrote: `icalendar` for Python, and the parser of the Rust crate `ical`.

use jiff::{SignedDuration, Timestamp};
use mostik::booking::calendar::{Entry, EntryState, calendar};
use uuid::Uuid;

use crate::support::http::{self, Got};
use crate::support::parts::part;

fn entry(sequence: u32, start: &str, state: EntryState) -> Entry {
    let start: Timestamp = start.parse().unwrap();
    Entry {
        id: Uuid::from_u128(9),
        sequence,
        start,
        end: start + SignedDuration::from_mins(50),
        state,
        changed: "2026-11-20T08:00:00Z".parse().unwrap(),
        page: "https://mostik.example/visits/00000000-0000-0000-0000-000000000009".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_calendar_says_when_and_nothing_of_what_or_with_whom() {
    let text = calendar(&[entry(2, "2026-12-01T10:00:00Z", EntryState::Confirmed)], "Приёмы; мои, все", "Приём");
    let Some(base) = part("MOSTIK_TEST_RECEIVER", "a reader of calendars") else { return };
    let asked = http::client().post(format!("{base}/judge/calendar")).body(text.clone()).send().await.unwrap();
    let got = Got::read(asked).await;
    assert_eq!(got.status, 200, "{}", got.json);
    assert_eq!(got.json["wrong"], serde_json::json!([]));
    assert_eq!(got.json["method"], "PUBLISH");
    assert_eq!(got.json["name"], "Приёмы; мои, все");
    let event = &got.json["events"][0];
    assert_eq!(event["uid"], Uuid::from_u128(9).to_string());
    assert_eq!(event["sequence"], "2");
    assert_eq!(event["status"], "CONFIRMED");
    assert_eq!(event["class"], "PRIVATE");
    assert_eq!(event["summary"], "Приём");
    assert_eq!(event["dtstart"], "2026-12-01T10:00:00+00:00");
    assert_eq!(event["dtend"], "2026-12-01T10:50:00+00:00");
    assert!(event["description"].is_null() && event["location"].is_null(), "{event}");
    for line in text.split("\r\n") {
        assert!(line.len() <= 75, "RFC 5545, section 3.1: {line}");
    }
    assert!(text.ends_with("END:VCALENDAR\r\n"));
}

#[test]
fn a_visit_that_is_moved_and_then_cancelled_stays_the_same_one() {
    let moved = calendar(&[entry(3, "2026-12-02T10:00:00Z", EntryState::Confirmed)], "Visits", "Appointment");
    let cancelled = calendar(&[entry(4, "2026-12-02T10:00:00Z", EntryState::Cancelled)], "Visits", "Appointment");
    let read = |text: &str| {
        let calendar = ical::IcalParser::new(text.as_bytes()).next().unwrap().unwrap();
        let event = calendar.events.into_iter().next().unwrap();
        let value = |name: &str| event.properties.iter().find(|it| it.name == name).unwrap().value.clone().unwrap();
        [value("UID"), value("SEQUENCE"), value("STATUS"), value("DTSTART")]
    };
    let [uid, sequence, status, start] = read(&moved);
    assert_eq!((sequence.as_str(), status.as_str(), start.as_str()), ("3", "CONFIRMED", "20261202T100000Z"));
    let [same, sequence, status, _] = read(&cancelled);
    assert_eq!((same, sequence.as_str(), status.as_str()), (uid, "4", "CANCELLED"));
}
