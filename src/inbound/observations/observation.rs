//! One Observation.

use jiff::civil::{Date, DateTime};
use serde::Deserialize;

use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measured, Measurement, Modality};
use crate::domain::moment::Moment;
use crate::domain::reading::{Measure, Mood, Rating};
use crate::inbound::files::number::rounded;
use crate::inbound::files::{About, BadLine, Item, Whose, plain};

/// Whose events they are, before the slash.
pub const APP: &str = "fhir";

const OBSERVATION: &str = "Observation";

pub const LOINC: &str = "http://loinc.org";
/// What a device vouches for, not whoever wears it (HL7 v3): as the bridge labels it (`meta.security`).
const DEVICE_ASSERTED: (&str, &str) = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "DEVAST");
const UCUM: &str = "http://unitsofmeasure.org";

/// The bridge's own codes (`schemas/fhir/CodeSystem-mostik-observation.json`).
const MOSTIK: &str = "https://w3id.org/mostik/fhir/CodeSystem/mostik-observation";

/// What is measured under which code: as the bridge writes it, and steps in a day, too; and awakenings as it wrote them once,
/// under a code that others have for how long they lasted, which is no count.
const LOINC_CODES: [(&str, Measured); 13] = [
    ("93832-4", Measured::SleepDuration),
    ("93831-6", Measured::DeepSleep),
    ("93830-8", Measured::LightSleep),
    ("93829-0", Measured::RemSleep),
    ("103213-5", Measured::TimeInBed),
    ("103211-9", Measured::Awakenings),
    ("93828-2", Measured::Awakenings),
    ("55423-8", Measured::Steps),
    ("41950-7", Measured::Steps),
    ("55411-3", Measured::ExerciseDuration),
    ("8867-4", Measured::HeartRate),
    ("40443-4", Measured::RestingHeartRate),
    ("80404-7", Measured::HrvSdnn),
];

/// The longest word for a mood, and the longest name of a device, in characters.
const LONGEST_WORD: usize = 100;

/// What is read of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    id: Option<String>,
    #[serde(default)]
    identifier: Vec<Identifier>,
    status: String,
    #[serde(default)]
    meta: Meta,
    code: Concept,
    device: Option<Device>,
    effective_date_time: Option<String>,
    effective_period: Option<Period>,
    value_quantity: Option<Quantity>,
    value_integer: Option<i32>,
    #[serde(default)]
    component: Vec<Component>,
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(default)]
    security: Vec<Coding>,
}

#[derive(Deserialize)]
struct Device {
    display: Option<String>,
}

#[derive(Deserialize)]
pub struct Identifier {
    system: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Concept {
    #[serde(default)]
    coding: Vec<Coding>,
}

#[derive(Deserialize)]
pub struct Coding {
    pub system: Option<String>,
    pub code: Option<String>,
}

#[derive(Deserialize)]
struct Period {
    start: Option<String>,
    end: Option<String>,
}

#[derive(Deserialize)]
struct Quantity {
    value: Option<Decimal>,
    system: Option<String>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    code: Concept,
    value_quantity: Option<Quantity>,
    value_string: Option<String>,
}

/// What it is about.
enum Subject {
    Mood,
    Measured(Measured),
}

impl Concept {
    fn has(&self, system: &str, code: &str) -> bool {
        self.coding.iter().any(|it| it.system.as_deref() == Some(system) && it.code.as_deref() == Some(code))
    }

    fn subject(&self) -> Option<Subject> {
        let loinc = LOINC_CODES.iter().find(|(code, _)| self.has(LOINC, code)).map(|(_, of)| *of);
        let own = || Measured::ALL.into_iter().find(|of| self.has(MOSTIK, of.as_str()));
        let mood = self.has(MOSTIK, "mood-rating").then_some(Subject::Mood);
        mood.or_else(|| loinc.or_else(own).map(Subject::Measured))
    }
}

impl Observation {
    /// What it says; `None` for what the bridge does not take.
    pub fn item(self, place: u64, full_url: Option<&str>, whose: &Whose) -> Result<Option<Item>, BadLine> {
        let Some(subject) = self.code.subject() else { return Ok(None) };
        let is_gone = match self.status.as_str() {
            "final" | "amended" | "corrected" => false,
            "entered-in-error" | "cancelled" => true,
            _ => return Ok(None),
        };
        let id = name(OBSERVATION, &self.identifier, self.id.as_deref(), full_url);
        let id = id.ok_or(BadLine::record(place, "an identifier, an id or a fullUrl"))?;
        if is_gone {
            let category = match subject {
                Subject::Mood => crate::domain::category::Category::Mood,
                Subject::Measured(of) => of.category(),
            };
            return Ok(Some(whose.gone(APP, place, id, category)));
        }
        let (start, moment) = self.when(place, whose)?;
        if whose.is_to_come(moment.at) {
            return Err(BadLine::to_come(place));
        }
        let measure = match subject {
            Subject::Mood => Measure::Mood(self.mood(place)?),
            Subject::Measured(of) => {
                let value = self.number(of, place)?;
                let (modality, device) = (self.modality(), self.device());
                Measure::Measurement(Measurement { of, value, start, modality, device })
            }
        };
        Ok(Some(whose.reading(APP, place, id, moment, measure)))
    }

