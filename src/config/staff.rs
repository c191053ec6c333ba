//! Who of a clinic's people may sign in to the staff view, who of a community's to its concerns, and where they show who they are.

use serde::Deserialize;

use super::ConfigError;
use super::readings::zone;
use super::sign_in::{SignIn, is_handle};
use crate::domain::zone::Zone;

/// Who of a clinic's or a community's people may in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// Where they sign in.
    pub sign_in: SignIn,
    /// The claim of the ID token that says who may in: a text, or a list of texts.
    pub claim: String,
    /// Whoever has one of these there may.
    pub values: Vec<String>,
    /// Whoever has one of these there may, too, and is of the second level: for communities.
    #[serde(default)]
    pub second: Vec<String>,
    /// Where their clock stands.
    #[serde(deserialize_with = "zone", default)]
    pub zone: Zone,
}

impl Staff {
    /// Refuses what cannot be; `of` is the section of a clinic or a community, and whether its people have levels.
    pub(super) fn check(&self, of: &str, has_levels: bool, private_networks: bool) -> Result<(), ConfigError> {
        let section = format!("{of}.staff");
        let invalid =
            |name: &str, expected| Err(ConfigError::Invalid { setting: format!("{section}.{name}"), expected });
        if !is_handle(&self.claim) {
            return invalid("claim", "the claim that says who may in, such as groups, and not an address or a name");
        }
        if self.values.is_empty() || self.values.iter().any(|value| value.trim().is_empty()) {
            return invalid("values", "at least one value of the claim that lets somebody in, and none that is empty");
        }
        if !self.second.is_empty() && !has_levels {
            return invalid("second", "no such setting: a clinic's staff are all of one level");
        }
        if self.second.iter().any(|value| value.trim().is_empty() || self.values.contains(value)) {
            return invalid("second", "values of the claim that are not empty, and not among those of the first level");
        }
        if self.sign_in.handle.is_some() {
            return invalid("sign_in.handle", "no such setting: who may in is said by claim and values");
        }
        self.sign_in.check(&section, private_networks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const CLINIC: &str = "[clinics.a]\nname = \"A\"\nfhir_base = \"https://a.example/fhir\"\n";
    const STAFF: &str = "[clinics.a.staff]\nclaim = \"groups\"\nvalues = [\"telemedicine\"]\nzone = \"Europe/Berlin\"\n\
         [clinics.a.staff.sign_in]\nissuer = \"https://id.a.example\"\nclient_id = \"mostik\"\n";

    #[test]
    fn a_communitys_people_have_two_levels_that_are_told_apart() {
        let staff = |second: &str| {
            let text = STAFF
                .replace("clinics.a.", "communities.a.")
                .replace("values =", &format!("second = [{second:?}]\nvalues ="));
            Config::from_toml(&format!("[communities.a]\nname = \"A\"\n{text}"))
                .map(drop)
                .map_err(|error| error.to_string())
        };
        assert_eq!(staff("on-duty"), Ok(()));
        for wrong in ["", "telemedicine"] {
            assert!(staff(wrong).unwrap_err().contains("communities.a.staff.second: expected values"), "{wrong}");
        }
    }

    #[test]
    fn nobody_is_let_in_without_a_rule_that_says_who() {
        let staff = |text: &str| {
            let config = Config::from_toml(&format!("{CLINIC}{text}"))?;
            Ok::<_, ConfigError>(config.clinics.into_values().next().unwrap().staff)
        };
        assert!(staff("").unwrap().is_none());
        assert_eq!(staff(STAFF).unwrap().unwrap().zone.name(), "Europe/Berlin");
        for (text, expected) in [
            (STAFF.replace("claim = \"groups\"\n", ""), "claim"),
            (STAFF.replace("groups", "email"), "staff.claim: expected the claim"),
            (STAFF.replace("values = [\"telemedicine\"]\n", ""), "values"),
            (STAFF.replace("\"telemedicine\"", ""), "staff.values: expected at least one"),
            (STAFF.replace("values", "second = [\"x\"]\nvalues"), "staff.second: expected no such setting"),
            (STAFF.replace("telemedicine", " "), "staff.values: expected at least one"),
            (STAFF.replace("Europe/Berlin", "Europe/Berlim"), "time zone"),
            (STAFF.replace("https://id", "http://id"), "clinics.a.staff.sign_in.issuer: expected https"),
            (format!("{STAFF}handle = \"sub\"\n"), "staff.sign_in.handle: expected no such setting"),
            (STAFF.split("[clinics.a.staff.sign_in]").next().unwrap().to_owned(), "sign_in"),
        ] {
            let error = staff(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
