//! `Task`: something to do, with what it asks to do (R4, task.html).

use serde_json::Value;

use super::field::{concept, is_not_to_be_done, items, name, period, text_at, when};
use super::{Common, NoAdvice, focus_of, text};
use crate::domain::advice::{Advice, Standing};
use crate::domain::questionnaire::Instrument;
use crate::domain::recommendation::{RecommendationKind, When};

/// Where LOINC's own Questionnaires have their addresses (LOINC FHIR server, Questionnaire).
const LOINC_FORM: &str = "http://loinc.org/q/";

/// Reads a Task that is for its patient to do: one that somebody at the clinic owns is none of theirs.
pub fn read(common: &Common<'_>, focus: Option<&Value>) -> Result<Advice, NoAdvice> {
    let task = common.resource;
    let patient = common.patient("/for/reference")?;
    let is_theirs = task.get("owner").is_some_and(|owner| common.names(owner, patient));
    let is_ours = common.ear.owner.is_some() && text_at(task, "/owner/reference") == common.ear.owner;
    if !is_theirs && !is_ours {
        return Err(NoAdvice::NotForThem);
    }
    let mut says = common.says();
    says.questionnaire = questionnaire(task, focus);
    says.text = text::paragraphs([
        text_at(task, "/description").map(text::tidy),
        focus.map(of_focus),
        concept(task, "/code").filter(|_| text_at(task, "/description").is_none()),
    ]);
    says.by = name(task, "/requester").or_else(|| focus.and_then(|focus| name(focus, "/requester")));
    says.authored = when(task, "/authoredOn");
    (says.from, says.until) = dates(task, focus);
    match focus.map_or(Some(false), |focus| is_not_to_be_done(focus, "/doNotPerform")) {
        Some(is_not) => says.is_not_to_be_done = is_not,
        None => says.is_unclear = true,
    }
    says.is_actionable = !says.is_not_to_be_done;
    let asks = says.questionnaire.is_some() || names_questionnaire(task);
    let kind = if asks { RecommendationKind::Questionnaire } else { RecommendationKind::Task };
    let mut advice = common.advice(kind, standing(task), patient, says);
    advice.focus = focus_of(task, common.ear.base);
    Ok(advice)
}

/// How it stands (R4, task-status).
fn standing(task: &Value) -> Option<Standing> {
    Some(match text_at(task, "/status")? {
        "requested" | "received" | "accepted" | "ready" | "in-progress" => Standing::Open,
        "completed" => Standing::Done,
        "rejected" => Standing::Declined,
        "draft" | "on-hold" | "cancelled" | "failed" | "entered-in-error" => Standing::Withdrawn,
        _ => return None,
    })
}

/// What stands in the resource that it asks to do.
fn of_focus(focus: &Value) -> String {
    text::paragraphs([
        text_at(focus, "/title").map(text::tidy),
        text_at(focus, "/description").map(text::tidy),
        concept(focus, "/code"),
        text_at(focus, "/patientInstruction").map(text::tidy),
        Some(text::of_payloads(focus)),
    ])
}

/// From when on, and until when.
fn dates(task: &Value, focus: Option<&Value>) -> (Option<When>, Option<When>) {
    let of = |stem: &str| (when(task, &format!("{stem}/start")), when(task, &format!("{stem}/end")));
    let own = [of("/restriction/period"), of("/executionPeriod")];
    let of_focus = focus.map_or((None, None), |focus| period(focus, "occurrence"));
    own.into_iter().chain([of_focus]).find(|dates| *dates != (None, None)).unwrap_or_default()
}

/// Whether it is about a Questionnaire: as its focus, or as an input (SDC 4.0, Task for a questionnaire).
fn names_questionnaire(task: &Value) -> bool {
    text_at(task, "/focus/reference").is_some_and(|text| text.contains("Questionnaire/"))
        || inputs(task).next().is_some()
}

fn inputs(task: &Value) -> impl Iterator<Item = &str> {
    let canonical = |input| text_at(input, "/valueCanonical").or_else(|| text_at(input, "/valueReference/reference"));
    items(task, "/input").iter().filter_map(canonical).filter(|text| text.contains("Questionnaire/"))
}

/// The questionnaire that it asks for, if the bridge has it: by its canonical address, or by LOINC.
fn questionnaire(task: &Value, focus: Option<&Value>) -> Option<Instrument> {
    let of_focus = focus.into_iter().filter_map(|focus| text_at(focus, "/url"));
    let named = inputs(task).chain(of_focus).find_map(by_canonical);
    let codes = focus.map_or(&[][..], |focus| items(focus, "/code"));
    named.or_else(|| codes.iter().filter_map(|coding| text_at(coding, "/code")).find_map(by_loinc))
}

fn by_canonical(url: &str) -> Option<Instrument> {
    let url = url.split('|').next()?;
    let own = Instrument::ALL.into_iter().find(|instrument| instrument.url() == url);
    own.or_else(|| by_loinc(url.strip_prefix(LOINC_FORM)?))
}

fn by_loinc(code: &str) -> Option<Instrument> {
    Instrument::ALL.into_iter().find(|instrument| instrument.panel().0 == code)
}
