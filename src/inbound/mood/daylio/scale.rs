//! From a member's mood name to a level from 1 (worst) to 5 (best).

use std::collections::HashMap;
use std::fmt;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

/// The names that Daylio itself gives to its five levels, worst first, in the languages where public exports or
/// importers agree on them. In every other language the mapping file says it.
pub(super) const DEFAULTS: [(&str, [&str; 5]); 3] = [
    ("English", ["awful", "bad", "meh", "good", "rad"]),
    ("German", ["lausig", "schlecht", "ok", "gut", "super"]),
    ("Italian", ["terribile", "male", "così così", "buono", "ottimo"]),
];

/// Which level a mood name stands for. Names are compared without regard to case and to spaces around them.
#[derive(Clone, PartialEq, Eq)]
pub struct MoodScale {
    levels: HashMap<String, u8>,
}

/// Why a mapping file was refused. It names the mood, for whoever wrote the file is who reads the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// The file is no TOML.
    #[error("mood mapping, line {line}: {reason}")]
    Syntax {
        /// The line of the mapping file.
        line: usize,
        /// What the TOML parser says.
        reason: String,
    },
    /// There is no table `[moods]`.
    #[error("mood mapping: expected a table [moods] with lines such as \"sad\" = 2")]
    NoMoods,
    /// Something stands beside `[moods]`.
    #[error("mood mapping: unknown key {key:?}; expected only the table [moods]")]
    UnknownKey {
        /// The key that does not belong there.
        key: String,
    },
    /// A mood has no name.
    #[error("mood mapping: a mood without a name; expected lines such as \"sad\" = 2")]
    NoName,
    /// A mood has no level of the scale.
    #[error("mood mapping, mood {name:?}: expected a whole number from 1 (worst) to 5 (best)")]
    Level {
        /// The mood.
        name: String,
    },
    /// A mood stands there twice.
    #[error("mood mapping, mood {name:?}: expected each mood once (upper and lower case are the same)")]
    Twice {
        /// The mood, in lower case.
        name: String,
    },
}

impl MoodScale {
    /// The defaults, extended and overridden by a mapping file:
    ///
    /// ```toml
    /// [moods]
    /// "sad" = 2
    /// "average" = 3
    /// ```
    ///
    /// # Errors
    /// [`MappingError`] when the file is no TOML, has other keys, has a level that is not 1 to 5, or a mood twice.
    pub fn from_toml(text: &str) -> Result<Self, MappingError> {
        let file: Dict = Toml::from_str(text).map_err(|error| MappingError::Syntax {
            line: text.get(..error.span().map_or(0, |span| span.start)).map_or(1, |before| before.split('\n').count()),
            reason: error.message().to_owned(),
        })?;
        if let Some(key) = file.keys().find(|key| *key != "moods") {
            return Err(MappingError::UnknownKey { key: key.clone() });
        }
        let moods = file.get("moods").and_then(Value::as_dict).ok_or(MappingError::NoMoods)?;
        let mut scale = Self::default();
        scale.levels.extend(read_moods(moods)?);
        Ok(scale)
    }

    /// The defaults, extended and overridden by what a member said of their own moods.
    #[must_use]
    pub fn of_member<'a>(own: impl IntoIterator<Item = (&'a String, &'a u8)>) -> Self {
        let mut scale = Self::default();
        scale.levels.extend(own.into_iter().map(|(name, level)| (folded(name), *level)));
        scale
    }

    /// The level of a mood, from 1 (worst) to 5 (best), or `None` if neither Daylio nor the mapping file names it.
    #[must_use]
    pub fn level(&self, mood: &str) -> Option<u8> {
        self.levels.get(&folded(mood)).copied()
    }
}

impl Default for MoodScale {
    fn default() -> Self {
        let names = DEFAULTS.iter().flat_map(|(_, names)| names.iter().zip(1..=5));
        Self { levels: names.map(|(name, level)| (folded(name), level)).collect() }
    }
}

/// Shows how many names there are and none of them: members name their moods with their own words.
impl fmt::Debug for MoodScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MoodScale").field("names", &self.levels.len()).finish_non_exhaustive()
    }
}

fn read_moods(moods: &Dict) -> Result<HashMap<String, u8>, MappingError> {
    let mut levels = HashMap::new();
    for (name, level) in moods {
        let folded = folded(name);
        if folded.is_empty() {
            return Err(MappingError::NoName);
        }
        let level = level_of(level).ok_or_else(|| MappingError::Level { name: name.clone() })?;
        if levels.insert(folded.clone(), level).is_some() {
            return Err(MappingError::Twice { name: folded });
        }
    }
    Ok(levels)
}

fn level_of(value: &Value) -> Option<u8> {
    let Value::Num(_, number) = value else { return None };
    u8::try_from(number.to_i128()?).ok().filter(|level| (1..=5).contains(level))
}

fn folded(mood: &str) -> String {
    mood.trim().to_lowercase()
}
