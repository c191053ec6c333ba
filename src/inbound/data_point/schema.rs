//! The JSON Schemas of Open mHealth and IEEE 1752.1, as they were published (`schemas/data-points/`), compiled once. No
//! reference in them is ever followed into a network.

use std::collections::BTreeMap;

use jsonschema::{Registry, ValidationError, Validator};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::inbound::event::Refusal;

/// Where the schemas of each publisher stand, for those that name each other.
const BASES: [(&str, &str); 2] =
    [("omh", "https://w3id.org/openmhealth/schemas/omh/"), ("ieee", "https://w3id.org/ieee/ieee-1752-schema/")];

/// The body schemas that are understood here: publisher, name, the leading number of the version, file. Versions with the
/// same leading number are compatible (Open mHealth, "Schema versioning").
const BODIES: &[(&str, &str, &str, &str)] = &[
    ("omh", "heart-rate", "1", "heart-rate-1.x"),
    ("omh", "heart-rate", "2", "heart-rate-2.x"),
    ("omh", "step-count", "1", "step-count-1.x"),
    ("omh", "step-count", "2", "step-count-2.x"),
    ("omh", "step-count", "3", "step-count-3.x"),
    ("omh", "sleep-duration", "1", "sleep-duration-1.x"),
    ("omh", "sleep-duration", "2", "sleep-duration-2.x"),
    ("omh", "total-sleep-time", "1", "total-sleep-time-1.x"),
    ("omh", "sleep-episode", "1", "sleep-episode-1.x"),
    ("ieee", "total-sleep-time", "1", "total-sleep-time-1.0"),
    ("ieee", "sleep-episode", "1", "sleep-episode-1.0"),
    ("ieee", "sleep-stage-summary", "1", "sleep-stage-summary-1.0"),
    ("ieee", "time-in-bed", "1", "time-in-bed-1.0"),
    ("ieee", "physical-activity", "1", "physical-activity-1.0"),
];

macro_rules! vendored {
    ($($publisher:literal: $($name:literal)*;)*) => {
        /// Every file of `schemas/data-points/`: publisher, name, text.
        const FILES: &[(&str, &str, &str)] = &[$($(
            ($publisher, $name, include_str!(concat!("../../../schemas/data-points/", $publisher, "/", $name, ".json"))),
        )*)*];
    };
}

vendored! {
    "omh":
        "data-point-1.0" "date-time-1.x" "descriptive-statistic-1.0" "descriptive-statistic-1.x"
        "descriptive-statistic-denominator-1.x" "duration-unit-value-1.x" "header-1.x" "heart-rate-1.x" "heart-rate-2.x"
        "part-of-day-1.x" "schema-id-1.x" "sleep-duration-1.x" "sleep-duration-2.x" "sleep-episode-1.x" "step-count-1.x"
        "step-count-2.x" "step-count-3.x" "temporal-relationship-to-physical-activity-1.x"
        "temporal-relationship-to-sleep-1.x" "time-frame-1.x" "time-interval-1.x" "total-sleep-time-1.x" "unit-value-1.x";
    "ieee":
        "data-point-1.0" "data-series-1.0" "date-time-1.0" "descriptive-statistic-1.0"
        "descriptive-statistic-denominator-1.0" "duration-unit-value-1.0" "duration-unit-value-range-1.0"
        "frequency-unit-value-1.0" "header-1.0" "kcal-unit-value-1.0" "length-unit-value-1.0" "percent-unit-value-1.0"
        "physical-activity-1.0" "schema-id-1.0" "sleep-episode-1.0" "sleep-stage-summary-1.0" "speed-unit-value-1.0"
        "time-frame-1.0" "time-in-bed-1.0" "time-interval-1.0" "total-sleep-time-1.0" "unit-value-1.0"
        "unit-value-range-1.0";
}

