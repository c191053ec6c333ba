//! What is to be done with the first item of a lane, now that nobody can change the consent it stands under. Pure.

use jiff::Timestamp;

use super::ehr::{Found, SAID_TWICE, Sent, Ticket};
use super::form::Forms;
use super::names::{
    ANSWER_NOT_TAKEN, APPOINTMENT_TYPE, BOOKING_NOT_TAKEN, MAPPED_TYPE, MESSAGE_TYPE, PAGE_TYPE, PART_NOT_TAKEN,
    SAID_WITH_THE_TASK, SAID_WITH_THE_WHOLE, TASK_NOT_TAKEN, TASK_TYPE,
};
use super::settle::{Known, STANDING_NOT_TAKEN, Verdict, is_absent};
use super::smart_auth::TokenError;
use crate::consent::decide::{Cleared, DenyReason, clear};
use crate::domain::delivery::{Delivery, DeliveryState, Operation, Rung, Stored};
use crate::domain::grant::Grant;
use crate::domain::matter::Matter;
use crate::domain::warning::WarningPolicy;

/// What is to be done with an item.
#[derive(Debug)]
pub enum Step {
    /// Its fate is known without a request.
    Settle(Box<Known>),
    /// Nothing moves on its lane until then, unless the lane is woken.
    Park(Box<Parked>),
    /// A request is to be made.
    Ask(Box<Job>),
}

/// An item that holds its lane up for a while.
#[derive(Debug)]
pub struct Parked {
    /// The item.
    pub item: Delivery,
    /// Until when.
    pub until: Timestamp,
    /// Why: a code.
    pub reason: &'static str,
}

/// A request to be made for an item. It leaves only after the transaction that decided it has committed.
#[derive(Debug)]
pub struct Job {
    /// What is to be done.
    pub task: Task,
    /// What was at hand when it was decided.
    pub ticket: Ticket,
}

/// What a request is for.
#[derive(Debug)]
pub enum Task {
    /// To find out whether it is there.
    Search(Delivery),
    /// To find out what is there.
    Look(Delivery, Stored),
    /// To create it.
    Create(Outgoing),
    /// To change what is there.
    Update(Outgoing, Stored),
    /// To go on with a Task of the clinic's.
    Respond(Outgoing, Stored),
    /// To bring a visit to where it should stand.
    Book(Outgoing),
}

impl Task {
    /// The item it is about.
    #[must_use]
    pub const fn item(&self) -> &Delivery {
        match self {
            Self::Search(item) | Self::Look(item, _) => item,
            Self::Create(outgoing) | Self::Update(outgoing, _) | Self::Respond(outgoing, _) | Self::Book(outgoing) => {
                outgoing.cleared.item()
            }
        }
    }

    /// What may go with it, if it may change something in the EHR.
    #[must_use]
    pub const fn outgoing(&self) -> Option<&Outgoing> {
        match self {
            Self::Search(_) | Self::Look(..) => None,
            Self::Create(outgoing) | Self::Update(outgoing, _) | Self::Respond(outgoing, _) | Self::Book(outgoing) => {
                Some(outgoing)
            }
        }
    }
}

/// An item that may go.
#[derive(Debug)]
pub struct Outgoing {
    /// The item, cleared.
    pub cleared: Cleared<Delivery>,
    /// The resource as it was mapped. Personal.
    pub mapped: Vec<u8>,
    /// The form in which it goes.
    pub rung: Rung,
    /// The FHIR type as which it goes.
    pub resource_type: String,
}

/// What an item is weighed with.
#[derive(Clone, Copy, Debug)]
pub struct Scales<'a> {
    /// The member's living grants, held; for an item that needs no living one, those that have ended as well.
    pub grants: &'a [Grant],
    /// Under what the clinic may be warned without consent.
    pub policy: Option<&'a WarningPolicy>,
    /// What is at hand for a request about this member, or why it is not.
    pub ticket: Result<&'a Ticket, &'a TokenError>,
    /// The time.
    pub now: Timestamp,
}

