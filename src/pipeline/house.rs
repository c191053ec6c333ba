//! What an installation says of itself, and of its clinics, where people read it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use url::Url;

use super::visits::SetUp;
use crate::domain::concern::Risk;
use crate::domain::consented::Practitioner;
use crate::domain::helpline::Words;
use crate::domain::ids::{ClinicId, CommunityId, VisitTypeId};
use crate::domain::page::{PageRules, PageWhen};
use crate::domain::questionnaire::{Instrument, Rhythm};
use crate::domain::rules::Rules;
use crate::domain::telling::Grade;
use crate::domain::warning::WarningPolicy;

/// Who runs this installation, and for which clinics.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct House {
    /// Who runs it.
    pub operator: String,
    /// How to reach them; empty if nobody said.
    pub contact: String,
    /// The clinics.
    pub clinics: BTreeMap<ClinicId, Counterpart>,
    /// The communities whose people are told when a member's answers want a human's eye.
    pub watched: BTreeMap<CommunityId, Watch>,
    /// The most that may be said to their members, where each has its way to them, of what clinics write.
    pub most: BTreeMap<CommunityId, Grade>,
    /// The rules of those that have some.
    pub rules: BTreeMap<CommunityId, Rules>,
}

/// Whom a community has for its members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watch {
    /// How long the first of them have to acknowledge it.
    pub escalate_after: SignedDuration,
    /// Whether they are told of phrases that may mean danger.
    pub phrases: bool,
    /// From which risk on they are told of what a C-SSRS screener found.
    pub c_ssrs: Risk,
    /// The names of those who may decide that a clinic is told without consent.
    pub deciders: Vec<String>,
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
    /// What it wants of one-page summaries; `None`: it gets none.
    pub pages: Option<PageRules>,
    /// Under what it may be warned without consent; `None`: it never is.
    pub warnings: Option<WarningPolicy>,
    /// The number of its telephone.
    pub phone: Option<String>,
    /// Where it always holds its remote visits, if its Appointments are to say so.
    pub room: Option<Url>,
    /// What kinds of visits it offers, as its operator set them up.
    pub visits: SetUp,
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

    /// What a clinic wants of one-page summaries, if it gets any.
    #[must_use]
    pub fn pages(&self, clinic: &ClinicId) -> Option<PageRules> {
        self.clinics.get(clinic)?.pages
    }

    /// Whether a clinic gets a page whenever a week is over.
    #[must_use]
    pub fn has_weekly_pages(&self, clinic: &ClinicId) -> bool {
        self.pages(clinic).is_some_and(|rules| rules.page == PageWhen::Weekly)
    }

    /// The number of a clinic's telephone, if its operator says one.
    #[must_use]
    pub fn phone(&self, clinic: &ClinicId) -> Option<&str> {
        self.clinics.get(clinic)?.phone.as_deref()
    }

    /// Where a clinic always holds its remote visits, if its Appointments are to say so.
    #[must_use]
    pub fn room(&self, clinic: &ClinicId) -> Option<&Url> {
        self.clinics.get(clinic)?.room.as_ref()
    }

    /// What members know a kind of visit as, whether it is offered at present or not.
    #[must_use]
    pub fn visit_title(&self, clinic: &ClinicId, id: &VisitTypeId) -> Option<&Words> {
        self.clinics.get(clinic)?.visits.title(id)
    }

    /// Whether any clinic offers visits.
    #[must_use]
    pub fn has_visits(&self) -> bool {
        self.clinics.values().any(|clinic| !clinic.visits.is_empty())
    }

    /// Whether any clinic asks its patients for a questionnaire.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.clinics.values().any(|clinic| !clinic.asks_for.is_empty())
    }

    /// Whether any clinic gets pages.
    #[must_use]
    pub fn has_pages(&self) -> bool {
        self.clinics.values().any(|clinic| clinic.pages.is_some())
    }
}
