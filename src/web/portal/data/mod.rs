//! *My data*: what a member noted down, as charts and as a list; and how more comes in.

mod chart;
pub mod import;
pub mod keep;
pub mod note;
pub mod summary;

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use self::chart::Drawing;
use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, page};
use super::own::Own;
use crate::domain::activity::{Activity, Deed};
use crate::domain::category::{Category, Detail};
use crate::domain::ids::{MemberId, ReadingId};
use crate::domain::reading::{Measure, Reading};
use crate::domain::summary::Scale;
use crate::insight::activity;
use crate::insight::chart::charts;
use crate::insight::words;
use crate::readings::kept;
use crate::store::{ReadingSearch, Tx};
use crate::web::State;

/// How many readings there are on a page: an entry has up to three.
const ON_A_PAGE: i64 = 40;

/// The most readings of a kind that charts are made of: a device may measure every minute.
const MOST_CHARTED: usize = 20_000;

/// How many days the charts may show, and the words for it. The first is what is shown unless somebody asks.
const STRETCHES: [(u16, &str); 3] = [(30, "data-days-month"), (90, "data-days-quarter"), (365, "data-days-year")];

#[derive(Template)]
#[template(path = "data.html")]
struct DataPage {
    frame: Frame,
    /// Whether it is the first page: only there are charts.
    is_first: bool,
    /// How many days the charts may show, the words for it, and whether they do.
    stretches: [(u16, &'static str, bool); 3],
    drawings: Vec<Drawing>,
    /// What happened in the community, the newest week first.
    weeks: Vec<Week>,
    entries: Vec<Entry>,
    /// Where the next page begins.
    next: Option<ReadingId>,
    /// Whether everything is kept, or only what a clinic may see.
    keeps: bool,
}

/// What happened in a week: its first day, and the counts in the order of the table.
struct Week {
    first_day: String,
    counts: [u32; 8],
}

/// What was noted down at one time.
struct Entry {
    when: String,
    exactly: String,
    lines: Vec<String>,
}

/// Which page. What stands in an address says nothing of when somebody noted what.
#[derive(Deserialize)]
pub struct Which {
    before: Option<Uuid>,
    days: Option<u16>,
}

/// Shows a page of it.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: Session,
    which: Result<Query<Which>, actix_web::Error>,
) -> Result<HttpResponse, PortalError> {
    let Which { before, days } = which.map_err(|_| PortalError::NotFound)?.into_inner();
    let stretch = days.unwrap_or(STRETCHES[0].0);
    if !STRETCHES.iter().any(|(known, _)| *known == stretch) {
        return Err(PortalError::NotFound);
    }
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let after = match before {
        Some(reading) => Some(place(&mut tx, session.member, ReadingId(reading)).await?),
        None => None,
    };
    let search = ReadingSearch { category: None, from: Timestamp::MIN, until: Timestamp::MAX, after, limit: ON_A_PAGE };
    let found = kept::page(&mut tx, &own.key, &search).await?;
    let is_first = after.is_none();
    let now = state.bridge.clock.now();
    let drawings = if is_first { drawings(&frame, &mut tx, &own, stretch, now).await? } else { Vec::new() };
    let weeks = if is_first { weeks(&frame, &mut tx, &own, stretch, now).await? } else { Vec::new() };
    let entries = entries(&frame, &found.readings);
    let next = found.next.map(|(_, reading)| reading);
    let stretches = STRETCHES.map(|(days, text)| (days, text, days == stretch));
    page(&DataPage { frame, is_first, stretches, drawings, weeks, entries, next, keeps: own.settings.keep })
}

/// Where a page begins that comes after a reading of the member's own.
async fn place(tx: &mut Tx, member: MemberId, reading: ReadingId) -> Result<(Timestamp, ReadingId), PortalError> {
    let at = tx.reading_times(&[(member, reading)]).await?.remove(&reading);
    Ok((at.ok_or(PortalError::NotFound)?, reading))
}

/// What can be drawn; of each kind the newest, if there is very much of it.
async fn charted(tx: &mut Tx, own: &Own, from: Timestamp) -> Result<Vec<Reading>, PortalError> {
    let mut found: Vec<Reading> = Vec::new();
    let is_drawn =
        |it: &Category| !matches!(it, Category::Note | Category::Tags | Category::Agenda | Category::Community);
    for category in Category::ALL.into_iter().filter(is_drawn) {
        found.extend(newest(tx, own, category, from).await?);
    }
    Ok(found)
}

/// The readings of a category since an instant, the newest if there are very many.
async fn newest(tx: &mut Tx, own: &Own, category: Category, from: Timestamp) -> Result<Vec<Reading>, PortalError> {
    let mut found: Vec<Reading> = Vec::new();
    let mut search = ReadingSearch { category: Some(category), from, until: Timestamp::MAX, after: None, limit: 1000 };
    loop {
        let page = kept::page(tx, &own.key, &search).await?;
        found.extend(page.readings);
        search.after = page.next;
        if search.after.is_none() || found.len() >= MOST_CHARTED {
            return Ok(found);
        }
    }
}

/// What happened in the community in the weeks of which a day is shown.
async fn weeks(frame: &Frame, tx: &mut Tx, own: &Own, stretch: u16, now: Timestamp) -> Result<Vec<Week>, PortalError> {
    let days = own.days();
    let first = days.day_of(now).checked_sub(Span::new().days(i64::from(stretch) - 1)).unwrap_or(Date::MIN);
    let from = days.period_of(Detail::WeeklySummary, days.start_of(first)).start;
    let readings = newest(tx, own, Category::Community, from).await?;
    let week = |(first_day, it): (Date, Activity)| Week {
        first_day: frame.date(first_day),
        counts: [
            it.active_days,
            it.posts,
            it.replies_given,
            it.replies_received,
            it.reactions_given,
            it.reactions_received,
            it.night_hours,
            it.longest_silence,
        ],
    };
    Ok(activity::weeks(&readings, &days, now).into_iter().map(week).collect())
}

async fn drawings(
    frame: &Frame,
    tx: &mut Tx,
    own: &Own,
    stretch: u16,
    now: Timestamp,
) -> Result<Vec<Drawing>, PortalError> {
    let days = own.days();
    let last = days.day_of(now);
    let first = last.checked_sub(Span::new().days(i64::from(stretch) - 1)).unwrap_or(last);
    let readings = charted(tx, own, days.start_of(first)).await?;
    let mut charts = charts(&readings, &days, first, last);
    // How the member said that they were comes before what a device measured.
    charts.sort_by_key(|chart| matches!(chart.scale, Scale::Measured(_)));
    Ok(charts.iter().enumerate().map(|(number, chart)| Drawing::of(frame, number, chart)).collect())
}

/// The parts that were noted down at the same time stand together, and what happened in the community on one day.
fn entries(frame: &Frame, readings: &[Reading]) -> Vec<Entry> {
    let deed = |reading: &Reading| match reading.measure {
        Measure::Deed(deed) => Some(deed),
        _ => None,
    };
    let is_one = |one: &Reading, other: &Reading| match (deed(one), deed(other)) {
        (Some(_), Some(_)) => one.moment.shown().date() == other.moment.shown().date(),
        (None, None) => one.moment.at == other.moment.at,
        _ => false,
    };
    let together = readings.chunk_by(is_one);
    let entry = |parts: &[Reading]| {
        let mut parts: Vec<&Reading> = parts.iter().collect();
        parts.sort_by_key(|part| part.measure.category());
        let moment = parts.first()?.moment;
        let deeds: Vec<Deed> = parts.iter().filter_map(|part| deed(part)).collect();
        let lines = if deeds.is_empty() {
            parts.iter().map(|part| words::reading(part, frame.language)).collect()
        } else {
            vec![words::deeds(&deeds, frame.language)]
        };
        Some(Entry { when: frame.moment(moment), exactly: moment.to_rfc3339(), lines })
    };
    together.filter_map(entry).collect()
}
