//! Why an item may not go.

use std::collections::BTreeSet;
use std::fmt;

/// Why an item may not go, from the farthest to the nearest to a permit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DenyReason {
    /// No policy lets it go without consent.
    NoPolicy,
    /// A person decided that it goes without consent, and that is too long ago.
    DecisionTooOld,
    /// The member has given this clinic no consent at all.
    NoGrant,
    /// The consent was taken back or replaced.
    Ended,
    /// The consent's time is over.
    Expired,
    /// The consent is not yet in force.
    NotYetValid,
    /// The consent does not cover this direction.
    DirectionNotGranted,
    /// The consent does not name this purpose.
    PurposeNotGranted,
    /// The consent names one practitioner, and this is not certainly for them.
    RecipientNotNamed,
    /// The consent does not name this category.
    CategoryNotShared,
    /// The consent covers summaries of this category, and this is finer.
    SummaryOnly,
    /// It carries a sensitivity label that the member withholds.
    LabelWithheld,
    /// The item is older than what the consent covers.
    BeforeDataPeriod,
    /// Everything is covered, but the member set the consent aside for a while.
    Paused,
}

impl DenyReason {
    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoPolicy => "no-policy",
            Self::DecisionTooOld => "decision-too-old",
            Self::NoGrant => "no-grant",
            Self::Ended => "consent-ended",
            Self::Paused => "consent-paused",
            Self::NotYetValid => "consent-not-yet-valid",
            Self::Expired => "consent-expired",
            Self::DirectionNotGranted => "direction-not-granted",
            Self::PurposeNotGranted => "purpose-not-granted",
            Self::RecipientNotNamed => "recipient-not-named",
            Self::CategoryNotShared => "category-not-shared",
            Self::SummaryOnly => "summary-only",
            Self::LabelWithheld => "label-withheld",
            Self::BeforeDataPeriod => "before-data-period",
        }
    }
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No grant covers the item; every reason found, in a fixed order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied {
    reasons: BTreeSet<DenyReason>,
}

impl Denied {
    /// For these reasons; for want of any grant, if there are none.
    pub(super) fn for_reasons(reasons: BTreeSet<DenyReason>) -> Self {
        Self { reasons: if reasons.is_empty() { BTreeSet::from([DenyReason::NoGrant]) } else { reasons } }
    }

    /// Every reason found.
    pub fn reasons(&self) -> impl Iterator<Item = DenyReason> + '_ {
        self.reasons.iter().copied()
    }

    /// The reason closest to a permit: the one to show when only one can be shown.
    #[must_use]
    pub fn foremost(&self) -> DenyReason {
        self.reasons.last().copied().unwrap_or(DenyReason::NoGrant)
    }
}
