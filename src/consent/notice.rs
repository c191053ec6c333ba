//! Notices: what members are told before they decide, in plain words. A text that was once used never changes; a change
//! is a new version, and then everyone is asked again. A consent given under an older version holds until they are.

use aws_lc_rs::digest;

use crate::domain::consented::Shown;
use crate::domain::language::Language;

/// A text in one language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Which version.
    pub version: i32,
    /// In which language.
    pub language: Language,
    /// The text: see [`Notice::parts`].
    pub text: &'static str,
}

/// A part of a notice, in the order in which they are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What it is called.
    Title(&'static str),
    /// What the paragraphs after it are about.
    Heading(&'static str),
    /// A paragraph.
    Paragraph(&'static str),
}

/// Every text that was ever used.
const ALL: [Notice; 2] = [
    Notice { version: 1, language: Language::En, text: include_str!("notices/sharing.1.en.md") },
    Notice { version: 1, language: Language::Ru, text: include_str!("notices/sharing.1.ru.md") },
];

/// The version that is shown to whoever decides now.
pub const CURRENT: i32 = 1;

impl Notice {
    /// The text that is shown to whoever decides now.
    #[must_use]
    pub fn current(language: Language) -> Self {
        let [first, ..] = ALL;
        Self::find(CURRENT, language).unwrap_or(first)
    }

    /// A text that was ever used.
    #[must_use]
    pub fn find(version: i32, language: Language) -> Option<Self> {
        ALL.into_iter().find(|notice| notice.version == version && notice.language == language)
    }

    /// Its parts: lines that begin with `# ` and `## ` are the title and the headings, all others paragraphs.
    pub fn parts(self) -> impl Iterator<Item = Part> {
        self.text.lines().filter(|line| !line.is_empty()).map(|line| {
            match (line.strip_prefix("# "), line.strip_prefix("## ")) {
                (Some(title), _) => Part::Title(title),
                (_, Some(heading)) => Part::Heading(heading),
                _ => Part::Paragraph(line),
            }
        })
    }

    /// What is noted when it was shown.
    #[must_use]
    pub fn shown(self) -> Shown {
        let digest = digest::digest(&digest::SHA256, self.text.as_bytes());
        let hash = digest.as_ref().iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"));
        Shown { version: self.version, language: self.language, hash }
    }
}

/// Whether a member is to be asked again: they decided under an older text, or nobody knows under which.
#[must_use]
pub fn needs_asking(shown: Option<&Shown>) -> bool {
    shown.is_none_or(|shown| shown.version < CURRENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is recorded in members' receipts. Add lines; never change one.
    const HASHES: [(i32, Language, &str); 2] = [
        (1, Language::En, "ee943f7bdffa6473c4d98f14518693bd7551fa09519588c3545cfa71cfdd94c3"),
        (1, Language::Ru, "3438ab6aa01ee309ec88582aaad49efd5f39a7358bb5695a77f97dfea97922ba"),
    ];

    #[test]
    fn a_text_that_was_used_never_changes() {
        let found: Vec<_> = ALL.iter().map(|notice| (notice.version, notice.language, notice.shown().hash)).collect();
        let known: Vec<_> =
            HASHES.iter().map(|(version, language, hash)| (*version, *language, (*hash).to_owned())).collect();
        assert_eq!(found, known);
    }

    #[test]
    fn everyone_is_told_the_same_whatever_their_language() {
        let shape = |language| -> Vec<_> {
            let kind = |part| match part {
                Part::Title(_) => 't',
                Part::Heading(_) => 'h',
                Part::Paragraph(_) => 'p',
            };
            Notice::current(language).parts().map(kind).collect()
        };
        for language in Language::ALL {
            assert_eq!(Notice::current(language).language, language);
            assert_eq!(shape(language), shape(Language::En));
        }
    }

    #[test]
    fn whoever_saw_an_older_text_or_none_is_asked_again() {
        let shown = Notice::current(Language::Ru).shown();
        assert!(!needs_asking(Some(&shown)));
        assert!(needs_asking(Some(&Shown { version: CURRENT - 1, ..shown })));
        assert!(needs_asking(None));
    }
}
