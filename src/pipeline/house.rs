//! What an installation says of itself, and of its clinics, where people read it.

use std::collections::BTreeMap;

use crate::domain::consented::Practitioner;
use crate::domain::ids::ClinicId;
use crate::domain::questionnaire::{Instrument, Rhythm};

/// Who runs this installation, and for which clinics.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct House {
    /// Who runs it.
    pub operator: String,
    /// How to reach them; empty if nobody said.
    pub contact: String,
    /// The clinics.
    pub clinics: BTreeMap<ClinicId, Counterpart>,
}

/// A clinic, as people know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counterpart {
    /// Its name.
    pub name: String,
    /// Whether it is told how consents stand.
    pub hears_of_consent: bool,
    /// Those of its practitioners to whom a member can address what they share, in the order of their names.
    pub practitioners: Vec<Practitioner>,
    /// Which questionnaires it asks its patients for, and how often.
    pub asks_for: BTreeMap<Instrument, Rhythm>,
}

impl House {
    /// What a clinic is called: at least by its name in the configuration.
    #[must_use]
    pub fn clinic_name<'a>(&'a self, clinic: &'a ClinicId) -> &'a str {
        self.clinics.get(clinic).map_or(clinic.as_str(), |clinic| clinic.name.as_str())
    }

    /// Those of a clinic's practitioners to whom a member can address what they share.
    #[must_use]
    pub fn practitioners(&self, clinic: &ClinicId) -> &[Practitioner] {
        self.clinics.get(clinic).map_or(&[][..], |clinic| clinic.practitioners.as_slice())
    }
}
