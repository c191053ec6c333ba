//! The only place where serde meets the FHIR types.
//!
//! Each crate that calls serde on these types generates their whole tree of code again, which costs half a minute of
//! compile time; so the functions here are not generic, and everything else uses the types as data.
//!
//! Two things are settled here for the whole bridge:
//! - The types are those of R4B. What the bridge builds with them has the same shape in R4 (4.0.1); tests hold each
//!   resource against R4 validators.
//! - A decimal leaves as it was written (R4, datatypes, decimal): `12` not `12.0`, `6.50` not `6.5`. The types hold an
//!   `f64`, so a [`Decimals`] lends out a token for each text, and [`to_bytes`] writes the text where the token stands.

use std::io::{self, Write};

pub use fhir_sdk::BuilderError;
pub use fhir_sdk::r4b::{codes, resources, types};
pub use fhir_sdk::{Date, DateTime, Instant};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

/// A resource could not be written.
#[derive(Debug, thiserror::Error)]
#[error("a FHIR resource cannot be written: {0}")]
pub struct WriteError(#[from] serde_json::Error);

/// The decimals of one resource, in the characters in which they were given.
#[derive(Debug, Default)]
pub struct Decimals(Vec<String>);

/// Tokens are numbers near 1.7 × 10³⁰⁰: no decimal of a resource can be one by chance.
const TOKEN: u64 = 0x7E42_0000_0000_0000;
const TOKEN_MASK: u64 = 0xFFFF_0000_0000_0000;

impl Decimals {
    /// No decimals yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A stand-in for `text`, which must be a JSON number, to put where the types ask for an `f64`.
    pub fn token(&mut self, text: &str) -> f64 {
        self.0.push(text.to_owned());
        f64::from_bits(TOKEN | (self.0.len() as u64 - 1))
    }

    fn text(&self, number: f64) -> Option<&str> {
        let bits = number.to_bits();
        let place = usize::try_from(bits & !TOKEN_MASK).ok()?;
        if bits & TOKEN_MASK == TOKEN { self.0.get(place).map(String::as_str) } else { None }
    }
}

/// Writes a resource as compact JSON, each decimal as it was given.
///
/// # Errors
/// [`WriteError`] when a value has no JSON form.
pub fn to_bytes(resource: &resources::Resource, decimals: &Decimals) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::with_capacity(2048);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, AsWritten(decimals));
    resource.serialize(&mut serializer)?;
    Ok(bytes)
}

/// Writes numbers as their source wrote them.
struct AsWritten<'a>(&'a Decimals);

impl Formatter for AsWritten<'_> {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        match self.0.text(value) {
            Some(text) => writer.write_all(text.as_bytes()),
            None => CompactFormatter.write_f64(writer, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_leaves_as_it_was_written() {
        for text in ["6.50", "12", "-0.250", "100.0", "0"] {
            let mut decimals = Decimals::new();
            let first = decimals.token("999");
            let token = decimals.token(text);
            let mut out = Vec::new();
            AsWritten(&decimals).write_f64(&mut out, token).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
            assert_ne!(first.to_bits(), token.to_bits());
        }
    }

    #[test]
    fn an_ordinary_number_is_written_as_ever() {
        let mut out = Vec::new();
        AsWritten(&Decimals::new()).write_f64(&mut out, 0.5).unwrap();
        assert_eq!(out, b"0.5");
    }
}
