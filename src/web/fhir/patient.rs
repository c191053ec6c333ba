//! Whose resources are asked for. A clinic names its own patients as it always does: by their id in its own EHR.

use url::Url;

use super::Outcome;
use crate::delivery::ehr::with_slash;

/// The system of an identifier that is a URI (FHIR R4, identifier registry).
const URI: &str = "urn:ietf:rfc:3986";

/// The Patient that a search asks about.
#[derive(Debug, Default)]
pub struct Asked {
    said: Option<Said>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Said {
    /// This one, at the clinic's EHR.
    Id(String),
    /// None that can be known here: of another server, by another number, or two at once.
    Nobody,
}

impl Asked {
    /// Takes `patient` and `patient.identifier`. Returns whether it was one of them.
    ///
    /// # Errors
    /// [`Outcome`] for several patients in one search.
    pub fn take(&mut self, name: &str, value: &str, ehr: &Url) -> Result<bool, Outcome> {
        let said = match name {
            "patient" => by_reference(value, ehr),
            "patient.identifier" => by_identifier(value, ehr),
            _ => return Ok(false),
        };
        if value.contains(',') {
            return Err(Outcome::bad_search("not-supported", "patient", "Expected one patient in a search."));
        }
        let both = self.said.replace(said.clone()).is_none_or(|before| before == said);
        if !both {
            self.said = Some(Said::Nobody);
        }
        Ok(true)
    }

    /// The Patient's id at the clinic's EHR. `None`: nobody who can be known here.
    ///
    /// # Errors
    /// [`Outcome`] where no patient was asked about: nothing is given about all of them.
    pub fn patient(self) -> Result<Option<String>, Outcome> {
        match self.said {
            Some(Said::Id(id)) => Ok(Some(id)),
            Some(Said::Nobody) => Ok(None),
            None => {
                let words = "Expected patient or patient.identifier: a search is about one patient.";
                Err(Outcome::bad_search("required", "patient", words))
            }
        }
    }
}

/// `id`, `Patient/id`, or the whole address at the clinic's EHR.
fn by_reference(value: &str, ehr: &Url) -> Said {
    let local = value.strip_prefix(with_slash(ehr).as_str()).unwrap_or(value);
    let id = local.strip_prefix("Patient/").unwrap_or(if local == value { local } else { "" });
    if id.is_empty() || id.contains('/') { Said::Nobody } else { Said::Id(id.to_owned()) }
}

/// The one identifier of a patient that the bridge has: their address at the clinic's EHR. Others never reach it.
fn by_identifier(value: &str, ehr: &Url) -> Said {
    let (system, value) = value.split_once('|').unwrap_or((URI, value));
    if system == URI && value.starts_with(with_slash(ehr).as_str()) { by_reference(value, ehr) } else { Said::Nobody }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Result<Option<String>, String> {
        let ehr = Url::parse("https://ehr.example/fhir").unwrap();
        let mut asked = Asked::default();
        for (name, value) in pairs {
            assert!(asked.take(name, value, &ehr).map_err(|outcome| outcome.to_string())?);
        }
        asked.patient().map_err(|outcome| outcome.to_string())
    }

    #[test]
    fn a_patient_is_named_as_their_ehr_names_them() {
        for value in ["17", "Patient/17", "https://ehr.example/fhir/Patient/17"] {
            assert_eq!(asked(&[("patient", value)]), Ok(Some("17".into())), "{value}");
        }
        for value in ["urn:ietf:rfc:3986|https://ehr.example/fhir/Patient/17", "https://ehr.example/fhir/Patient/17"] {
            assert_eq!(asked(&[("patient.identifier", value)]), Ok(Some("17".into())), "{value}");
        }
        assert_eq!(asked(&[("patient", "17"), ("patient", "Patient/17")]), Ok(Some("17".into())));
    }

    #[test]
    fn another_servers_patient_is_nobody() {
        for (name, value) in [
            ("patient", "https://other.example/fhir/Patient/17"),
            ("patient", "https://ehr.example/fhir/17"),
            ("patient", "Group/17"),
            ("patient.identifier", "urn:mrn|17"),
            ("patient.identifier", "17"),
            ("patient.identifier", "|17"),
        ] {
            assert_eq!(asked(&[(name, value)]), Ok(None), "{value}");
        }
        assert_eq!(asked(&[("patient", "17"), ("patient", "18")]), Ok(None), "both at once");
        assert_eq!(asked(&[("patient", "18"), ("patient", "17"), ("patient", "17")]), Ok(None), "however often");
    }

    #[test]
    fn everybody_and_several_are_not_to_be_had() {
        assert_eq!(asked(&[]), Err("400 required".into()));
        assert_eq!(asked(&[("patient", "17,18")]), Err("400 not-supported".into()));
    }
}
