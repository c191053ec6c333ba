//! What a clinic may do with a reading, and why it may not.

use jiff::Timestamp;

use super::members::Members;
use crate::consent::decide::{DenyReason, Permit};
use crate::consent::share::Share;
use crate::domain::audit::Decisions;
use crate::domain::category::Detail;
use crate::domain::ids::ClinicId;
use crate::domain::reading::Reading;

/// What a clinic may do with a reading.
#[derive(Debug)]
pub(super) enum Use<'a> {
    /// It gets the entry itself.
    Entry(Permit<'a, Reading>),
    /// It gets it on a page, and not by itself.
    Page,
    /// It gets no more than summaries of this detail, in which the entry counts.
    Summary(Detail),
}

/// Why a clinic gets nothing of a reading, from the farthest to the nearest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum NoUse {
    /// No consent covers it.
    Denied(DenyReason),
    /// It would only count in a summary of days of which nothing is kept any more.
    TooOld,
}

impl Default for NoUse {
    fn default() -> Self {
        Self::Denied(DenyReason::NoGrant)
    }
}

impl NoUse {
    /// Whether it is because of what the reading says itself, and no consent has ended or been narrowed: what was told of its
    /// entry before is then to be taken back.
    pub(super) const fn is_of_the_reading(self) -> bool {
        matches!(self, Self::Denied(DenyReason::LabelWithheld | DenyReason::BeforeDataPeriod) | Self::TooOld)
    }

    /// The word used in the API.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Denied(reason) => reason.as_str(),
            Self::TooOld => "too-old-for-a-summary",
        }
    }
}

impl Members {
    /// Why no clinic may do anything with a reading; `None` if one may. Each clinic that may not is noted among the
    /// decisions.
    pub(super) fn why_no_clinic(&self, reading: &Reading, decisions: &mut Decisions, now: Timestamp) -> Option<NoUse> {
        let mut nearest = Some(NoUse::default());
        for patient in self.clinics(reading.member) {
            let clinic = &patient.clinic;
            match self.use_of(reading, clinic, now) {
                Ok(_) => nearest = None,
                Err(reason) => {
                    decisions.deny(clinic, reading.member, reason.as_str());
                    nearest = nearest.map(|nearest| nearest.max(reason));
                }
            }
        }
        nearest
    }

    /// What a clinic may do with a reading.
    pub(super) fn use_of<'a>(
        &self,
        reading: &'a Reading,
        clinic: &'a ClinicId,
        now: Timestamp,
    ) -> Result<Use<'a>, NoUse> {
        let denied = match self.decide(reading, clinic, now) {
            Ok(permit) if self.practitioners.can_address(&permit) => {
                let category = reading.measure.category();
                if category.is_weekly_only() {
                    return self.in_summary(reading, Detail::WeeklySummary, now);
                }
                return Ok(if category.is_for_pages() { Use::Page } else { Use::Entry(permit) });
            }
            Ok(_) => return Err(NoUse::Denied(DenyReason::RecipientNotNamed)),
            Err(denied) => denied,
        };
        if !denied.reasons().any(|reason| reason == DenyReason::SummaryOnly) {
            return Err(NoUse::Denied(denied.foremost()));
        }
        let share = Share::of(reading);
        let permit = self.decide(&share, clinic, now).map_err(|denied| NoUse::Denied(denied.foremost()))?;
        if !self.practitioners.can_address(&permit) {
            return Err(NoUse::Denied(DenyReason::RecipientNotNamed));
        }
        self.in_summary(reading, permit.detail(), now)
    }

    /// It counts in a summary, if what the summary is made of is still kept.
    fn in_summary<'a>(&self, reading: &Reading, detail: Detail, now: Timestamp) -> Result<Use<'a>, NoUse> {
        let period = self.days(reading.member).period_of(detail, reading.moment.at);
        if period.start < self.rules.kept_from(now) {
            return Err(NoUse::TooOld);
        }
        Ok(Use::Summary(detail))
    }
}