    /// Who says so: a device only where it is labelled so.
    fn modality(&self) -> Modality {
        let (system, code) = DEVICE_ASSERTED;
        let is_it = |it: &Coding| it.system.as_deref() == Some(system) && it.code.as_deref() == Some(code);
        if self.meta.security.iter().any(is_it) { Modality::Sensed } else { Modality::SelfReported }
    }

    fn device(&self) -> Option<String> {
        short(self.device.as_ref()?.display.as_deref()?)
    }

    fn when(&self, place: u64, whose: &Whose) -> Result<(Option<Moment>, Moment), BadLine> {
        let bad = BadLine { about: About::Time, ..BadLine::record(place, "an effectiveDateTime or effectivePeriod") };
        let read = |text: &Option<String>| text.as_deref().and_then(|text| moment(text, whose));
        let (start, end) = match &self.effective_period {
            Some(period) => (read(&period.start), read(&period.end)),
            None => (None, read(&self.effective_date_time)),
        };
        let end = end.ok_or(bad.clone())?;
        let is_likely = |start: Moment| start.at <= end.at && end.at.duration_since(start.at).as_hours() <= 31 * 24;
        if start.is_some_and(|start| !is_likely(start)) { Err(bad) } else { Ok((start, end)) }
    }

    /// A rating as the bridge writes it, with the bounds of its scale in components.
    fn mood(&self, place: u64) -> Result<Mood, BadLine> {
        let own = |code| self.component.iter().find(|component| component.code.has(MOSTIK, code));
        let bound = |code| own(code)?.value_quantity.as_ref()?.value.clone();
        let whole = self.value_integer.map(Decimal::from);
        let value = self.value_quantity.as_ref().and_then(|quantity| quantity.value.clone()).or(whole);
        let rating = value.zip(bound("scale-worst")).zip(bound("scale-best"));
        let rating = rating.map(|((value, worst), best)| Rating { value, worst, best });
        let is_on_it = |rating: &Rating| {
            let (worst, best) = (rating.worst.approximate(), rating.best.approximate());
            worst.min(best) < worst.max(best)
                && (worst.min(best)..=worst.max(best)).contains(&rating.value.approximate())
        };
        let expected = "a rating with the components scale-worst and scale-best, between them";
        let bad = BadLine { about: About::Mood, ..BadLine::record(place, expected) };
        let rating = rating.filter(is_on_it).ok_or(bad)?;
        let label = own("mood-word").and_then(|component| component.value_string.as_deref()).and_then(short);
        Ok(Mood { rating: Some(rating), label, state_of_mind: None })
    }

    /// A number in a unit that is known. Hours and seconds become minutes; nothing else is converted.
    fn number(&self, of: Measured, place: u64) -> Result<Decimal, BadLine> {
        let bad = |expected| BadLine { about: About::Value, ..BadLine::record(place, expected) };
        let quantity = self.value_quantity.as_ref().ok_or(bad("a valueQuantity"))?;
        let value = quantity.value.clone().ok_or(bad("a valueQuantity with a value"))?;
        let unit = quantity.code.as_deref().filter(|_| quantity.system.as_deref() == Some(UCUM));
        let in_own = match (of.unit(), unit.unwrap_or_default()) {
            (own, unit) if own == unit => Some(value),
            ("min", "h") => rounded(value.approximate() * 60.0),
            ("min", "s") => rounded(value.approximate() / 60.0),
            ("{steps}", "{#}" | "1" | "/d") | ("/min", "{beats}/min") | ("{#}", "1") => Some(value),
            _ => return Err(bad("a UCUM unit that fits what was measured")),
        };
        let in_own = in_own.filter(|value| (0.0..=f64::from(of.most())).contains(&value.approximate()));
        in_own.ok_or(bad("a number that can be measured"))
    }
}

fn short(text: &str) -> Option<String> {
    let text: String = plain(text).chars().take(LONGEST_WORD).collect();
    (!text.is_empty()).then_some(text)
}

/// Under which name something is found again: its identifier, or else its id, or else where it lies. Ids are unique within
/// their type only (FHIR R4, resource); those of Observations stay as they were when nothing else was taken, so that what was
/// imported then is found again.
pub fn name(kind: &str, identifiers: &[Identifier], id: Option<&str>, full_url: Option<&str>) -> Option<String> {
    let named =
        |it: &Identifier| Some(format!("{}|{}", it.system.as_deref().unwrap_or_default(), it.value.as_deref()?));
    let own = |id: &str| if kind == OBSERVATION { id.to_owned() } else { format!("{kind}/{id}") };
    identifiers.iter().find_map(named).or_else(|| id.map(own)).or_else(|| full_url.map(str::to_owned))
}

/// A dateTime (FHIR R4, datatypes): with an offset, or a day alone, whose beginning counts. A year or a month says too
/// little.
pub fn moment(text: &str, whose: &Whose) -> Option<Moment> {
    if text.len() == 10 {
        let day: Date = text.parse().ok()?;
        return whose.moment(DateTime::from_parts(day, jiff::civil::Time::midnight()), None);
    }
    Moment::parse_rfc3339(text).ok()
}
