//! What the companion says, in words: the same on pages and in chats.

use fluent_bundle::FluentValue;
use jiff::civil::Date;

use super::Portal;
use super::own::Watched;
use crate::companion::rules::OfRules;
use crate::companion::talk::Talk;
use crate::companion::{Saying, Value};
use crate::domain::helpline::{Help, Helpline};
use crate::domain::ids::CommunityId;
use crate::domain::language::Language;
use crate::pipeline::House;

/// Where something is said.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// In which community, or communities: their names in one line.
    pub communities: &'a str,
    /// Those of them whose people are told when somebody asks for a human.
    pub called: &'a str,
    /// The one in which it is said, or from which somebody signed in: its people are told of what they write.
    pub here: &'a str,
    /// The number to call there when a life is in danger.
    pub emergency: &'a str,
}

impl Portal {
    /// What the companion says where.
    #[must_use]
    pub const fn talk(&self) -> &Talk {
        &self.talk
    }

    /// What a community is called.
    #[must_use]
    pub fn name_of(&self, community: &CommunityId) -> String {
        self.communities.get(community).map_or_else(|| community.to_string(), |known| known.name.clone())
    }

    /// What the companion says.
    #[must_use]
    pub fn companion_says(&self, house: &House, language: Language, saying: &Saying, around: Around<'_>) -> String {
        let run_by = [house.operator.as_str(), house.contact.as_str()];
        let run_by: Vec<&str> = run_by.into_iter().filter(|part| !part.is_empty()).collect();
        let mut with: Vec<(&str, FluentValue<'_>)> = vec![
            ("community", around.communities.into()),
            ("called", around.called.into()),
            ("here", around.here.into()),
            ("operator", run_by.join(", ").into()),
            ("emergency", around.emergency.into()),
        ];
        with.extend(saying.values.iter().map(|(name, value)| match value {
            Value::Text(text) => (*name, text.as_str().into()),
            Value::Number(number) => (*name, (*number).into()),
            Value::Day(day) => (*name, self.date(language, *day).into()),
        }));
        let said = self.texts.say(language, &saying.text, &with).trim_end().to_owned();
        let mut parts = vec![said];
        let rules =
            saying.rules.as_ref().and_then(|(what, community)| self.of_rules(house, language, *what, community));
        parts.extend(rules);
        parts.extend(saying.also.iter().map(|key| self.texts.say(language, key, &with).trim_end().to_owned()));
        parts.join("\n\n")
    }

    /// What is said of the rules of a community.
    fn of_rules(&self, house: &House, language: Language, what: OfRules, community: &CommunityId) -> Option<String> {
        let rules = house.rules.get(community)?;
        let key = match what {
            OfRules::InShort => "companion-rules-in-short",
            OfRules::Agreed => "companion-rules-joined",
            OfRules::New => "companion-rules-new",
        };
        let with = [
            ("community", self.name_of(community).into()),
            ("summary", rules.summary.get(language).trim().into()),
            ("day", self.date(language, rules.version).into()),
        ];
        Some(self.texts.say(language, key, &with).trim_end().to_owned())
    }

    /// Under which name somebody signs in who knows only what they are called there, and not by which name the platform knows them.
    #[must_use]
    pub fn name_there(&self, language: Language, community: &CommunityId, handle: &str) -> String {
        let community = self.name_of(community);
        self.texts.say(language, "companion-name-there", &[("community", community.into()), ("handle", handle.into())])
    }

    /// Whom somebody can turn to, each in a line.
    #[must_use]
    pub fn help_in_lines(&self, language: Language, help: &Help) -> String {
        let line = |line: &Helpline| {
            let numbers = line.call.join(", ");
            let parts = [line.name.as_str(), &numbers, line.open.get(language), line.url.as_str()];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
        };
        help.lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// A clinic, where none is named.
    #[must_use]
    pub fn some_clinic(&self, language: Language) -> String {
        self.texts.say(language, "companion-some-clinic", &[])
    }

    /// That something was not understood.
    #[must_use]
    pub fn not_understood(&self, language: Language) -> String {
        self.texts.say(language, "companion-not-understood", &[])
    }

    /// Who is told if an answer wants a human's eye.
    #[must_use]
    pub fn watched(&self, language: Language, watched: &Watched) -> String {
        let say = |key: &str, name: &str, value: &str| self.texts.say(language, key, &[(name, value.into())]);
        let mut lines = vec![match watched.by.as_str() {
            "" => self.texts.say(language, "safety-not-told", &[]),
            by => say("safety-told", "communities", by),
        }];
        for (clinic, basis) in &watched.clinics {
            lines.push(say("safety-clinic-told", "clinic", clinic));
            lines.push(say("safety-clinic-basis", "basis", basis));
        }
        lines.join(" ")
    }

    fn date(&self, language: Language, day: Date) -> String {
        let parts = [("day", day.day().into()), ("month", day.month().into()), ("year", day.year().to_string().into())];
        self.texts.say(language, "date", &parts)
    }
}
