//! *For my visit*: what a member wants to talk about, what their clinics would be sent as a summary, and sending it now.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use crate::domain::ids::MemberId;
use crate::domain::page::PageRules;
use crate::insight::page::{Asked, LONGEST_AGENDA, Wishes, ask, wishes, write_agenda};
use crate::pipeline::Outcome;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to_saying, page_with};
use crate::web::portal::sharing::linked;

#[derive(Template)]
#[template(path = "data_summary.html")]
struct SummaryPage {
    frame: Frame,
    agenda: String,
    clinics: Vec<Clinic>,
    /// What was wrong: the key of a text.
    wrong: Option<&'static str>,
}

/// A clinic that gets summaries.
struct Clinic {
    id: String,
    name: String,
    /// What it would be sent now.
    words: Option<String>,
    /// Whether it is sent one before each visit.
    before_visits: bool,
}

/// Shows what would go.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    form(&state, StatusCode::OK, frame, session.member, None).await
}

/// Takes what the member wants to talk about.
pub async fn save(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    let (member, words) = (posted.session.member, posted.fields.text("agenda"));
    let wrong = if words.chars().count() > LONGEST_AGENDA {
        Some("summary-wrong-long")
    } else {
        let outcome = write_agenda(&state.bridge, member, words).await?;
        matches!(outcome, Outcome::Refused(_)).then_some("summary-wrong-lost")
    };
    match wrong {
        None => Ok(go_to_saying("/data/summary", "flash-summary-saved")),
        // Nothing that somebody wrote is lost.
        Some(wrong) => {
            let written = Some((words.to_owned(), wrong));
            form(&state, StatusCode::UNPROCESSABLE_ENTITY, frame, member, written).await
        }
    }
}

/// Sends the summary now.
pub async fn send(state: Data<State>, posted: Posted, clinic: Path<String>) -> Result<HttpResponse, PortalError> {
    let member = posted.session.member;
    let mut tx = state.bridge.store.read().await?;
    let (clinic, ..) = linked(&state, &mut tx, member, &clinic).await?;
    drop(tx);
    let said = match ask(&state.bridge, member, &clinic).await? {
        Asked::Taken => "flash-summary-asked",
        Asked::Nothing => "flash-summary-nothing",
    };
    Ok(go_to_saying("/data/summary", said))
}

async fn form(
    state: &State,
    status: StatusCode,
    frame: Frame,
    member: MemberId,
    written: Option<(String, &'static str)>,
) -> Result<HttpResponse, PortalError> {
    let Wishes { agenda, pages } = wishes(&state.bridge, member).await?.ok_or(PortalError::SignInFirst)?;
    let clinic = |(clinic, words)| {
        let house = &state.bridge.house;
        let before_visits = house.pages(&clinic).and_then(PageRules::before_visit).is_some();
        Clinic { id: clinic.to_string(), name: house.clinic_name(&clinic).to_owned(), words, before_visits }
    };
    let (agenda, wrong) = match written {
        Some((words, wrong)) => (words, Some(wrong)),
        None => (agenda, None),
    };
    page_with(status, &SummaryPage { frame, agenda, clinics: pages.into_iter().map(clinic).collect(), wrong })
}
