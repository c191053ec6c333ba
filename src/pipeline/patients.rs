//! Whom clinics know members as.

use std::collections::HashMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::Bridge;
use super::members::readable;
use crate::domain::ids::{ClinicId, ConcernId, MemberId, ReadingId};
use crate::domain::summary::Summary;
use crate::enrolment::join::PATIENT_COLUMN;
use crate::store::{StoreError, Tx};
use crate::vault::{Index, MemberKey};

/// Whom a clinic knows a member as. Personal.
pub(crate) struct KnownPatient {
    pub(super) member: MemberId,
    /// Which clinic.
    pub clinic: ClinicId,
    /// The Patient's id there.
    pub id: String,
    lineage: Option<Index>,
}

impl KnownPatient {
    /// The members' Patients at their clinics. One that does not open is left out.
    pub(crate) async fn load(tx: &mut Tx, keys: &HashMap<MemberId, MemberKey>) -> Result<Vec<Self>, StoreError> {
        let members: Vec<MemberId> = keys.keys().copied().collect();
        let mut patients = Vec::new();
        for link in tx.links(&members).await? {
            let Some(key) = keys.get(&link.member) else { continue };
            let opened = key.open(PATIENT_COLUMN, link.clinic.as_str().as_bytes(), &link.sealed_patient);
            let id = readable(link.member, opened).and_then(|patient| String::from_utf8(patient).ok());
            let known = |id| Self { member: link.member, clinic: link.clinic, id, lineage: link.lineage };
            patients.extend(id.map(known));
        }
        Ok(patients)
    }

    /// Whom a clinic would know a member as that does not know them yet.
    pub(crate) fn stand_in(member: MemberId, clinic: ClinicId, id: &str) -> Self {
        Self { member, clinic, id: id.to_owned(), lineage: None }
    }

    /// The identifier of a reading as this Patient's: another clinic gets another one, and so does another Patient, so
    /// that whoever is linked anew never changes what was written about somebody else.
    pub(crate) fn identifier(&self, bridge: &Bridge, reading: ReadingId) -> Uuid {
        self.named(bridge, "identifier", &[self.clinic.as_str().as_bytes(), reading.0.as_bytes()])
    }

    /// The identifier of a summary as this Patient's: the same whenever the same days are summarised on the same scale.
    pub(crate) fn summary_identifier(&self, bridge: &Bridge, summary: &Summary) -> Uuid {
        let parts = [
            self.clinic.as_str(),
            &summary.member.to_string(),
            summary.category().as_str(),
            summary.detail.as_str(),
            &summary.scale_name(),
            &summary.first_day.to_string(),
        ];
        self.named(bridge, "summary", &parts.map(str::as_bytes))
    }

    /// The identifier of the page about a week as this Patient's: the same whatever it says.
    pub(crate) fn page_identifier(&self, bridge: &Bridge, first_day: Date) -> Uuid {
        let parts = [self.clinic.as_str(), &self.member.to_string(), &first_day.to_string()];
        self.named(bridge, "page", &parts.map(str::as_bytes))
    }

    /// The identifier of the warning because of a concern as this Patient's: the same however often it is decided.
    pub(crate) fn warning_identifier(&self, bridge: &Bridge, concern: ConcernId) -> Uuid {
        self.named(bridge, "warning", &[self.clinic.as_str().as_bytes(), concern.0.as_bytes()])
    }

    fn named(&self, bridge: &Bridge, domain: &'static str, parts: &[&[u8]]) -> Uuid {
        let lineage = self.lineage.as_ref().map(|lineage| &lineage[..]);
        let parts: Vec<&[u8]> = parts.iter().copied().chain(lineage).collect();
        bridge.keyring.index().uuid(domain, &parts)
    }
}

impl std::fmt::Debug for KnownPatient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownPatient({})", self.clinic)
    }
}
