//! Phrases in which people say that they may be in danger: data (`phrases.toml`), not validated, off unless a community switches it
//! on. What is found only has a human look, who sees the phrase.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::language::Language;

/// The phrases as they are written.
const PHRASES: &str = include_str!("phrases.toml");

/// How many words before a phrase may deny it.
const NEAR: usize = 3;

/// The longest that is looked at, in bytes: of whoever writes more, the beginning.
const LONGEST: usize = 64 * 1024;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| toml::from_str(PHRASES).unwrap_or_default());

/// The phrases of each language. Without any, nothing is found; a test reads the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lexicon {
    version: String,
    en: List,
    ru: List,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    phrases: Vec<String>,
    denials: Vec<String>,
    except: Vec<String>,
}

/// Which version of the phrases this is.
#[must_use]
pub fn version() -> &'static str {
    &LEXICON.version
}

/// The first phrase that stands in a text, in a language or in any: as it stands in the list, and not as somebody wrote it.
#[must_use]
pub fn found(text: &str, language: Option<Language>) -> Option<&'static str> {
    let clauses = clauses(text);
    let lexicon: &'static Lexicon = &LEXICON;
    let lists = Language::ALL.into_iter().filter(|it| language.is_none_or(|language| language == *it));
    lists.map(|it| lexicon.of(it)).find_map(|list| clauses.iter().find_map(|words| list.found(words)))
}

impl Lexicon {
    const fn of(&self, language: Language) -> &List {
        match language {
            Language::En => &self.en,
            Language::Ru => &self.ru,
        }
    }
}

impl List {
    fn found(&self, words: &[String]) -> Option<&str> {
        let is_meant = |phrase: &&String| {
            let parts: Vec<&str> = phrase.split(' ').collect();
            (0..words.len()).any(|at| {
                let (before, rest) = words.split_at(at);
                stands(&parts, rest) && !self.is_denied(before, &parts) && !self.is_excepted(words, at)
            })
        };
        self.phrases.iter().find(is_meant).map(String::as_str)
    }

    /// Whether a word shortly before denies it. A phrase that begins with a denial means it.
    fn is_denied(&self, before: &[String], parts: &[&str]) -> bool {
        let is_denial = |word: &str| self.denials.iter().any(|denial| denial == word);
        let begins_with_one = parts.first().is_some_and(|first| is_denial(first));
        !begins_with_one && before.iter().rev().take(NEAR).any(|word| is_denial(word))
    }

    /// Whether it is part of a turn of phrase that means something else.
    fn is_excepted(&self, words: &[String], at: usize) -> bool {
        let from = at.saturating_sub(NEAR);
        let near = words.get(from..).unwrap_or_default();
        self.except.iter().any(|except| {
            let parts: Vec<&str> = except.split(' ').collect();
            (0..near.len().min(2 * NEAR + 1)).any(|start| stands(&parts, near.get(start..).unwrap_or_default()))
        })
    }
}

/// Whether some words begin with a phrase.
fn stands(parts: &[&str], words: &[String]) -> bool {
    match parts.split_first() {
        None => true,
        Some((&"*", rest)) => stands(rest, words) || words.get(1..).is_some_and(|words| stands(rest, words)),
        Some((part, rest)) => {
            words.split_first().is_some_and(|(word, words)| is_word(part, word) && stands(rest, words))
        }
    }
}

fn is_word(part: &str, word: &str) -> bool {
    part.strip_suffix('~').map_or(part == word, |beginning| word.starts_with(beginning))
}

/// The words of each clause that somebody says themselves, in small letters: without what is quoted.
fn clauses(text: &str) -> Vec<Vec<String>> {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut clauses = vec![Vec::new()];
    for line in text.get(..end).unwrap_or_default().lines().filter(|line| !line.trim_start().starts_with('>')) {
        for said in unquoted(line).split(ends_clause) {
            let words = said.split(|letter: char| !is_of_word(letter)).map(tidied).filter(|word| !word.is_empty());
            clauses.push(words.collect());
        }
    }
    clauses
}

/// A line without what stands between quotation marks; what is opened and never closed is no quotation.
fn unquoted(line: &str) -> String {
    let mut said = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, opening, after)) = split_at_char(rest, |letter| closing(letter).is_some()) {
        said.push_str(before);
        let quoted = closing(opening).and_then(|closing| split_at_char(after, |letter| closing.contains(letter)));
        // What is quoted ends a clause: what is denied before it is not denied after it.
        said.push(if quoted.is_some() { ';' } else { ' ' });
        rest = quoted.map_or(after, |(_, _, after)| after);
    }
    said + rest
}

/// What closes what this mark opens.
const fn closing(opening: char) -> Option<&'static str> {
    match opening {
        '"' => Some("\""),
        '“' => Some("”“"),
        '„' => Some("“”"),
        '«' => Some("»"),
        _ => None,
    }
}

fn split_at_char(text: &str, is_it: impl Fn(char) -> bool) -> Option<(&str, char, &str)> {
    let (at, letter) = text.char_indices().find(|(_, letter)| is_it(*letter))?;
    Some((text.get(..at)?, letter, text.get(at + letter.len_utf8()..)?))
}

const fn ends_clause(letter: char) -> bool {
    matches!(letter, '.' | '!' | '?' | ';' | ':' | ',' | '…' | '—' | '–' | '(' | ')')
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '\'' | '’' | '\u{301}')
}

fn tidied(word: &str) -> String {
    let small = word.to_lowercase().replace('ё', "е").replace('’', "'").replace('\u{301}', "");
    small.trim_matches('\'').to_owned()
}

#[cfg(test)]
#[path = "phrases_tests.rs"]
mod tests;
