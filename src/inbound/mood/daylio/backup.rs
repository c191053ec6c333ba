//! Daylio's backup: a ZIP archive with a file `backup.daylio`, which is JSON in base64. Read as seen in version 15 (public
//! sample: Guekka/DaylioBackupTools@710a09f): months count from 0, moods belong to groups from 1 (best) to 5 (worst),
//! offsets are in milliseconds.
//!
//! Unlike an export it says for each mood which level it is, and for each entry how far the clock was from UTC. Whoever
//! has both imports the same entries: they are named by the minute that the clock showed.

use std::collections::HashMap;
use std::io::{ErrorKind, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde::Deserialize;

use super::error::{BadLine, DaylioError};
use super::header::Column;
use super::limited::Limited;
use super::reader::{MAX_FIELD_BYTES, MAX_RECORDS};
use super::{DiaryEntry, note};
use crate::inbound::files::MOST_TAGS;
use crate::inbound::files::archive::GrowsTooMuch;

/// The most that a backup may hold once it is unpacked, in bytes, its photos not counted: 32 MiB.
pub const MAX_BACKUP_BYTES: u64 = 32 << 20;

/// What the file in the archive is called.
pub const BACKUP: &str = "backup.daylio";

/// The most entries that are read.
const MOST_ENTRIES: usize = MAX_RECORDS as usize;

/// The most moods that a backup may name, and the most activities.
const MOST_NAMES: usize = 10_000;

/// The longest of these names, in bytes: 1 KiB. A name stands in the file once, and in each entry that has it.
const LONGEST_NAME: usize = 1024;

/// The most that the activities of an entry may be together, in bytes: as much as a field of an export.
const LONGEST_TAGS: usize = MAX_FIELD_BYTES;

/// What Daylio calls its own moods, the best first. The backup does not say in which language the member sees them.
const OWN_NAMES: [&str; 5] = ["rad", "good", "meh", "bad", "awful"];

/// A diary from a backup, entry by entry, as [`DaylioReader`](super::DaylioReader) gives it from an export.
pub struct DaylioBackup {
    moods: HashMap<i64, (Name, u8)>,
    tags: HashMap<i64, Name>,
    entries: std::iter::Enumerate<std::vec::IntoIter<Entry>>,
    /// How often a minute has been seen.
    seen: HashMap<DateTime, u32>,
}

/// A name as the member wrote it, trimmed; `None` where it is longer than is read.
type Name = Option<String>;

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "customMoods")]
    moods: Limited<Mood, MOST_NAMES>,
    tags: Limited<Tag, MOST_NAMES>,
    #[serde(rename = "dayEntries")]
    entries: Limited<Entry, MOST_ENTRIES>,
}

#[derive(Deserialize)]
struct Mood {
    id: i64,
    #[serde(rename = "mood_group_id")]
    group: i64,
    #[serde(default)]
    custom_name: String,
    #[serde(default)]
    predefined_name_id: i64,
}

#[derive(Deserialize)]
struct Tag {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct Entry {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    #[serde(rename = "timeZoneOffset")]
    offset: Option<i64>,
    mood: i64,
    note: Option<String>,
    note_title: Option<String>,
    #[serde(default)]
    tags: Limited<i64, MOST_TAGS>,
}

impl DaylioBackup {
    /// Reads [`BACKUP`], once the archive around it is opened.
    ///
    /// # Errors
    /// [`DaylioError::NoBackup`], [`DaylioError::TooMuch`], [`DaylioError::Read`].
    pub fn new(packed: impl Read) -> Result<Self, DaylioError> {
        let json = unpacked(packed)?;
        let content: Content = serde_json::from_slice(&json).map_err(|_| DaylioError::NoBackup)?;
        let (moods, tags) = (content.moods.into_all(), content.tags.into_all());
        let moods = moods.ok_or(DaylioError::TooMuch)?.into_iter();
        let tags = tags.ok_or(DaylioError::TooMuch)?.into_iter();
        let entries = content.entries.into_all().ok_or(DaylioError::TooMuch)?;
        Ok(Self {
            moods: moods.filter_map(|mood| Some((mood.id, (mood.name()?, mood.level()?)))).collect(),
            tags: tags.map(|tag| (tag.id, name(&tag.name))).collect(),
            entries: entries.into_iter().enumerate(),
            seen: HashMap::new(),
        })
    }

    fn entry(&mut self, line: u64, entry: &Entry) -> Result<DiaryEntry, BadLine> {
        let at = entry.at(line)?;
        // Counted before anything else can fail, as in an export.
        let seen = self.seen.entry(at).or_default();
        let occurrence = *seen;
        *seen += 1;
        let (mood, level) = self.moods.get(&entry.mood).ok_or_else(|| BadLine::unknown_mood(line))?;
        let mood = mood.clone().ok_or(BadLine::field(line, Column::Mood, "a name of at most 1 KiB"))?;
        Ok(DiaryEntry {
            line,
            at,
            offset: entry.offset(line)?,
            occurrence,
            mood,
            level: Some(*level),
            tags: self.tags(line, entry)?,
            note_title: text(line, Column::NoteTitle, entry.note_title.as_ref(), str::to_owned)?,
            note: text(line, Column::Note, entry.note.as_ref(), note::plain)?,
            scales: None,
        })
    }

