//! *My data*: what a member noted down, as charts and as a list; and how more comes in.

mod chart;
pub mod import;
pub mod keep;
pub mod note;
pub mod summary;

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use jiff::{Span, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use self::chart::Drawing;
use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, page};
use super::own::Own;
use crate::domain::category::Category;
use crate::domain::ids::{MemberId, ReadingId};
use crate::domain::reading::Reading;
use crate::domain::summary::Scale;
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
    entries: Vec<Entry>,
    /// Where the next page begins.
    next: Option<ReadingId>,
    /// Whether everything is kept, or only what a clinic may see.
    keeps: bool,
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
    let drawings =
        if is_first { drawings(&frame, &mut tx, &own, stretch, state.bridge.clock.now()).await? } else { Vec::new() };
    let entries = entries(&frame, &found.readings);
    let next = found.next.map(|(_, reading)| reading);
    let stretches = STRETCHES.map(|(days, text)| (days, text, days == stretch));
    page(&DataPage { frame, is_first, stretches, drawings, entries, next, keeps: own.settings.keep })
}

/// Where a page begins that comes after a reading of the member's own.
async fn place(tx: &mut Tx, member: MemberId, reading: ReadingId) -> Result<(Timestamp, ReadingId), PortalError> {
    let at = tx.reading_times(&[(member, reading)]).await?.remove(&reading);
    Ok((at.ok_or(PortalError::NotFound)?, reading))
}

/// What can be drawn; of each kind the newest, if there is very much of it.
async fn charted(tx: &mut Tx, own: &Own, from: Timestamp) -> Result<Vec<Reading>, PortalError> {
    let mut found: Vec<Reading> = Vec::new();
    for category in
        Category::ALL.into_iter().filter(|it| !matches!(it, Category::Note | Category::Tags | Category::Agenda))
    {
        let most = found.len() + MOST_CHARTED;
        let mut search =
            ReadingSearch { category: Some(category), from, until: Timestamp::MAX, after: None, limit: 1000 };
        loop {
            let page = kept::page(tx, &own.key, &search).await?;
            found.extend(page.readings);
            search.after = page.next;
            if search.after.is_none() || found.len() >= most {
                break;
            }
        }
    }
    Ok(found)
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

/// The parts that were noted down at the same time stand together.
fn entries(frame: &Frame, readings: &[Reading]) -> Vec<Entry> {
    let together = readings.chunk_by(|one, other| one.moment.at == other.moment.at);
    let entry = |parts: &[Reading]| {
        let mut parts: Vec<&Reading> = parts.iter().collect();
        parts.sort_by_key(|part| part.measure.category());
        let moment = parts.first()?.moment;
        let lines = parts.iter().map(|part| words::reading(part, frame.language)).collect();
        Some(Entry { when: frame.moment(moment), exactly: moment.to_rfc3339(), lines })
    };
    together.filter_map(entry).collect()
}
