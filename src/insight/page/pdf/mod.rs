//! A page as PDF/A: one sheet of A4, to be read in half a minute, on a screen or on grey paper. The same page at the same time
//! gives the same bytes.

mod chart;
mod sheet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use krilla::SerializeSettings;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::document::Document;
use krilla::error::KrillaError;
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;

use self::sheet::{Faces, Ink, Sheet, Style, Weight};
use super::words::{Fixed, Words};
use crate::domain::category::Category;
use crate::domain::language::Language;
use crate::domain::page::{Page, Row};
use crate::domain::summary::Scale;

/// A4.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;

const LEFT: f32 = 50.0;
const RIGHT: f32 = WIDTH - 50.0;
const TOP: f32 = 52.0;
const BOTTOM: f32 = HEIGHT - 46.0;

const TITLE: Style = Style::new(Weight::Strong, 16.0, Ink::Black);
const PERIOD: Style = Style::new(Weight::Regular, 10.5, Ink::Black);
const HEADING: Style = Style::new(Weight::Strong, 10.0, Ink::Black);
const BODY: Style = Style::new(Weight::Regular, 9.5, Ink::Black);
const NUMBER: Style = Style::new(Weight::Regular, 9.5, Ink::Black);
const NEWEST: Style = Style::new(Weight::Strong, 9.5, Ink::Black);
const SMALL: Style = Style::new(Weight::Regular, 7.5, Ink::Grey);
const FOOT: Style = Style::new(Weight::Regular, 8.0, Ink::Grey);

/// How many lines of what the member wants to talk about stand here; the text has all of them.
const MOST_LINES: usize = 9;

/// How many lines on what the clinic recommended stand here; the text has all of them.
const MOST_RECOMMENDED: usize = 5;

/// How wide the name of a row is, and the change at its end.
const NAME: f32 = 128.0;
const CHANGE: f32 = 54.0;

/// How high a row of the table is, what stands above its rows, what stands below them, and that some found no room.
const ROW: f32 = 24.0;
const ABOVE_ROWS: f32 = 13.0;
const BELOW_ROWS: f32 = 16.0;
const MORE: f32 = 14.0;

/// The least that is shown of the table.
const LEAST_TABLE: f32 = ABOVE_ROWS + ROW + MORE + BELOW_ROWS;

/// A PDF that cannot be written. A defect.
#[derive(Debug, thiserror::Error)]
#[error("the PDF of a page cannot be written")]
pub struct PdfError;

impl From<KrillaError> for PdfError {
    fn from(_: KrillaError) -> Self {
        Self
    }
}

/// Writes a page as PDF; `addressee` is the one practitioner whom it is meant for.
///
/// # Errors
/// [`PdfError`].
pub fn pdf(page: &Page, addressee: Option<&str>, language: Language, made: Timestamp) -> Result<Vec<u8>, PdfError> {
    let words = Words(language);
    // PDF/A-2u: everything that is needed to show it, and to find words in it, is within.
    let configuration =
        ConfigurationBuilder::new().with_archival_validator(Archival::A2_U).finish().map_err(|_| PdfError)?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PdfError)?;
    let faces = Faces::open().ok_or(PdfError)?;
    let mut leaf = document.start_page_with(settings);
    let mut surface = leaf.surface();
    let sheet = Sheet { faces: &faces, surface: &mut surface };
    Layout { sheet, words, page, y: TOP }.fill(addressee);
    surface.finish();
    leaf.finish();
    let title = format!("{}, {}", words.fixed(Fixed::Title), words.period(page));
    let metadata = Metadata::new()
        .title(title)
        .language(language.as_str().to_owned())
        .creator("mostik".to_owned())
        .creation_date(date_time(made));
    document.set_metadata(metadata);
    Ok(document.finish()?)
}

