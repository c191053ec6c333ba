//! Item 9 of PHQ-9 in an event that cannot be taken.
//!
//! Whoever gave an answer above zero is told where help is, and the people who look after them that somebody should look
//! ([`Event::flaw`]). Nothing else of what was answered is read, and nothing is taken. What the event is called, whose it is
//! and when it was is read as far as it can be: where nobody is known by that name, help is told all the same.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value;

use super::{Entry, Event, Refusal, Says, Subject, Version};
use crate::domain::moment::Moment;
use crate::domain::questionnaire::SELF_HARM;
use crate::inbound::item_nine;

/// The event, to be heard and not to be taken for this reason; `None` where there is no such answer in it.
pub(super) fn heard(text: &str, why: &Refusal, now: Timestamp) -> Option<Event> {
    let event: Value = serde_json::from_str(text).ok()?;
    let choice = within(event.get("data")?).filter(|choice| *choice > 0)?;
    let said = |name: &str| match event.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let moment = said("time").and_then(|text| about(&text)).unwrap_or_else(|| Moment::new(now, Offset::UTC));
    let entry = Entry { moment, measure: item_nine::alone(choice)?, labels: BTreeSet::new() };
    let version = said("corrects").map_or(Version::First, Version::Corrects);
    Some(Event {
        source: said("source").unwrap_or_default(),
        // Without a name it goes by all that it says: so it is the same when it comes again.
        id: said("id").unwrap_or_else(|| text.to_owned()),
        subject: Subject::Handle(said("subject").unwrap_or_default()),
        says: Says::Reading(entry, version),
        flaw: Some(Box::new(why.clone())),
    })
}

/// The highest answer to the question, wherever its code stands.
fn within(data: &Value) -> Option<u8> {
    match data {
        Value::Object(fields) => {
            let of = |(name, it): (&String, &Value)| if name == SELF_HARM { item_nine::choice(it) } else { within(it) };
            fields.iter().filter_map(of).max()
        }
        Value::Array(all) => all.iter().filter_map(within).max(),
        _ => None,
    }
}

/// When it was, to the day at least: what was said long ago does not speak of now.
fn about(time: &str) -> Option<Moment> {
    let in_utc = |at| Moment::new(at, Offset::UTC);
    let as_shown = || Offset::UTC.to_timestamp(time.parse::<DateTime>().ok()?).ok();
    let nearly = || time.parse().ok().or_else(as_shown).map(in_utc);
    Moment::parse_rfc3339(time).ok().or_else(nearly)
}
