//! `CarePlan`: each activity that speaks to the patient (R4, careplan.html). An activity that stands in a resource of its own
//! is read there.

use serde_json::Value;

use super::field::{concept, is_not_to_be_done, items, name, period, text_at, when};
use super::{Common, NoAdvice, text};
use crate::domain::advice::{Advice, Standing};
use crate::domain::recommendation::{RecommendationKind, Source};

/// The most activities of a plan that are read.
const MOST: usize = 200;

/// Reads the activities of a plan.
pub fn read(common: &Common<'_>) -> Result<Vec<Advice>, NoAdvice> {
    let patient = common.patient("/subject/reference")?;
    let of_plan = standing(common.resource);
    let activities = items(common.resource, "/activity").iter().take(MOST);
    let read = activities.filter_map(|activity| one(common, activity, patient, of_plan)).collect::<Vec<Advice>>();
    Ok(read)
}

fn one(common: &Common<'_>, activity: &Value, patient: &str, of_plan: Option<Standing>) -> Option<Advice> {
    let detail = activity.get("detail")?;
    let performers = items(detail, "/performer");
    let is_theirs = detail.get("performer").is_some_and(|list| common.names(list, patient));
    if !is_theirs && !performers.is_empty() {
        return None;
    }
    let said = text::paragraphs([concept(detail, "/code"), text_at(detail, "/description").map(text::tidy)]);
    let mut says = common.says();
    says.source = Source { part: Some(part_of(activity, &said)), ..common.source.clone() };
    says.by = name(common.resource, "/author");
    says.authored = when(common.resource, "/created");
    (says.from, says.until) = period(detail, "scheduled");
    match is_not_to_be_done(detail, "/doNotPerform") {
        Some(is_not) => says.is_not_to_be_done = is_not,
        None => says.is_unclear = true,
    }
    says.is_actionable = is_theirs && !says.is_not_to_be_done;
    // The narrative is the plan's, not the activity's.
    says.is_unclear |= said.is_empty();
    says.text = said;
    let standing = match (of_plan, of_activity(detail)) {
        (Some(Standing::Open), own) => own,
        (of_plan, _) => of_plan,
    };
    Some(common.advice(RecommendationKind::CarePlanActivity, standing, patient, says))
}

/// What tells an activity apart from others of its plan: its own id, or what it says. Not its place, which others take
/// when one is deleted.
fn part_of(activity: &Value, said: &str) -> String {
    text_at(activity, "/id").or_else(|| text_at(activity, "/detail/id")).map_or_else(|| said.to_owned(), str::to_owned)
}

/// How a plan stands (R4, request-status and care-plan-intent).
fn standing(plan: &Value) -> Option<Standing> {
    Some(match text_at(plan, "/status")? {
        "active" if text_at(plan, "/intent") == Some("option") => Standing::Withdrawn,
        "active" => Standing::Open,
        "completed" => Standing::Done,
        "draft" | "on-hold" | "revoked" | "entered-in-error" => Standing::Withdrawn,
        _ => return None,
    })
}

/// How an activity stands (R4, care-plan-activity-status).
fn of_activity(detail: &Value) -> Option<Standing> {
    Some(match text_at(detail, "/status")? {
        "not-started" | "scheduled" | "in-progress" => Standing::Open,
        "completed" => Standing::Done,
        "on-hold" | "cancelled" | "stopped" | "entered-in-error" => Standing::Withdrawn,
        _ => return None,
    })
}