/// Weighs an item. `open` opens its content.
pub fn weigh(item: Delivery, scales: Scales<'_>, open: impl FnOnce(&Delivery) -> Option<Vec<u8>>) -> Step {
    let was_sent = matches!(item.state, DeliveryState::Sending | DeliveryState::Unknown);
    if matches!(item.matter, Matter::Consent(_))
        && !was_sent
        && scales.ticket.is_ok_and(|ticket| !ticket.takes_consent())
    {
        return settle(item, Verdict::Withdrawn(STANDING_NOT_TAKEN));
    }
    if item.matter == Matter::Answer && item.operation != Operation::Create {
        return match item.resource_type.as_str() {
            TASK_TYPE => respond(item, was_sent, scales, open),
            // A message that was sent is taken back like anything else.
            _ => weigh_change(item, was_sent, scales, open),
        };
    }
    if matches!(item.matter, Matter::Booking { .. } | Matter::Cancelling) {
        return book(item, scales, open);
    }
    weigh_change(item, was_sent, scales, open)
}

fn weigh_change(
    item: Delivery,
    was_sent: bool,
    scales: Scales<'_>,
    open: impl FnOnce(&Delivery) -> Option<Vec<u8>>,
) -> Step {
    match (item.operation, was_sent, item.stored.clone()) {
        // Whatever consent says now: what may have happened must be found out.
        (_, true, None) | (Operation::Create, true, Some(_)) => search(item, scales.ticket),
        (Operation::Create, false, Some(_)) => settle(item, Verdict::AlreadyThere),
        // An earlier version may stand there although nobody knows where.
        (Operation::Correct | Operation::Retract, false, None) if !is_absent(&item) => {
            cleared(item, scales, |cleared, ticket| search(cleared.into_item(), Ok(ticket)))
        }
        (Operation::Retract, false, None) => settle(item, Verdict::Withdrawn("nothing-to-retract")),
        (Operation::Create | Operation::Correct, false, None) => {
            cleared(item, scales, |cleared, ticket| create(cleared, ticket, open))
        }
        // An update is tried again, if it still may: it reads first, and does nothing twice.
        (Operation::Correct | Operation::Retract, _, Some(stored)) => update(item, stored, was_sent, scales, open),
    }
}

/// The consents towards the item's clinic that live, and whose time is not over.
fn living<'a>(item: &Delivery, Scales { grants, now, .. }: Scales<'a>) -> impl Iterator<Item = &'a Grant> {
    let (member, clinic) = (item.member, item.clinic.clone());
    let towards = grants.iter().filter(move |grant| grant.member == member && grant.clinic == clinic);
    towards.filter(move |grant| !grant.state.is_final() && !grant.is_expired(now))
}

/// Goes on with an item that may go.
fn cleared(item: Delivery, scales: Scales<'_>, go_on: impl FnOnce(Cleared<Delivery>, &Ticket) -> Step) -> Step {
    let denied = match clear((scales.grants, scales.policy), item, scales.now) {
        Ok(cleared) => {
            return match scales.ticket {
                Ok(ticket) => go_on(cleared, ticket),
                // Nobody connects a clinic only for what is left to say after the consent has ended.
                Err(error @ TokenError::Connect(_)) if living(cleared.item(), scales).next().is_none() => {
                    settle(cleared.into_item(), Verdict::Withdrawn(error.code()))
                }
                // Only the member can change that: their consent ends sooner or later, and no attempt is used up.
                Err(error @ TokenError::Connect(_)) => park(cleared.into_item(), scales, error.code()),
                Err(error) => settle(cleared.into_item(), Verdict::Sent(no_token(error))),
            };
        }
        Err(denied) => denied,
    };
    let (item, denied) = *denied;
    match denied.foremost() {
        DenyReason::Paused => park(item, scales, DenyReason::Paused.as_str()),
        reason => settle(item, Verdict::Withdrawn(reason.as_str())),
    }
}

fn create(cleared: Cleared<Delivery>, ticket: &Ticket, open: impl FnOnce(&Delivery) -> Option<Vec<u8>>) -> Step {
    outgoing(cleared, ticket, open, Task::Create)
}

fn update(
    item: Delivery,
    stored: Stored,
    was_sent: bool,
    scales: Scales<'_>,
    open: impl FnOnce(&Delivery) -> Option<Vec<u8>>,
) -> Step {
    let denied = clear((scales.grants, scales.policy), item.clone(), scales.now).err();
    // A pause ends, and then it is tried again; otherwise all that is left is to see what came of it.
    if was_sent && denied.is_some_and(|denied| denied.1.foremost() != DenyReason::Paused) {
        return match scales.ticket {
            Ok(ticket) => ask(Task::Look(item, stored), ticket),
            Err(error) => settle(item, Verdict::Sent(no_token(error))),
        };
    }
    cleared(item, scales, |cleared, ticket| {
        if !ticket.capabilities().has_update(&stored.resource_type) {
            return settle(cleared.into_item(), Verdict::Held("update-not-taken"));
        }
        outgoing(cleared, ticket, open, |outgoing| Task::Update(outgoing, stored))
    })
}

