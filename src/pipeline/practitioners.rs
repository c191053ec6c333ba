//! The practitioners whom grants are for, opened.

use std::collections::HashMap;

use crate::consent::decide::Permit;
use crate::domain::consented::Practitioner;
use crate::domain::grant::{Addressee, Grant};
use crate::domain::ids::{GrantId, MemberId};
use crate::store::{ConsentRecord, StoreError, Tx};
use crate::vault::MemberKey;

/// The column a practitioner is sealed for; its row is the receipt's id.
pub const PRACTITIONER_COLUMN: &str = "consent_records.sealed_practitioner";

/// The practitioners whom versions of grants are for.
#[derive(Debug, Default)]
pub(crate) struct Practitioners(HashMap<(GrantId, i32), Practitioner>);

impl Practitioners {
    /// Opens those whom these grants name. For one that does not open nothing goes.
    pub(crate) async fn load(
        tx: &mut Tx,
        grants: &[Grant],
        keys: &HashMap<MemberId, MemberKey>,
    ) -> Result<Self, StoreError> {
        let named = grants.iter().filter(|grant| grant.terms.recipient != Addressee::Clinic);
        let members: Vec<MemberId> = named.map(|grant| grant.member).collect();
        let records = tx.practitioner_records(&members).await?;
        let opened = records
            .iter()
            .filter_map(|record| Some(((record.grant, record.version), open(record, keys.get(&record.member)?)?)));
        Ok(Self(opened.collect()))
    }

    /// The one whom something is to be addressed to.
    pub(crate) fn of<T>(&self, permit: &Permit<'_, T>) -> Option<&Practitioner> {
        self.0.get(&permit.grant()?)
    }

    /// Whether what is permitted can be addressed as it must be.
    pub(crate) fn can_address<T>(&self, permit: &Permit<'_, T>) -> bool {
        permit.obliges().addressee == Addressee::Clinic || self.of(permit).is_some()
    }
}

/// The practitioner of a record, if there is one and it opens.
pub(super) fn open(record: &ConsentRecord, key: &MemberKey) -> Option<Practitioner> {
    let sealed = record.sealed_practitioner.as_ref()?;
    let plain = key.open(PRACTITIONER_COLUMN, record.receipt.0.as_bytes(), sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}
