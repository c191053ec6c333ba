//! The sealed part of an entry, for whoever has the member's key.

use jiff::Timestamp;

use crate::domain::audit::{Event, SEALED_COLUMN};
use crate::store::AuditRow;
use crate::vault::MemberKey;

/// What was sealed in an entry, if anything was, and if it stands where it was sealed for.
pub(super) fn opened(key: &MemberKey, row: &AuditRow, event: &Event) -> Option<Vec<u8>> {
    let (chain, at) = (row.written_on()?, Timestamp::from_microsecond(row.at).ok()?);
    key.open(SEALED_COLUMN, &event.sealed_row(&chain, at), row.sealed_body.as_deref()?).ok()
}
