//! The record of each change, and the receipt that proves it.

use jiff::Timestamp;

use super::super::practitioners::PRACTITIONER_COLUMN;
use super::show::{Version, version};
use super::{Bridge, ConsentError, announce};
use crate::consent::notice::Notice;
use crate::consent::receipt::{Done, Parties, Receipt};
use crate::domain::consented::{Change, Method, Practitioner, Shown};
use crate::domain::grant::Grant;
use crate::domain::ids::{MemberId, ReceiptId};
use crate::store::{ConsentRecord, StoreError, Tx};
use crate::vault::MemberKey;

/// The column a receipt is sealed for; its row is its id.
pub const RECEIPT_COLUMN: &str = "consent_records.sealed_receipt";

/// What is to be recorded beside the grant.
pub(super) struct Paper<'a> {
    pub change: Change,
    pub method: Method,
    pub shown: Option<&'a Shown>,
    pub practitioner: Option<&'a Practitioner>,
}

/// Records a change that made no new version, and tells the clinic.
pub(super) async fn follow(
    bridge: &Bridge,
    tx: &mut Tx,
    grant: &Grant,
    change: Change,
    method: Method,
    now: Timestamp,
) -> Result<(), ConsentError> {
    keep_again(bridge, tx, grant, change, method, now).await?;
    tell_again(bridge, tx, grant, now).await
}

/// Records a change that made no new version.
pub(super) async fn keep_again(
    bridge: &Bridge,
    tx: &mut Tx,
    grant: &Grant,
    change: Change,
    method: Method,
    now: Timestamp,
) -> Result<(), ConsentError> {
    let Version { shown, practitioner, .. } = version(bridge, tx, grant.clone()).await?;
    let paper = Paper { change, method, shown: shown.as_ref(), practitioner: practitioner.as_ref() };
    keep(bridge, tx, grant, paper, now).await
}

/// Tells the clinic how a version stands by now. What the member had before them when they made it still counts.
pub(super) async fn tell_again(
    bridge: &Bridge,
    tx: &mut Tx,
    grant: &Grant,
    now: Timestamp,
) -> Result<(), ConsentError> {
    let Version { shown, practitioner, .. } = version(bridge, tx, grant.clone()).await?;
    let notice = shown.and_then(|shown| Notice::find(shown.version, shown.language));
    announce::announce(bridge, tx, grant, notice, practitioner.as_ref(), now).await
}

/// The same, for a Patient of the member whose link has ended in this transaction.
pub(super) async fn tell_again_for(
    bridge: &Bridge,
    tx: &mut Tx,
    grant: &Grant,
    patient: &str,
    now: Timestamp,
) -> Result<(), ConsentError> {
    let Version { shown, practitioner, .. } = version(bridge, tx, grant.clone()).await?;
    let notice = shown.and_then(|shown| Notice::find(shown.version, shown.language));
    announce::announce_for(bridge, tx, grant, patient, notice, practitioner.as_ref(), now).await
}

/// The record of how a version of a grant was made; none for those made before there were records.
pub(super) fn made<'a>(records: &'a [ConsentRecord], grant: &Grant) -> Option<&'a ConsentRecord> {
    records.iter().find(|record| {
        record.grant == grant.id
            && record.version == grant.version
            && matches!(record.change, Change::Given | Change::Changed)
    })
}

/// Records a change, with its signed receipt.
pub(super) async fn keep(
    bridge: &Bridge,
    tx: &mut Tx,
    grant: &Grant,
    paper: Paper<'_>,
    now: Timestamp,
) -> Result<(), ConsentError> {
    let Paper { change, method, shown, practitioner } = paper;
    let key = member_key(bridge, tx, grant.member).await?;
    let mut before = tx.consent_records(grant.member).await?;
    before.retain(|record| record.grant == grant.id);
    let receipt = ReceiptId(bridge.keyring.entropy().uuid(now)?);
    let signed = sign(bridge, receipt, grant, &paper, &before, now).ok_or(ConsentError::NoReceipt)?;
    let row = receipt.0.as_bytes();
    let makes_version = matches!(change, Change::Given | Change::Changed);
    let sealed_practitioner = match practitioner.filter(|_| makes_version) {
        Some(named) => Some(key.seal(PRACTITIONER_COLUMN, row, &serde_json::to_vec(named).unwrap_or_default())?),
        None => None,
    };
    let record = ConsentRecord {
        member: grant.member,
        grant: grant.id,
        seq: before.last().map_or(1, |last| last.seq.saturating_add(1)),
        version: grant.version,
        change,
        method,
        shown: shown.cloned(),
        sealed_practitioner,
        receipt,
        sealed_receipt: key.seal(RECEIPT_COLUMN, row, signed.as_bytes())?,
        at: now,
    };
    Ok(tx.insert_consent_record(&record).await?)
}

fn sign(
    bridge: &Bridge,
    id: ReceiptId,
    grant: &Grant,
    paper: &Paper<'_>,
    before: &[ConsentRecord],
    now: Timestamp,
) -> Option<String> {
    let done = |record: &ConsentRecord| Done {
        change: record.change,
        method: record.method,
        version: record.version,
        at: record.at,
    };
    let last = Done { change: paper.change, method: paper.method, version: grant.version, at: now };
    let events: Vec<Done> = before.iter().map(done).chain([last]).collect();
    let parties = Parties {
        source: &bridge.source,
        operator: &bridge.house.operator,
        contact: &bridge.house.contact,
        clinic: bridge.house.clinic_name(&grant.clinic),
        practitioner: paper.practitioner,
    };
    let receipt = Receipt::new(id, grant, paper.shown, &parties, &events);
    bridge.signing.receipts()?.sign(&receipt)
}

/// A member's own key.
pub(super) async fn member_key(bridge: &Bridge, tx: &mut Tx, member: MemberId) -> Result<MemberKey, ConsentError> {
    let wrapped = tx.member_key(member).await?.ok_or(StoreError::Corrupt("no key of a member"))?;
    Ok(bridge.keyring.unwrap_member_key(member, &wrapped)?)
}
