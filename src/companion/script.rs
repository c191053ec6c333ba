//! Where a talk can stand, and what leads where: data (`script.toml`), read and checked once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::words::Words;
use crate::domain::language::Language;

/// The talk as it is written.
const SCRIPT: &str = include_str!("script.toml");

/// A place by name.
pub type PlaceName = String;

/// A word by name: see `words.toml`.
pub type Word = String;

/// The whole talk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Where a talk begins.
    home: PlaceName,
    /// Where somebody gets to who is no member; the first is where they begin.
    strangers: Vec<PlaceName>,
    /// Where they are once they are one.
    joined: PlaceName,
    /// Where somebody is who told a code that is none.
    wrong_code: PlaceName,
    /// Where somebody is who wants to join when too many do.
    too_many: PlaceName,
    /// What is understood wherever the talk waits.
    everywhere: BTreeMap<Word, PlaceName>,
    places: BTreeMap<PlaceName, Place>,
}

/// A place.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// It waits for what somebody says.
    Waits(Waits),
    /// It does something, and leads on.
    Acts(Acts),
}

/// A place that waits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waits {
    /// The key of what is said there.
    pub say: String,
    /// Where the talk goes to say it again, if not here.
    pub again: Option<PlaceName>,
    /// What it takes beside words.
    #[serde(default)]
    pub takes: BTreeMap<Takes, PlaceName>,
    /// Whether it is said there where help is found.
    #[serde(default)]
    pub helps: bool,
    /// Its words, as buttons in this order.
    #[serde(default)]
    pub words: Vec<(Word, PlaceName)>,
}

/// A place that does something.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acts {
    /// What.
    pub does: Act,
    /// Where to, by what became of it.
    pub then: BTreeMap<Became, PlaceName>,
}

/// What a place takes beside words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// A mood, from 1 to 5.
    Mood,
    /// An answer to the question that is open, from 0 to 3.
    Answer,
}

/// Makes an enum with its names as they stand in the script.
macro_rules! named {
    ($(#[$of:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident,)* }) => {
        $(#[$of])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Each there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
        }
    };
}

named! {
    /// Something that is done.
    Act {
        /// A mood is noted down.
        KeepMood,
        /// From now on all is kept for the member.
        KeepAll,
        /// A questionnaire is begun, or gone on with.
        OpenPhq2,
        /// The same.
        OpenPhq9,
        /// The same.
        OpenGad7,
        /// An answer is kept.
        KeepAnswer,
        /// It is kept that the member would rather not answer.
        KeepDeclined,
        /// The question before is opened again.
        LastQuestion,
        /// The next question is opened.
        NextQuestion,
        /// The answers are taken in.
        Finish,
        /// They are thrown away.
        Discard,
        /// It is looked for what clinics have for the member.
        Messages,
        /// The member is to be reminded.
        Later,
        /// The member wants to do what a clinic asks for.
        Accept,
        /// They do not want to.
        Refuse,
        /// It is looked whether the member can ask for a visit.
        Visits,
        /// It is looked for what is shared.
        Sharing,
        /// Sharing pauses.
        Pause,
        /// It goes on.
        Resume,
        /// It ends.
        Stop,
        /// People of the community are called.
        Human,
        /// The member is to be erased.
        Erase,
        /// It is looked whether they are.
        LookErasing,
        /// They are not any more.
        KeepMe,
        /// It is looked what the rules of the community are.
        Rules,
        /// The member agrees to them.
        Agree,
        /// It is looked for what clinics published for everybody.
        Materials,
    }
}

named! {
    /// What became of it.
    Became {
        /// It is done.
        Done,
        /// A clinic learns of it.
        Shared,
        /// It is kept for the member only.
        Kept,
        /// Nobody would see it: it is not kept.
        Nobody,
        /// A question comes next.
        Question,
        /// All is answered.
        Whole,
        /// The answer wants help to be shown first.
        Danger,
        /// What it was about is no longer there.
        Gone,
        /// There is none.
        None,
        /// There are some.
        Some,
        /// There is something that can be answered.
        Open,
        /// It is for the portal, where nobody but the member reads.
        Elsewhere,
        /// Something is shared.
        Active,
        /// It pauses.
        Paused,
    }
}

impl Act {
    /// All that can become of it.
    #[must_use]
    pub const fn may_become(self) -> &'static [Became] {
        use Became::{
            Active, Danger, Done, Elsewhere, Gone, Kept, Nobody, None, Open, Paused, Question, Shared, Some, Whole,
        };
        match self {
            Self::KeepMood => &[Shared, Kept, Nobody],
            Self::Finish => &[Shared, Kept, Nobody, Gone],
            Self::KeepAll | Self::Discard | Self::Erase | Self::Later => &[Done],
            Self::OpenPhq2 | Self::OpenPhq9 | Self::OpenGad7 => &[Question, Whole],
            Self::KeepAnswer => &[Question, Whole, Danger, Gone],
            Self::KeepDeclined | Self::NextQuestion => &[Question, Whole, Gone],
            Self::LastQuestion => &[Question, Gone],
            Self::Messages => &[None, Some, Open, Elsewhere],
            Self::Accept | Self::Refuse => &[Done, Some, Elsewhere],
            Self::Visits | Self::Materials => &[None, Some],
            Self::LookErasing => &[None, Some, Elsewhere],
            Self::Resume => &[Done, None, Elsewhere],
            Self::Sharing => &[None, Active, Paused],
            Self::Pause | Self::Stop | Self::Human | Self::Agree => &[Done, None],
            Self::Rules => &[Done, Some, None],
            Self::KeepMe => &[Done, Gone, Elsewhere],
        }
    }
}

