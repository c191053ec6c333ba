//! Warnings, opened: which clinics were told without consent that a member may be in danger, who decided so, and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SafetyError;
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{ClinicId, ConcernId};
use crate::domain::language::Language;
use crate::domain::warning::{WarningPurpose, WarningState};
use crate::store::{StoreError, Tx, WarningRow};
use crate::vault::MemberKey;

/// The column warnings are sealed for; their row is the identifier.
const COLUMN: &str = "warnings.sealed_warning";

/// What is sealed of a warning.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Who decided so, as they called themselves.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
    /// The law that allows it, as the operator worded it then.
    pub legal_basis: BTreeMap<Language, String>,
    /// What the clinic may use it for.
    pub purpose: WarningPurpose,
}

/// A warning, opened. Personal: its `Debug` shows its clinic only.
#[derive(Clone, PartialEq, Eq)]
pub struct Warned {
    /// The value of the resource's identifier.
    pub identifier: Uuid,
    /// Because of which concern.
    pub concern: ConcernId,
    /// Which clinic.
    pub clinic: ClinicId,
    /// When somebody decided so.
    pub decided_at: Timestamp,
    /// Who, why, and by which right.
    pub why: Why,
    /// Whether the clinic has it.
    pub state: WarningState,
}

/// The warnings about the member whose key it is, the oldest first. One that does not open is left out; the log says
/// so.
///
/// # Errors
/// [`StoreError`].
pub async fn warnings(tx: &mut Tx, key: &MemberKey) -> Result<Vec<Warned>, StoreError> {
    let mut warned = Vec::new();
    for (row, state) in tx.warnings(key.member()).await? {
        match open(key, &row) {
            Ok(why) => warned.push(Warned {
                identifier: row.identifier,
                concern: row.concern,
                clinic: row.clinic,
                decided_at: row.decided_at,
                why,
                state: state_of(state),
            }),
            Err(error) => tracing::error!(concern_id = %row.concern, %error, "a warning cannot be read"),
        }
    }
    Ok(warned)
}

/// Seals a warning's content for its row.
///
/// # Errors
/// [`SafetyError`].
pub fn seal_warning(key: &MemberKey, identifier: Uuid, why: &Why) -> Result<Vec<u8>, SafetyError> {
    let plain = serde_json::to_vec(why).map_err(|_| SafetyError::Unreadable)?;
    Ok(key.seal(COLUMN, identifier.as_bytes(), &plain)?)
}

fn open(key: &MemberKey, row: &WarningRow) -> Result<Why, SafetyError> {
    let plain = key.open(COLUMN, row.identifier.as_bytes(), &row.sealed)?;
    serde_json::from_slice(&plain).map_err(|_| SafetyError::Unreadable)
}

/// Whether the clinic has it, by where its item stands.
const fn state_of(item: Option<DeliveryState>) -> WarningState {
    match item {
        Some(DeliveryState::Confirmed) => WarningState::Arrived,
        Some(
            DeliveryState::Ready
            | DeliveryState::Sending
            | DeliveryState::Retry
            | DeliveryState::Unknown
            | DeliveryState::Held,
        ) => WarningState::Waiting,
        Some(DeliveryState::Rejected | DeliveryState::Dead | DeliveryState::Withdrawn) | None => WarningState::Failed,
    }
}

impl std::fmt::Debug for Warned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Warned({}, {})", self.clinic, self.state.as_str())
    }
}

impl std::fmt::Debug for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Why(..)")
    }
}