/// Goes on with a Task of the clinic's. It is read before it is changed, and so nothing is done twice.
fn respond(
    item: Delivery,
    was_sent: bool,
    scales: Scales<'_>,
    open: impl FnOnce(&Delivery) -> Option<Vec<u8>>,
) -> Step {
    let denied = clear((scales.grants, scales.policy), item.clone(), scales.now).err();
    if was_sent && denied.is_some_and(|denied| denied.1.foremost() != DenyReason::Paused) {
        // It must not be tried again, and the clinic's Task says only who changed it last.
        return settle(item, Verdict::Searched(Found::NoSearch { reason: "answer-not-found-out".to_owned() }));
    }
    cleared(item, scales, |cleared, ticket| {
        if !ticket.takes_task_updates() {
            return settle(cleared.into_item(), Verdict::Withdrawn(TASK_NOT_TAKEN));
        }
        let item = cleared.item();
        if item.sealed_payload.is_none() {
            return settle(cleared.into_item(), Verdict::Withdrawn("content-erased"));
        }
        let Some(mapped) = open(item) else {
            return settle(cleared.into_item(), Verdict::Stuck("content-does-not-open"));
        };
        let id = serde_json::from_slice::<serde_json::Value>(&mapped).ok();
        let id = id.as_ref().and_then(|task| task.get("id")).and_then(serde_json::Value::as_str).map(str::to_owned);
        let Some(id) = id else { return settle(cleared.into_item(), Verdict::Stuck("content-unreadable")) };
        let stored = Stored { resource_type: TASK_TYPE.to_owned(), id, version: None };
        let outgoing = Outgoing { cleared, mapped, rung: Rung::Discrete, resource_type: TASK_TYPE.to_owned() };
        ask(Task::Respond(outgoing, stored), ticket)
    })
}

/// Brings a visit to where it should stand. It is read before it is changed, and so nothing is done twice. Nothing of it waits
/// for the end of a pause, or for a member to connect a clinic: meanwhile a time would be kept from others. What may be kept
/// already is given back by what follows.
fn book(item: Delivery, scales: Scales<'_>, open: impl FnOnce(&Delivery) -> Option<Vec<u8>>) -> Step {
    let cleared = match clear((scales.grants, scales.policy), item, scales.now) {
        Ok(cleared) => cleared,
        Err(denied) => return settle(denied.0, Verdict::Withdrawn(denied.1.foremost().as_str())),
    };
    let ticket = match scales.ticket {
        Ok(ticket) if ticket.takes_bookings() => ticket,
        Ok(_) => return settle(cleared.into_item(), Verdict::Withdrawn(BOOKING_NOT_TAKEN)),
        Err(error @ TokenError::Connect(_)) => return settle(cleared.into_item(), Verdict::Withdrawn(error.code())),
        Err(error) => return settle(cleared.into_item(), Verdict::Sent(no_token(error))),
    };
    if cleared.item().sealed_payload.is_none() {
        return settle(cleared.into_item(), Verdict::Withdrawn("content-erased"));
    }
    let Some(mapped) = open(cleared.item()) else {
        return settle(cleared.into_item(), Verdict::Stuck("content-does-not-open"));
    };
    let resource_type = APPOINTMENT_TYPE.to_owned();
    ask(Task::Book(Outgoing { cleared, mapped, rung: Rung::Discrete, resource_type }), ticket)
}

/// Why a member's answer does not go as a message, if it does not.
fn unless_message(item: &Delivery, ticket: &Ticket) -> Option<&'static str> {
    if item.stored.is_some() {
        return None;
    }
    match (item.is_part && ticket.takes_task_updates(), ticket.takes_messages()) {
        (true, _) => Some(SAID_WITH_THE_TASK),
        (false, false) => Some(ANSWER_NOT_TAKEN),
        (false, true) => None,
    }
}

