//! What becomes of each event of a batch, in the order in which they came.

use std::collections::HashMap;

use jiff::Timestamp;

use super::candidate::{Candidate, Wants};
use super::known::Known;
use super::members::{Members, Told};
use super::{Bridge, Outcome};
use crate::inbound::event::Refusal;
use crate::store::SeenEvent;
use crate::vault::Index;

/// Decides event after event; what one changes, the next one finds changed.
pub(super) struct Fates<'a> {
    pub bridge: &'a Bridge,
    pub members: &'a Members,
    pub told: &'a Told,
    pub known: Known,
    /// By entry, the candidate that says its newest state: what clinics are to be told.
    pub newest: HashMap<Index, &'a Candidate>,
    pub now: Timestamp,
}

/// Whether the very event came before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    New,
    Known,
    /// Not itself, but a later version of the entry that it reports.
    Overtaken,
    Conflict,
}

impl<'a> Fates<'a> {
    pub(super) fn of(&mut self, candidate: &'a Candidate) -> Outcome {
        let own = self.own(candidate);
        let outcome = match &candidate.wants {
            Wants::Version { is_current: false, .. } | Wants::Retraction if own == Own::Conflict => {
                Ok(Outcome::Conflict)
            }
            Wants::Version { .. } if own == Own::Overtaken => Ok(Outcome::Duplicate),
            Wants::Version { denied: Some(reason), .. } if self.known.get(&candidate.entry).is_none() => {
                Err(Refusal::not_permitted(reason.as_str()))
            }
            Wants::Version { content, is_current, .. } => self.version(candidate, *content, *is_current, own),
            Wants::Retraction => self.retraction(candidate, own),
        };
        outcome.unwrap_or_else(Outcome::Refused)
    }

    fn own(&self, candidate: &Candidate) -> Own {
        let Some(row) = self.known.get(&candidate.event) else { return Own::New };
        match row.body {
            Some(body) if body == candidate.body => Own::Known,
            // Only for a first report: anything else names an earlier event, and this one is none.
            None if row.member == candidate.member && candidate.entry == candidate.event => Own::Overtaken,
            _ => Own::Conflict,
        }
    }

    fn version(
        &mut self,
        candidate: &'a Candidate,
        content: Index,
        is_current: bool,
        own: Own,
    ) -> Result<Outcome, Refusal> {
        let Some(mut entry) = self.known.get(&candidate.entry).copied() else {
            self.known.put(candidate.row());
            candidate.row_of_entry().into_iter().for_each(|entry| self.known.put(entry));
            self.tell(candidate);
            return Ok(Outcome::Accepted);
        };
        check(candidate, &entry)?;
        if entry.retracted_at.is_some() {
            // A known version of a deleted entry is nothing new; but the entry does not come back.
            let is_old = own == Own::Known && !is_current;
            return if is_old { Ok(Outcome::Duplicate) } else { Err(Refusal::retracted()) };
        }
        if own == Own::New {
            self.known.put(candidate.row());
        }
        if entry.newest.or(entry.body) == Some(content) {
            self.tell_unless_told(candidate);
            return Ok(Outcome::Duplicate);
        }
        if own == Own::Known && !is_current {
            return Ok(Outcome::Duplicate);
        }
        entry.newest = Some(content);
        self.known.put(entry);
        self.tell(candidate);
        Ok(Outcome::Corrected)
    }

    fn retraction(&mut self, candidate: &'a Candidate, own: Own) -> Result<Outcome, Refusal> {
        // No clinic has it, and nothing is kept of what no clinic may see.
        let Some(mut entry) = self.known.get(&candidate.entry).copied() else { return Ok(Outcome::Duplicate) };
        check(candidate, &entry)?;
        let is_news = entry.retracted_at.is_none();
        if is_news && !self.is_being_told(candidate) {
            self.may_be_retracted(candidate)?;
        }
        if own == Own::New {
            self.known.put(candidate.row());
        }
        if !is_news {
            self.tell_unless_told(candidate);
            return Ok(Outcome::Duplicate);
        }
        entry.retracted_at = Some(self.now);
        self.known.put(entry);
        self.tell(candidate);
        Ok(Outcome::Retracted)
    }

    fn is_being_told(&self, candidate: &Candidate) -> bool {
        self.newest.contains_key(&candidate.entry)
    }

    /// The candidate takes the place of what the batch said of its entry so far.
    fn tell(&mut self, candidate: &'a Candidate) {
        self.newest.insert(candidate.entry, candidate);
    }

    /// Says what was said before: but perhaps not yet to every clinic that may be told now.
    fn tell_unless_told(&mut self, candidate: &'a Candidate) {
        self.newest.entry(candidate.entry).or_insert(candidate);
    }
}

/// Whether an event may change this entry at all.
fn check(candidate: &Candidate, entry: &SeenEvent) -> Result<(), Refusal> {
    let field = match candidate.wants {
        Wants::Version { .. } => "/corrects",
        Wants::Retraction => "/data/retracts",
    };
    if entry.entry.is_some() {
        return Err(Refusal::invalid(field, "the id of the event that first reported the entry, not of a later one"));
    }
    if entry.member != candidate.member {
        return Err(Refusal::invalid("/subject", "the member whose entry it is"));
    }
    if entry.category.zip(candidate.category()).is_some_and(|(theirs, ours)| theirs != ours) {
        return Err(Refusal::invalid("/type", "the type of the event that first reported the entry"));
    }
    Ok(())
}
