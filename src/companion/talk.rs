//! One step of a talk, without doing anything: what somebody says leads from the place where the talk waits to the next.

use super::script::{Acts, Became, BrokenScript, Place, PlaceName, Script, Waits};
use super::words::Words;
use crate::domain::language::Language;

/// The word with which somebody asks for help.
const HELP: &str = "help";

/// The words whose buttons are heard however old they are: they are understood wherever a talk waits, and lead to the same from
/// there. Nothing is lost where one is pressed by chance: help is only shown, and people are called once an hour. To stop
/// everything is none of them: it ends consent, and must be meant.
const EVER: [&str; 2] = [HELP, "human"];

/// What somebody says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// In their own words. Personal.
    Written(&'a str),
    /// In a letter, with more around it. Personal.
    Letter(&'a str),
    /// With a button: the name of a word, or a number.
    Pressed(&'a str),
}

/// What is understood of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Understood {
    /// Where it leads.
    pub to: PlaceName,
    /// The number that was said, where one was asked for. Personal.
    pub number: Option<u8>,
}

/// The talk, with the words in which it is understood.
#[derive(Clone, Debug)]
pub struct Talk {
    script: Script,
    words: Words,
}

impl<'a> Said<'a> {
    /// What is said in words, without what stands around it: of a letter, the first line below a salutation, which ends with a
    /// comma.
    #[must_use]
    pub fn line(self) -> Option<&'a str> {
        match self {
            Self::Written(text) => Some(text),
            Self::Letter(text) => {
                lines(text).find(|line| !line.ends_with(',')).or_else(|| lines(text).next()).or(Some(""))
            }
            Self::Pressed(_) => None,
        }
    }

    /// Whether it was said to what was said last: words always are, and so are buttons with which somebody wants help. A
    /// button without a mark is one that nobody showed.
    #[must_use]
    pub fn is_marked(&self, mark: Option<&str>) -> bool {
        match self {
            Self::Pressed(value) => {
                value.split_once('.').is_none_or(|(name, found)| Some(found) == mark || EVER.contains(&name))
            }
            Self::Written(_) | Self::Letter(_) => true,
        }
    }

    /// The same without the mark.
    #[must_use]
    pub fn unmarked(self) -> Self {
        match self {
            Self::Pressed(value) => Self::Pressed(value.split_once('.').map_or(value, |(name, _)| name)),
            written @ (Self::Written(_) | Self::Letter(_)) => written,
        }
    }
}

impl Talk {
    /// Reads the talk.
    ///
    /// # Errors
    /// [`BrokenScript`].
    pub fn load() -> Result<Self, BrokenScript> {
        let words = Words::load()?;
        Ok(Self { script: Script::load(&words)?, words })
    }

    /// How it is written.
    #[must_use]
    pub const fn script(&self) -> &Script {
        &self.script
    }

    /// What somebody means who says this where the talk waits; `None`: nothing that is understood there.
    #[must_use]
    pub fn understand(&self, at: &Waits, said: Said<'_>) -> Option<Understood> {
        let said = match said {
            Said::Letter(text) => Said::Written(self.meant_by(at, text)),
            said => said,
        };
        let number = at.takes.iter().find_map(|(takes, to)| {
            let number = match said {
                Said::Written(text) | Said::Letter(text) => self.words.number(text, *takes),
                Said::Pressed(name) => name.parse().ok().filter(|number| takes.takes(*number)),
            };
            number.map(|number| Understood { to: to.clone(), number: Some(number) })
        });
        number.or_else(|| {
            let ways = self.script.ways(at);
            let word = match said {
                Said::Written(text) | Said::Letter(text) => self.words.meant(text, ways.map(|(word, _)| word)),
                Said::Pressed(name) => ways.map(|(word, _)| word).find(|word| *word == name),
            }?;
            let (_, to) = self.script.ways(at).find(|(own, _)| *own == word)?;
            Some(Understood { to: to.to_owned(), number: None })
        })
    }

    /// The line of a letter that is heard: before all others one in which somebody asks for help, wherever it stands.
    fn meant_by<'a>(&self, at: &Waits, letter: &'a str) -> &'a str {
        let helps = |line: &str| self.words.meant(line, self.script.ways(at).map(|(word, _)| word)) == Some(HELP);
        let help = lines(letter).find(|line| helps(line));
        help.or_else(|| Said::Letter(letter).line()).unwrap_or_default()
    }

    /// Where something leads by what became of it.
    #[must_use]
    pub fn after<'a>(&'a self, acts: &'a Acts, became: Became) -> Option<&'a str> {
        acts.then.get(&became).map(String::as_str)
    }

    /// How a word is written on a button.
    #[must_use]
    pub fn written<'a>(&'a self, language: Language, word: &'a str) -> &'a str {
        self.words.first(language, word).unwrap_or(word)
    }

    /// The place of a name; the one where a talk begins, if there is none any more.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<(&str, &Place)> {
        self.script.place(name)
    }
}

/// The lines of a letter in which something stands.
fn lines(letter: &str) -> impl Iterator<Item = &str> {
    letter.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
