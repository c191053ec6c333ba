//! What a community wants of its members, and what becomes of what they say: texts with a version, which members agree to when
//! they join, and again when there are new ones.

use jiff::civil::Date;
use serde::Deserialize;

use super::helpline::Words;

/// The longest summary, in characters: it is said in a chat.
pub const LONGEST_SUMMARY: usize = 600;

/// The rules of a community.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Since when they are as they are: their version.
    pub version: Date,
    /// What stands in them, in a few sentences.
    pub summary: Words,
    /// The rules.
    pub rules: Words,
    /// What becomes of what members say, and what they can ask for.
    pub privacy: Words,
}

/// Rules that nobody can agree to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRules {
    /// A text is empty.
    #[error("expected a text in each language for `{0}`")]
    Empty(&'static str),
    /// The summary is none.
    #[error("expected a `summary` of at most {LONGEST_SUMMARY} characters in each language")]
    Long,
}

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part<'a> {
    /// What stands above others.
    Heading(&'a str),
    /// Lines that belong together.
    Paragraph(String),
    /// Lines one below the other.
    List(Vec<&'a str>),
}

impl Rules {
    /// Whether there is something to read in each language.
    ///
    /// # Errors
    /// [`BadRules`].
    pub fn check(&self) -> Result<(), BadRules> {
        let texts = [("summary", &self.summary), ("rules", &self.rules), ("privacy", &self.privacy)];
        for (name, Words { en, ru }) in texts {
            if en.trim().is_empty() || ru.trim().is_empty() {
                return Err(BadRules::Empty(name));
            }
        }
        let is_long = |text: &String| text.chars().nth(LONGEST_SUMMARY).is_some();
        if is_long(&self.summary.en) || is_long(&self.summary.ru) { Err(BadRules::Long) } else { Ok(()) }
    }

    /// Their version, as it is kept.
    #[must_use]
    pub fn name(&self) -> String {
        self.version.to_string()
    }
}

/// The parts of a text: paragraphs, with an empty line between them; a line that begins with `# ` is a heading, and lines that
/// begin with `- ` are a list.
#[must_use]
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut is_new = true;
    for line in text.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix("# ") {
            parts.push(Part::Heading(heading.trim()));
        } else if let Some(item) = line.strip_prefix("- ") {
            match parts.last_mut() {
                Some(Part::List(items)) if !is_new => items.push(item.trim()),
                _ => parts.push(Part::List(vec![item.trim()])),
            }
        } else if !line.is_empty() {
            match parts.last_mut() {
                Some(Part::Paragraph(before)) if !is_new => *before = format!("{before} {line}"),
                _ => parts.push(Part::Paragraph(line.to_owned())),
            }
        }
        is_new = line.is_empty();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_paragraphs_headings_and_lists() {
        let text = "# Be kind\nTo each\nother.\n\n- no names\n- no places\n\n- alone\nAfter.\n #no heading";
        let paragraph = |text: &str| Part::Paragraph(text.to_owned());
        assert_eq!(
            parts(text),
            [
                Part::Heading("Be kind"),
                paragraph("To each other."),
                Part::List(vec!["no names", "no places"]),
                Part::List(vec!["alone"]),
                paragraph("After. #no heading"),
            ]
        );
        assert_eq!(parts(" \n\n"), []);
    }

    #[test]
    fn nobody_agrees_to_nothing() {
        let words = |en: &str| Words { en: en.to_owned(), ru: "Да".to_owned() };
        let good = Rules {
            version: jiff::civil::date(2026, 11, 26),
            summary: words("S"),
            rules: words("R"),
            privacy: words("P"),
        };
        assert_eq!((good.check(), good.name().as_str()), (Ok(()), "2026-11-26"));
        assert_eq!(Rules { rules: words(" \n"), ..good.clone() }.check(), Err(BadRules::Empty("rules")));
        assert_eq!(Rules { summary: words(&"x".repeat(601)), ..good }.check(), Err(BadRules::Long));
    }
}