/// Compiled schemas of headers and bodies.
#[derive(Debug)]
pub struct DataPointSchemas {
    open_mhealth_point: Validator,
    ieee_point: Validator,
    ieee_series: Validator,
    bodies: BTreeMap<(&'static str, &'static str, &'static str), Validator>,
}

/// A vendored schema cannot be compiled. A defect of the build.
#[derive(Debug, thiserror::Error)]
#[error("the JSON Schemas of data points cannot be compiled: {0}")]
pub struct BrokenSchemas(String);

/// Which schema a body follows, as headers say it.
#[derive(Deserialize)]
pub struct SchemaId {
    /// Who published it.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its version, such as `1.0`.
    pub version: String,
}

impl DataPointSchemas {
    /// Compiles the schemas.
    ///
    /// # Errors
    /// [`BrokenSchemas`] when the repository's own files are broken.
    pub fn compile() -> Result<Self, BrokenSchemas> {
        let broken = |error: &dyn std::fmt::Display| BrokenSchemas(error.to_string());
        let mut registry = Registry::new();
        for (publisher, name, text) in FILES {
            let schema: Value = serde_json::from_str(text).map_err(|error| broken(&error))?;
            registry = registry.add(uri(publisher, name), schema).map_err(|error| broken(&error))?;
        }
        let registry = registry.prepare().map_err(|error| broken(&error))?;
        let compile = |publisher: &str, name: &str| {
            let schema = json!({"$ref": uri(publisher, name)});
            let options = jsonschema::options().with_registry(&registry).offline().should_validate_formats(true);
            options.build(&schema).map_err(|error| broken(&error))
        };
        let bodies = BODIES
            .iter()
            .map(|(publisher, name, version, file)| Ok(((*publisher, *name, *version), compile(publisher, file)?)));
        Ok(Self {
            open_mhealth_point: compile("omh", "data-point-1.0")?,
            ieee_point: compile("ieee", "data-point-1.0")?,
            ieee_series: compile("ieee", "data-series-1.0")?,
            bodies: bodies.collect::<Result<_, _>>()?,
        })
    }

    /// Checks a data point as a whole, but for its body.
    pub(super) fn check_envelope(&self, point: &Value) -> Result<(), Refusal> {
        let is_ieee = point.pointer("/header/uuid").is_some();
        let is_series = point.get("body").is_some_and(Value::is_array);
        let schema = match (is_ieee, is_series) {
            (true, true) => &self.ieee_series,
            (true, false) => &self.ieee_point,
            (false, _) => &self.open_mhealth_point,
        };
        schema.validate(point).map_err(|error| refusal("", &error))
    }

    /// Checks one body, which stands at `at`.
    pub(super) fn check_body(&self, id: &SchemaId, body: &Value, at: &str) -> Result<(), Refusal> {
        let major = id.version.split('.').next().unwrap_or_default();
        let schema = self.bodies.get(&(id.namespace.as_str(), id.name.as_str(), major)).ok_or_else(unknown_schema)?;
        schema.validate(body).map_err(|error| refusal(at, &error))
    }
}

fn uri(publisher: &str, name: &str) -> String {
    let base = BASES.iter().find(|(other, _)| *other == publisher).map_or("", |(_, base)| base);
    format!("{base}{name}.json")
}

fn unknown_schema() -> Refusal {
    let known: Vec<String> =
        BODIES.iter().map(|(publisher, name, version, _)| format!("{publisher}:{name}:{version}.x")).collect();
    Refusal::invalid("/header/schema_id", format!("one of {}", known.join(", ")))
}

/// Says what was expected, with the value masked: it may be personal.
fn refusal(prefix: &str, error: &ValidationError<'_>) -> Refusal {
    let path = format!("{prefix}{}", error.instance_path());
    Refusal::invalid(if path.is_empty() { "/".to_owned() } else { path }, error.masked().to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_vendored_file_is_compiled_and_nothing_else() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/data-points");
        for (publisher, _) in BASES {
            let there: BTreeSet<String> = std::fs::read_dir(folder.join(publisher))
                .unwrap()
                .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            let listed = FILES.iter().filter(|(of, ..)| *of == publisher).map(|(_, name, _)| (*name).to_owned());
            assert_eq!(there, listed.collect());
        }
        DataPointSchemas::compile().unwrap();
    }
}
