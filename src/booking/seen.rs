//! What a clinic's staff see of bookings, in the bridge's own staff view: as far as each member's consent lets it be shown to
//! somebody of whom nobody knows more than that they are of the clinic.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{BookingError, one};
use crate::consent::decide::{Reader, Request, decide};
use crate::domain::booking::{Asking, Booking, Wish};
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, MemberId};
use crate::pipeline::{Bridge, KnownPatient};
use crate::store::{BookingKey, Tx};

/// A booking, as a clinic's staff may see it. Personal.
pub struct Seen {
    /// The booking.
    pub booking: Booking,
    /// The Patient's id in the clinic's EHR.
    pub patient: String,
    /// Why they come, if they share that.
    pub reason: Option<String>,
}

/// Those of these bookings at a clinic that its staff may see, and how many they may not: their member named one practitioner,
/// or lets the clinic know nothing of it any longer.
///
/// # Errors
/// [`BookingError`].
pub async fn seen(
    bridge: &Bridge,
    tx: &mut Tx,
    clinic: &ClinicId,
    keys: &[BookingKey],
    now: Timestamp,
) -> Result<(Vec<Seen>, usize), BookingError> {
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        all.extend(see(bridge, tx, clinic, *key, now).await?);
    }
    let hidden = keys.len() - all.len();
    Ok((all, hidden))
}

/// A booking at a clinic, if its staff may see it.
///
/// # Errors
/// [`BookingError`].
pub async fn see(
    bridge: &Bridge,
    tx: &mut Tx,
    clinic: &ClinicId,
    (member, id): BookingKey,
    now: Timestamp,
) -> Result<Option<Seen>, BookingError> {
    let Some(wrapped) = tx.member_key(member).await? else { return Ok(None) };
    let key = bridge.keyring.unwrap_member_key(member, &wrapped)?;
    let booking = one(tx, &key, id).await?.filter(|booking| booking.clinic == *clinic);
    let Some(booking) = booking else { return Ok(None) };
    let grants = tx.living_grants(&[member]).await?;
    // Who has a place that the clinic was not told of is nobody's there to know.
    let is_unknown = booking.seat.is_some_and(|seat| !seat.is_known);
    if is_unknown || !may_be_shown(&grants, member, clinic, None, now) {
        return Ok(None);
    }
    let patients = KnownPatient::load(tx, &HashMap::from([(member, key)])).await?;
    let Some(patient) = patients.into_iter().find(|patient| patient.clinic == *clinic) else { return Ok(None) };
    let says_why = may_be_shown(&grants, member, clinic, Some(""), now);
    let reason = booking.details.reason.clone().filter(|_| says_why);
    Ok(Some(Seen { booking, patient: patient.id, reason }))
}

/// Whether anybody at the clinic may know of a visit, and why, if a reason is given.
pub(super) fn may_be_shown(
    grants: &[Grant],
    member: MemberId,
    clinic: &ClinicId,
    reason: Option<&str>,
    now: Timestamp,
) -> bool {
    let asking = Asking { member, wish: Wish::Request, time: None, place: None, reason, session: None };
    let request = Request { reader: Reader::Anyone, ..Request::to_record(&asking, clinic, now) };
    decide(grants, request).is_ok()
}
