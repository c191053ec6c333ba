//! Whether one grant covers what is requested, and what its terms oblige to. Every obstacle is looked for in the order of
//! [`DenyReason`]: the farthest from a permit is the one that is said.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::denied::DenyReason;
use super::request::{Direction, Reader, Request};
use crate::domain::category::{Category, Detail};
use crate::domain::grant::{Addressee, Grant, GrantState, Terms, WayBack};
use crate::domain::label::Label;
use crate::domain::matter::{Fact, Matter, Parts};

/// What whoever uses a permit must see to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obligations {
    /// Nothing finer than this may be shown.
    pub aggregate_to: Detail,
    /// Free text that came along must be left out: the member does not share their notes.
    pub strip_note: bool,
    /// The sensitivity labels to be set.
    pub labels: BTreeSet<Label>,
    /// To whom it is to be addressed.
    pub addressee: Addressee,
    /// How much of what the clinic answers may come back.
    pub way_back: WayBack,
}

impl Obligations {
    /// What the terms of a grant oblige to that covers `matter`.
    pub(super) fn of(terms: &Terms, matter: &Matter) -> Self {
        let aggregate_to = match matter {
            Matter::Fact(fact) => terms.categories.get(&fact.category).copied(),
            Matter::Page(parts) => {
                parts.facts.iter().filter_map(|part| terms.categories.get(&part.category)).min().copied()
            }
            Matter::Consent(_)
            | Matter::Mark(_)
            | Matter::Word
            | Matter::Answer
            | Matter::Booking { .. }
            | Matter::Cancelling
            | Matter::Warning(_) => None,
        };
        let labels = match matter {
            Matter::Fact(fact) | Matter::Mark(fact) => fact.all_labels(),
            Matter::Page(parts) => parts.facts.iter().flat_map(Fact::all_labels).collect(),
            // That something is shared tells what it is about.
            Matter::Consent(_) => terms.categories.keys().flat_map(|category| category.labels()).copied().collect(),
            // Why somebody wants to be seen says what it is about; that they do is the clinic's own business.
            Matter::Booking { says_why: true } => Category::Agenda.labels().iter().copied().collect(),
            Matter::Word
            | Matter::Answer
            | Matter::Booking { says_why: false }
            | Matter::Cancelling
            | Matter::Warning(_) => BTreeSet::new(),
        };
        Self {
            aggregate_to: aggregate_to.unwrap_or(Detail::WeeklySummary),
            strip_note: terms.categories.get(&Category::Note) != Some(&Detail::EveryEntry),
            labels,
            addressee: terms.recipient,
            way_back: terms.way_back,
        }
    }
}

/// Whether one grant, of this member towards this clinic, covers what is requested.
pub(super) fn covers<T>(grant: &Grant, matter: &Matter, request: &Request<'_, T>) -> Result<(), DenyReason> {
    match (matter, request.direction) {
        (Matter::Fact(fact), Direction::ToClinic) => covers_fact(grant, fact, request),
        (Matter::Page(parts), Direction::ToClinic) => covers_page(grant, parts, request),
        (Matter::Answer, Direction::ToClinic) => covers_answer(grant, request),
        (Matter::Word, Direction::ToMember) => covers_word(grant, request),
        (Matter::Booking { .. }, Direction::ToClinic) if !may_read(grant.terms.recipient, request.reader) => {
            in_force(grant, request.now).and(Err(DenyReason::RecipientNotNamed))
        }
        (Matter::Booking { says_why }, Direction::ToClinic) => covers_booking(grant, *says_why, request),
        // It tells about the grant itself, whatever became of it.
        (Matter::Consent(about), Direction::ToClinic) if *about == grant.id => Ok(()),
        (Matter::Consent(_), Direction::ToClinic) => Err(DenyReason::NoGrant),
        (Matter::Mark(_) | Matter::Cancelling, Direction::ToClinic) => Ok(()),
        (
            Matter::Fact(_)
            | Matter::Page(_)
            | Matter::Consent(_)
            | Matter::Mark(_)
            | Matter::Answer
            | Matter::Booking { .. }
            | Matter::Cancelling,
            Direction::ToMember,
        )
        | (Matter::Word, Direction::ToClinic) => Err(DenyReason::DirectionNotGranted),
        // No consent is meant for it.
        (Matter::Warning(_), Direction::ToClinic | Direction::ToMember) => Err(DenyReason::NoPolicy),
    }
}

