//! Summary of a day or a week → Observation: each figure is a component, under FHIR's own codes of statistics where there
//! are any. There is no value: whoever looks for a mood must not find a mean. No word of the member's is in it, except tags,
//! which are what is counted. Where devices vouch for each of its entries, they vouch for the figures.

use fhir_codec::resources::{ObservationComponent, ObservationComponentValue};
use fhir_codec::types::Coding;
use fhir_codec::{BuilderError, Decimals};

use super::activity;
use super::codes::{MOSTIK, MOSTIK_ACTIVITY, PHR_STATE_OF_MIND, PHR_STATE_OF_MIND_KIND, STATISTICS};
use super::element::{coded, coding, component, component_as, concept, own_component, quantity};
use super::envelope::{Body, Filed};
use super::measurement;
use super::mood::{VALENCE, bounds, kind_code};
use crate::domain::category::{Category, Detail};
use crate::domain::statistics::Spread;
use crate::domain::summary::{Figures, Scale, Summary, TagCount};

/// The unit of a number of entries (a UCUM annotation).
const ENTRIES: &str = "{entries}";

/// The part of the Observation that is about the figures.
pub fn body(summary: &Summary, decimals: &mut Decimals) -> Result<Body, BuilderError> {
    let period = match summary.detail {
        Detail::WeeklySummary => "a week",
        Detail::DailySummary | Detail::EveryEntry => "a day",
    };
    let (code, what, figures) = match &summary.figures {
        Figures::Numbers(scale @ Scale::Rating { .. }, spread) => {
            let code = coding(MOSTIK, "mood-rating-summary", Some("Mood self-ratings, summarised"))?;
            (code, "Mood, self-rated", numbers(scale, spread, decimals)?)
        }
        Figures::Numbers(scale @ Scale::Valence(_), spread) => {
            let code = coding(MOSTIK, "state-of-mind-summary", Some("States of mind, summarised"))?;
            (code, "State of mind, self-rated", numbers(scale, spread, decimals)?)
        }
        Figures::Numbers(scale @ Scale::Measured(of), spread) => {
            let words = measurement::words(*of);
            let code = coding(MOSTIK, &format!("{}-summary", of.as_str()), Some(&format!("{words}, summarised")))?;
            (code, words, numbers(scale, spread, decimals)?)
        }
        Figures::Numbers(scale @ Scale::Score(instrument), spread) => {
            let code = format!("{}-total-summary", instrument.as_str());
            let code = coding(MOSTIK, &code, Some(&format!("{} totals, summarised", instrument.title())))?;
            (code, instrument.total_words(), numbers(scale, spread, decimals)?)
        }
        Figures::Tags { counts, left_out } => {
            let code = coding(MOSTIK, "diary-tags-summary", Some("Diary tags, counted"))?;
            (code, "Diary tags, chosen by the patient", tags(counts, *left_out, decimals)?)
        }
        Figures::Activity(counts) => {
            let display = "Activity in a peer community, counted";
            let code = coding(MOSTIK_ACTIVITY, "community-activity-summary", Some(display))?;
            (code, "Activity in the peer community", activity::components(counts, decimals)?)
        }
    };
    let days = count(coding(MOSTIK, "days", Some("Days"))?, summary.days, "d", decimals)?;
    let missing = || coding(MOSTIK, "days-missing", Some("Days without an entry"));
    let mut components = match summary.figures {
        // It says itself on how many days somebody was there: what others did is no entry of theirs.
        Figures::Activity(_) => vec![days],
        Figures::Numbers(..) | Figures::Tags { .. } => vec![
            count(coding(STATISTICS, "count", Some("Count"))?, summary.entries, ENTRIES, decimals)?,
            days,
            count(missing()?, summary.days_missing, "d", decimals)?,
        ],
    };
    components.extend(figures);
    let text = format!("{what}: summary of {period}");
    let filed = match summary.category() {
        Category::Heart => Filed::VITAL_SIGN,
        Category::Sleep | Category::Activity => Filed::ACTIVITY,
        Category::Community => Filed::COUNTED,
        Category::Mood | Category::Note | Category::Tags | Category::Questionnaires | Category::Agenda => Filed::SURVEY,
    };
    let filed = Filed { by_device: filed.by_device || summary.by_device, ..filed };
    Ok(Body { code: concept(vec![code], Some(&text))?, value: None, components, filed, device: None })
}

fn numbers(scale: &Scale, spread: &Spread, decimals: &mut Decimals) -> Result<Vec<ObservationComponent>, BuilderError> {
    let unit = match scale {
        Scale::Rating { .. } | Scale::Score(_) => "{score}",
        Scale::Valence(_) => "1",
        Scale::Measured(of) => of.unit(),
    };
    let Spread { mean, least, most } = spread;
    let figures = [
        ("average", "Average", mean.as_ref()),
        ("minimum", "Minimum", Some(least)),
        ("maximum", "Maximum", Some(most)),
    ];
    let mut components = Vec::new();
    for (code, display, number) in figures {
        let Some(number) = number else { continue };
        let value = ObservationComponentValue::Quantity(quantity(decimals.token(number.as_str()), unit)?);
        let code = coding(STATISTICS, code, Some(display))?;
        components.push(match of_what(scale) {
            Some(of) => component_as(code, &format!("{display} {of}"), value)?,
            None => component(code, value)?,
        });
    }
    match scale {
        Scale::Rating { worst, best } => components.extend(bounds(worst, best, decimals)?),
        Scale::Valence(kind) => {
            let kind = coded(PHR_STATE_OF_MIND_KIND, kind_code(*kind))?;
            components.push(component(coding(PHR_STATE_OF_MIND, "kind", None)?, kind)?);
        }
        Scale::Measured(_) | Scale::Score(_) => {}
    }
    Ok(components)
}

/// Of what a figure is one, where neither its name nor another component says it.
fn of_what(scale: &Scale) -> Option<String> {
    match scale {
        // Beside the number of entries, a mean would be read as theirs.
        Scale::Measured(of) if of.adds_up() => Some("per day with an entry".to_owned()),
        Scale::Valence(_) => Some(format!("({VALENCE})")),
        Scale::Rating { .. } | Scale::Measured(_) | Scale::Score(_) => None,
    }
}

fn tags(
    counts: &[TagCount],
    left_out: u32,
    decimals: &mut Decimals,
) -> Result<Vec<ObservationComponent>, BuilderError> {
    let mut components = Vec::with_capacity(counts.len() + 1);
    for TagCount { tag, entries } in counts {
        let code = coding(MOSTIK, "diary-tag-count", Some("Entries with this tag"))?;
        let value = ObservationComponentValue::Quantity(quantity(decimals.token(&entries.to_string()), ENTRIES)?);
        components.push(component_as(code, tag, value)?);
    }
    if left_out > 0 {
        let value = quantity(decimals.token(&left_out.to_string()), "{tags}")?;
        let value = ObservationComponentValue::Quantity(value);
        components.push(own_component("diary-tags-left-out", "Rarer tags that are not listed", value)?);
    }
    Ok(components)
}

fn count(code: Coding, number: u32, unit: &str, decimals: &mut Decimals) -> Result<ObservationComponent, BuilderError> {
    component(code, ObservationComponentValue::Quantity(quantity(decimals.token(&number.to_string()), unit)?))
}
