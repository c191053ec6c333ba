//! What Android's Health Connect writes: an archive with a SQLite database `health_connect_export.db`. Read as its own tables
//! are (AOSP, `com.android.server.healthconnect.storage.datatypehelpers`): times in milliseconds of the Unix clock,
//! offsets in seconds, rows named by a UUID.
//!
//! The database is a stranger's. It is unpacked to a file that only its owner may read and that loses its name as soon as it
//! is open, so that it is gone when the reading ends, however it ends. Before it is opened, its catalogue must be one that
//! SQLite reads at once ([`catalogue`]). It is opened to be read only, with nothing in it trusted; and before anything is asked
//! of it, each table must be a plain one with the columns that are needed ([`schema`]). Values are taken only where they are
//! numbers, and no table is joined with another one or sorted, so that what is asked takes no more time than reading does.
//!
//! Taken are heart rate, resting heart rate and heart rate variability (RMSSD, which is not SDNN), each sample; mindful
//! sessions; and as sums steps ([`super::steps`]) and nights ([`super::sleep`]). What was typed in is its member's own word,
//! and so is a night or a day's steps of which any part was typed in; the rest was measured, by the device that the row
//! names, where it does ([`wrote`]).

mod catalogue;
mod schema;
mod wrote;

use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use jiff::tz::Offset;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tempfile::NamedTempFile;
use tokio::runtime::Handle;

use self::catalogue::Flaw;
use self::schema::{MINDFUL, NUMBERS, Number, SESSIONS, STAGES, STEPS, Table};
use self::wrote::{Devices, Series, Writers, Wrote};
use super::sleep::{Nights, Stage};
use super::steps::{Steps, Walked};
use crate::domain::measurement::{Measured, Measurement, Modality};
use crate::domain::moment::Moment;
use crate::domain::reading::Measure;
use crate::inbound::files::archive::GrowsTooMuch;
use crate::inbound::files::number::{minutes, rounded};
use crate::inbound::files::{About, BadLine, FileError, Item, Line, Said, Sink, Whose, scratch};

/// Whose events they are, before the slash.
const APP: &str = "health-connect";

/// How a SQLite database begins (its file format, section 1.3).
pub const BEGINNING: &[u8] = b"SQLite format 3\0";

/// The largest database that is read, in bytes: 1 GiB, some twenty years of a watch.
pub const LARGEST: u64 = 1 << 30;

/// The most nights that are kept in memory.
const MOST_SESSIONS: usize = 200_000;

/// Reads an export's database, once the archive around it is opened. It lies in `folder` while it is read, or where the
/// system keeps such files. It blocks, and is called by a thread of a runtime that may.
///
/// # Errors
/// [`FileError`] when it is no such database, or too large.
pub fn read(packed: impl Read, folder: Option<&Path>, whose: &Whose, sink: &mut Sink<'_>) -> Result<(), FileError> {
    let mut file = unpack(packed, folder)?;
    catalogue::measure(&mut file).map_err(unfit)?;
    let mut database = wait(open(&file))?;
    file.close()?;
    wait(schema::check(&mut database))?;
    let devices = wait(devices(&mut database))?;
    let mut reading = Reading { whose, sink, devices, records: 0, wants_more: true };
    for number in &NUMBERS {
        reading.numbers(&mut database, number)?;
    }
    reading.mindful(&mut database)?;
    let steps = reading.steps(&mut database)?;
    let (nights, writers) = reading.nights(&mut database)?;
    let device = |number| reading.devices.name(writers.device(number));
    let items: Vec<Item> = nights.items(APP, whose, device).chain(steps.items(APP, whose)).collect();
    reading.say(Ok(Said::Sum(items)));
    // Nothing was written, so nothing can be lost in closing it.
    wait(database.close()).ok();
    Ok(())
}

/// Waits for the database, and for nothing else: whoever takes a line may block, too, which a runtime forbids a thread that is
/// waiting for a future.
fn wait<F: Future>(answer: F) -> F::Output {
    Handle::current().block_on(answer)
}

