//! A page as plain text: complete in itself, for an EHR that shows notes in a narrow, fixed-width window.

use super::words::{Fixed, Words};
use crate::domain::language::Language;
use crate::domain::page::{Page, Week};

/// The widest line, in characters.
pub const COLUMNS: usize = 80;

/// How wide what stands before the weeks is.
const NAMES: usize = 24;

/// How wide a week is.
const WEEK: usize = 14;

/// Writes a page down; `addressee` is the one practitioner whom it is meant for.
#[must_use]
pub fn text(page: &Page, addressee: Option<&str>, language: Language) -> String {
    let words = Words(language);
    let mut text = Text { words, lines: Vec::new() };
    text.say(&words.fixed(Fixed::Title).to_uppercase(), "");
    text.say(&words.period(page), "");
    text.say(words.source(page), "");
    if let Some(name) = addressee {
        text.say(&words.addressed(name), "");
    }
    if let Some((moment, agenda)) = &page.agenda {
        let title = format!("{} ({})", words.fixed(Fixed::Agenda), words.day(moment.shown().date()));
        text.heading(&title);
        agenda.lines().for_each(|line| text.say(line, "  "));
    }
    if !page.scores.is_empty() {
        text.heading(words.fixed(Fixed::Scores));
        page.scores.iter().flat_map(|scored| words.scored(scored)).for_each(|line| text.item(&line));
    }
    if !page.recommended.is_empty() {
        text.heading(words.fixed(Fixed::Recommended));
    }
    for recommended in &page.recommended {
        text.item(&words.recommended(recommended));
        recommended.replies.iter().for_each(|reply| text.say(&words.reply(reply), "    "));
    }
    if !(page.rows.is_empty() && page.tags.is_empty()) {
        text.heading(words.fixed(Fixed::Glance));
    }
    page.rows.iter().for_each(|row| text.item(&words.glance(page, row)));
    if !page.tags.is_empty() {
        text.item(&words.tags(&page.tags));
    }
    if !page.rows.is_empty() {
        text.heading(words.fixed(Fixed::Weeks));
        text.table(page);
    }
    text.heading(words.fixed(Fixed::Scope));
    text.say(&words.scope(page), "  ");
    text.say(words.fixed(Fixed::ScopeOnly), "  ");
    text.heading(words.fixed(Fixed::Not));
    text.say(words.fixed(Fixed::NotMore), "  ");
    text.lines.join("\n") + "\n"
}

struct Text {
    words: Words,
    lines: Vec<String>,
}

impl Text {
    fn heading(&mut self, words: &str) {
        self.lines.push(String::new());
        self.say(&words.to_uppercase(), "");
    }

    /// A paragraph, each line behind an indent.
    fn say(&mut self, words: &str, indent: &str) {
        let options = textwrap::Options::new(COLUMNS).initial_indent(indent).subsequent_indent(indent);
        self.lines.extend(textwrap::wrap(words, options).into_iter().map(|line| line.trim_end().to_owned()));
    }

    fn item(&mut self, words: &str) {
        let options = textwrap::Options::new(COLUMNS).initial_indent("  ").subsequent_indent("    ");
        self.lines.extend(textwrap::wrap(words, options).into_iter().map(|line| line.trim_end().to_owned()));
    }

    fn table(&mut self, page: &Page) {
        let words = self.words;
        self.cells("", page.weeks.iter().map(|first| words.week(*first)));
        for row in &page.rows {
            self.say(&words.row(&row.scale), "  ");
            let mut line = |what: Fixed, cell: &dyn Fn(&Week) -> String| {
                let none = |place| words.no_days(page, row, place).filter(|_| what == Fixed::Days);
                let cells = row.weeks.iter().enumerate().map(|(place, week)| {
                    week.as_ref().map(cell).or_else(|| none(place)).unwrap_or_else(|| "–".to_owned())
                });
                self.cells(&format!("    {}", words.fixed(what)), cells);
            };
            line(Fixed::Mean, &|week| words.mean(&row.scale, week));
            line(Fixed::Range, &|week| words.range(&row.scale, week));
            line(Fixed::Days, &|week| words.days(week));
        }
    }

    /// A line of the table.
    fn cells(&mut self, name: &str, cells: impl Iterator<Item = String>) {
        let cells = cells.map(|cell| format!("{cell:>WEEK$}")).collect::<Vec<_>>().concat();
        self.lines.push(format!("{name:<NAMES$}{cells}").trim_end().to_owned());
    }
}
