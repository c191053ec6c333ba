//! FHIR R4 as a file: a Bundle, or one resource, of what the bridge itself knows: moods as it writes them, measurements by
//! their LOINC codes, and questionnaires as they were filled in ([`response`]). So what an EHR gave its patient, or another bridge gave its member, comes
//! in again. Whose they are is not looked at: they belong to whoever brings them.
//!
//! Raw JSON is read, field by field, because typed FHIR loses and refuses things ([`fhir_codec`]'s own notes); each entry
//! stands or falls alone.

mod observation;
mod response;

use std::io::Read;

use serde::Deserialize;
use serde_json::value::RawValue;

use self::observation::Observation;
use self::response::Response;
use crate::inbound::files::{BadLine, FileError, Line, Said, Whose};

/// The largest file that is read, in bytes: 64 MiB, some 50 000 Observations. It is one piece of JSON and lies in memory.
pub const LARGEST: u64 = 64 << 20;

/// Whether a file may be such a one, by how it begins.
#[must_use]
pub fn is_likely(beginning: &[u8]) -> bool {
    let start = beginning.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(beginning);
    start.trim_ascii_start().starts_with(b"{")
}

/// What a resource is.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "resourceType")]
    kind: String,
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "fullUrl")]
    full_url: Option<String>,
    resource: Option<Box<RawValue>>,
}

/// The resources of a file.
pub struct Observations<'a> {
    entries: std::iter::Enumerate<std::vec::IntoIter<Entry>>,
    whose: &'a Whose,
}

impl<'a> Observations<'a> {
    /// Reads the Bundle, or the resource.
    ///
    /// # Errors
    /// [`FileError`] when it is other JSON, or none, or too large.
    pub fn new(file: impl Read, whose: &'a Whose) -> Result<Self, FileError> {
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Err(FileError::TooMuch(
                "the file holds more than 64 MiB of FHIR; expected less at once".to_owned(),
            ));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| FileError::Encoding)?;
        let text = text.trim_start_matches('\u{feff}');
        let unknown = || {
            FileError::expected(
                "the file is no FHIR in JSON that is taken; expected a Bundle, an Observation or a QuestionnaireResponse",
            )
        };
        let kind: Kind = serde_json::from_str(text).map_err(|_| unknown())?;
        let entries = match kind.kind.as_str() {
            "Bundle" => serde_json::from_str::<Bundle>(text).map_err(|_| unknown())?.entry,
            "Observation" | "QuestionnaireResponse" => {
                let resource = RawValue::from_string(text.trim().to_owned()).map_err(|_| unknown())?;
                vec![Entry { full_url: None, resource: Some(resource) }]
            }
            _ => return Err(unknown()),
        };
        Ok(Self { entries: entries.into_iter().enumerate(), whose })
    }

    fn line(&self, place: u64, entry: &Entry) -> Line {
        let Some(resource) = &entry.resource else { return Ok(Said::Nothing) };
        let broken = |expected| BadLine::record(place, expected);
        let kind: Kind = serde_json::from_str(resource.get()).map_err(|_| broken("a resource with a resourceType"))?;
        let (text, full_url) = (resource.get(), entry.full_url.as_deref());
        let item = match kind.kind.as_str() {
            "Observation" => {
                let read: Result<Observation, _> = serde_json::from_str(text);
                let observation = read.map_err(|_| broken("an Observation as FHIR R4 says it"))?;
                observation.item(place, full_url, self.whose)?
            }
            "QuestionnaireResponse" => {
                let read: Result<Response, _> = serde_json::from_str(text);
                let response = read.map_err(|_| broken("a QuestionnaireResponse as FHIR R4 says it"))?;
                response.item(place, full_url, self.whose)?
            }
            _ => None,
        };
        Ok(item.map_or(Said::Nothing, |item| Said::Items(vec![item])))
    }
}

impl Iterator for Observations<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let (place, entry) = self.entries.next()?;
        Some(self.line(place as u64 + 1, &entry))
    }
}

#[cfg(test)]
mod tests;