fn date_time(at: Timestamp) -> DateTime {
    let shown = TimeZone::UTC.to_datetime(at);
    let small = |number: i8| number.unsigned_abs();
    DateTime::new(shown.year().unsigned_abs())
        .month(small(shown.month()))
        .day(small(shown.day()))
        .hour(small(shown.hour()))
        .minute(small(shown.minute()))
        .second(small(shown.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

struct Layout<'a, 's> {
    sheet: Sheet<'a, 's>,
    words: Words,
    page: &'a Page,
    /// How far down it is filled.
    y: f32,
}

impl Layout<'_, '_> {
    fn fill(&mut self, addressee: Option<&str>) {
        let foot = self.foot_height();
        self.body(addressee, BOTTOM - foot);
        self.foot(foot);
    }

    /// Everything that stands above `end`. What is said in words comes first, and always finds room.
    fn body(&mut self, addressee: Option<&str>, end: f32) {
        self.head(addressee);
        self.agenda();
        self.scores();
        self.recommended();
        for row in drawn(self.page) {
            // The text has its numbers, and as a rule the table.
            if self.y + chart::HEIGHT + LEAST_TABLE > end {
                break;
            }
            chart::draw(&mut self.sheet, self.words, self.page, row, [LEFT, self.y, RIGHT - LEFT]);
            self.y += chart::HEIGHT;
        }
        if !self.page.rows.is_empty() {
            self.table(end);
        }
        self.tags(end);
    }

    fn head(&mut self, addressee: Option<&str>) {
        let (words, page) = (self.words, self.page);
        self.sheet.words(words.fixed(Fixed::Title), TITLE, LEFT, self.y + 12.0);
        self.y += 30.0;
        self.sheet.words(&words.period(page), PERIOD, LEFT, self.y);
        if let Some(name) = addressee {
            let name = self.sheet.faces.cut(&words.addressed(name), PERIOD, 230.0);
            self.sheet.words_to(&name, PERIOD, RIGHT, self.y);
        }
        self.y += 14.0;
        self.sheet.words(words.source(page), FOOT, LEFT, self.y);
        self.y += 10.0;
        self.sheet.line(Ink::Pale, 0.7, &[(LEFT, self.y), (RIGHT, self.y)]);
        self.y += 14.0;
    }

    /// What the member wants to talk about, before anything that was counted.
    fn agenda(&mut self) {
        let Some((moment, text)) = &self.page.agenda else { return };
        let mut lines = self.sheet.faces.lines(text, BODY, RIGHT - LEFT - 24.0);
        if lines.len() > MOST_LINES {
            lines.truncate(MOST_LINES);
            lines.push("…".to_owned());
        }
        let height = 30.0 + BODY.leading() * f32::from(u8::try_from(lines.len()).unwrap_or(u8::MAX));
        self.sheet.area(Ink::Ground, [LEFT, self.y, RIGHT - LEFT, height]);
        self.sheet.area(Ink::Blue, [LEFT, self.y, 2.5, height]);
        let x = LEFT + 12.0;
        self.sheet.words(self.words.fixed(Fixed::Agenda), HEADING, x, self.y + 15.0);
        self.sheet.words_to(&self.words.day(moment.shown().date()), SMALL, RIGHT - 12.0, self.y + 15.0);
        let mut y = self.y + 18.0;
        for line in lines {
            y += BODY.leading();
            self.sheet.words(&line, BODY, x, y + 1.0);
        }
        self.y += height + 16.0;
    }

    fn scores(&mut self) {
        if self.page.scores.is_empty() {
            return;
        }
        self.sheet.words(self.words.fixed(Fixed::Scores), HEADING, LEFT, self.y + 8.0);
        self.y += 10.0;
        for said in self.page.scores.iter().flat_map(|scored| self.words.scored(scored)) {
            for line in self.sheet.faces.lines(&said, BODY, RIGHT - LEFT) {
                self.y += BODY.leading();
                self.sheet.words(&line, BODY, LEFT, self.y);
            }
        }
        self.y += 16.0;
    }

    /// What the clinic recommended: as many lines as leave room for what was noted.
    fn recommended(&mut self) {
        let (words, page) = (self.words, self.page);
        if page.recommended.is_empty() {
            return;
        }
        self.sheet.words(words.fixed(Fixed::Recommended), HEADING, LEFT, self.y + 8.0);
        self.y += 10.0;
        let said = page.recommended.iter().flat_map(|it| {
            let replies = it.replies.iter().map(|reply| words.reply(reply));
            std::iter::once(words.recommended(it)).chain(replies)
        });
        let said: Vec<String> = said.collect();
        for line in said.iter().take(MOST_RECOMMENDED) {
            self.y += BODY.leading();
            let line = self.sheet.faces.cut(line, BODY, RIGHT - LEFT);
            self.sheet.words(&line, BODY, LEFT, self.y);
        }
        if said.len() > MOST_RECOMMENDED {
            self.y += BODY.leading();
            self.sheet.words(&words.more(said.len() - MOST_RECOMMENDED), SMALL, LEFT, self.y);
        }
        self.y += 16.0;
    }

    /// Each row, week by week: as many as there is room for above `end`.
    fn table(&mut self, end: f32) {
        let (words, page) = (self.words, self.page);
        let week = (RIGHT - LEFT - NAME - CHANGE) / 4.0;
        let right_of = |place: usize| LEFT + NAME + week * (1.0 + u16::try_from(place).map_or(0.0, f32::from));
        self.y += 8.0;
        self.sheet.words(words.fixed(Fixed::Weeks), HEADING, LEFT, self.y);
        for (place, first) in page.weeks.iter().enumerate() {
            self.sheet.words_to(&words.week(*first), SMALL, right_of(place), self.y);
        }
        self.sheet.words_to(words.fixed(Fixed::Change), SMALL, RIGHT, self.y);
        self.y += 5.0;
        self.sheet.line(Ink::Pale, 0.7, &[(LEFT, self.y), (RIGHT, self.y)]);
        for (place, row) in page.rows.iter().enumerate() {
            let left = page.rows.len() - place;
            if self.y + ROW + (if left > 1 { MORE } else { 0.0 }) > end - BELOW_ROWS {
                self.y += 12.0;
                self.sheet.words(&words.more(left), SMALL, LEFT, self.y);
                return;
            }
            self.row(row, right_of);
        }
        self.y += 11.0;
        self.sheet.words(words.fixed(Fixed::Legend), SMALL, LEFT, self.y);
    }

    fn row(&mut self, row: &Row, right_of: impl Fn(usize) -> f32) {
        let words = self.words;
        let name = words.row(&row.scale);
        let (title, meaning) = name.split_once(" (").unwrap_or((&name, ""));
        let title = self.sheet.faces.cut(title, NUMBER, NAME);
        self.sheet.words(&title, NUMBER, LEFT, self.y + 11.0);
        let meaning = self.sheet.faces.cut(meaning.trim_end_matches(')'), SMALL, NAME);
        self.sheet.words(&meaning, SMALL, LEFT, self.y + 20.0);
        let last = row.weeks.len().saturating_sub(1);
        for (place, week) in row.weeks.iter().enumerate() {
            let (x, style) = (right_of(place), if place == last { NEWEST } else { NUMBER });
            let Some(week) = week else {
                self.sheet.words_to("–", NUMBER, x, self.y + 11.0);
                if let Some(none) = words.no_days(self.page, row, place) {
                    self.sheet.words_to(&none, SMALL, x, self.y + 20.0);
                }
                continue;
            };
            self.sheet.words_to(&words.mean(&row.scale, week), style, x, self.y + 11.0);
            let more = format!("{} · {}", words.range(&row.scale, week), words.days(week));
            self.sheet.words_to(&more, SMALL, x, self.y + 20.0);
        }
        if let Some(change) = words.change(row) {
            self.sheet.words_to(&change, NUMBER, RIGHT, self.y + 11.0);
        }
        self.y += ROW;
        self.sheet.line(Ink::Pale, 0.3, &[(LEFT, self.y), (RIGHT, self.y)]);
    }

    fn tags(&mut self, end: f32) {
        if self.page.tags.is_empty() || self.y + 18.0 > end {
            return;
        }
        let tags = self.sheet.faces.cut(&self.words.tags(&self.page.tags), FOOT, RIGHT - LEFT);
        self.sheet.words(&tags, FOOT, LEFT, self.y + 14.0);
        self.y += 18.0;
    }

    /// What stands at the foot: each part with its title.
    fn foot_lines(&self) -> Vec<(&'static str, Vec<String>)> {
        let words = self.words;
        let scope = format!("{} {}", words.scope(self.page), words.fixed(Fixed::ScopeOnly));
        let parts = [(Fixed::Scope, scope), (Fixed::Not, words.fixed(Fixed::NotMore).to_owned())];
        let lines = |text: &str| self.sheet.faces.lines(text, FOOT, RIGHT - LEFT);
        parts.iter().map(|(title, text)| (words.fixed(*title), lines(text))).collect()
    }

    fn foot_height(&self) -> f32 {
        let lines: usize = self.foot_lines().iter().map(|(_, lines)| lines.len() + 1).sum();
        14.0 + FOOT.leading() * u16::try_from(lines).map_or(0.0, f32::from)
    }

    fn foot(&mut self, height: f32) {
        let mut y = BOTTOM - height;
        self.sheet.line(Ink::Pale, 0.7, &[(LEFT, y), (RIGHT, y)]);
        y += 3.0;
        for (title, lines) in self.foot_lines() {
            y += FOOT.leading();
            self.sheet.words(title, Style::new(Weight::Strong, FOOT.size, Ink::Grey), LEFT, y);
            for line in lines {
                y += FOOT.leading();
                self.sheet.words(&line, FOOT, LEFT, y);
            }
            y += 3.0;
        }
    }
}

/// What is drawn: how the member said that they were, and how long they slept.
fn drawn(page: &Page) -> Vec<&Row> {
    let is_mood = |row: &&Row| matches!(row.scale, Scale::Rating { .. } | Scale::Valence(_));
    let is_sleep = |row: &&Row| matches!(row.scale, Scale::Measured(of) if of.category() == Category::Sleep);
    // Of several scales, the one that was used most.
    let entries = |row: &&Row| row.weeks.iter().flatten().map(|week| week.entries).sum::<u32>();
    let mood = page.rows.iter().filter(is_mood).max_by_key(entries);
    mood.into_iter().chain(page.rows.iter().find(is_sleep)).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
