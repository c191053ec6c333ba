//! One question a page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::{draft_of, named, place_of};
use crate::domain::questionnaire::{Answer, Choice, Draft, Kind, Question};
use crate::insight::entry::heed;
use crate::readings::drafts;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to, page_with};
use crate::web::portal::own::{Own, Watched};

/// What the form says when somebody would rather not answer.
const DECLINED: &str = "declined";

#[derive(Template)]
#[template(path = "question.html")]
struct QuestionPage {
    frame: Frame,
    title: &'static str,
    name: &'static str,
    /// Counted from one.
    number: usize,
    count: usize,
    stem: &'static str,
    question: &'static str,
    choices: Vec<Pick>,
    back: String,
    /// Whether nothing was chosen.
    is_wrong: bool,
    /// Whether there is a word to be said before anything else.
    wants_help: bool,
    /// Whether it is where the questionnaire opens.
    is_first: bool,
    /// Who is told if an answer wants a human's eye: the names of communities; empty where nobody is.
    watched: Watched,
}

/// What can be chosen.
struct Pick {
    value: String,
    words: String,
    is_chosen: bool,
}

/// Shows a question, with what was answered before.
pub async fn question(
    state: Data<State>,
    frame: Frame,
    session: Session,
    which: Path<(String, String)>,
) -> Result<HttpResponse, PortalError> {
    let instrument = named(&which.0)?;
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let draft = draft_of(&state, &mut tx, &own, instrument).await?;
    let watched = Watched::of(&state, &mut tx, session.member, frame.language).await?;
    shown(StatusCode::OK, frame, &draft, &which.1, watched)
}

/// Takes an answer, and goes on to the next question. Where the answer wants a human's eye, people are told in the same
/// transaction.
pub async fn answer(
    state: Data<State>,
    frame: Frame,
    posted: Posted,
    which: Path<(String, String)>,
) -> Result<HttpResponse, PortalError> {
    let instrument = named(&which.0)?;
    let mut tx = state.bridge.store.begin().await?;
    // Two windows may answer at once: neither takes an answer back that the other gave.
    tx.lock_member(posted.session.member).await?;
    let own = Own::open(&state.bridge, &mut tx, posted.session.member).await?;
    let draft = draft_of(&state, &mut tx, &own, instrument).await?;
    let place = place_in(&draft, &which.1)?;
    let Some(answer) = chosen(posted.fields.text("answer")) else {
        let watched = Watched::of(&state, &mut tx, posted.session.member, frame.language).await?;
        return shown(StatusCode::UNPROCESSABLE_ENTITY, frame, &draft, &which.1, watched);
    };
    let draft = draft.with(place, answer);
    drafts::keep(&mut tx, &own.key, None, &draft, state.bridge.clock.now()).await?;
    heed(&state.bridge, &mut tx, (posted.session.member, None), &draft).await?;
    tx.commit().await?;
    if draft.wants_help() {
        state.bridge.wake.notify_waiters();
    }
    let next = draft.each().map(|(place, _, _)| place).find(|other| *other > place);
    Ok(go_to(&place_of(instrument, next)))
}

fn chosen(value: &str) -> Option<Answer> {
    let choice = || value.parse().ok().filter(|choice| *choice <= Choice::MOST);
    if value == DECLINED { Some(Answer::Declined) } else { choice().map(Answer::Given) }
}

/// The place of a question that is asked, by its number, which is counted from one.
fn place_in(draft: &Draft, number: &str) -> Result<usize, PortalError> {
    let number: usize = number.parse().map_err(|_| PortalError::NotFound)?;
    let place = draft.each().map(|(place, _, _)| place).find(|place| place + 1 == number);
    place.ok_or(PortalError::NotFound)
}

fn shown(
    status: StatusCode,
    frame: Frame,
    draft: &Draft,
    number: &str,
    watched: Watched,
) -> Result<HttpResponse, PortalError> {
    let instrument = draft.instrument();
    let place = place_in(draft, number)?;
    let (_, question, said) = draft.each().find(|(found, _, _)| *found == place).ok_or(PortalError::NotFound)?;
    let stem = if question.kind == Kind::Frequency { instrument.stem(frame.language) } else { "" };
    let before = place.checked_sub(1).map(|before| place_of(instrument, Some(before)));
    page_with(
        status,
        &QuestionPage {
            title: instrument.title(),
            name: instrument.as_str(),
            number: place + 1,
            count: draft.each().count(),
            stem,
            question: question.words(frame.language),
            choices: picks(&frame, question, said),
            back: before.clone().unwrap_or_else(|| "/questionnaires".to_owned()),
            is_wrong: status != StatusCode::OK,
            wants_help: draft.wants_help(),
            is_first: before.is_none(),
            watched,
            frame,
        },
    )
}

fn picks(frame: &Frame, question: &Question, said: Answer) -> Vec<Pick> {
    let pick = |(number, choice): (u8, &Choice)| Pick {
        value: number.to_string(),
        words: choice.words(frame.language).to_owned(),
        is_chosen: said == Answer::Given(number),
    };
    let declined =
        Pick { value: DECLINED.to_owned(), words: frame.t("question-declined"), is_chosen: said == Answer::Declined };
    (0..).zip(question.kind.choices()).map(pick).chain([declined]).collect()
}
