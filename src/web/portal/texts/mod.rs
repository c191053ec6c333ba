//! The portal's words, in every language (Fluent, <https://projectfluent.org>). Each room of the portal has a file of its
//! own in each language, and so have the staff view and the review queue; a test holds them together.

use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::civil::Date;
use unic_langid::LanguageIdentifier;

use crate::domain::language::Language;

macro_rules! rooms {
    ($($room:literal),* ; $($of_clinics:literal),* ; $($of_communities:literal),* $(,)?) => {
        const ENGLISH: &[(&str, &str)] = &[
            $(($room, include_str!(concat!("en/", $room, ".ftl"))),)*
            $(($of_clinics, include_str!(concat!("../../clinic/texts/en/", $of_clinics, ".ftl"))),)*
            $(($of_communities, include_str!(concat!("../../moderate/texts/en/", $of_communities, ".ftl"))),)*
        ];
        const RUSSIAN: &[(&str, &str)] = &[
            $(($room, include_str!(concat!("ru/", $room, ".ftl"))),)*
            $(($of_clinics, include_str!(concat!("../../clinic/texts/ru/", $of_clinics, ".ftl"))),)*
            $(($of_communities, include_str!(concat!("../../moderate/texts/ru/", $of_communities, ".ftl"))),)*
        ];
    };
}

rooms![
    "frame",
    "errors",
    "sign_in",
    "settings",
    "shared",
    "sharing",
    "clinics",
    "receipts",
    "export",
    "erase",
    "preview",
    "data",
    "communities",
    "connect_app",
    "companion",
    "rules",
    "identity",
    "questionnaires",
    "summary",
    "safety",
    "messages",
    "told",
    "visits",
    "groups",
    "materials";
    "clinic",
    "clinic_groups",
    "clinic_materials";
    "moderate",
];

/// The texts cannot be read. A defect: they are compiled in.
#[derive(Debug, thiserror::Error)]
#[error("the texts {0} cannot be read")]
pub struct TextError(String);

impl TextError {
    /// What cannot be read, and why.
    pub(super) fn of(what: &str, why: &dyn std::error::Error) -> Self {
        Self(format!("{what} ({why})"))
    }
}

/// All texts in all languages.
pub struct Texts {
    english: FluentBundle<FluentResource>,
    russian: FluentBundle<FluentResource>,
}

impl Texts {
    /// Reads the texts.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn load() -> Result<Self, TextError> {
        Ok(Self { english: bundle(Language::En)?, russian: bundle(Language::Ru)? })
    }

    /// What a key says in a language. Plain text: templates escape it.
    #[must_use]
    pub fn say(&self, language: Language, key: &str, with: &[(&str, FluentValue<'_>)]) -> String {
        let bundle = match language {
            Language::En => &self.english,
            Language::Ru => &self.russian,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, language = language.as_str(), "a text is missing");
            return key.to_owned();
        };
        let args: FluentArgs<'_> = with.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, language = language.as_str(), "a text lacks something that stands in it");
        }
        text
    }

    /// A day, as people of a language write it.
    #[must_use]
    pub fn date(&self, language: Language, day: Date) -> String {
        let parts = [("day", day.day().into()), ("month", day.month().into()), ("year", day.year().to_string().into())];
        self.say(language, "date", &parts)
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Texts(..)")
    }
}

const fn sources(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::En => ENGLISH,
        Language::Ru => RUSSIAN,
    }
}

fn bundle(language: Language) -> Result<FluentBundle<FluentResource>, TextError> {
    let broken = |room: &str| TextError(format!("{}/{room}.ftl", language.as_str()));
    let identifier: LanguageIdentifier = language.as_str().parse().map_err(|_| broken("*"))?;
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    // All values are names and numbers in the same direction of writing; the marks would only be in the way.
    bundle.set_use_isolating(false);
    for (room, source) in sources(language) {
        let resource = FluentResource::try_new((*source).to_owned()).map_err(|_| broken(room))?;
        bundle.add_resource(resource).map_err(|_| broken(room))?;
    }
    Ok(bundle)
}

#[cfg(test)]
mod tests;
