//! Bookings as they are kept for members: what is personal is sealed with their own key.

use jiff::Timestamp;

use super::BookingError;
use crate::domain::booking::{Booking, Details};
use crate::domain::ids::{BookingId, MemberId};
use crate::pipeline::Bridge;
use crate::store::{SealedBooking, StoreError, Tx};
use crate::vault::MemberKey;

/// The column they are sealed for; their row is their id.
const COLUMN: &str = "bookings.sealed_booking";

/// A booking that nobody else changes until the transaction ends.
pub(super) struct Held {
    pub key: MemberKey,
    pub row: SealedBooking,
    pub details: Details,
}

impl Held {
    /// The booking.
    pub fn booking(&self) -> Booking {
        booking(&self.row, self.details.clone())
    }

    /// Keeps it as it stands now.
    pub async fn keep(&mut self, tx: &mut Tx, now: Timestamp) -> Result<(), BookingError> {
        self.row.updated_at = now;
        self.row.sealed = seal(&self.key, self.row.id, &self.details)?;
        Ok(tx.put_booking(&self.row).await?)
    }
}

/// Holds a member, and opens their key.
pub(super) async fn hold_member(bridge: &Bridge, tx: &mut Tx, member: MemberId) -> Result<MemberKey, BookingError> {
    match tx.lock_member(member).await {
        Err(StoreError::RowCount { .. }) => return Err(BookingError::NotFound),
        locked => locked?,
    }
    let wrapped = tx.member_key(member).await?.ok_or(BookingError::NotFound)?;
    Ok(bridge.keyring.unwrap_member_key(member, &wrapped)?)
}

/// Holds a member, and finds what is theirs.
pub(super) async fn hold(bridge: &Bridge, tx: &mut Tx, member: MemberId, id: BookingId) -> Result<Held, BookingError> {
    let key = hold_member(bridge, tx, member).await?;
    let row = tx.booking((member, id)).await?.ok_or(BookingError::NotFound)?;
    let details = open(&key, &row)?;
    Ok(Held { key, row, details })
}

/// A booking of the member whose key it is, if they have it.
///
/// # Errors
/// [`BookingError`].
pub async fn one(tx: &mut Tx, key: &MemberKey, id: BookingId) -> Result<Option<Booking>, BookingError> {
    tx.booking((key.member(), id)).await?.map(|row| of(key, &row)).transpose()
}

/// All bookings of the member whose key it is, the newest first. What does not open is left out; the log says so.
///
/// # Errors
/// [`BookingError::Store`].
pub async fn all(tx: &mut Tx, key: &MemberKey) -> Result<Vec<Booking>, BookingError> {
    let opened = |row: SealedBooking| {
        let say = |error: &BookingError| {
            tracing::error!(member_id = %key.member(), %error, "a booking cannot be read");
        };
        of(key, &row).inspect_err(say).ok()
    };
    Ok(tx.bookings(key.member()).await?.into_iter().filter_map(opened).collect())
}

/// Opens a booking.
///
/// # Errors
/// [`BookingError`].
pub fn of(key: &MemberKey, row: &SealedBooking) -> Result<Booking, BookingError> {
    Ok(booking(row, open(key, row)?))
}

fn open(key: &MemberKey, row: &SealedBooking) -> Result<Details, BookingError> {
    let plain = key.open(COLUMN, row.id.0.as_bytes(), &row.sealed)?;
    serde_json::from_slice(&plain).map_err(|_| BookingError::Unreadable)
}

pub(super) fn seal(key: &MemberKey, id: BookingId, details: &Details) -> Result<Vec<u8>, BookingError> {
    let plain = serde_json::to_vec(details).map_err(|_| BookingError::Unreadable)?;
    Ok(key.seal(COLUMN, id.0.as_bytes(), &plain)?)
}

fn booking(row: &SealedBooking, details: Details) -> Booking {
    Booking {
        id: row.id,
        member: row.member,
        clinic: row.clinic.clone(),
        visit: row.visit.clone(),
        state: row.state,
        wish: row.wish,
        note: row.note,
        time: row.time,
        hold_until: row.hold_until,
        waits: row.look_at.is_some(),
        replaces: row.replaces,
        seat: row.seat(),
        sequence: row.sequence,
        details,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
