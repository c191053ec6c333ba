//! A diary line → the readings in it: the mood, the note and the tags each fall under a consent of their own. What the newest
//! exports say beside them (`scales`, such as `Sleep Quality: 8/10 points`) has no code that it could go under: it is passed
//! over, and the import says so.

use super::daylio::{self, DiaryEntry, MoodScale};
use crate::domain::category::Category;
use crate::domain::decimal::Decimal;
use crate::domain::moment::Moment;
use crate::domain::reading::{Measure, Mood, Rating};
use crate::inbound::files::{Item, Line, Said, Whose, plain};

/// Whose events they are, before the slash.
const APP: &str = "daylio";

/// What each line of a diary says.
pub fn lines<'a>(
    entries: impl Iterator<Item = Result<DiaryEntry, daylio::BadLine>> + 'a,
    whose: &'a Whose,
    scale: &'a MoodScale,
) -> impl Iterator<Item = Line> + 'a {
    entries.map(move |entry| line(entry?, whose, scale))
}

fn line(entry: DiaryEntry, whose: &Whose, scale: &MoodScale) -> Line {
    let Some(level) = level(&entry, scale) else {
        return Ok(Said::UnknownMood(daylio::BadLine::unknown_mood(entry.line).into(), entry.mood));
    };
    let said = if entry.scales.is_some() { Said::Partly } else { Said::Items };
    Ok(said(items(entry, level, whose)?.into()))
}

/// What one diary line says of each of its parts as it reads now: a reading, or that there is none (any more). Ids depend
/// on the entry's time only, so that importing the file again, or a longer one, finds them again.
fn items(entry: DiaryEntry, level: u8, whose: &Whose) -> Result<[Item; 3], daylio::BadLine> {
    let moment = moment(&entry, whose)?;
    let key = format!("{}/{}", entry.at, entry.occurrence);
    let tags: Vec<String> = entry.tags.iter().map(|tag| plain(tag)).filter(|tag| !tag.is_empty()).collect();
    let parts = [
        (Category::Mood, Some(Measure::Mood(mood(level, plain(&entry.mood))))),
        (Category::Note, note(entry.note_title, entry.note).map(Measure::Note)),
        (Category::Tags, Some(tags).filter(|tags| !tags.is_empty()).map(Measure::Tags)),
    ];
    Ok(parts.map(|(category, measure)| whose.part(APP, (entry.line, &key), category, moment, measure)))
}

/// Which level of the scale an entry's mood is, as far as it is known.
fn level(entry: &DiaryEntry, scale: &MoodScale) -> Option<u8> {
    entry.level.or_else(|| scale.level(&entry.mood))
}

fn moment(entry: &DiaryEntry, whose: &Whose) -> Result<Moment, daylio::BadLine> {
    let moment = whose.moment(entry.at, entry.offset);
    let moment = moment.ok_or_else(|| daylio::BadLine::impossible_time(entry.line))?;
    if whose.is_to_come(moment.at) { Err(daylio::BadLine::future_time(entry.line)) } else { Ok(moment) }
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
