//! Measurement → Observation: a number under LOINC's code, or the bridge's own where LOINC has none.
//!
//! RMSSD never goes under the code of SDNN: it is another number. Sleep is filed under `activity`, as most guides do;
//! what the heart does is a vital sign.

use fhir_codec::resources::ObservationValue;
use fhir_codec::types::{CodeableConcept, Coding};
use fhir_codec::{BuilderError, Decimals};

use super::codes::{HEART_RATE, LOINC, MOSTIK};
use super::element::{coding, concept, quantity};
use super::envelope::{Body, Filed};
use crate::domain::category::Category;
use crate::domain::measurement::{Measured, Measurement, Modality};

/// The part of the Observation that is about the number.
pub fn body(measurement: &Measurement, decimals: &mut Decimals) -> Result<Body, BuilderError> {
    let Measurement { of, value, modality, device, start } = measurement;
    // Of what was measured over a time, vs-1 as R4 has it holds nothing: whoever checks it would refuse a period.
    let is_heart_rate = *of == Measured::HeartRate && start.is_none();
    let filed = match of.category() {
        Category::Heart => Filed::VITAL_SIGN,
        _ => Filed::ACTIVITY,
    };
    Ok(Body {
        code: code(*of)?,
        value: Some(ObservationValue::Quantity(quantity(decimals.token(value.as_str()), of.unit())?)),
        components: Vec::new(),
        filed: Filed {
            profile: is_heart_rate.then_some(HEART_RATE),
            by_device: *modality == Modality::Sensed,
            ..filed
        },
        device: device.clone(),
    })
}

/// What was measured.
fn code(of: Measured) -> Result<CodeableConcept, BuilderError> {
    concept(vec![own_or_public(of)?], Some(words(of)))
}

fn own_or_public(of: Measured) -> Result<Coding, BuilderError> {
    let (number, display) = match of {
        Measured::SleepDuration => ("93832-4", Some("Sleep duration")),
        Measured::DeepSleep => ("93831-6", None),
        Measured::LightSleep => ("93830-8", None),
        Measured::RemSleep => ("93829-0", None),
        Measured::TimeInBed => ("103213-5", None),
        Measured::Awakenings => ("103211-9", None),
        Measured::Steps => ("55423-8", None),
        Measured::ExerciseDuration => ("55411-3", Some("Exercise duration")),
        Measured::HeartRate => ("8867-4", Some("Heart rate")),
        Measured::RestingHeartRate => ("40443-4", None),
        Measured::HrvSdnn => ("80404-7", None),
        Measured::MindfulSession | Measured::HrvRmssd => return coding(MOSTIK, of.as_str(), Some(words(of))),
    };
    coding(LOINC, number, display)
}

/// What was measured, for people who read the record.
pub const fn words(of: Measured) -> &'static str {
    match of {
        Measured::SleepDuration => "Sleep duration",
        Measured::DeepSleep => "Deep sleep duration",
        Measured::LightSleep => "Light sleep duration",
        Measured::RemSleep => "REM sleep duration",
        Measured::TimeInBed => "Time in bed",
        Measured::Awakenings => "Awakenings",
        Measured::Steps => "Steps",
        Measured::ExerciseDuration => "Exercise duration",
        Measured::MindfulSession => "Mindful session",
        Measured::HeartRate => "Heart rate",
        Measured::RestingHeartRate => "Resting heart rate",
        Measured::HrvSdnn => "Heart rate variability (SDNN)",
        Measured::HrvRmssd => "Heart rate variability (RMSSD)",
    }
}
