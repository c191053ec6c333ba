//! Whether a policy lets a warning go, and what it then obliges to.

use jiff::Timestamp;

use super::covers::Obligations;
use super::denied::DenyReason;
use crate::domain::category::{Category, Detail};
use crate::domain::grant::{Addressee, WayBack};
use crate::domain::matter::Matter;
use crate::domain::warning::{GOOD_FOR, WarningPolicy};

/// What a warning obliges to that this policy lets go.
pub(super) fn allowed(
    policy: Option<&WarningPolicy>,
    matter: &Matter,
    now: Timestamp,
) -> Result<Obligations, DenyReason> {
    let (Some(policy), Matter::Warning(decided)) = (policy, matter) else { return Err(DenyReason::NoPolicy) };
    if policy.purpose != decided.purpose {
        return Err(DenyReason::NoPolicy);
    }
    if now.duration_since(decided.at) >= GOOD_FOR {
        return Err(DenyReason::DecisionTooOld);
    }
    Ok(Obligations {
        aggregate_to: Detail::WeeklySummary,
        strip_note: true,
        // It tells of an answer in a questionnaire.
        labels: Category::Questionnaires.labels().iter().copied().collect(),
        addressee: Addressee::Clinic,
        way_back: WayBack::None,
    })
}
