//! What the audit log is told of a turn: what was decided, what arrived, and what goes no further.

use jiff::Timestamp;

use super::settle::Outcome;
use super::weigh::Job;
use crate::consent::decide::DenyReason;
use crate::domain::audit::{
    About, Chain, Decisions, Disclosure, Ended, Entry, Event, SEALED_COLUMN, Stage, WarningCleared, Whereabouts,
};
use crate::domain::delivery::{Delivery, DeliveryState, Stored};
use crate::domain::matter::Matter;
use crate::store::Tx;
use crate::vault::{MemberKey, SealError};

/// These requests may change something at the clinic: each goes under a version of a consent, or is a warning.
pub fn of_sending(tx: &mut Tx, jobs: &[Job], now: Timestamp) {
    let mut decisions = Decisions::at(Stage::Send);
    for job in jobs {
        let Some(outgoing) = job.task.outgoing() else { continue };
        let item = outgoing.cleared.item();
        if let Some(grant) = item.cleared_under {
            decisions.permit((&item.clinic, item.member), grant, About::of(&item.matter), item.identifier.clone());
        }
        if let Matter::Warning(decided) = item.matter {
            let cleared = WarningCleared { identifier: item.identifier.clone(), decided };
            tx.record(Chain::between(&item.clinic, item.member), now, Event::WarningCleared(cleared));
        }
    }
    decisions.entries(now).for_each(|entry| tx.record_entry(entry));
}

/// An item waits: if because it may not go now, that was decided.
pub fn of_parking(tx: &mut Tx, item: &Delivery, reason: &str, now: Timestamp) {
    if reason != DenyReason::Paused.as_str() {
        return;
    }
    let mut decisions = Decisions::at(Stage::Send);
    decisions.deny(&item.clinic, item.member, reason);
    decisions.entries(now).for_each(|entry| tx.record_entry(entry));
}

/// An item has arrived, or goes no further. Nothing is said of one that is still under way.
///
/// # Errors
/// [`SealError`] when there are no random bytes to be had.
pub fn of_settling(
    tx: &mut Tx,
    item: &Delivery,
    outcome: &Outcome,
    key: Option<&MemberKey>,
    now: Timestamp,
) -> Result<(), SealError> {
    let event = match outcome.state {
        DeliveryState::Confirmed => Event::Disclosed(disclosure(item, outcome)),
        DeliveryState::Withdrawn => Event::Withdrawn(ended(item, outcome)),
        DeliveryState::Rejected => Event::SetAside(ended(item, outcome)),
        DeliveryState::Dead => Event::GivenUp(ended(item, outcome)),
        _ => return Ok(()),
    };
    let mut entry = Entry::new(Chain::between(&item.clinic, item.member), now, event);
    if let (Event::Disclosed(_), Some(key)) = (&entry.event, key) {
        entry.sealed = Some(seal(key, &entry, item, stored(item, outcome))?);
    }
    tx.record_entry(entry);
    Ok(())
}

fn disclosure(item: &Delivery, outcome: &Outcome) -> Disclosure {
    let resource_type = stored(item, outcome).map_or(&item.resource_type, |stored| &stored.resource_type);
    Disclosure {
        delivery: item.id,
        identifier: item.identifier.clone(),
        operation: item.operation,
        about: About::of(&item.matter),
        resource_type: resource_type.clone(),
        is_part: item.is_part,
        grant: item.cleared_under.map(|(grant, _)| grant).or(item.grant),
        version: item.cleared_under.map(|(_, version)| version),
        purpose: match item.matter {
            Matter::Warning(decided) => Some(decided.purpose),
            _ => None,
        },
        attempts: outcome.attempts,
    }
}

fn ended(item: &Delivery, outcome: &Outcome) -> Ended {
    Ended {
        delivery: item.id,
        identifier: item.identifier.clone(),
        operation: item.operation,
        about: About::of(&item.matter),
        reason: outcome.reason.clone(),
    }
}

/// Where it stands at the clinic, as far as that is known.
fn stored<'a>(item: &'a Delivery, outcome: &'a Outcome) -> Option<&'a Stored> {
    outcome.stored.as_ref().or(item.stored.as_ref())
}

fn seal(key: &MemberKey, entry: &Entry, item: &Delivery, stored: Option<&Stored>) -> Result<Vec<u8>, SealError> {
    let whereabouts = Whereabouts {
        id: stored.map(|stored| stored.id.clone()),
        version: stored.and_then(|stored| stored.version.clone()),
        measured_at: match &item.matter {
            Matter::Fact(fact) | Matter::Mark(fact) => Some(fact.measured_at),
            Matter::Page(parts) => parts.facts.iter().map(|part| part.measured_at).min(),
            Matter::Consent(_)
            | Matter::Word
            | Matter::Answer
            | Matter::Booking { .. }
            | Matter::Cancelling
            | Matter::Warning(_) => None,
        },
    };
    let plain = serde_json::to_vec(&whereabouts).unwrap_or_default();
    key.seal(SEALED_COLUMN, &entry.sealed_row(), &plain)
}
