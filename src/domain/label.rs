//! Sensitivity labels: what a fact would tell about its member beside what it says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sensitivity label, by its code in HL7 v3 `ActCode`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
pub enum Label {
    /// About a psychiatric disorder.
    #[serde(rename = "PSY")]
    Psychiatry,
    /// A psychotherapy note.
    #[serde(rename = "PSYTHPN")]
    PsychotherapyNote,
    /// About a disorder of substance use.
    #[serde(rename = "SUD")]
    SubstanceUseDisorder,
    /// About the use of alcohol or drugs.
    #[serde(rename = "ETH")]
    SubstanceUse,
    /// About HIV or AIDS.
    #[serde(rename = "HIV")]
    Hiv,
    /// About sexuality and reproductive health.
    #[serde(rename = "SEX")]
    Sexuality,
    /// About sexual assault, abuse or domestic violence.
    #[serde(rename = "SDV")]
    Violence,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 7] = [
        Self::Psychiatry,
        Self::PsychotherapyNote,
        Self::SubstanceUseDisorder,
        Self::SubstanceUse,
        Self::Hiv,
        Self::Sexuality,
        Self::Violence,
    ];

    /// The code, as used in FHIR, the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Psychiatry => "PSY",
            Self::PsychotherapyNote => "PSYTHPN",
            Self::SubstanceUseDisorder => "SUD",
            Self::SubstanceUse => "ETH",
            Self::Hiv => "HIV",
            Self::Sexuality => "SEX",
            Self::Violence => "SDV",
        }
    }

    /// The label with this code, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == name)
    }
}
