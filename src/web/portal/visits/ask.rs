//! A member asks for a visit.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use crate::booking::{self, Ask, BookingError, FindError};
use crate::domain::booking::{LONGEST_REASON, Way};
use crate::domain::helpline::Help;
use crate::domain::ids::{ClinicId, VisitTypeId};
use crate::domain::visit_type::VisitType;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to, go_to_saying, page_with};

#[derive(Template)]
#[template(path = "visit_ask.html")]
struct AskPage {
    frame: Frame,
    clinic: ClinicId,
    visit: VisitTypeId,
    title: String,
    at: String,
    minutes: u16,
    /// Whether the clinic may be told why.
    may_say_why: bool,
    reason: String,
    longest: usize,
    /// What is wrong with the form: the key of a text.
    wrong: Option<&'static str>,
    help: Help,
}

/// Shows the form.
pub async fn form(
    state: Data<State>,
    frame: Frame,
    session: Session,
    which: Path<(String, String)>,
) -> Result<HttpResponse, PortalError> {
    shown(&state, frame, &session, &which, (None, String::new())).await
}

/// Takes the form. Where times are to be found, they are looked for at once.
pub async fn ask(
    state: Data<State>,
    frame: Frame,
    posted: Posted,
    which: Path<(String, String)>,
) -> Result<HttpResponse, PortalError> {
    let Some((clinic, visit)) = named(&state, &which).await? else { return Ok(not_offered()) };
    let member = posted.session.member;
    let reason = posted.fields.text("reason").to_owned();
    let again = |wrong: &'static str| (Some(wrong), reason.clone());
    let way = match state.finder.way(member, &clinic, &visit).await {
        Ok(way) => way,
        Err(FindError::Away(_)) => {
            return shown(&state, frame, &posted.session, &which, again("visit-wrong-away")).await;
        }
        Err(FindError::Booking(error)) => return Err(error.into()),
    };
    let asked = Ask { clinic: &clinic, visit: &visit.id, reason: &reason, way };
    let (now, mut tx) = (state.bridge.clock.now(), state.bridge.store.begin().await?);
    let booking = match booking::ask(&state.bridge, &mut tx, member, asked, now).await {
        Ok(booking) => booking,
        Err(error) => {
            drop(tx);
            let wrong = match error {
                BookingError::Reason => "visit-wrong-reason",
                BookingError::TooMany => "visit-wrong-too-many",
                BookingError::NotOfferedNow => return Ok(not_offered()),
                error => return Err(error.into()),
            };
            return shown(&state, frame, &posted.session, &which, again(wrong)).await;
        }
    };
    tx.commit().await?;
    state.bridge.wake.notify_waiters();
    let place = format!("/visits/{}", booking.id);
    if way == Way::Request {
        return Ok(go_to_saying(&place, "flash-visit-requested"));
    }
    match state.finder.find(member, booking.id).await {
        Ok(_) => Ok(go_to(&place)),
        Err(FindError::Away(_)) => Ok(go_to_saying(&place, "flash-visit-away")),
        Err(FindError::Booking(error)) => Err(error.into()),
    }
}

async fn shown(
    state: &State,
    frame: Frame,
    session: &Session,
    which: &(String, String),
    (wrong, reason): (Option<&'static str>, String),
) -> Result<HttpResponse, PortalError> {
    let Some((clinic, visit)) = named(state, which).await? else { return Ok(not_offered()) };
    let mut tx = state.bridge.store.read().await?;
    let is_linked = tx.links(&[session.member]).await?.iter().any(|link| link.clinic == clinic);
    let grants = tx.living_grants(&[session.member]).await?;
    drop(tx);
    let now = state.bridge.clock.now();
    let may = |says_why| booking::may_ask(&grants, session.member, &clinic, says_why, now);
    if !is_linked || !may(false) {
        return Err(PortalError::NotFound);
    }
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let template = AskPage {
        title: visit.title.get(frame.language).to_owned(),
        at: state.bridge.house.clinic_name(&clinic).to_owned(),
        minutes: visit.minutes,
        may_say_why: may(true),
        reason,
        longest: LONGEST_REASON,
        wrong,
        help: state.help.of(&session.community).clone(),
        visit: visit.id,
        clinic,
        frame,
    };
    page_with(status, &template)
}

/// The kind of visit that an address names; `None` if the clinic does not offer it at present.
async fn named(
    state: &State,
    (clinic, visit): &(String, String),
) -> Result<Option<(ClinicId, VisitType)>, PortalError> {
    let clinic: ClinicId = clinic.parse().map_err(|_| PortalError::NotFound)?;
    let visit: VisitTypeId = visit.parse().map_err(|_| PortalError::NotFound)?;
    let found = state.bridge.visit(&mut state.bridge.store.read().await?, &clinic, &visit).await?;
    let found = found.filter(VisitType::can_be_asked_for).ok_or(PortalError::NotFound)?;
    Ok(found.is_offered.then_some((clinic, found)))
}

/// Back to what is offered, with a word on why this is not.
fn not_offered() -> HttpResponse {
    go_to_saying("/visits", "flash-visit-not-offered")
}
