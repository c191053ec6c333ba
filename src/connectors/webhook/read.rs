//! What a platform of one's own brings: `schemas/connector/brought.v1.json`.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::connectors::{Happened, Heard, LONGEST_NAME, Refused, Spoken, Undone, Words};
use crate::domain::activity::Deed;
use crate::domain::language::Language;

/// A request as it is written.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Timestamp,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Speech {
    handle: String,
    said: Option<String>,
    pressed: Option<String>,
    language: Option<Language>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    handle: String,
    deed: Deed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TakenBack {
    handle: String,
    id: String,
}

/// Reads a request that was signed under this id.
///
/// # Errors
/// [`Refused::Malformed`], which names what was expected.
pub fn read(id: &str, body: &[u8]) -> Result<Heard, Refused> {
    let envelope: Envelope<'_> =
        serde_json::from_slice(body).map_err(|_| Refused::Malformed("expected type, timestamp and data"))?;
    match envelope.kind.as_str() {
        "mostik.said.v1" => said(id, content(envelope.data, "expected handle, and either said or pressed, in data")?),
        "mostik.happened.v1" => {
            let Done { handle, deed } = content(envelope.data, "expected handle and deed in data")?;
            let happened = Happened { id: id.to_owned(), handle: name(handle)?, at: envelope.timestamp, deed };
            Ok(Heard::Happened(happened))
        }
        "mostik.undone.v1" => {
            let TakenBack { handle, id } = content(envelope.data, "expected handle and id in data")?;
            Ok(Heard::Undone(Undone { id: name(id)?, handle: name(handle)? }))
        }
        _ => Err(Refused::Malformed("expected a type of mostik.said.v1, mostik.happened.v1 or mostik.undone.v1")),
    }
}

fn said(id: &str, Speech { handle, said, pressed, language }: Speech) -> Result<Heard, Refused> {
    let words = match (said, pressed) {
        (Some(said), None) => Words::Written(said),
        (None, Some(pressed)) => Words::Pressed(pressed),
        _ => return Err(Refused::Malformed("expected either said or pressed in data")),
    };
    Ok(Heard::Said(Spoken { id: id.to_owned(), handle: name(handle)?, conversation: String::new(), words, language }))
}

fn content<T: DeserializeOwned>(data: &RawValue, expected: &'static str) -> Result<T, Refused> {
    serde_json::from_str(data.get()).map_err(|_| Refused::Malformed(expected))
}

fn name(name: String) -> Result<String, Refused> {
    if is_name(&name) { Ok(name) } else { Err(Refused::Malformed("expected ids and handles of 1 to 256 bytes")) }
}

/// Whether it can be an id or a handle.
pub(super) fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
}
