//! A diary line → the readings in it: the mood, the note and the tags each fall under a consent of their own.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::daylio::{BadLine, DiaryEntry, MoodScale};
use crate::domain::category::Category;
use crate::domain::day::Days;
use crate::domain::decimal::Decimal;
use crate::domain::ids::MemberId;
use crate::domain::moment::Moment;
use crate::domain::reading::{Measure, Mood, Rating};
use crate::inbound::event::{CLOCK_SKEW, Entry, Event, Says, Subject, Version};

/// What one diary line says of each of its parts as it reads now: a reading, or that there is none (any more). Ids depend
/// on the entry's time only, so that importing the file again, or a longer one, finds them again.
///
/// # Errors
/// [`BadLine`] when the mood is not in the scale, or the time is in the future.
pub fn events(
    entry: DiaryEntry,
    member: MemberId,
    days: &Days,
    scale: &MoodScale,
    now: Timestamp,
) -> Result<[(Category, Event); 3], BadLine> {
    let level = level(&entry, scale).ok_or_else(|| BadLine::unknown_mood(entry.line))?;
    let moment = moment(&entry, days, now)?;
    let key = format!("{}/{}", entry.at, entry.occurrence);
    let tags: Vec<String> = entry.tags.iter().map(|tag| plain(tag)).filter(|tag| !tag.is_empty()).collect();
    let parts = [
        (Category::Mood, Some(Measure::Mood(mood(level, plain(&entry.mood))))),
        (Category::Note, note(entry.note_title, entry.note).map(Measure::Note)),
        (Category::Tags, Some(tags).filter(|tags| !tags.is_empty()).map(Measure::Tags)),
    ];
    Ok(parts.map(|(category, measure)| {
        let id = format!("{key}/{}", category.as_str());
        let (id, says) = match measure {
            Some(measure) => (id, Says::Reading(Entry { moment, measure, labels: BTreeSet::new() }, Version::Current)),
            None => (format!("{id}/gone"), Says::Retraction(id)),
        };
        (category, Event { source: format!("daylio/{member}"), id, subject: Subject::Member(member), says })
    }))
}

/// Which level of the scale an entry's mood is, as far as it is known.
#[must_use]
pub fn level(entry: &DiaryEntry, scale: &MoodScale) -> Option<u8> {
    entry.level.or_else(|| scale.level(&entry.mood))
}

/// The wall time where the file says it was, or else where the member's clock stood.
fn moment(entry: &DiaryEntry, days: &Days, now: Timestamp) -> Result<Moment, BadLine> {
    let moment = match entry.offset {
        Some(offset) => offset.to_timestamp(entry.at).ok().map(|at| Moment::new(at, offset)),
        None => days.instant_of(entry.at).map(|at| days.moment(at)),
    };
    let moment = moment.ok_or_else(|| BadLine::impossible_time(entry.line))?;
    if moment.at > now.checked_add(CLOCK_SKEW).unwrap_or(now) {
        return Err(BadLine::future_time(entry.line));
    }
    Ok(moment)
}

/// Daylio's five levels: 1 is the worst, 5 the best.
fn mood(level: u8, word: String) -> Mood {
    let number = |n: u8| Decimal::from(i32::from(n));
    Mood {
        rating: Some(Rating { value: number(level), worst: number(1), best: number(5) }),
        label: Some(word),
        state_of_mind: None,
    }
}

fn note(title: Option<String>, text: Option<String>) -> Option<String> {
    let parts: Vec<String> = [title, text].into_iter().flatten().map(|part| plain(&part)).collect();
    let text = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("\n\n");
    (!text.is_empty()).then_some(text)
}

/// Without the control characters that a FHIR string cannot hold (R4, datatypes, string).
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).collect::<String>().trim().to_owned()
}
