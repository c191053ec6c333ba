//! JSON in which every number stays as it was written (R4, datatypes, decimal): `6.50` is not `6.5`. For resources that
//! are read, changed in a few places and written again, whoever wrote them first.
//!
//! In the [`Value`] a number is a string that begins with U+0001, which no FHIR string may hold.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

const MARK: char = '\u{1}';

/// Reads JSON. `None` if it is none, or holds the mark in a string.
pub fn read(json: &[u8]) -> Option<Value> {
    let text = str::from_utf8(json).ok()?;
    if text.contains(r"\u0001") {
        return None;
    }
    serde_json::from_str(&marked(text)).ok()
}

/// Writes JSON, its numbers as they were.
pub fn write(value: &Value) -> Option<Vec<u8>> {
    serde_json::to_vec(&Exact(value)).ok()
}

/// The text with each number turned into a marked string. What is no JSON stays none.
fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string(rest),
            '-' | '0'..='9' => number(rest),
            other => other.len_utf8(),
        };
        let (token, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if matches!(first, '-' | '0'..='9') && serde_json::from_str::<serde_json::Number>(token).is_ok() {
            out.push_str("\"\\u0001");
            out.push_str(token);
            out.push('"');
        } else {
            out.push_str(token);
        }
        rest = behind;
    }
    out
}

/// The length of the string that begins here, in bytes.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn number(text: &str) -> usize {
    text.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E')).count()
}

struct Exact<'a>(&'a Value);

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) => match text.strip_prefix(MARK) {
                Some(number) => RawValue::from_string(number.to_owned())
                    .map_err(|_| serde::ser::Error::custom("a marked string that is no number"))?
                    .serialize(serializer),
                None => serializer.serialize_str(text),
            },
            Value::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Exact(item))?;
                }
                seq.end()
            }
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, member) in members {
                    map.serialize_entry(name, &Exact(member))?;
                }
                map.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_stay_as_they_were_written() {
        let json = r#"{"a":[6.50,-0,1e5,{"b":"7.00 \" 3"}],"c":12345678901234567890.123,"d":null,"e":true}"#;
        assert_eq!(String::from_utf8(write(&read(json.as_bytes()).unwrap()).unwrap()).unwrap(), json);
    }

    #[test]
    fn what_is_no_json_is_not_read() {
        for bad in ["", "{", "01", "1-2", "[1.]", "\"\\u00015\"", "\"\u{1}5\"", "{\"a\":--1}", "1 2"] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(read(&[0xff]), None);
    }

    proptest! {
        #[test]
        fn anything_is_read_exactly_when_serde_reads_it(text in r#"[\[\]{},:"0-9.eE+\-a\\ tru]{0,24}"#) {
            let known = serde_json::from_str::<&RawValue>(&text).is_ok();
            prop_assert_eq!(read(text.as_bytes()).is_some(), known);
        }
    }
}
