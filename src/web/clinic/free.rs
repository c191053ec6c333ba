//! Free capacity: how much is free in the EHR, kind by kind and day by day, in the coming two weeks.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use jiff::civil::Date;

use super::caller::StaffSession;
use super::days;
use crate::booking::{FindError, MOST_OFFERS};
use crate::domain::booking::Offer;
use crate::domain::day::Days;
use crate::domain::visit_type::VisitType;
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::{Frame, page};

/// How many days are shown at most, today among them.
const DAYS: u16 = 14;

#[derive(Template)]
#[template(path = "clinic_free.html")]
struct FreePage {
    frame: Frame,
    kinds: Vec<Kind>,
    zone: String,
}

/// A kind of visit.
struct Kind {
    title: String,
    /// Whether members can ask for it.
    is_offered: bool,
    /// Each day, and how many times are free on it; `None`: the EHR does not say.
    days: Option<Vec<(String, usize)>>,
    /// Whether no more days are shown, because so much is free on these.
    is_cut: bool,
}

/// Shows it.
pub async fn free(state: Data<State>, frame: Frame, session: StaffSession) -> Result<HttpResponse, PortalError> {
    let who = &session.who;
    let days = days(&state, who);
    let today = days.day_of(state.bridge.clock.now());
    let mut kinds = Vec::new();
    let visits = state.bridge.visits(&mut state.bridge.store.read().await?, &who.clinic).await?;
    // How many places a session has left stands with the session.
    for visit in visits.iter().filter(|visit| visit.can_be_asked_for()) {
        let (title, is_offered) = (visit.title.get(frame.language).to_owned(), visit.is_offered);
        kinds.push(match state.finder.free_at(&who.clinic, visit).await {
            Ok(None) => continue,
            Ok(Some(offers)) => {
                let (counted, is_cut) = by_day(&days, today, visit, &offers);
                let counted = counted.into_iter().map(|(day, count)| (frame.date(day), count)).collect();
                Kind { title, is_offered, days: Some(counted), is_cut }
            }
            Err(FindError::Away(reason)) => {
                tracing::info!(clinic_id = %who.clinic, reason, "nobody knows what is free at a clinic");
                Kind { title, is_offered, days: None, is_cut: false }
            }
            Err(FindError::Booking(error)) => return Err(error.into()),
        });
    }
    page(&FreePage { kinds, zone: super::zone(&state, who).name().to_owned(), frame })
}

/// How many are free on each day that was looked at; and whether there may be more than was read.
fn by_day(days: &Days, today: Date, visit: &VisitType, offers: &[Offer]) -> (Vec<(Date, usize)>, bool) {
    let mut counted: Vec<(Date, usize)> =
        today.series(jiff::ToSpan::days(1)).map(|day| (day, 0)).take(shown(visit)).collect();
    for offer in offers {
        let day = days.day_of(offer.time.start);
        if let Some((_, count)) = counted.iter_mut().find(|(counted, _)| *counted == day) {
            *count += 1;
        }
    }
    // Of the day on which reading ended nobody knows how much more there is, nor of those after it.
    let last = offers.last().filter(|_| offers.len() >= MOST_OFFERS).map(|offer| days.day_of(offer.time.start));
    let all = counted.len();
    counted.retain(|(day, _)| last.is_none_or(|last| *day < last));
    let is_cut = counted.len() < all;
    (counted, is_cut)
}

/// How many days are shown: not more than are offered.
fn shown(visit: &VisitType) -> usize {
    usize::from(visit.ahead_days.min(DAYS))
}
