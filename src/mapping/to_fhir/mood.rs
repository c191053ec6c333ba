//! Mood → Observation.
//!
//! LOINC has no single-item mood rating, so the rating has the bridge's own code, and the bounds of its scale travel in
//! components (not in `referenceRange`, which an EHR shows as normal values). Where the source measures valence, the
//! codes of the Personal Health Record Format IG's State of Mind stand beside it; its ballot profile is not claimed,
//! because it demands labels and associations that nobody asked the member for.

use fhir_codec::resources::{ObservationComponent, ObservationComponentValue, ObservationValue};
use fhir_codec::{BuilderError, Decimals};

use super::codes::{MOSTIK, PHR_OBSERVATION, PHR_STATE_OF_MIND, PHR_STATE_OF_MIND_KIND, PHR_STATE_OF_MIND_VALENCE};
use super::element::{coded, coding, component, component_as, concept, own_component, quantity, score};
use super::envelope::Body;
use crate::domain::decimal::Decimal;
use crate::domain::reading::{Mood, StateOfMind, StateOfMindKind, ValenceClassification};

/// The part of the Observation that is about the mood.
pub fn body(mood: &Mood, decimals: &mut Decimals) -> Result<Body, BuilderError> {
    let mut components = Vec::new();
    let mut value = None;
    if let Some(rating) = &mood.rating {
        value = Some(ObservationValue::Quantity(score(decimals.token(rating.value.as_str()))?));
        components.extend(bounds(&rating.worst, &rating.best, decimals)?);
    }
    if let Some(word) = &mood.label {
        components.push(own_component(
            "mood-word",
            "The source's own word for the mood",
            ObservationComponentValue::String(word.clone()),
        )?);
    }
    if let Some(state) = &mood.state_of_mind {
        components.extend(state_of_mind(state, decimals)?);
    }
    // One code, because the codings of a concept mean the same: whoever looks for a state of mind must not find a
    // rating as its value.
    let code = match &mood.rating {
        Some(_) => coding(MOSTIK, "mood-rating", Some("Mood self-rating"))?,
        None => coding(PHR_OBSERVATION, "stateOfMind", None)?,
    };
    Ok(Body::survey(concept(vec![code], Some("Mood, self-rated"))?, value, components))
}

/// Between what a valence stands.
pub const VALENCE: &str = "-1 is very unpleasant, 1 very pleasant";

/// The bounds of a scale.
pub fn bounds(
    worst: &Decimal,
    best: &Decimal,
    decimals: &mut Decimals,
) -> Result<[ObservationComponent; 2], BuilderError> {
    let mut bound = |code, display, number: &str| {
        own_component(code, display, ObservationComponentValue::Quantity(score(decimals.token(number))?))
    };
    Ok([
        bound("scale-worst", "Worst value of the scale", worst.as_str())?,
        bound("scale-best", "Best value of the scale", best.as_str())?,
    ])
}

fn state_of_mind(state: &StateOfMind, decimals: &mut Decimals) -> Result<Vec<ObservationComponent>, BuilderError> {
    let part = |code| coding(PHR_STATE_OF_MIND, code, None);
    let valence = quantity(decimals.token(state.valence.as_str()), "1")?;
    let mut components = vec![
        component(part("kind")?, coded(PHR_STATE_OF_MIND_KIND, kind_code(state.kind))?)?,
        component_as(part("valence")?, &format!("Valence ({VALENCE})"), ObservationComponentValue::Quantity(valence))?,
    ];
    if let Some(class) = state.classification {
        let class = coded(PHR_STATE_OF_MIND_VALENCE, classification_code(class))?;
        components.push(component(part("valenceClassification")?, class)?);
    }
    Ok(components)
}

/// The code of a kind of state of mind.
pub const fn kind_code(kind: StateOfMindKind) -> &'static str {
    match kind {
        StateOfMindKind::DailyMood => "dailyMood",
        StateOfMindKind::MomentaryEmotion => "momentaryEmotion",
    }
}

const fn classification_code(class: ValenceClassification) -> &'static str {
    match class {
        ValenceClassification::VeryUnpleasant => "veryUnpleasant",
        ValenceClassification::Unpleasant => "unpleasant",
        ValenceClassification::SlightlyUnpleasant => "slightlyUnpleasant",
        ValenceClassification::Neutral => "neutral",
        ValenceClassification::SlightlyPleasant => "slightlyPleasant",
        ValenceClassification::Pleasant => "pleasant",
        ValenceClassification::VeryPleasant => "veryPleasant",
    }
}
