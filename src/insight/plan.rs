//! Which summaries are to be made or made anew. Pure.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::standing::{Standing, waits};
use crate::consent::decide::DenyReason;
use crate::consent::share::Share;
use crate::domain::category::{Category, Detail};
use crate::domain::day::Period;
use crate::domain::ids::ClinicId;
use crate::store::{LaneKey, MadeSummary, Unsummarised};

/// How many days and weeks are worked out at once: each is read and written in one transaction, and others wait.
const AT_ONCE: usize = 50;

/// Summaries that were made, by clinic and category.
pub type Made = HashMap<(LaneKey, Category), Vec<MadeSummary>>;

/// A day or week of one category, for one clinic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Target {
    /// For whom.
    pub clinic: ClinicId,
    /// Of what.
    pub category: Category,
    /// A day or a week.
    pub detail: Detail,
    /// Which one.
    pub period: Period,
}

/// What is to be done now, and when to look again.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// What is to be worked out.
    pub targets: Vec<Target>,
    /// What needs no more thought once that is done.
    pub settled: Vec<&'a Unsummarised>,
    /// When the next day or week ends of which something is to be told.
    pub next: Option<Timestamp>,
    /// What is settled because a clinic may not be told any more, and why.
    pub denied: Vec<(ClinicId, DenyReason)>,
}

/// What becomes of a change.
enum Fate {
    /// Nothing: its days are not kept any more.
    Void,
    /// Nothing: no consent covers it any more.
    Denied(DenyReason),
    /// It waits for a pause to end, or a consent to begin. The change of consent will have it looked at.
    Waits,
    /// It waits for its day or week to be over.
    Later(Timestamp),
    /// These are to be worked out.
    Due(Vec<Target>),
}

/// Plans what changes of a member's readings lead to.
#[must_use]
pub fn plan<'a>(
    standing: &Standing,
    changes: &'a [Unsummarised],
    made: &Made,
    kept_from: Timestamp,
    now: Timestamp,
) -> Plan<'a> {
    let mut plan = Plan::default();
    let mut targets: BTreeSet<Target> = BTreeSet::new();
    for change in changes {
        match fate(standing, change, made, kept_from, now) {
            Fate::Void => plan.settled.push(change),
            Fate::Denied(reason) => {
                plan.denied.push((change.lane.clinic.clone(), reason));
                plan.settled.push(change);
            }
            Fate::Waits => {}
            Fate::Later(end) => plan.look_again(end),
            Fate::Due(due) => {
                let new = due.iter().filter(|target| !targets.contains(*target)).count();
                if targets.len() + new > AT_ONCE && !targets.is_empty() {
                    plan.look_again(now);
                    continue;
                }
                targets.extend(due);
                plan.settled.push(change);
            }
        }
    }
    plan.targets = targets.into_iter().collect();
    plan
}

fn fate(standing: &Standing, change: &Unsummarised, made: &Made, kept_from: Timestamp, now: Timestamp) -> Fate {
    let Unsummarised { lane, category, detail, measured_at } = change;
    let share = Share::at(lane.member, *category, *measured_at);
    let granted = match standing.decide(&share, &lane.clinic, now) {
        Ok(permit) => permit.detail(),
        Err(denied) if waits(&denied) => return Fate::Waits,
        Err(denied) => return Fate::Denied(denied.foremost()),
    };
    let target = |detail: Detail| Target {
        clinic: lane.clinic.clone(),
        category: *category,
        detail,
        period: standing.days.period_of(detail, *measured_at),
    };
    let mut due = Vec::new();
    if *detail != Detail::EveryEntry {
        // What came under days may have to wait for weeks now; what came under weeks stays in one, so that it is told once.
        let target = target(granted.min(*detail));
        if target.period.end > now {
            return Fate::Later(target.period.end);
        }
        due.push(target);
    }
    for made in made.get(&(lane.clone(), *category)).into_iter().flatten() {
        let existing = target(made.detail);
        if existing.period.first_day == made.first_day && !due.contains(&existing) {
            due.push(existing);
        }
    }
    due.retain(|target| target.period.start >= kept_from);
    if due.is_empty() { Fate::Void } else { Fate::Due(due) }
}

impl Plan<'_> {
    fn look_again(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}
