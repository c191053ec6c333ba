//! The trend of one scale. A day on which nothing was noted is a gap: no line is drawn across it. Where no more than weeks may
//! be told, each week is one bar at its mean.

use super::sheet::{Ink, Sheet, Style, Weight};
use crate::domain::decimal::Decimal;
use crate::domain::page::{Page, Row};
use crate::domain::summary::Scale;
use crate::insight::page::words::Words;

const TITLE: Style = Style::new(Weight::Strong, 9.5, Ink::Black);
const LABEL: Style = Style::new(Weight::Regular, 7.5, Ink::Grey);

/// How high a chart is, with its title and its days.
pub const HEIGHT: f32 = 122.0;

/// Where the drawing itself begins and ends, in the height of a chart.
const TOP: f32 = 20.0;
const BOTTOM: f32 = 94.0;

/// What stands left of it.
const LEFT: f32 = 34.0;

const DAYS_OF_WEEK: u16 = 7;

/// Draws the trend of a row into a stretch of the sheet: from `x` on, `width` wide, and from `y` down.
pub fn draw(sheet: &mut Sheet<'_, '_>, words: Words, page: &Page, row: &Row, [x, y, width]: [f32; 3]) {
    let weeks = u16::try_from(page.weeks.len()).unwrap_or(1).max(1);
    let frame = Frame { left: x + LEFT, width: width - LEFT, top: y + TOP, bottom: y + BOTTOM, weeks };
    sheet.words(&words.row(&row.scale), TITLE, x, y + 9.0);
    ground(sheet, words, page, &frame);
    bounds(sheet, words, row, &frame);
    if row.days.is_empty() {
        bars(sheet, row, &frame);
    } else {
        days(sheet, row, &frame);
    }
}

/// Where it is drawn.
struct Frame {
    left: f32,
    width: f32,
    top: f32,
    bottom: f32,
    weeks: u16,
}

impl Frame {
    fn week(&self) -> f32 {
        self.width / f32::from(self.weeks)
    }

    /// Where a week begins.
    fn of_week(&self, place: usize) -> f32 {
        self.left + self.week() * small(place)
    }

    /// The middle of a day.
    fn of_day(&self, place: usize) -> f32 {
        self.left + self.week() / f32::from(DAYS_OF_WEEK) * (small(place) + 0.5)
    }

    fn height(&self, scale: &Scale, number: &Decimal) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
        let height = scale.height(number) as f32;
        self.bottom - (self.bottom - self.top) * height
    }
}

fn small(number: usize) -> f32 {
    u16::try_from(number).map_or(0.0, f32::from)
}

/// The weeks, the last of them set off, and the days on which they begin.
fn ground(sheet: &mut Sheet<'_, '_>, words: Words, page: &Page, frame: &Frame) {
    let last = page.weeks.len().saturating_sub(1);
    sheet.area(Ink::Ground, [frame.of_week(last), frame.top - 4.0, frame.week(), frame.bottom - frame.top + 8.0]);
    for (place, first) in page.weeks.iter().enumerate() {
        let x = frame.of_week(place);
        sheet.line(Ink::Pale, 0.5, &[(x, frame.top - 4.0), (x, frame.bottom + 4.0)]);
        sheet.words_around(&words.week(*first), LABEL, x + frame.week() / 2.0, frame.bottom + 14.0);
    }
}

/// The ends of the scale.
fn bounds(sheet: &mut Sheet<'_, '_>, words: Words, row: &Row, frame: &Frame) {
    for (bound, y) in words.bounds(&row.scale).into_iter().zip([frame.bottom, frame.top]) {
        sheet.line(Ink::Pale, 0.5, &[(frame.left, y), (frame.left + frame.width, y)]);
        sheet.words_to(&bound, LABEL, frame.left - 6.0, y + 2.6);
    }
    let middle = f32::midpoint(frame.top, frame.bottom);
    sheet.line(Ink::Pale, 0.3, &[(frame.left, middle), (frame.left + frame.width, middle)]);
}

fn days(sheet: &mut Sheet<'_, '_>, row: &Row, frame: &Frame) {
    let point = |(place, mean): (usize, &Option<Decimal>)| {
        mean.as_ref().map(|mean| (frame.of_day(place), frame.height(&row.scale, mean)))
    };
    let points: Vec<Option<(f32, f32)>> = row.days.iter().enumerate().map(point).collect();
    for run in points.split(Option::is_none) {
        let run: Vec<(f32, f32)> = run.iter().copied().flatten().collect();
        sheet.line(Ink::Blue, 1.3, &run);
    }
    points.into_iter().flatten().for_each(|point| sheet.dot(Ink::Blue, point, 1.9));
}

fn bars(sheet: &mut Sheet<'_, '_>, row: &Row, frame: &Frame) {
    for (place, week) in row.weeks.iter().enumerate() {
        let Some(week) = week else { continue };
        let Some(mean) = &week.spread.mean else { continue };
        let (x, y) = (frame.of_week(place), frame.height(&row.scale, mean));
        sheet.line(Ink::Blue, 2.4, &[(x + 8.0, y), (x + frame.week() - 8.0, y)]);
    }
}
