//! What was shared, for the member's own eyes: each thing a clinic received, under which consent, and how it stands there.

use std::collections::HashMap;

use jiff::Timestamp;

use super::sealed::opened;
use crate::domain::audit::{Disclosure, Event, Whereabouts};
use crate::domain::delivery::Operation;
use crate::domain::ids::{ClinicId, MemberId};
use crate::store::{AuditCursor, AuditRow, StoreError, Tx};
use crate::vault::MemberKey;

/// Something that a clinic received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared {
    /// To whom.
    pub clinic: ClinicId,
    /// When it arrived.
    pub at: Timestamp,
    /// When it was lived, if it tells of something lived.
    pub measured_at: Option<Timestamp>,
    /// What it was: what, under which consent, and what became of the resource.
    pub disclosure: Disclosure,
    /// How the resource stands in the clinic's record now.
    pub standing: Standing,
}

/// How a resource stands in a clinic's record, as far as the clinic confirmed it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    /// As it was sent.
    Recorded,
    /// A later version has taken its place.
    Corrected,
    /// It is marked as entered in error.
    Retracted,
}

impl Standing {
    /// The word used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Corrected => "corrected",
            Self::Retracted => "retracted",
        }
    }
}

/// A page of what was shared.
#[derive(Clone, Debug, Default)]
pub struct SharedPage {
    /// The newest first.
    pub items: Vec<Shared>,
    /// From where the next page goes on, if there is more.
    pub next: Option<AuditCursor>,
}

/// What clinics have received about a member, the newest first, `limit` at once. `before` is the end of the page before.
///
/// # Errors
/// [`StoreError`].
pub async fn shared(
    tx: &mut Tx,
    key: &MemberKey,
    before: Option<&AuditCursor>,
    limit: i64,
) -> Result<SharedPage, StoreError> {
    let member: MemberId = key.member();
    let rows = tx.audit_disclosures(member, before, limit.saturating_add(1)).await?;
    let is_more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
    let kept = rows.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut next = None;
    let mut items = Vec::new();
    for row in kept {
        next = Some(AuditCursor { at: row.at, clinic: row.clinic_id.clone(), seq: row.seq });
        let (Ok(at), Ok(clinic)) = (Timestamp::from_microsecond(row.at), row.clinic_id.parse()) else { continue };
        // One that a later version wrote is for that version to show.
        let Some(event) = Event::from_json(&row.body) else { continue };
        let opened = opened(key, &row, &event);
        let there: Option<Whereabouts> = opened.as_deref().and_then(|text| serde_json::from_slice(text).ok());
        let Event::Disclosed(disclosure) = event else { continue };
        let measured_at = there.and_then(|there| there.measured_at);
        items.push(Shared { clinic, at, measured_at, disclosure, standing: Standing::Recorded });
    }
    let identifiers: Vec<String> = items.iter().map(|item| item.disclosure.identifier.clone()).collect();
    let newest: HashMap<String, Operation> = tx.newest_confirmed(member, &identifiers).await?;
    for item in &mut items {
        item.standing = standing(item.disclosure.operation, newest.get(&item.disclosure.identifier).copied());
    }
    Ok(SharedPage { items, next: next.filter(|_| is_more) })
}

/// Something that a clinic's staff did with a member's visit, in the staff view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ByStaff {
    /// Of which clinic.
    pub clinic: ClinicId,
    /// When.
    pub at: Timestamp,
    /// Whether they decided something, and did not only look.
    pub is_decision: bool,
}

/// What clinics' staff did with a member's visits, the newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn by_staff(tx: &mut Tx, member: MemberId, limit: i64) -> Result<Vec<ByStaff>, StoreError> {
    let read = |row: AuditRow| {
        let is_decision = matches!(Event::from_json(&row.body)?, Event::StaffDecided(_));
        let (at, clinic) = (Timestamp::from_microsecond(row.at).ok()?, row.clinic_id.parse().ok()?);
        Some(ByStaff { clinic, at, is_decision })
    };
    Ok(tx.audit_of_staff(member, limit).await?.into_iter().filter_map(read).collect())
}

/// How a resource stands that the clinic last confirmed `newest` of.
const fn standing(own: Operation, newest: Option<Operation>) -> Standing {
    match (own, newest) {
        (Operation::Retract, _) | (_, Some(Operation::Retract)) => Standing::Retracted,
        (Operation::Create, Some(Operation::Correct)) => Standing::Corrected,
        _ => Standing::Recorded,
    }
}
