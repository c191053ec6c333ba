//! What members say, and what is meant by it: data (`words.toml`), and how it is understood although it is written with
//! mistakes.

use std::collections::BTreeMap;

use serde::Deserialize;
use strsim::osa_distance;

use super::script::{BrokenScript, Takes};
use crate::domain::language::Language;

/// The words as they are written.
const WORDS: &str = include_str!("words.toml");

/// The longest that is looked at for a word, in characters: who writes more tells something, and means none of the words.
const LONGEST: usize = 60;

/// By word, how people write it.
type Lines = BTreeMap<String, Vec<Written>>;

/// One way to write a word.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
struct Written {
    /// As a button shows it.
    shown: String,
    /// As what was said is compared with it.
    tidy: String,
    /// How long that is, in characters.
    length: usize,
}

impl From<String> for Written {
    fn from(shown: String) -> Self {
        let tidy = tidied(&shown).unwrap_or_default();
        Self { length: tidy.chars().count(), tidy, shown }
    }
}

/// All words in all languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    en: Lines,
    ru: Lines,
    moods: Moods,
    answers: Answers,
}

/// Words for moods from 1 to 5.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moods {
    en: Lines,
    ru: Lines,
}

/// Words for answers from 0 to 3.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    en: Lines,
    ru: Lines,
}

impl Words {
    /// Reads the words.
    ///
    /// # Errors
    /// [`BrokenScript`].
    pub fn load() -> Result<Self, BrokenScript> {
        toml::from_str(WORDS).map_err(|error| BrokenScript::of(&error))
    }

    /// Whether a word is known in a language.
    #[must_use]
    pub fn has(&self, language: Language, word: &str) -> bool {
        self.lines(language).get(word).is_some_and(|lines| !lines.is_empty())
    }

    /// How a word is written on a button.
    #[must_use]
    pub fn first(&self, language: Language, word: &str) -> Option<&str> {
        self.lines(language).get(word)?.first().map(|line| line.shown.as_str())
    }

    /// Which of some words is meant, in any language: people mix them. What fits exactly goes before what nearly fits, and
    /// what nearly fits two words is neither.
    #[must_use]
    pub fn meant<'a>(&self, said: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        let said = tidied(said)?;
        let lines = |word: &str| Language::ALL.map(|it| self.lines(it).get(word)).into_iter().flatten().flatten();
        nearest(&said, words.flat_map(|word| lines(word).map(move |line| (word, line))))
    }

    /// The number that is meant where a place takes one: as a digit, or in words.
    #[must_use]
    pub fn number(&self, said: &str, takes: Takes) -> Option<u8> {
        let said = tidied(said)?;
        let (least, most) = takes.bounds();
        if let Ok(number) = said.parse::<u8>() {
            return Some(number).filter(|number| (least..=most).contains(number));
        }
        let lines = match takes {
            Takes::Mood => [&self.moods.en, &self.moods.ru],
            Takes::Answer => [&self.answers.en, &self.answers.ru],
        };
        let lines = lines.into_iter().flatten();
        let number = nearest(&said, lines.flat_map(|(number, lines)| lines.iter().map(|line| (number.as_str(), line))));
        number.and_then(|number| number.parse().ok())
    }

    const fn lines(&self, language: Language) -> &Lines {
        match language {
            Language::En => &self.en,
            Language::Ru => &self.ru,
        }
    }
}

/// What was said, in the shape of the lines: in small letters, without what stands around it. Nothing, where it is too long
/// to be one.
fn tidied(said: &str) -> Option<String> {
    if said.chars().nth(LONGEST).is_some() {
        return None;
    }
    let small = said.to_lowercase().replace('ё', "е");
    let around = |c: char| !c.is_alphanumeric() && c != '/' && c != '-';
    let words: Vec<&str> =
        small.split_whitespace().map(|word| word.trim_matches(around)).filter(|word| !word.is_empty()).collect();
    Some(words.join(" ")).filter(|said| !said.is_empty())
}

/// What the line stands for that is nearest to what was said, if it is near, and no line for something else is as near.
fn nearest<'a, 'b>(said: &str, lines: impl Iterator<Item = (&'a str, &'b Written)>) -> Option<&'a str> {
    let length = said.chars().count();
    let mut best: Option<(usize, &'a str)> = None;
    let mut is_shared = false;
    for (meaning, line) in lines {
        let mistakes = mistakes(line.length);
        // What is longer or shorter by more letters than may be wrong need not be compared letter by letter.
        if length.abs_diff(line.length) > mistakes {
            continue;
        }
        let distance = osa_distance(said, &line.tidy);
        if distance > mistakes {
            continue;
        }
        match best {
            Some((least, other)) if distance == least && other != meaning => is_shared = true,
            Some((least, _)) if distance >= least => {}
            _ => (best, is_shared) = (Some((distance, meaning)), false),
        }
    }
    best.filter(|_| !is_shared).map(|(_, meaning)| meaning)
}

/// How many letters of a line of this length may be wrong, missing, too many, or swapped: none in what is short, because there
/// something else is near.
const fn mistakes(length: usize) -> usize {
    match length {
        ..=4 => 0,
        5..=8 => 1,
        _ => 2,
    }
}