/// The talk cannot be followed as it is written. A defect: it is compiled in.
#[derive(Debug, thiserror::Error)]
#[error("the companion's talk cannot be followed: {0}")]
pub struct BrokenScript(String);

impl BrokenScript {
    /// What a file cannot be read for.
    pub(super) fn of(error: &toml::de::Error) -> Self {
        Self(error.to_string())
    }
}

impl Takes {
    /// The least and the most.
    #[must_use]
    pub const fn bounds(self) -> (u8, u8) {
        match self {
            Self::Mood => (1, 5),
            Self::Answer => (0, 3),
        }
    }

    /// Whether a number is one of these.
    #[must_use]
    pub const fn takes(self, number: u8) -> bool {
        let (least, most) = self.bounds();
        least <= number && number <= most
    }
}

impl Script {
    /// Reads the talk, and checks that it never ends up nowhere.
    ///
    /// # Errors
    /// [`BrokenScript`].
    pub fn load(words: &Words) -> Result<Self, BrokenScript> {
        let script: Self = toml::from_str(SCRIPT).map_err(|error| BrokenScript::of(&error))?;
        script.check(words).map_err(BrokenScript)?;
        Ok(script)
    }

    /// Where somebody begins who is no member.
    #[must_use]
    pub fn strange(&self) -> Option<(&str, &Place)> {
        self.strangers.first().and_then(|first| self.place(first))
    }

    /// Where help is found.
    #[must_use]
    pub fn help(&self) -> Option<(&str, &Place)> {
        self.everywhere.get("help").and_then(|help| self.place(help))
    }

    /// Whether somebody gets to a place who is no member.
    #[must_use]
    pub fn is_strange(&self, name: &str) -> bool {
        self.strangers.iter().any(|strange| strange == name)
    }

    /// Where a stranger is who told a code that is not good.
    #[must_use]
    pub fn wrong_code(&self) -> &str {
        &self.wrong_code
    }

    /// Where a stranger is who wants to join when too many do.
    #[must_use]
    pub fn too_many(&self) -> &str {
        &self.too_many
    }

    /// Where somebody is who has just joined.
    #[must_use]
    pub fn joined(&self) -> &str {
        &self.joined
    }

    /// The place of this name; the one where a talk begins, if there is none any more.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<(&str, &Place)> {
        let found = self.places.get_key_value(name).or_else(|| self.places.get_key_value(&self.home));
        found.map(|(name, place)| (name.as_str(), place))
    }

    /// The words that are understood at a place, each with where it leads; those with a button first.
    pub fn ways<'a>(&'a self, at: &'a Waits) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = at.words.iter().map(|(word, to)| (word.as_str(), to.as_str()));
        let everywhere = self.everywhere.iter().map(|(word, to)| (word.as_str(), to.as_str()));
        own.chain(everywhere.filter(|(word, _)| at.words.iter().all(|(own, _)| own != word)))
    }

    /// Every place that waits.
    pub fn waiting(&self) -> impl Iterator<Item = (&str, &Waits)> {
        self.places.iter().filter_map(|(name, place)| match place {
            Place::Waits(waits) => Some((name.as_str(), waits)),
            Place::Acts(_) => None,
        })
    }

    fn check(&self, words: &Words) -> Result<(), String> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = self.strangers.iter().chain([&self.home, &self.joined]).map(String::as_str).collect();
        while let Some(name) = open.pop() {
            let place = self.places.get(name).ok_or_else(|| format!("there is no place {name}"))?;
            if reached.insert(name) {
                open.extend(self.leads(name, place, words)?);
            }
        }
        match self.places.keys().find(|name| !reached.contains(name.as_str())) {
            Some(name) => Err(format!("nothing leads to {name}")),
            None => self.places.iter().try_for_each(|(name, place)| self.check_end(name, place)),
        }
    }

    /// Where a place leads.
    fn leads<'a>(&'a self, name: &str, place: &'a Place, words: &Words) -> Result<Vec<&'a str>, String> {
        match place {
            Place::Waits(waits) => {
                let unknown = self.ways(waits).find(|(word, _)| Language::ALL.iter().any(|it| !words.has(*it, word)));
                if let Some((word, _)) = unknown {
                    return Err(format!("the word {word} at {name} is not in all languages"));
                }
                let others = waits.takes.values().chain(&waits.again).map(String::as_str);
                Ok(self.ways(waits).map(|(_, to)| to).chain(others).collect())
            }
            Place::Acts(acts) => {
                let covered: BTreeSet<Became> = acts.then.keys().copied().collect();
                if covered != acts.does.may_become().iter().copied().collect() {
                    return Err(format!("{name} does not say what comes after each end of {:?}", acts.does));
                }
                Ok(acts.then.values().map(String::as_str).collect())
            }
        }
    }

    /// However things turn out, the talk waits for somebody after a few steps.
    fn check_end(&self, name: &str, place: &Place) -> Result<(), String> {
        let mut at: BTreeSet<&str> = BTreeSet::from([name]);
        let mut acting = vec![place];
        while let Some(Place::Acts(acts)) = acting.pop() {
            for to in acts.then.values() {
                let next = self.places.get(to).ok_or_else(|| format!("there is no place {to}"))?;
                if matches!(next, Place::Acts(_)) {
                    if !at.insert(to) {
                        return Err(format!("{name} may never wait again"));
                    }
                    acting.push(next);
                }
            }
        }
        Ok(())
    }
}
