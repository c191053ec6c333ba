//! FHIR R4 as a file: a Bundle, or one resource, of what the bridge itself knows: ratings of mood as it writes them (a state
//! of mind is passed over), measurements by their LOINC codes, with the device that vouches for them, and questionnaires as
//! they were filled in ([`response`]). So what an EHR gave its patient, or another bridge gave its member, comes in again.
//! Whose they are is not looked at: they belong to whoever brings them.
//!
//! An answer about hurting oneself is heard although what it stands in is not taken ([`harm`]).
//!
//! Raw JSON is read, field by field, because typed FHIR loses and refuses things ([`fhir_codec`]'s own notes); each entry
//! stands or falls alone.

mod harm;
mod observation;
mod response;

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;

use jiff::Timestamp;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use self::observation::Observation;
use self::response::Response;
use crate::inbound::files::{BadLine, FileError, Item, Line, Said, Whose};

/// The largest file that is read, in bytes: 64 MiB, some 50 000 Observations. It is one piece of JSON: while it is taken
/// apart, all of it lies in memory twice, as it was written and resource by resource; after that, its resources do.
pub const LARGEST: u64 = 64 << 20;

/// The most resources that are read from one file: an empty one takes more memory than it has bytes.
pub const MOST_ENTRIES: usize = 250_000;

/// The longest resource that is looked into, in bytes: 256 KiB. In memory it may become some hundred times as large.
pub const LONGEST_RESOURCE: usize = 256 << 10;

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
    entry: Entries,
}

/// So many entries, and no more.
#[derive(Default)]
struct Entries(Vec<Entry>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counted)
    }
}

struct Counted;

impl<'de> Visitor<'de> for Counted {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MOST_ENTRIES} entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            if entries.len() == MOST_ENTRIES {
                return Err(A::Error::invalid_length(MOST_ENTRIES, &self));
            }
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
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
    /// When item 9 of PHQ-9 was answered above zero in a form: an Observation of the same moment says the same once more.
    heard: BTreeSet<Timestamp>,
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
                "the file is no FHIR in JSON that is taken; expected a Bundle of at most 250000 entries, an Observation or \
                 a QuestionnaireResponse",
            )
        };
        let kind: Kind = serde_json::from_str(text).map_err(|_| unknown())?;
        let entries = match kind.kind.as_str() {
            "Bundle" => serde_json::from_str::<Bundle>(text).map_err(|_| unknown())?.entry.0,
            "Observation" | "QuestionnaireResponse" => {
                let resource = RawValue::from_string(text.trim().to_owned()).map_err(|_| unknown())?;
                vec![Entry { full_url: None, resource: Some(resource) }]
            }
            _ => return Err(unknown()),
        };
        let resources = entries.iter().filter_map(|entry| entry.resource.as_ref());
        let heard = resources.filter_map(|resource| harm::heard(resource.get(), 0, None, whose));
        let heard = heard.filter(|heard| !heard.is_alone).map(|heard| heard.at).collect();
        Ok(Self { entries: entries.into_iter().enumerate(), heard, whose })
    }

    fn line(&self, place: u64, entry: &Entry) -> Line {
        let Some(resource) = &entry.resource else { return Ok(Said::Nothing) };
        let (text, full_url) = (resource.get(), entry.full_url.as_deref());
        let why = match self.item(place, text, full_url) {
            Ok(Some(item)) => return Ok(Said::Items(vec![item])),
            Ok(None) => None,
            Err(bad) => Some(bad),
        };
        let heard = harm::heard(text, place, full_url, self.whose);
        match heard.filter(|heard| !(heard.is_alone && self.heard.contains(&heard.at))) {
            Some(heard) => Ok(heard.item.only_heard(why)),
            None => why.map_or(Ok(Said::Nothing), Err),
        }
    }

    /// What a resource says; `None` for what the bridge does not take.
    fn item(&self, place: u64, text: &str, full_url: Option<&str>) -> Result<Option<Item>, BadLine> {
        let broken = |expected| BadLine::record(place, expected);
        let kind: Kind = serde_json::from_str(text).map_err(|_| broken("a resource with a resourceType"))?;
        match kind.kind.as_str() {
            "Observation" | "QuestionnaireResponse" if text.len() > LONGEST_RESOURCE => {
                Err(broken("a resource of at most 256 KiB"))
            }
            "Observation" => {
                let read: Result<Observation, _> = serde_json::from_str(text);
                let observation = read.map_err(|_| broken("an Observation as FHIR R4 says it"))?;
                observation.item(place, full_url, self.whose)
            }
            "QuestionnaireResponse" => {
                let read: Result<Response, _> = serde_json::from_str(text);
                let response = read.map_err(|_| broken("a QuestionnaireResponse as FHIR R4 says it"))?;
                response.item(place, full_url, self.whose)
            }
            _ => Ok(None),
        }
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
