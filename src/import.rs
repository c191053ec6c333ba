//! Importing a member's own files: streamed, in batches, and as often as one likes.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::tz::TimeZone;

use crate::domain::category::Category;
use crate::domain::ids::{CommunityId, IMPORT_COMMUNITY, InvalidSlug, MemberId};
use crate::inbound::event::{Event, Refusal, RefusalReason, Says};
use crate::inbound::mood::daylio::{BadLine, DaylioError, DaylioReader, MoodScale};
use crate::inbound::mood::diary;
use crate::pipeline::{self, AcceptError, Bridge, Outcome};

/// How many diary lines are taken in one transaction: at most three readings each.
const LINES_PER_BATCH: usize = 200;

/// Whose diary it is, and how to read it.
#[derive(Debug)]
pub struct Diary {
    /// Whose.
    pub member: MemberId,
    /// Where the member's clock stood: the file does not say.
    pub zone: TimeZone,
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
    /// There is no such member.
    pub unknown_member: bool,
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

/// Imports a Daylio CSV export: each line says how its entry reads now. A line that is not in the file says nothing: an
/// export may cover less than the diary, so what is missing is not retracted.
///
/// # Errors
/// [`ImportError`].
pub async fn daylio(bridge: &Bridge, diary: &Diary, file: impl Read) -> Result<Report, ImportError> {
    let mut report = Report::default();
    let mut batch: Vec<Item> = Vec::new();
    let now = bridge.clock.now();
    for entry in DaylioReader::new(file)? {
        report.lines += 1;
        let line = entry.as_ref().map_or(0, |entry| entry.line);
        let events = entry.and_then(|entry| diary::events(entry, diary.member, &diary.zone, &diary.scale, now));
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
