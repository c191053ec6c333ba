//! All desks of a process.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::desk::{Desk, Parts, WorkError};
use super::ehr::EhrClient;
use super::form::Forms;
use crate::domain::ids::ClinicId;
use crate::domain::warning::WarningPolicy;

/// From what desks are made. Cheap to clone: each clone makes desks of its own, which share nothing but the EHRs'
/// clients and the database.
#[derive(Clone, Debug)]
pub struct Desks {
    /// What all of them share.
    pub parts: Parts,
    /// The clinics, each with its EHR and the forms it takes.
    pub clinics: Arc<BTreeMap<ClinicId, Counterpart>>,
}

/// The other side of a desk.
#[derive(Clone, Debug)]
pub struct Counterpart {
    /// The clinic's EHR.
    pub ehr: Arc<EhrClient>,
    /// The forms it takes.
    pub forms: Arc<Forms>,
    /// Under what it may be warned without consent.
    pub warnings: Option<Arc<WarningPolicy>>,
}

impl Desks {
    /// A desk for each clinic.
    #[must_use]
    pub fn open(&self) -> Vec<Desk> {
        let desk =
            |(clinic, other): (&ClinicId, &Counterpart)| Desk::new(self.parts.clone(), clinic.clone(), other.clone());
        self.clinics.iter().map(desk).collect()
    }

    /// Works at every desk until nothing is due any more.
    ///
    /// # Errors
    /// [`WorkError`] of the first desk that failed.
    pub async fn drain(&self) -> Result<(), WorkError> {
        for mut desk in self.open() {
            desk.drain().await?;
        }
        Ok(())
    }
}
