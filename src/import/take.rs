//! Batches: what is read together, and taken in one transaction.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use tokio::sync::mpsc;

use super::{Diary, ImportError, Report};
use crate::domain::category::Category;
use crate::domain::ids::{CommunityId, IMPORT_COMMUNITY};
use crate::domain::reading::Measure;
use crate::inbound::event::{Refusal, RefusalReason, Says};
use crate::inbound::files::{BadLine, Item, Line, Said};
use crate::pipeline::{self, Bridge, Outcome};

/// How many readings are taken in one transaction.
const ITEMS: usize = 600;

/// After so many lines a batch is handed over although there is little in it: somebody may have gone away.
const LINES: u64 = 20_000;

/// What was read together.
#[derive(Default)]
pub(super) struct Batch {
    lines: u64,
    passed_over: u64,
    partly: u64,
    items: Vec<Item>,
    bad_lines: Vec<BadLine>,
    unknown_moods: Vec<String>,
}

/// Makes batches of lines.
pub(super) struct Batching<'a> {
    batch: Batch,
    sender: &'a mpsc::Sender<Batch>,
}

impl<'a> Batching<'a> {
    pub(super) fn new(sender: &'a mpsc::Sender<Batch>) -> Self {
        Self { batch: Batch::default(), sender }
    }

    /// Adds a line. Ends the reading when nobody takes batches any more.
    pub(super) fn add(&mut self, line: Line) -> ControlFlow<()> {
        let batch = &mut self.batch;
        batch.lines += u64::from(!matches!(line, Ok(Said::Sum(_))));
        match line {
            Ok(Said::Items(items) | Said::Sum(items)) => batch.items.extend(items),
            Ok(Said::Partly(items)) => {
                batch.partly += 1;
                batch.items.extend(items);
            }
            Ok(Said::Part) => {}
            Ok(Said::Nothing) => batch.passed_over += 1,
            Ok(Said::Heard(item, why)) => {
                batch.items.push(*item);
                match why {
                    Some(bad) => batch.bad_lines.push(bad),
                    None => batch.passed_over += 1,
                }
            }
            Ok(Said::UnknownMood(bad, name)) => {
                batch.bad_lines.push(bad);
                batch.unknown_moods.push(name);
            }
            Err(bad) => batch.bad_lines.push(bad),
        }
        let is_full = batch.items.len() >= ITEMS || batch.bad_lines.len() >= ITEMS || batch.lines >= LINES;
        if is_full { self.hand_over() } else { ControlFlow::Continue(()) }
    }

    /// Hands over what is left.
    pub(super) fn finish(mut self) {
        // Whoever is gone wants no more of it.
        let _ = self.hand_over();
    }

    fn hand_over(&mut self) -> ControlFlow<()> {
        match self.sender.blocking_send(std::mem::take(&mut self.batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Takes a batch, or says what would become of it.
pub(super) async fn take(bridge: &Bridge, diary: &Diary, batch: Batch, report: &mut Report) -> Result<(), ImportError> {
    report.lines += batch.lines;
    report.passed_over += batch.passed_over;
    report.partly += batch.partly;
    batch.bad_lines.into_iter().for_each(|bad| report.bad_lines.add(bad));
    batch.unknown_moods.iter().for_each(|name| report.unknown_moods.add(name));
    let mut items = batch.items.into_iter().peekable();
    while items.peek().is_some() {
        take_some(bridge, diary, items.by_ref().take(ITEMS + ITEMS / 2).collect(), report).await?;
    }
    Ok(())
}

async fn take_some(bridge: &Bridge, diary: &Diary, items: Vec<Item>, report: &mut Report) -> Result<(), ImportError> {
    let community: CommunityId = IMPORT_COMMUNITY.parse()?;
    let counted: Vec<Counted> = items.iter().map(Counted::of).collect();
    report.wants_help |= items.iter().any(wants_help);
    let events = items.into_iter().map(|item| Ok::<_, Refusal>(item.event)).collect();
    let outcomes = if diary.dry_run {
        pipeline::rehearse(bridge, &community, events).await?
    } else {
        pipeline::accept(bridge, &community, events).await?
    };
    for (counted, outcome) in counted.into_iter().zip(outcomes) {
        counted.count(outcome, report);
    }
    Ok(())
}

fn wants_help(item: &Item) -> bool {
    let Says::Reading(entry, _) = &item.event.says else { return false };
    matches!(&entry.measure, Measure::Questionnaire(answers) if answers.wants_help())
}

/// What is counted of an item, once it is known what became of it.
struct Counted {
    place: u64,
    category: Category,
    is_reading: bool,
    /// It is there to be heard, and its line is counted as what it is.
    is_heard_only: bool,
}

impl Counted {
    const fn of(item: &Item) -> Self {
        Self {
            place: item.place,
            category: item.category,
            is_reading: matches!(item.event.says, Says::Reading(..)),
            is_heard_only: item.event.flaw.is_some(),
        }
    }

    fn count(self, outcome: Outcome, report: &mut Report) {
        let count = |counts: &mut BTreeMap<Category, u64>| *counts.entry(self.category).or_default() += 1;
        match outcome {
            Outcome::Refused(_) if self.is_heard_only => {}
            Outcome::Accepted => count(&mut report.accepted),
            Outcome::Corrected => count(&mut report.corrected),
            Outcome::Retracted => count(&mut report.retracted),
            Outcome::Duplicate => report.duplicates += u64::from(self.is_reading),
            Outcome::Refused(Refusal { reason: RefusalReason::Retracted, .. }) | Outcome::Conflict => {
                report.retracted_lines.add(self.place);
            }
            // What a file says has the right form; so its name is that of an entry of another kind.
            Outcome::Refused(Refusal { reason: RefusalReason::Invalid, .. }) => {
                report.bad_lines.add(BadLine::of_another(self.place));
            }
            Outcome::Refused(refusal) => {
                report.unknown_member |= refusal.reason == RefusalReason::UnknownMember;
                if self.is_reading {
                    count(&mut report.withheld);
                } else {
                    report.left += 1;
                }
            }
        }
    }
}