/// Onto the disk.
fn unpack(packed: impl Read, folder: Option<&Path>) -> Result<NamedTempFile, FileError> {
    let mut file = NamedTempFile::with_prefix_in("mostik-import-", scratch::ready(folder)?)?;
    let written = io::copy(&mut packed.take(LARGEST + 1), &mut file)
        .map_err(|error| if GrowsTooMuch::caused(&error) { too_much() } else { FileError::Read(error) })?;
    if written > LARGEST { Err(too_much()) } else { Ok(file) }
}

fn too_much() -> FileError {
    FileError::TooMuch(
        "the database in the archive is larger than 1 GiB; expected one that Health Connect wrote".into(),
    )
}

/// Opens it as one that never changes, so that nothing is written beside it, and trusts nothing in it.
async fn open(file: &NamedTempFile) -> Result<SqliteConnection, FileError> {
    let options = SqliteConnectOptions::new()
        .filename(file.path())
        .read_only(true)
        .immutable(true)
        .journal_mode(SqliteJournalMode::Off)
        .pragma("query_only", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .pragma("mmap_size", "0")
        .disable_statement_logging();
    options.connect().await.map_err(|_| unreadable())
}

fn unfit(flaw: Flaw) -> FileError {
    match flaw {
        Flaw::TooMuch => FileError::TooMuch(
            "the database in the archive has more tables, or longer ones, than are looked through; expected one that \
             Health Connect wrote"
                .into(),
        ),
        Flaw::Broken => unreadable(),
    }
}

fn unreadable() -> FileError {
    FileError::expected("the database in the archive cannot be read; expected one that Health Connect wrote")
}

/// The devices that rows name. They are few, or they are not as Health Connect makes them.
async fn devices(database: &mut SqliteConnection) -> Result<Devices, FileError> {
    let mut devices = Devices::default();
    let Some(sql) = schema::devices(database).await? else { return Ok(devices) };
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(database).await.map_err(|_| unreadable())?;
    for row in rows {
        let text = |at: usize| row.try_get::<Option<String>, _>(at).ok().flatten().unwrap_or_default();
        if let Ok(Some(number)) = row.try_get::<Option<i64>, _>(0) {
            devices.add(number, &text(1), &text(2));
        }
    }
    Ok(devices)
}

/// What is under way.
struct Reading<'a, 's> {
    whose: &'a Whose,
    sink: &'a mut Sink<'s>,
    devices: Devices,
    /// How many rows were read.
    records: u64,
    wants_more: bool,
}

/// A row, in the same shape for every table: who wrote it, from when until when, where the clock stood, and how much.
struct Found {
    name: String,
    app: i64,
    wrote: Wrote,
    start: Timestamp,
    end: Timestamp,
    offset: Option<Offset>,
    amount: f64,
}

impl Reading<'_, '_> {
    fn say(&mut self, line: Line) {
        if self.wants_more {
            self.wants_more = (self.sink)(line) == ControlFlow::Continue(());
        }
    }

    /// Reads a table to its end, or as far as it is whole.
    fn rows(
        &mut self,
        database: &mut SqliteConnection,
        table: &Table,
        mut each: impl FnMut(&mut Self, &SqliteRow),
    ) -> Result<(), FileError> {
        let Some(columns) = wait(schema::columns_of(database, table))? else { return Ok(()) };
        let query = sqlx::query(AssertSqlSafe(table.sql(&columns)));
        let mut rows = query.fetch(database);
        loop {
            match wait(rows.try_next()) {
                Ok(Some(row)) if self.wants_more => {
                    self.records += 1;
                    each(self, &row);
                }
                Ok(_) => return Ok(()),
                Err(_) => {
                    self.say(Err(BadLine::record(self.records, "a database that is whole")));
                    return Ok(());
                }
            }
        }
    }

    fn found(&self, row: &SqliteRow) -> Result<Found, BadLine> {
        let bad_time = || BadLine { about: About::Time, ..BadLine::record(self.records, "times from 1970 to 2100") };
        let number = |at: usize| row.try_get::<Option<i64>, _>(at).ok().flatten();
        let time = |at| number(at).filter(|ms| (0..=4_102_444_800_000).contains(ms)).and_then(instant);
        let (start, end) = (time(2).ok_or_else(bad_time)?, time(3).ok_or_else(bad_time)?);
        if end < start || self.whose.is_to_come(end) {
            return Err(bad_time());
        }
        let amount = row.try_get::<Option<f64>, _>(5).ok().flatten();
        let bad_amount = || BadLine { about: About::Value, ..BadLine::record(self.records, "a number") };
        let offset = number(4).and_then(|seconds| i32::try_from(seconds).ok()).filter(|s| s.abs() <= 14 * 3600);
        Ok(Found {
            name: row.try_get::<Option<String>, _>(0).ok().flatten().unwrap_or_default(),
            app: number(1).unwrap_or_default(),
            wrote: wrote(row),
            start,
            end,
            offset: offset.and_then(|seconds| Offset::from_seconds(seconds).ok()),
            amount: amount.filter(|amount| amount.is_finite()).ok_or_else(bad_amount)?,
        })
    }

    fn moment(&self, found: &Found, at: Timestamp) -> Moment {
        found.offset.map_or_else(|| self.whose.days.moment(at), |offset| Moment::new(at, offset))
    }

    /// Samples that stand by themselves.
    fn numbers(&mut self, database: &mut SqliteConnection, number: &Number) -> Result<(), FileError> {
        let series = match &number.series {
            Some(table) => Some(self.series(database, table)?),
            None => None,
        };
        self.rows(database, &number.table, |reading, row| {
            let line = reading.found(row).and_then(|found| {
                let wrote = series.as_ref().map_or(found.wrote, |series| series.of(found.app));
                reading.sample(&Found { wrote, ..found }, number.of)
            });
            reading.say(line);
        })
    }

    /// Who wrote which series. It is no record of its own.
    fn series(&mut self, database: &mut SqliteConnection, table: &Table) -> Result<Series, FileError> {
        let (mut series, mut is_whole) = (Series::default(), true);
        self.rows(database, table, |reading, row| {
            let Ok(Some(number)) = row.try_get::<Option<f64>, _>(5) else { return };
            #[expect(clippy::cast_possible_truncation, reason = "it came from a whole number")]
            let number = number as i64;
            if is_whole && !series.add(number, wrote(row)) {
                is_whole = false;
                reading.say(Err(BadLine::record(reading.records, "at most 200000 changes of who wrote heart rates")));
            }
        })?;
        Ok(series)
    }

    fn sample(&self, found: &Found, of: Measured) -> Line {
        let bad = || BadLine { about: About::Value, ..BadLine::record(self.records, "a number that can be measured") };
        let value = rounded(found.amount).filter(|value| (0.0..=f64::from(of.most())).contains(&value.approximate()));
        let value = value.ok_or_else(bad)?;
        // Samples of a series have no name of their own; they never change, so that all of them makes it.
        let id = match found.name.as_str() {
            "" => format!("{}/{}/{}", of.as_str(), found.end, value.as_str()),
            name => format!("{}/{name}", of.as_str()),
        };
        let (modality, device) = self.by(found.wrote);
        let measurement = Measurement { of, value, start: None, modality, device };
        let moment = self.moment(found, found.end);
        Ok(Said::Items(vec![self.whose.reading(APP, self.records, id, moment, Measure::Measurement(measurement))]))
    }

    /// Who says it, and with which device.
    fn by(&self, wrote: Wrote) -> (Modality, Option<String>) {
        (wrote.modality(), self.devices.name(wrote.device))
    }

    fn mindful(&mut self, database: &mut SqliteConnection) -> Result<(), FileError> {
        self.rows(database, &MINDFUL, |reading, row| {
            let line = reading.found(row).and_then(|found| reading.session(&found));
            reading.say(line);
        })
    }

    fn session(&self, found: &Found) -> Line {
        let of = Measured::MindfulSession;
        let value = minutes(found.end.duration_since(found.start).as_secs());
        let value = value.filter(|value| value.approximate() <= f64::from(of.most()));
        let value = value.ok_or_else(|| BadLine::record(self.records, "a session of at most 31 days"))?;
        let id = format!("{}/{}/{}", of.as_str(), found.start, found.name);
        let start = Some(self.moment(found, found.start));
        let (modality, device) = self.by(found.wrote);
        let measurement = Measurement { of, value, start, modality, device };
        let moment = self.moment(found, found.end);
        Ok(Said::Items(vec![self.whose.reading(APP, self.records, id, moment, Measure::Measurement(measurement))]))
    }

    fn steps(&mut self, database: &mut SqliteConnection) -> Result<Steps, FileError> {
        let (mut steps, mut writers) = (Steps::default(), Writers::default());
        self.rows(database, &STEPS, |reading, row| {
            let line = reading.found(row).and_then(|found| {
                let most = f64::from(Measured::Steps.most());
                let no_steps =
                    || BadLine { about: About::Value, ..BadLine::record(reading.records, "a count of steps") };
                let count = Some(found.amount).filter(|count| (0.0..=most).contains(count)).ok_or_else(no_steps)?;
                let device = reading.writer(&mut writers, &found)?;
                let (modality, kind) = reading.by(found.wrote);
                let walked = Walked { device, start: found.start, end: found.end, steps: count, modality, kind };
                let is_counted = steps.add(walked, reading.whose);
                is_counted.then_some(Said::Part).ok_or(BadLine::record(reading.records, "at most 200000 days of steps"))
            });
            reading.say(line);
        })?;
        Ok(steps)
    }

    /// The sessions first, then the stages within them. A session without stages is sleep of which nobody knows more.
    fn nights(&mut self, database: &mut SqliteConnection) -> Result<(Nights, Writers), FileError> {
        let (mut nights, mut writers) = (Nights::default(), Writers::default());
        let mut sessions: HashMap<i64, Session> = HashMap::new();
        self.rows(database, &SESSIONS, |reading, row| {
            let line = reading.found(row).and_then(|found| {
                let device = reading.writer(&mut writers, &found)?;
                if sessions.len() >= MOST_SESSIONS {
                    return Err(BadLine::record(reading.records, "at most 200000 nights"));
                }
                let (within, modality) = ((found.start, found.end), found.wrote.modality());
                #[expect(clippy::cast_possible_truncation, reason = "it came from a whole number")]
                sessions.insert(found.amount as i64, Session { device, within, modality, has_stages: false });
                Ok(Said::Part)
            });
            reading.say(line);
        })?;
        self.rows(database, &STAGES, |reading, row| {
            let line = reading.found(row).and_then(|found| {
                // What its session says of the time, its stages do not know better.
                let Some(session) = sessions.get_mut(&found.app) else { return Ok(Said::Nothing) };
                let Some(stage) = stage(found.amount) else { return Ok(Said::Nothing) };
                session.has_stages = true;
                let within = (found.start.max(session.within.0), found.end.min(session.within.1));
                let is_noted = nights.add(session.device, stage, within, session.modality);
                is_noted
                    .then_some(Said::Part)
                    .ok_or(BadLine::record(reading.records, "at most 500000 stretches of sleep"))
            });
            reading.say(line);
        })?;
        let bare = sessions.into_values().filter(|session| !session.has_stages);
        let is_full = bare.fold(false, |full, Session { device, within, modality, .. }| {
            full | !nights.add(device, Stage::Asleep, within, modality)
        });
        if is_full {
            self.say(Err(BadLine::record(self.records, "at most 500000 stretches of sleep")));
        }
        Ok((nights, writers))
    }

    fn writer(&self, writers: &mut Writers, found: &Found) -> Result<u16, BadLine> {
        let number = writers.number(found.app, found.wrote);
        number.ok_or(BadLine::record(self.records, "at most 256 devices and apps"))
    }
}

/// A night, as a whole.
struct Session {
    device: u16,
    within: (Timestamp, Timestamp),
    modality: Modality,
    has_stages: bool,
}

fn wrote(row: &SqliteRow) -> Wrote {
    let number = |at: usize| row.try_get::<Option<i64>, _>(at).ok().flatten();
    Wrote::new(number(6), number(7))
}

fn instant(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

/// `SleepSessionRecord.StageType` of Android's `android.health.connect.datatypes`.
fn stage(code: f64) -> Option<Stage> {
    #[expect(clippy::cast_possible_truncation, reason = "it came from a whole number")]
    match code as i64 {
        1 | 3 | 7 => Some(Stage::Awake),
        2 => Some(Stage::Asleep),
        4 => Some(Stage::Light),
        5 => Some(Stage::Deep),
        6 => Some(Stage::Rem),
        _ => None,
    }
}
