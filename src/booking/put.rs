//! What a clinic is asked about a visit is put into the outbox, as far as the member's consent allows.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::BookingError;
use super::kept::Held;
use crate::consent::decide::{DenyReason, Request, decide};
use crate::domain::booking::{Asking, Place, Wish};
use crate::domain::delivery::Operation;
use crate::domain::grant::Grant;
use crate::domain::ids::{BookingId, ClinicId, MemberId};
use crate::domain::language::Language;
use crate::mapping::to_fhir::{Recipient, Told, appointment};
use crate::outbox::enqueue::{Letter, Parcel, enqueue};
use crate::pipeline::{Bridge, KnownPatient, Practitioners};
use crate::store::{LaneKey, Tx};

/// How far ahead a clinic may propose a time, where its visits say nothing.
const USUAL_DAYS: u16 = 28;

/// Whom a clinic knows that Patient as of whom nobody knows it any more: only what it has itself is changed then.
const NOBODY: &str = "unknown";

/// Whether the member's consent lets a clinic be asked for a visit, with a reason or without.
///
/// # Errors
/// [`BookingError::NotPermitted`].
pub(super) fn permitted(
    grants: &[Grant],
    member: MemberId,
    clinic: &ClinicId,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), BookingError> {
    let asking = Asking { member, wish: Wish::Hold, time: None, place: None, reason, session: None };
    let permit = decide(grants, Request::to_record(&asking, clinic, now));
    permit.map(drop).map_err(|denied| BookingError::NotPermitted(denied.foremost()))
}

/// Whether the member's consent lets a clinic be asked for a visit, and be told why if `says_why`.
#[must_use]
pub fn may_ask(grants: &[Grant], member: MemberId, clinic: &ClinicId, says_why: bool, now: Timestamp) -> bool {
    permitted(grants, member, clinic, says_why.then_some(""), now).is_ok()
}

/// The identifier of the Appointment that a booking becomes with the time that was chosen last.
pub(super) fn identifier(bridge: &Bridge, id: BookingId, attempt: i64) -> String {
    bridge.keyring.index().uuid("booking", &[id.0.as_bytes(), &attempt.to_be_bytes()]).to_string()
}

/// Asks the clinic's system for something, and notes that it was asked. The caller keeps the booking.
pub(super) async fn put(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &mut Held,
    wish: Wish,
    now: Timestamp,
) -> Result<(), BookingError> {
    let operation = match wish {
        Wish::Hold | Wish::Request => Operation::Create,
        Wish::Book | Wish::Give | Wish::Offer | Wish::Arrive | Wish::Fulfil | Wish::Miss => Operation::Correct,
        Wish::Release | Wish::Cancel | Wish::Replace | Wish::Decline => Operation::Retract,
    };
    put_as(bridge, tx, held, (wish, operation), now).await
}

/// The same, where it is known whether anything of it stands there.
pub(super) async fn put_as(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &mut Held,
    asked: (Wish, Operation),
    now: Timestamp,
) -> Result<(), BookingError> {
    send(bridge, tx, held, asked, now).await?;
    (held.row.wish, held.row.note) = (Some(asked.0), None);
    Ok(())
}

/// Sends a wish to the clinic's system. Nothing of the booking changes.
pub(super) async fn send(
    bridge: &Bridge,
    tx: &mut Tx,
    held: &Held,
    (wish, operation): (Wish, Operation),
    now: Timestamp,
) -> Result<(), BookingError> {
    let (member, clinic) = (held.row.member, held.row.clinic.clone());
    let identifier = held.row.identifier.clone().ok_or(BookingError::NotNow)?;
    let uuid: Uuid = identifier.parse().map_err(|_| BookingError::Unreadable)?;
    let grants = if wish.asks() { tx.living_grants(&[member]).await? } else { tx.grant_history(member).await? };
    // Said once: when the time is asked for, or where `$hold` cannot say it, when it is booked.
    let says_why = match held.details.place {
        Some(Place::Proposed(_)) => wish == Wish::Book,
        _ => matches!(wish, Wish::Hold | Wish::Request),
    };
    let asking = Asking {
        member,
        wish,
        time: held.row.time,
        place: held.details.place.as_ref(),
        reason: held.details.reason.as_deref().filter(|_| says_why),
        session: held.row.session,
    };
    let permit = decide(&grants, Request::to_record(&asking, &clinic, now));
    let permit = permit.map_err(|denied| BookingError::NotPermitted(denied.foremost()))?;
    let keys = HashMap::from([(member, held.key.clone())]);
    let practitioners = Practitioners::load(tx, &grants, &keys).await?;
    if wish.asks() && !practitioners.can_address(&permit) {
        return Err(BookingError::NotPermitted(DenyReason::RecipientNotNamed));
    }
    let patients = KnownPatient::load(tx, &keys).await?;
    let patient = patients.iter().find(|patient| patient.clinic == clinic).map(|patient| patient.id.as_str());
    if wish.asks() && patient.is_none() {
        return Err(BookingError::NotPermitted(DenyReason::NoGrant));
    }
    let recipient = Recipient {
        patient: patient.unwrap_or(NOBODY),
        identifier: uuid,
        source: &bridge.source,
        recorded: now,
        practitioner: practitioners.of(&permit),
    };
    let visit = bridge.visit(tx, &clinic, &held.row.visit).await?;
    let visit = visit.as_ref();
    let ahead = visit.map_or(USUAL_DAYS, |visit| visit.ahead_days);
    let until = now.checked_add(SignedDuration::from_hours(24 * i64::from(ahead))).unwrap_or(Timestamp::MAX);
    let language = bridge.house.pages(&clinic).map_or(Language::default(), |rules| rules.language);
    let outbound = appointment(&permit, recipient, Told { visit, language, until, room: bridge.house.room(&clinic) })?;
    let parcel = Parcel::new(permit, Letter { operation, outbound, content: None }, &held.key);
    enqueue(tx, &[parcel], &[], bridge.keyring.entropy(), now).await?;
    // It goes although other things wait on its lane for the end of a pause.
    Ok(tx.wake_lane(&LaneKey { clinic, member }).await?)
}