fn covers_fact<T>(grant: &Grant, fact: &Fact, request: &Request<'_, T>) -> Result<(), DenyReason> {
    let terms = &grant.terms;
    in_force(grant, request.now)?;
    if !terms.purposes.contains(&request.purpose) {
        return Err(DenyReason::PurposeNotGranted);
    }
    if !may_read(terms.recipient, request.reader) {
        return Err(DenyReason::RecipientNotNamed);
    }
    let detail = terms.categories.get(&fact.category).ok_or(DenyReason::CategoryNotShared)?;
    if fact.detail > *detail {
        return Err(DenyReason::SummaryOnly);
    }
    if terms.withheld.iter().any(|label| fact.carries(*label)) {
        return Err(DenyReason::LabelWithheld);
    }
    if terms.data_from.is_some_and(|from| fact.measured_at < from) {
        return Err(DenyReason::BeforeDataPeriod);
    }
    not_paused(grant)
}

/// Every part by itself; of several obstacles, the farthest from a permit is said. A page without parts is none.
fn covers_page<T>(grant: &Grant, parts: &Parts, request: &Request<'_, T>) -> Result<(), DenyReason> {
    if parts.facts.is_empty() && !parts.answers {
        return Err(DenyReason::CategoryNotShared);
    }
    let of_facts = parts.facts.iter().filter_map(|part| covers_fact(grant, part, request).err());
    let of_answers = parts.answers.then(|| covers_answer(grant, request)).and_then(Result::err);
    of_facts.chain(of_answers).min().map_or(Ok(()), Err)
}

/// Whoever lets something come back may answer it.
fn covers_answer<T>(grant: &Grant, request: &Request<'_, T>) -> Result<(), DenyReason> {
    in_force(grant, request.now)?;
    if !may_read(grant.terms.recipient, request.reader) {
        return Err(DenyReason::RecipientNotNamed);
    }
    covers_word(grant, request)
}

fn covers_word<T>(grant: &Grant, request: &Request<'_, T>) -> Result<(), DenyReason> {
    in_force(grant, request.now)?;
    if grant.terms.way_back == WayBack::None {
        return Err(DenyReason::DirectionNotGranted);
    }
    if !grant.terms.purposes.contains(&request.purpose) {
        return Err(DenyReason::PurposeNotGranted);
    }
    not_paused(grant)
}

/// A visit is talked about in both directions: whoever lets nothing come back would not hear that it was cancelled. Why
/// somebody comes is what they want to talk about, and shared as that.
fn covers_booking<T>(grant: &Grant, says_why: bool, request: &Request<'_, T>) -> Result<(), DenyReason> {
    let word = covers_word(grant, request);
    if !says_why || word.is_err_and(|reason| reason < DenyReason::CategoryNotShared) {
        return word;
    }
    if !grant.terms.categories.contains_key(&Category::Agenda) {
        return Err(DenyReason::CategoryNotShared);
    }
    if Category::Agenda.labels().iter().any(|label| grant.terms.withheld.contains(label)) {
        return Err(DenyReason::LabelWithheld);
    }
    word
}

fn in_force(grant: &Grant, now: Timestamp) -> Result<(), DenyReason> {
    if grant.state.is_final() {
        return Err(DenyReason::Ended);
    }
    if now >= grant.terms.valid_until {
        return Err(DenyReason::Expired);
    }
    if now < grant.terms.valid_from {
        return Err(DenyReason::NotYetValid);
    }
    Ok(())
}

/// Said last, when nothing else stands in the way.
const fn not_paused(grant: &Grant) -> Result<(), DenyReason> {
    match grant.state {
        GrantState::Active => Ok(()),
        GrantState::Paused => Err(DenyReason::Paused),
        GrantState::Superseded | GrantState::Revoked => Err(DenyReason::Ended),
    }
}

/// Whether what is meant for `named` may get to `reader`. Where one practitioner is named, somebody of whom nobody knows
/// who they are is not that one.
fn may_read(named: Addressee, reader: Reader) -> bool {
    match (named, reader) {
        (Addressee::Clinic, _) | (_, Reader::Record) => true,
        (Addressee::Practitioner(named), Reader::Practitioner(reader)) => named == reader,
        (Addressee::Practitioner(_), Reader::Anyone) => false,
    }
}