/// In which form a warning goes: as a message, or else as a note.
fn rung_of_warning(ticket: &Ticket) -> Rung {
    match ticket.capabilities().rung(MESSAGE_TYPE) {
        Rung::Discrete if ticket.takes_messages() => Rung::Discrete,
        Rung::Discrete if !ticket.capabilities().has_create(PAGE_TYPE) => Rung::None,
        Rung::Discrete => Rung::Document,
        rung => rung,
    }
}

/// A request with the item's content, in the form that the EHR takes.
fn outgoing(
    cleared: Cleared<Delivery>,
    ticket: &Ticket,
    open: impl FnOnce(&Delivery) -> Option<Vec<u8>>,
    task: impl FnOnce(Outgoing) -> Task,
) -> Step {
    let item = cleared.item();
    if item.sealed_payload.is_none() {
        return settle(cleared.into_item(), Verdict::Withdrawn("content-erased"));
    }
    let is_answer = item.matter == Matter::Answer;
    if let Some(reason) = unless_message(item, ticket).filter(|_| is_answer) {
        return settle(cleared.into_item(), Verdict::Withdrawn(reason));
    }
    let is_standing = matches!(item.matter, Matter::Consent(_));
    let is_warning = matches!(item.matter, Matter::Warning(_));
    let mapped_type = match &item.matter {
        Matter::Consent(_) => "Consent",
        Matter::Page(_) | Matter::Fact(_) | Matter::Mark(_) | Matter::Word if item.is_part => &item.resource_type,
        Matter::Page(_) => PAGE_TYPE,
        Matter::Answer | Matter::Warning(_) => MESSAGE_TYPE,
        Matter::Booking { .. } | Matter::Cancelling => APPOINTMENT_TYPE,
        Matter::Fact(_) | Matter::Mark(_) | Matter::Word => MAPPED_TYPE,
    };
    // What stands there already keeps its form; a new one takes the highest that the EHR has.
    let rung = match &item.stored {
        Some(stored) if stored.resource_type == "DocumentReference" => Rung::Document,
        None if is_warning => rung_of_warning(ticket),
        None if !is_standing && !is_answer => ticket.capabilities().rung(mapped_type),
        Some(_) | None => Rung::Discrete,
    };
    if item.is_part && item.stored.is_none() && !is_answer {
        let withdrawn = match rung {
            Rung::Document => Some(SAID_WITH_THE_WHOLE),
            Rung::Discrete if SAID_TWICE.contains(&mapped_type) && !ticket.takes(mapped_type) => Some(PART_NOT_TAKEN),
            Rung::Discrete | Rung::None => None,
        };
        if let Some(reason) = withdrawn {
            return settle(cleared.into_item(), Verdict::Withdrawn(reason));
        }
    }
    let Some(resource_type) = Forms::resource_type(rung, mapped_type).map(str::to_owned) else {
        // It is not held until the EHR takes it: by then it may be told too late.
        let verdict = if is_warning { Verdict::Withdrawn } else { Verdict::Held };
        return settle(cleared.into_item(), verdict("no-form-taken"));
    };
    let Some(mapped) = open(item) else {
        return settle(cleared.into_item(), Verdict::Stuck("content-does-not-open"));
    };
    ask(task(Outgoing { cleared, mapped, rung, resource_type }), ticket)
}

fn search(item: Delivery, ticket: Result<&Ticket, &TokenError>) -> Step {
    match ticket {
        Ok(ticket) => ask(Task::Search(item), ticket),
        // Without a token nobody knows more than before.
        Err(error) => {
            let (reason, retry_after) = (error.code().to_owned(), error.retry_after());
            settle(item, Verdict::Searched(Found::Undecided { reason, retry_after }))
        }
    }
}

fn no_token(error: &TokenError) -> Sent {
    Sent::NotStored { reason: error.code().to_owned(), retry_after: error.retry_after() }
}

fn ask(task: Task, ticket: &Ticket) -> Step {
    Step::Ask(Box::new(Job { task, ticket: ticket.clone() }))
}

fn settle(item: Delivery, verdict: Verdict) -> Step {
    Step::Settle(Box::new(Known { from: item.state, item, verdict }))
}

/// Until the consent ends at the latest: then what waits is withdrawn.
fn park(item: Delivery, scales: Scales<'_>, reason: &'static str) -> Step {
    let until = living(&item, scales).map(|grant| grant.terms.valid_until).min().unwrap_or(Timestamp::MAX);
    Step::Park(Box::new(Parked { item, until, reason }))
}
