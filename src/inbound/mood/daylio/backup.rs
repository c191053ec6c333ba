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
use super::reader::{MAX_FIELD_BYTES, MAX_RECORDS};
use super::{DiaryEntry, note};
use crate::inbound::files::archive::GrowsTooMuch;

/// The most that a backup may hold once it is unpacked, in bytes, its photos not counted: 32 MiB.
pub const MAX_BACKUP_BYTES: u64 = 32 << 20;

/// What the file in the archive is called.
pub const BACKUP: &str = "backup.daylio";

/// The longest tag, in bytes: as long as a field of an export.
const LONGEST_TAG: usize = MAX_FIELD_BYTES;

/// What Daylio calls its own moods, the best first. The backup does not say in which language the member sees them.
const OWN_NAMES: [&str; 5] = ["rad", "good", "meh", "bad", "awful"];

/// A diary from a backup, entry by entry, as [`DaylioReader`](super::DaylioReader) gives it from an export.
pub struct DaylioBackup {
    moods: HashMap<i64, (String, u8)>,
    tags: HashMap<i64, String>,
    entries: std::iter::Enumerate<std::vec::IntoIter<Entry>>,
    /// How often a minute has been seen.
    seen: HashMap<DateTime, u32>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "customMoods")]
    moods: Vec<Mood>,
    tags: Vec<Tag>,
    #[serde(rename = "dayEntries")]
    entries: Vec<Entry>,
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
    tags: Vec<i64>,
}

impl DaylioBackup {
    /// Reads [`BACKUP`], once the archive around it is opened.
    ///
    /// # Errors
    /// [`DaylioError::NoBackup`], [`DaylioError::TooMuch`], [`DaylioError::Read`].
    pub fn new(packed: impl Read) -> Result<Self, DaylioError> {
        let json = unpacked(packed)?;
        let content: Content = serde_json::from_slice(&json).map_err(|_| DaylioError::NoBackup)?;
        if content.entries.len() > MAX_RECORDS as usize {
            return Err(DaylioError::TooMuch);
        }
        let moods = content.moods.into_iter().filter_map(|mood| Some((mood.id, (mood.name()?, mood.level()?))));
        Ok(Self {
            moods: moods.collect(),
            tags: content.tags.into_iter().map(|tag| (tag.id, tag.name)).collect(),
            entries: content.entries.into_iter().enumerate(),
            seen: HashMap::new(),
        })
    }

    fn entry(&mut self, line: u64, entry: &Entry) -> Result<DiaryEntry, BadLine> {
        let at = entry.at(line)?;
        // Counted before anything else can fail, as in an export.
        let seen = self.seen.entry(at).or_default();
        let occurrence = *seen;
        *seen += 1;
        let (mood, level) = self.moods.get(&entry.mood).cloned().ok_or_else(|| BadLine::unknown_mood(line))?;
        let tag = |id| self.tags.get(id).map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty());
        let tags: Vec<String> = entry.tags.iter().filter_map(tag).collect();
        if tags.iter().map(String::len).sum::<usize>() > LONGEST_TAG {
            return Err(BadLine::field(line, Column::Activities, "at most 64 KiB of text"));
        }
        Ok(DiaryEntry {
            line,
            at,
            offset: entry.offset(line)?,
            occurrence,
            mood,
            level: Some(level),
            tags,
            note_title: text(line, Column::NoteTitle, entry.note_title.as_ref(), str::to_owned)?,
            note: text(line, Column::Note, entry.note.as_ref(), note::plain)?,
            scales: None,
        })
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
    /// The member's own name for it, or else Daylio's.
    fn name(&self) -> Option<String> {
        let own = self.custom_name.trim();
        if !own.is_empty() {
            return Some(own.to_owned());
        }
        let place = usize::try_from(self.predefined_name_id.checked_sub(1)?).ok()?;
        OWN_NAMES.get(place).map(|name| (*name).to_owned())
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
