//! What members are shown of their decisions.

use jiff::Timestamp;

use super::record::{RECEIPT_COLUMN, made, member_key};
use super::{Bridge, ConsentError};
use crate::consent::notice::needs_asking;
use crate::domain::consented::{Change, Practitioner, Shown};
use crate::domain::grant::Grant;
use crate::domain::ids::{GrantId, MemberId, ReceiptId};
use crate::pipeline::practitioners;
use crate::store::{ConsentRecord, Tx};
use crate::vault::MemberKey;

/// One version of a grant, with what is recorded of how it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// The grant.
    pub grant: Grant,
    /// The one practitioner whom it is for.
    pub practitioner: Option<Practitioner>,
    /// The text that the member had before them, if it is known.
    pub shown: Option<Shown>,
    /// Whether the member is to be asked again: it lives, and the text is another one by now, or is not known.
    pub needs_asking: bool,
}

/// Every version of every grant of a member, oldest first.
///
/// # Errors
/// [`ConsentError`].
pub async fn versions(bridge: &Bridge, tx: &mut Tx, member: MemberId) -> Result<Vec<Version>, ConsentError> {
    let grants = tx.grant_history(member).await?;
    let records = tx.consent_records(member).await?;
    let key = member_key(bridge, tx, member).await?;
    Ok(grants.into_iter().map(|grant| with_records(grant, &records, &key)).collect())
}

/// One version of a grant as it stands in this transaction.
///
/// # Errors
/// [`ConsentError`].
pub async fn version(bridge: &Bridge, tx: &mut Tx, grant: Grant) -> Result<Version, ConsentError> {
    let records = tx.consent_records(grant.member).await?;
    let key = member_key(bridge, tx, grant.member).await?;
    Ok(with_records(grant, &records, &key))
}

fn with_records(grant: Grant, records: &[ConsentRecord], key: &MemberKey) -> Version {
    let made = made(records, &grant);
    let shown = made.and_then(|record| record.shown.clone());
    Version {
        practitioner: made.and_then(|record| practitioners::open(record, key)),
        needs_asking: !grant.state.is_final() && needs_asking(shown.as_ref()),
        shown,
        grant,
    }
}

/// A receipt in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptLine {
    /// The receipt.
    pub id: ReceiptId,
    /// For which grant.
    pub grant: GrantId,
    /// And which version of it.
    pub version: i32,
    /// For what.
    pub change: Change,
    /// When it was issued.
    pub at: Timestamp,
}

/// A member's receipts, oldest first.
///
/// # Errors
/// [`ConsentError`].
pub async fn receipts(tx: &mut Tx, member: MemberId) -> Result<Vec<ReceiptLine>, ConsentError> {
    let records = tx.consent_records(member).await?;
    let line = |record: ConsentRecord| ReceiptLine {
        id: record.receipt,
        grant: record.grant,
        version: record.version,
        change: record.change,
        at: record.at,
    };
    Ok(records.into_iter().map(line).collect())
}

/// One receipt of a member, as it was signed (compact JWS): what [`crate::consent::receipt::verify`] takes.
///
/// # Errors
/// [`ConsentError`].
pub async fn receipt(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: ReceiptId,
) -> Result<Option<String>, ConsentError> {
    let Some(sealed) = tx.sealed_receipt(member, id).await? else { return Ok(None) };
    let key = member_key(bridge, tx, member).await?;
    Ok(String::from_utf8(key.open(RECEIPT_COLUMN, id.0.as_bytes(), &sealed)?).ok())
}
