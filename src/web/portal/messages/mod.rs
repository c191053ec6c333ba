//! *Messages*: what clinics have for the member, the newest first, each on a page of its own on which it is answered.

mod answer;
mod one;
mod shown;

pub use answer::answer;
pub use one::show;
pub use shown::{before, what};

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;

use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, page};
use super::own::Own;
use super::told::channel_name;
use super::visits::{NearVisit, near};
use crate::domain::ids::RecommendationId;
use crate::domain::recommendation::{AnswerFate, Recommendation, RecommendationState, Said};
use crate::domain::telling::Closed;
use crate::insight::due::due;
use crate::pipeline::answers::{self, AnswerError};
use crate::recommendations;
use crate::web::State;

/// How many there are on a page.
const ON_A_PAGE: i64 = 30;

/// How many characters of what it says stand in the list.
const GLIMPSE: usize = 90;

#[derive(Template)]
#[template(path = "messages.html")]
struct ListPage {
    frame: Frame,
    lines: Vec<Line>,
    /// Channels that lead nowhere any more: their names, and since when.
    closed: Vec<(String, String)>,
    /// The questionnaires that clinics ask for now, by their titles; on the first page.
    asked: Vec<String>,
    /// Visits that are near, or of which there is news; on the first page.
    visits: Vec<NearVisit>,
    /// Where the next page begins.
    next: Option<String>,
}

/// Something in the list.
struct Line {
    id: RecommendationId,
    is_new: bool,
    /// As what it stands there: the key of its words.
    what: &'static str,
    clinic: String,
    day: String,
    /// How it stands: the key of its words.
    life: &'static str,
    /// What became of the last answer, if there is one: the key of its words.
    answer: Option<&'static str>,
    /// How it begins.
    glimpse: String,
}

/// Which page.
#[derive(Deserialize)]
pub struct Which {
    before: Option<String>,
}

/// Lists them. Whoever sees the list knows what is there.
pub async fn list(
    state: Data<State>,
    frame: Frame,
    session: Session,
    which: Query<Which>,
) -> Result<HttpResponse, PortalError> {
    let before = match &which.before {
        None => None,
        Some(text) => Some(place(text).ok_or(PortalError::NotFound)?),
    };
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let found = recommendations::page(&mut tx, &own.key, before, ON_A_PAGE).await?;
    let answers = recommendations::answers(&mut tx, &own.key, None).await?;
    // The last answer to each counts.
    let fates: HashMap<RecommendationId, AnswerFate> =
        answers.into_iter().map(|(to, answer)| (to, answer.fate)).collect();
    let (due, visits) = match before {
        None => {
            let due = due(&state.bridge, &mut tx, session.member).await?;
            (due, near(&state, &frame, &mut tx, &own).await?)
        }
        Some(_) => (Vec::new(), Vec::new()),
    };
    drop(tx);
    note_delivered(&state, &session, &found.recommendations).await?;
    let days = own.days();
    let line = |it: Recommendation| Line {
        id: it.id,
        is_new: it.state < RecommendationState::Seen,
        what: what(it.kind),
        clinic: state.bridge.house.clinic_name(&it.clinic).to_owned(),
        day: frame.date(days.day_of(it.received_at)),
        life: shown::life(it.state),
        answer: fates.get(&it.id).map(|fate| shown::answer_fate(*fate)),
        glimpse: it.says.map(|says| glimpse(&frame, &says)).unwrap_or_default(),
    };
    let lines = found.recommendations.into_iter().map(line).collect();
    let word =
        |closed: &Closed| (channel_name(&state.portal, &frame, &closed.channel), frame.date(days.day_of(closed.at)));
    let closed = own.settings.closed.iter().map(word).collect();
    let next = found.next.map(|(at, id)| format!("{}.{id}", at.as_microsecond()));
    let asked = due.iter().map(|due| due.instrument.title().to_owned()).collect();
    page(&ListPage { frame, lines, closed, asked, visits, next })
}

/// Whoever looks at the list need not be told of what stands in it.
async fn note_delivered(state: &State, session: &Session, listed: &[Recommendation]) -> Result<(), PortalError> {
    let fresh = listed.iter().filter(|it| it.state == RecommendationState::Received);
    let fresh: Vec<RecommendationId> = fresh.map(|it| it.id).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let (now, mut tx) = (state.bridge.clock.now(), state.bridge.store.begin().await?);
    for id in fresh {
        match answers::delivered(&state.bridge, &mut tx, session.member, id, now).await {
            Ok(()) | Err(AnswerError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(tx.commit().await?)
}

fn place(text: &str) -> Option<(Timestamp, RecommendationId)> {
    let (at, id) = text.split_once('.')?;
    Some((Timestamp::from_microsecond(at.parse().ok()?).ok()?, id.parse().ok()?))
}

fn glimpse(frame: &Frame, says: &Said) -> String {
    let line = says.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let short: String = line.chars().take(GLIMPSE).collect();
    let short = if short.len() < line.len() { short + "…" } else { short };
    let parts = before(says).map(|key| frame.t(key)).chain((!short.is_empty()).then_some(short));
    parts.collect::<Vec<_>>().join(" ")
}
