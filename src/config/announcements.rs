//! In which rooms a community is told what there is for everybody.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::ConfigError;
use super::connector::Connector;
use crate::domain::language::Language;

/// The longest name of a room, in characters: what Matrix lets one have.
const LONGEST_ROOM: usize = 255;

/// Where it is told, on its own platform.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcements {
    /// The rooms, as the platform names them.
    pub rooms: BTreeSet<String>,
    /// The language of the materials that are announced; without it, those of every language are.
    pub language: Option<Language>,
}

impl Announcements {
    /// Refuses what cannot be; `setting` is its name in the configuration.
    pub(super) fn check(&self, setting: &str, connector: Option<&Connector>) -> Result<(), ConfigError> {
        let invalid = |setting: String, expected| Err(ConfigError::Invalid { setting, expected });
        if connector.is_none() {
            return invalid(setting.to_owned(), "a [communities.….connector] beside it: announcements go by it");
        }
        let is_room = |room: &String| {
            (1..=LONGEST_ROOM).contains(&room.chars().count())
                && room.trim() == room
                && !room.contains(char::is_control)
        };
        if self.rooms.is_empty() || !self.rooms.iter().all(is_room) {
            let expected = "at least one room as the platform names it, of 1 to 255 characters";
            return invalid(format!("{setting}.rooms"), expected);
        }
        if matches!(connector, Some(Connector::Matrix(_))) && self.rooms.iter().any(|room| !room.starts_with('!')) {
            return invalid(format!("{setting}.rooms"), "ids of rooms, which begin with !");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::domain::language::Language;

    const DISCOURSE: &str = "[communities.forum.connector]\nplatform = \"discourse\"\nurl = \"https://f.example\"\n\
                             account = \"bridge\"\napi_key_file = \"k\"\nsecret_file = \"s\"\n";
    const MATRIX: &str = "[communities.forum.connector]\nplatform = \"matrix\"\nhomeserver = \"https://m.example\"\n\
                          user = \"@b:m.example\"\nas_token_file = \"a\"\nhs_token_file = \"h\"\n";

    fn read(connector: &str, announcements: &str) -> Result<Config, String> {
        let text =
            format!("[communities.forum]\nname = \"F\"\n{connector}[communities.forum.announcements]\n{announcements}");
        Config::from_toml(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn rooms_are_read_with_their_language_or_without() {
        for (language, expected) in [("", None), ("language = \"ru\"", Some(Language::Ru))] {
            let config = read(DISCOURSE, &format!("rooms = [\"readers\", \"news\", \"news\"]\n{language}")).unwrap();
            let announcements = config.communities[&"forum".parse().unwrap()].announcements.clone().unwrap();
            assert_eq!((announcements.rooms.len(), announcements.language), (2, expected));
        }
        assert!(read(MATRIX, "rooms = [\"!a:m.example\"]").is_ok());
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_was_expected() {
        for (connector, announcements, expected) in [
            ("", "rooms = [\"news\"]", "communities.forum.announcements: expected a [communities.….connector]"),
            (DISCOURSE, "rooms = []", "announcements.rooms: expected at least one room"),
            (DISCOURSE, "rooms = [\" \"]", "announcements.rooms: expected at least one room"),
            (DISCOURSE, "rooms = [\"a\\nb\"]", "announcements.rooms: expected at least one room"),
            (DISCOURSE, "", "rooms"),
            (DISCOURSE, "rooms = [\"news\"]\nlanguage = \"fr\"", "en"),
            (DISCOURSE, "rooms = [\"news\"]\nroom = \"x\"", "room"),
            (MATRIX, "rooms = [\"#news:m.example\"]", "which begin with !"),
        ] {
            let error = read(connector, announcements).unwrap_err();
            assert!(error.contains(expected), "{announcements}: {error}");
        }
    }
}
