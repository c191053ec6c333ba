//! What clinics publish for everybody to read: texts with versions. A version is never changed once it is published; a new one
//! stands beside it, and all of them can be taken back together.

use aws_lc_rs::digest;
use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

use super::ids::{ClinicId, MaterialId};
use super::language::Language;

/// The longest title, in characters.
pub const LONGEST_TITLE: usize = 120;

/// The longest text, in characters: of any alphabet, no more than a form may hold.
pub const LONGEST_TEXT: usize = 10_000;

/// The longest link, in characters.
pub const LONGEST_LINK: usize = 500;

/// What stands in a material.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// In which language.
    pub language: Language,
    /// What it is called: one line.
    pub title: String,
    /// Its paragraphs, with an empty line between them.
    pub text: String,
    /// Where more stands, if anywhere.
    pub link: Option<String>,
}

/// What is wrong with a material.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadContent {
    /// The title is none.
    #[error("expected a title of 1 to {LONGEST_TITLE} characters in one line")]
    Title,
    /// The text is none.
    #[error("expected a text of 1 to {LONGEST_TEXT} characters")]
    Text,
    /// The link is none.
    #[error("expected an https address without user and password, of at most {LONGEST_LINK} characters")]
    Link,
}

/// A version of a material.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Material {
    /// Which; its versions share it.
    pub id: MaterialId,
    /// From 1 on.
    pub version: i64,
    /// Whose.
    pub clinic: ClinicId,
    /// What stands in it.
    pub content: Content,
    /// Who of the clinic's staff published it: no name, and the same each time.
    pub by: Uuid,
    /// When.
    pub published_at: Timestamp,
}

impl Content {
    /// What was written, in the shape in which it is kept: the text as paragraphs, the link as browsers read it.
    ///
    /// # Errors
    /// [`BadContent`]: the first that is wrong.
    pub fn read(language: Language, title: &str, text: &str, link: &str) -> Result<Self, BadContent> {
        let (title, text) = (title.trim(), tidied(text));
        if !is_within(title, LONGEST_TITLE) || title.contains('\n') {
            return Err(BadContent::Title);
        }
        if !is_within(&text, LONGEST_TEXT) {
            return Err(BadContent::Text);
        }
        let link = Some(link.trim()).filter(|link| !link.is_empty()).map(read_link).transpose()?;
        Ok(Self { language, title: title.to_owned(), text, link })
    }

    /// Its paragraphs.
    pub fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.text.split("\n\n")
    }

    /// SHA-256 of the text, in UTF-8.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        digest::digest(&digest::SHA256, self.text.as_bytes()).as_ref().first_chunk().copied().unwrap_or_default()
    }
}

/// A text as paragraphs, with one empty line between them.
fn tidied(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut is_apart = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            is_apart = true;
            continue;
        }
        if !tidied.is_empty() {
            tidied.push_str(if is_apart { "\n\n" } else { "\n" });
        }
        tidied.push_str(line);
        is_apart = false;
    }
    tidied
}

/// Whether a text is there, is no longer than this, and shows what stands in it: no letter of it steers a screen or turns the
/// direction of writing.
fn is_within(text: &str, longest: usize) -> bool {
    let steers = |letter: char| {
        letter.is_control() && letter != '\n' || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.is_empty() && text.chars().nth(longest).is_none() && !text.contains(steers)
}

fn read_link(link: &str) -> Result<String, BadContent> {
    let url: Url = link.parse().map_err(|_| BadContent::Link)?;
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    let is_good = url.scheme() == "https" && url.host_str().is_some() && is_anonymous;
    Some(String::from(url)).filter(|url| is_good && is_within(url, LONGEST_LINK)).ok_or(BadContent::Link)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(title: &str, text: &str, link: &str) -> Result<Content, BadContent> {
        Content::read(Language::En, title, text, link)
    }

    #[test]
    fn a_text_is_kept_as_paragraphs_whatever_a_browser_sends() {
        let content = read(" Sleep ", "\r\n One \r\n two.\r\n\r\n \r\n\r\nThree.\r\n\r\n", "").unwrap();
        assert_eq!((content.title.as_str(), content.text.as_str()), ("Sleep", "One\ntwo.\n\nThree."));
        assert_eq!(content.paragraphs().collect::<Vec<_>>(), ["One\ntwo.", "Three."]);
        assert_eq!(read("Sleep", &content.text, "").unwrap(), content, "what is kept is kept as it is");
    }

    #[test]
    fn the_checksum_is_that_of_the_text() {
        let content = read("T", "abc", "").unwrap();
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(content.sha256()), expected);
    }

    #[test]
    fn what_cannot_be_published_is_named() {
        let long = |count| "ж".repeat(count);
        assert!(read(&long(LONGEST_TITLE), &long(LONGEST_TEXT), "https://clinic.example/sleep?a=b#c").is_ok());
        for (title, text, link, wrong) in [
            ("", "t", "", BadContent::Title),
            (" \n ", "t", "", BadContent::Title),
            ("two\nlines", "t", "", BadContent::Title),
            ("bell\u{7}", "t", "", BadContent::Title),
            (&long(LONGEST_TITLE + 1), "t", "", BadContent::Title),
            ("t", "", "", BadContent::Text),
            ("t", "\r\n \n", "", BadContent::Text),
            ("t", "tab\tin it", "", BadContent::Text),
            ("t", "txt.\u{202e}exe", "", BadContent::Text),
            ("t", &long(LONGEST_TEXT + 1), "", BadContent::Text),
            ("t", "t", "http://clinic.example/", BadContent::Link),
            ("t", "t", "javascript:alert(1)", BadContent::Link),
            ("t", "t", "data:text/html,x", BadContent::Link),
            ("t", "t", "https://user:pass@clinic.example/", BadContent::Link),
            ("t", "t", "clinic.example", BadContent::Link),
            ("t", "t", &format!("https://clinic.example/{}", "x".repeat(LONGEST_LINK)), BadContent::Link),
        ] {
            assert_eq!(read(title, text, link), Err(wrong), "{title} {link}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_once_is_the_same_when_it_is_read_again(title in "\\PC{0,130}", text in "(\\PC|\n|\r\n){0,60}", link in "\\PC{0,40}") {
            if let Ok(content) = read(&title, &text, &link) {
                let again = read(&content.title, &content.text, content.link.as_deref().unwrap_or_default());
                prop_assert_eq!(again.as_ref(), Ok(&content));
                prop_assert!(content.paragraphs().all(|paragraph| !paragraph.trim().is_empty()));
            }
        }
    }
}
