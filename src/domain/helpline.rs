//! Where somebody finds help who thinks of hurting themselves: the lines of their country.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::language::Language;

/// Under which name the lines stand for a country that has none of its own.
pub const ELSEWHERE: &str = "elsewhere";

/// The lines of each country, by its code in ISO 3166-1 alpha-2, and those for everywhere else.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Helplines {
    elsewhere: Help,
    #[serde(flatten)]
    countries: BTreeMap<String, Help>,
}

/// Where help is found in a country.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Help {
    /// The number to call when a life is in danger.
    pub emergency: String,
    /// Whom one can talk to, the best first.
    pub lines: Vec<Helpline>,
}

/// Somebody who listens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Helpline {
    /// What it is called.
    pub name: String,
    /// Its numbers, as people write them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub call: Vec<String>,
    /// Its own page.
    #[schema(value_type = String)]
    pub url: Url,
    /// When it is open, for whom, and what it costs.
    pub open: Words,
    /// Where somebody looked whether that is so: for whoever looks next.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub seen: Url,
    /// When they did.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub checked: Date,
}

/// The same in each language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In Russian.
    pub ru: String,
}

/// Helplines that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadHelplines {
    /// A name that is no country.
    #[error("expected the code of a country in ISO 3166-1 alpha-2, such as DE, or `elsewhere`; found `{0}`")]
    Country(String),
    /// A country in which nobody could be reached.
    #[error("expected an emergency number and at least one line for `{0}`")]
    Nobody(String),
}

impl Helplines {
    /// Whether somebody can be reached everywhere.
    ///
    /// # Errors
    /// [`BadHelplines`].
    pub fn check(&self) -> Result<(), BadHelplines> {
        if let Some(country) = self.countries.keys().find(|country| !is_country(country)) {
            return Err(BadHelplines::Country(country.clone()));
        }
        let everywhere = self.countries.iter().map(|(country, help)| (country.as_str(), help));
        let mut everywhere = everywhere.chain([(ELSEWHERE, &self.elsewhere)]);
        match everywhere.find(|(_, help)| help.emergency.trim().is_empty() || help.lines.is_empty()) {
            Some((country, _)) => Err(BadHelplines::Nobody(country.to_owned())),
            None => Ok(()),
        }
    }

    /// Where help is found in this country, or else where it is found from everywhere.
    #[must_use]
    pub fn of(&self, country: &str) -> &Help {
        self.countries.get(country).unwrap_or(&self.elsewhere)
    }
}

/// Whether it has the form of a country's code.
#[must_use]
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_uppercase())
}

impl Helpline {
    /// A number as a telephone wants it (RFC 3966): without what makes it easy to read.
    #[must_use]
    pub fn dialled(&self, number: &str) -> String {
        number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
    }
}

impl Words {
    /// In this language.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Ru => &self.ru,
        }
    }
}