    /// The names of an entry's activities. None is copied before it is known that they are few and short enough: an entry
    /// may point a hundred thousand times to the same one.
    fn tags(&self, line: u64, entry: &Entry) -> Result<Vec<String>, BadLine> {
        let bad = |expected| BadLine::field(line, Column::Activities, expected);
        let ids = entry.tags.all().ok_or(bad("at most 500 activities"))?;
        let names = ids.iter().filter_map(|id| self.tags.get(id));
        let names = names.map(|name| name.as_deref().ok_or(bad("names of at most 1 KiB")));
        let names: Vec<&str> = names.collect::<Result<_, _>>()?;
        if names.iter().map(|name| name.len()).sum::<usize>() > LONGEST_TAGS {
            return Err(bad("at most 64 KiB of text"));
        }
        Ok(names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

impl Iterator for DaylioBackup {
    type Item = Result<DiaryEntry, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, entry) = self.entries.next()?;
        Some(self.entry(place as u64 + 1, &entry))
    }
}

impl Mood {
    /// The member's own name for it, or else Daylio's. `None` where it has neither.
    fn name(&self) -> Option<Name> {
        let own = name(&self.custom_name);
        if own.as_deref() != Some("") {
            return Some(own);
        }
        let place = usize::try_from(self.predefined_name_id.checked_sub(1)?).ok()?;
        OWN_NAMES.get(place).map(|name| Some((*name).to_owned()))
    }

    fn level(&self) -> Option<u8> {
        u8::try_from(6_i64.checked_sub(self.group)?).ok().filter(|level| (1..=5).contains(level))
    }
}

impl Entry {
    fn at(&self, line: u64) -> Result<DateTime, BadLine> {
        let date = || {
            let year = i16::try_from(self.year).ok().filter(|year| (1970..=2100).contains(year))?;
            let month = i8::try_from(self.month.checked_add(1)?).ok()?;
            Date::new(year, month, i8::try_from(self.day).ok()?).ok()
        };
        let time = || Time::new(i8::try_from(self.hour).ok()?, i8::try_from(self.minute).ok()?, 0, 0).ok();
        let date = date().ok_or(BadLine::field(line, Column::FullDate, "a date that exists, from 1970 to 2100"))?;
        let time = time().ok_or(BadLine::field(line, Column::Time, "a time from 0:00 to 23:59"))?;
        Ok(DateTime::from_parts(date, time))
    }

    /// As FHIR can say it: whole seconds, at most 14 hours (R4, datatypes, dateTime).
    fn offset(&self, line: u64) -> Result<Option<Offset>, BadLine> {
        let Some(milliseconds) = self.offset else { return Ok(None) };
        let seconds = i32::try_from(milliseconds / 1000).ok().filter(|seconds| seconds.abs() <= 14 * 3600);
        let offset = seconds.and_then(|seconds| Offset::from_seconds(seconds).ok());
        offset.map(Some).ok_or(BadLine::field(line, Column::Time, "an offset of at most 14 hours"))
    }
}

fn name(text: &str) -> Name {
    let text = text.trim();
    (text.len() <= LONGEST_NAME).then(|| text.to_owned())
}

fn text(line: u64, column: Column, text: Option<&String>, read: fn(&str) -> String) -> Result<Option<String>, BadLine> {
    let text = text.map_or("", |text| text.trim());
    if text.len() > MAX_FIELD_BYTES {
        return Err(BadLine::field(line, column, "at most 64 KiB of text"));
    }
    Ok(Some(read(text)).filter(|text| !text.is_empty()))
}

/// The JSON: never more than [`MAX_BACKUP_BYTES`] of it, whatever the archive says of itself.
fn unpacked(packed: impl Read) -> Result<Vec<u8>, DaylioError> {
    let mut base64 = Vec::new();
    packed.take(MAX_BACKUP_BYTES + 1).read_to_end(&mut base64).map_err(|error| match error.kind() {
        _ if GrowsTooMuch::caused(&error) => DaylioError::TooMuch,
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::InvalidInput => DaylioError::NoBackup,
        _ => DaylioError::Read(error),
    })?;
    if base64.len() as u64 > MAX_BACKUP_BYTES {
        return Err(DaylioError::TooMuch);
    }
    base64.retain(|byte| !byte.is_ascii_whitespace());
    STANDARD.decode(&base64).map_err(|_| DaylioError::NoBackup)
}
