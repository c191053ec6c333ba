//! Importing a member's own files: in batches, and as often as one likes. What kind of file it is, the file says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;

use crate::domain::category::Category;
use crate::domain::day::Days;
use crate::domain::ids::{CommunityId, IMPORT_COMMUNITY, InvalidSlug, MemberId};
use crate::inbound::event::{Event, Refusal, RefusalReason, Says};
use crate::inbound::mood::daylio::{BadLine, DaylioBackup, DaylioError, DaylioReader, DiaryEntry, MoodScale};
use crate::inbound::mood::diary;
use crate::pipeline::{self, AcceptError, Bridge, Outcome};

/// How many diary lines are taken in one transaction: at most three readings each.
const LINES_PER_BATCH: usize = 200;

/// Whose diary it is, and how to read it.
#[derive(Debug)]
pub struct Diary {
    /// Whose.
    pub member: MemberId,
    /// Where the member's clock stood, where the file does not say.
    pub days: Days,
    /// What the member's own mood names mean.
    pub scale: MoodScale,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// What an import did, counted in readings.
#[derive(Debug, Default)]
pub struct Report {
    /// Diary lines read.
    pub lines: u64,
    /// Readings taken, by category.
    pub accepted: BTreeMap<Category, u64>,
    /// Readings that were imported before and read differently now, by category: brought up to date.
    pub corrected: BTreeMap<Category, u64>,
    /// Readings that were imported before and are gone from their lines, by category: retracted.
    pub retracted: BTreeMap<Category, u64>,
    /// Readings that were there before.
    pub duplicates: u64,
    /// Readings that no clinic may see, by category: not stored.
    pub withheld: BTreeMap<Category, u64>,
    /// Readings that are gone from their lines and stay at a clinic that may not be told: no consent covers them any more.
    pub left: u64,
    /// Lines with a reading that was retracted before: it does not come back.
    pub retracted_lines: Vec<u64>,
    /// Lines that cannot be read.
    pub bad_lines: Vec<BadLine>,
    /// The names of moods that nobody said the meaning of: their lines are among the bad ones.
    pub unknown_moods: MoodNames,
    /// There is no such member.
    pub unknown_member: bool,
}

/// Names of moods, in the member's own words: its `Debug` shows how many there are.
#[derive(Default)]
pub struct MoodNames(pub BTreeSet<String>);

impl MoodNames {
    /// The most that are named one by one, and the longest, in bytes. Nobody has more; a file that has is no diary.
    const MOST: (usize, usize) = (50, 200);

    fn add(&mut self, name: &str) {
        if self.0.len() < Self::MOST.0 && name.len() <= Self::MOST.1 {
            self.0.insert(name.to_owned());
        }
    }
}

impl fmt::Debug for MoodNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} names", self.0.len())
    }
}

/// What kind of file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// What Daylio writes as a table. Faults are those of lines.
    DaylioExport,
    /// What Daylio writes as a backup. Faults are those of entries.
    DaylioBackup,
}

impl Kind {
    /// What a file is, by how it begins. What is none of these is no export either, and is refused as such.
    #[must_use]
    pub fn of(file: &[u8]) -> Self {
        if DaylioBackup::is_likely(file) { Self::DaylioBackup } else { Self::DaylioExport }
    }
}

/// An import that ended early. What was taken before stays; importing again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is no such export.
    #[error(transparent)]
    File(#[from] DaylioError),
    /// A batch was not taken.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// A defect of this module.
    #[error(transparent)]
    Community(#[from] InvalidSlug),
}

/// Imports a file of whatever kind. What a file does not say is not retracted, as in [`daylio`].
///
/// # Errors
/// [`ImportError`].
pub async fn file(bridge: &Bridge, diary: &Diary, content: &[u8]) -> Result<(Kind, Report), ImportError> {
    let kind = Kind::of(content);
    let report = match kind {
        Kind::DaylioExport => daylio(bridge, diary, content).await?,
        Kind::DaylioBackup => entries(bridge, diary, DaylioBackup::new(content)?).await?,
    };
    Ok((kind, report))
}

/// Imports a Daylio CSV export: each line says how its entry reads now. A line that is not in the file says nothing: an
/// export may cover less than the diary, so what is missing is not retracted.
///
/// # Errors
/// [`ImportError`].
pub async fn daylio(bridge: &Bridge, diary: &Diary, file: impl Read) -> Result<Report, ImportError> {
    entries(bridge, diary, DaylioReader::new(file)?).await
}

async fn entries(
    bridge: &Bridge,
    diary: &Diary,
    entries: impl Iterator<Item = Result<DiaryEntry, BadLine>>,
) -> Result<Report, ImportError> {
    let mut report = Report::default();
    let mut batch: Vec<Item> = Vec::new();
    let now = bridge.clock.now();
    for entry in entries {
        report.lines += 1;
        let line = entry.as_ref().map_or(0, |entry| entry.line);
        if let Some(entry) = entry.as_ref().ok().filter(|entry| diary::level(entry, &diary.scale).is_none()) {
            report.unknown_moods.add(&entry.mood);
        }
        let events = entry.and_then(|entry| diary::events(entry, diary.member, &diary.days, &diary.scale, now));
        match events {
            Ok(events) => batch.extend(events.into_iter().map(|(category, event)| Item { line, category, event })),
            Err(bad) => report.bad_lines.push(bad),
        }
        if batch.len() >= LINES_PER_BATCH * 3 {
            take(bridge, diary, std::mem::take(&mut batch), &mut report).await?;
        }
    }
    take(bridge, diary, batch, &mut report).await?;
    Ok(report)
}

/// What a line says of one of its parts.
struct Item {
    line: u64,
    category: Category,
    event: Event,
}

async fn take(bridge: &Bridge, diary: &Diary, batch: Vec<Item>, report: &mut Report) -> Result<(), ImportError> {
    let community: CommunityId = IMPORT_COMMUNITY.parse()?;
    let about: Vec<(u64, Category, bool)> =
        batch.iter().map(|item| (item.line, item.category, matches!(item.event.says, Says::Reading(..)))).collect();
    let events = batch.into_iter().map(|item| Ok::<_, Refusal>(item.event)).collect();
    let outcomes = if diary.dry_run {
        pipeline::rehearse(bridge, &community, events).await?
    } else {
        pipeline::accept(bridge, &community, events).await?
    };
    for ((line, category, is_reading), outcome) in about.into_iter().zip(outcomes) {
        let count = |counts: &mut BTreeMap<Category, u64>| *counts.entry(category).or_default() += 1;
        match outcome {
            Outcome::Accepted => count(&mut report.accepted),
            Outcome::Corrected => count(&mut report.corrected),
            Outcome::Retracted => count(&mut report.retracted),
            Outcome::Duplicate => report.duplicates += u64::from(is_reading),
            Outcome::Refused(Refusal { reason: RefusalReason::Retracted, .. }) | Outcome::Conflict => {
                report.retracted_lines.push(line);
            }
            Outcome::Refused(refusal) => {
                report.unknown_member |= refusal.reason == RefusalReason::UnknownMember;
                if is_reading {
                    count(&mut report.withheld);
                } else {
                    report.left += 1;
                }
            }
        }
    }
    Ok(())
}
