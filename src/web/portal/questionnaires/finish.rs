//! The last look at the answers, and what they add up to.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::{draft_of, named, place_of};
use crate::domain::questionnaire::{Answers, Draft};
use crate::domain::settings::Change;
use crate::insight::entry::{Destination, Taken, fill_in};
use crate::insight::words;
use crate::pipeline::Outcome;
use crate::readings::drafts;
use crate::readings::settings::change_settings;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::data::note::{Goes, goes};
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to, go_to_saying, page, page_with};
use crate::web::portal::own::Own;

#[derive(Template)]
#[template(path = "questionnaire_review.html")]
struct ReviewPage {
    frame: Frame,
    title: &'static str,
    name: &'static str,
    lines: Vec<Line>,
    /// Whether something is still to be answered.
    is_open: bool,
    /// Whether everything is kept anyway.
    keeps: bool,
    /// What was wrong: the key of a text.
    wrong: Option<&'static str>,
    wants_help: bool,
}

/// A question with its answer.
struct Line {
    question: &'static str,
    answer: &'static str,
    change: String,
}

#[derive(Template)]
#[template(path = "questionnaire_done.html")]
struct DonePage {
    frame: Frame,
    /// The total and what it means, in words.
    total: String,
    has_total: bool,
    goes: Vec<Goes>,
    /// Whether it is kept for the member.
    is_kept: bool,
    wants_help: bool,
}

/// Shows the answers before they become a reading.
pub async fn review(
    state: Data<State>,
    frame: Frame,
    session: Session,
    name: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let instrument = named(&name)?;
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let draft = draft_of(&state, &mut tx, &own, instrument).await?;
    shown(StatusCode::OK, frame, &draft, &own, None)
}

fn shown(
    status: StatusCode,
    frame: Frame,
    draft: &Draft,
    own: &Own,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, PortalError> {
    let instrument = draft.instrument();
    let lines = draft.each().map(|(place, question, answer)| Line {
        question: question.words(frame.language),
        answer: words::answer(question, answer, frame.language),
        change: place_of(instrument, Some(place)),
    });
    let review = ReviewPage {
        title: instrument.title(),
        name: instrument.as_str(),
        lines: lines.collect(),
        is_open: draft.next().is_some(),
        keeps: own.settings.keep,
        wrong,
        wants_help: draft.wants_help(),
        frame,
    };
    page_with(status, &review)
}

/// Takes the answers in, like anything else that a member notes down, and shows what they add up to. They are taken in and no
/// draft any more at once: nobody who is cut off changes, and finishes again, what a clinic has.
pub async fn finish(
    state: Data<State>,
    frame: Frame,
    posted: Posted,
    name: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (instrument, member) = (named(&name)?, posted.session.member);
    let mut tx = state.bridge.store.begin().await?;
    tx.lock_member(member).await?;
    let own = Own::open(&state.bridge, &mut tx, member).await?;
    // Finished before: in another window, or by the button pressed twice.
    let Some(draft) = drafts::draft(&mut tx, &own.key, None, instrument).await? else {
        return Ok(go_to("/questionnaires"));
    };
    let Ok(answers) = draft.finish() else {
        return shown(StatusCode::UNPROCESSABLE_ENTITY, frame, &draft, &own, Some("review-wrong-nothing"));
    };
    if posted.fields.text("keep") == "yes" && !own.settings.keep {
        let change = Change { keep: Some(true), ..Change::default() };
        change_settings(&mut tx, &own.key, change, state.bridge.clock.now()).await?;
    }
    let Taken { parts, goes_to } = fill_in(&state.bridge, &mut tx, (member, None), draft.key, answers.clone()).await?;
    tx.delete_draft(member, None, instrument).await?;
    tx.commit().await?;
    state.bridge.wake.notify_waiters();
    let is_kept = parts.iter().all(|(_, outcome)| !matches!(outcome, Outcome::Refused(_)));
    done(&state, frame, &answers, &draft, &goes_to, is_kept)
}

fn done(
    state: &State,
    frame: Frame,
    answers: &Answers,
    draft: &Draft,
    goes_to: &[Destination],
    is_kept: bool,
) -> Result<HttpResponse, PortalError> {
    page(&DonePage {
        total: words::total(answers, frame.language),
        has_total: answers.total().is_some(),
        goes: goes_to.iter().map(|to| goes(state, to)).collect(),
        is_kept,
        wants_help: draft.wants_help(),
        frame,
    })
}

/// Throws away what was answered so far.
pub async fn discard(state: Data<State>, posted: Posted, name: Path<String>) -> Result<HttpResponse, PortalError> {
    let instrument = named(&name)?;
    let mut tx = state.bridge.store.begin().await?;
    tx.delete_draft(posted.session.member, None, instrument).await?;
    tx.commit().await?;
    Ok(go_to_saying("/questionnaires", "flash-questionnaire-thrown-away"))
}
