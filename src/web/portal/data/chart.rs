//! A chart as SVG that a screen reader can tell about, with the table beside it. Colours and strokes are in the style sheet.

use fluent_bundle::FluentValue;

use crate::domain::decimal::Decimal;
use crate::domain::statistics::{Spread, compare};
use crate::domain::summary::Scale;
use crate::insight::chart::{Chart, ChartDay};
use crate::insight::words;
use crate::web::portal::frame::Frame;

/// The drawing's own units: where the lines begin and end, and where the best and the worst stand.
const LEFT: f64 = 30.0;
const RIGHT: f64 = 350.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 130.0;

/// From so many days on, the marks are small.
const MANY_DAYS: usize = 100;

/// A chart that is ready to be drawn.
pub struct Drawing {
    /// What tells it apart from others on the page.
    pub number: usize,
    /// What it is about.
    pub title: &'static str,
    /// What the scale means, in words.
    pub scale: String,
    /// What the chart shows, in words.
    pub told: String,
    /// The names of the best and the worst.
    pub best: String,
    pub worst: String,
    /// The first and the last day.
    pub first: String,
    pub last: String,
    pub is_crowded: bool,
    /// Each run of days without a gap.
    pub lines: Vec<String>,
    pub marks: Vec<Mark>,
    pub rows: Vec<Row>,
}

/// A day with an entry: its mean, and how far its entries lie apart.
pub struct Mark {
    pub x: String,
    pub y: String,
    pub from: String,
    pub to: String,
}

/// The same in words.
pub struct Row {
    pub day: String,
    pub entries: usize,
    pub mean: String,
    pub range: String,
}

impl Drawing {
    /// Draws a chart.
    pub fn of(frame: &Frame, number: usize, chart: &Chart) -> Self {
        let (worst, best) = bounds(&chart.scale);
        let day = |day: Option<&ChartDay>| day.map_or_else(String::new, |day| frame.date(day.day));
        let (first, last) = (day(chart.days.first()), day(chart.days.last()));
        let place = Place { chart };
        let line = |run: &std::ops::Range<usize>| {
            let points: Vec<String> = run.clone().filter_map(|at| place.point(at)).collect();
            points.join(" ")
        };
        let rows: Vec<Row> = chart.days.iter().rev().filter_map(|day| row(frame, day)).collect();
        Self {
            number,
            title: words::title(&chart.scale, frame.language),
            scale: words::scale(&chart.scale, frame.language),
            told: told(frame, chart, &first, &last, rows.len()),
            best,
            worst,
            first,
            last,
            is_crowded: chart.days.len() > MANY_DAYS,
            lines: chart.runs.iter().map(line).collect(),
            marks: (0..chart.days.len()).filter_map(|at| place.mark(at)).collect(),
            rows,
        }
    }
}

fn bounds(scale: &Scale) -> (String, String) {
    match scale {
        Scale::Rating { worst, best } => (worst.to_string(), best.to_string()),
        Scale::Valence(_) => ("−1".to_owned(), "1".to_owned()),
        Scale::Measured(of) => {
            let (least, most) = of.drawn_between();
            (least.to_string(), most.to_string())
        }
        Scale::Score(instrument) => ("0".to_owned(), instrument.most().to_string()),
    }
}

/// What somebody hears who does not see the chart.
fn told(frame: &Frame, chart: &Chart, first: &str, last: &str, with_entries: usize) -> String {
    let spreads: Vec<&Spread> = chart.days.iter().filter_map(|day| day.spread.as_ref()).collect();
    let lowest = spreads.iter().map(|spread| &spread.least).min_by(|one, other| compare(one, other));
    let highest = spreads.iter().map(|spread| &spread.most).max_by(|one, other| compare(one, other));
    let text = |number: Option<&Decimal>| FluentValue::from(number.map_or_else(String::new, Decimal::to_string));
    frame.tn(
        "data-chart-told",
        &[
            ("first", first.into()),
            ("last", last.into()),
            ("days", with_entries.into()),
            ("all", chart.days.len().into()),
            ("least", text(lowest)),
            ("most", text(highest)),
        ],
    )
}

fn row(frame: &Frame, day: &ChartDay) -> Option<Row> {
    let spread = day.spread.as_ref()?;
    let (least, most) = (&spread.least, &spread.most);
    let range = if least == most { least.to_string() } else { format!("{least} – {most}") };
    let mean = spread.mean.as_ref().map_or_else(|| "–".to_owned(), Decimal::to_string);
    Some(Row { day: frame.date(day.day), entries: day.entries, mean, range })
}

/// Where something stands in the drawing.
struct Place<'a> {
    chart: &'a Chart,
}

impl Place<'_> {
    fn x(&self, at: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred days")]
        let (at, last) = (at as f64, self.chart.days.len().saturating_sub(1).max(1) as f64);
        LEFT + (RIGHT - LEFT) * at / last
    }

    fn y(&self, number: &Decimal) -> f64 {
        BOTTOM - (BOTTOM - TOP) * self.chart.scale.height(number)
    }

    fn point(&self, at: usize) -> Option<String> {
        let mark = self.mark(at)?;
        Some(format!("{},{}", mark.x, mark.y))
    }

    fn mark(&self, at: usize) -> Option<Mark> {
        let spread = self.chart.days.get(at)?.spread.as_ref()?;
        let units = |number: f64| format!("{number:.1}");
        let height = |number| units(self.y(number));
        Some(Mark {
            x: units(self.x(at)),
            y: height(spread.mean.as_ref().unwrap_or(&spread.least)),
            from: height(&spread.least),
            to: height(&spread.most),
        })
    }
}
