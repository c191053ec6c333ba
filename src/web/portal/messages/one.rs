//! One message, and what can be answered to it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::shown;
use crate::domain::day::Days;
use crate::domain::helpline::Help;
use crate::domain::ids::RecommendationId;
use crate::domain::recommendation::{
    Answer, Answered, LONGEST_ANSWER, Recommendation, RecommendationState, Said, When,
};
use crate::pipeline::answers;
use crate::recommendations;
use crate::store::Tx;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::{Frame, page_with};
use crate::web::portal::own::Own;

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    frame: Frame,
    id: RecommendationId,
    /// As what it stands there: the key of its words.
    what: &'static str,
    clinic: String,
    /// Names, as keys, and values.
    about: Vec<(&'static str, String)>,
    /// What stands before what it says: the keys of texts.
    before: Vec<&'static str>,
    /// What it says; nothing where the clinic took it back.
    says: Option<Said>,
    answers: Vec<Line>,
    /// The words of what can be answered.
    takes: Vec<&'static str>,
    /// Why nothing can be answered now that could be otherwise: the key of a text.
    why_not: Option<&'static str>,
    help: Help,
    longest: usize,
    draft: Draft,
}

/// An answer that was given.
struct Line {
    what: &'static str,
    /// What became of it: the key of its words.
    fate: &'static str,
    text: String,
    at: String,
}

impl MessagePage {
    /// Whether it can be answered so.
    fn may(&self, answer: &str) -> bool {
        self.takes.contains(&answer)
    }
}

/// What was written into a form that could not be taken.
#[derive(Default)]
pub struct Draft {
    /// What is wrong with it: the key of a text.
    pub wrong: Option<&'static str>,
    /// Why they do not want to.
    pub reason: String,
    /// What they ask.
    pub question: String,
}

/// Shows one. Whoever opens it has read it.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: Session,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let id: RecommendationId = id.parse().map_err(|_| PortalError::NotFound)?;
    let (now, mut tx) = (state.bridge.clock.now(), state.bridge.store.begin().await?);
    answers::seen(&state.bridge, &mut tx, session.member, id, now).await?;
    tx.commit().await?;
    let tx = state.bridge.store.read().await?;
    page(&state, frame, &session, id, tx, Draft::default()).await
}

/// Shows one, with what could not be taken.
pub async fn page(
    state: &State,
    frame: Frame,
    session: &Session,
    id: RecommendationId,
    mut tx: Tx,
    draft: Draft,
) -> Result<HttpResponse, PortalError> {
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let found = recommendations::one(&mut tx, &own.key, id).await?.ok_or(PortalError::NotFound)?;
    let days = own.days();
    let denied = answers::why_not(&mut tx, &own.key, &found, state.bridge.clock.now()).await?;
    let is_on_page = denied.is_none() && state.bridge.house.pages(&found.clinic).is_some();
    let given = recommendations::answers(&mut tx, &own.key, Some(id)).await?;
    let line = |(_, Answered { answer, at, fate }): (RecommendationId, Answered)| Line {
        what: shown::answered(&answer),
        fate: shown::fate(fate, is_on_page),
        text: answer.text().unwrap_or_default().to_owned(),
        at: frame.moment(days.moment(at)),
    };
    let could = takes(&found);
    let why_not = denied.filter(|_| !could.is_empty()).map(shown::why_not);
    let status = if draft.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let clinic = state.bridge.house.clinic_name(&found.clinic).to_owned();
    let template = MessagePage {
        id,
        what: shown::what(found.kind),
        about: about(&frame, &days, &found, &clinic),
        clinic,
        takes: if why_not.is_some() { Vec::new() } else { could },
        why_not,
        before: found.says.iter().flat_map(shown::before).collect(),
        says: found.says.filter(|_| found.state != RecommendationState::Retracted),
        answers: given.into_iter().map(line).collect(),
        help: state.help.of(&session.community).clone(),
        longest: LONGEST_ANSWER,
        draft,
        // It counts as read by now.
        frame: frame.after_reading(&mut tx, session.member).await?,
    };
    page_with(status, &template)
}

/// The words of what can be answered.
fn takes(found: &Recommendation) -> Vec<&'static str> {
    let answers =
        [Answer::Accept, Answer::Decline { reason: None }, Answer::Done, Answer::Question { text: String::new() }];
    answers.iter().filter(|answer| found.takes(answer)).map(Answer::as_str).collect()
}

/// From whom it is, since when, and where it stands.
fn about(frame: &Frame, days: &Days, found: &Recommendation, clinic: &str) -> Vec<(&'static str, String)> {
    let when = |when: When| match when {
        When::Day(day) => frame.date(day),
        When::At(at) => frame.moment(days.moment(at)),
    };
    let mut about = vec![("message-clinic", clinic.to_owned())];
    if let Some(says) = &found.says {
        let said = [
            ("message-by", says.by.clone()),
            ("message-written", says.authored.map(when)),
            ("message-from", says.from.map(when)),
            ("message-until", says.until.map(when)),
        ];
        about.extend(said.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }
    about.push(("message-came", frame.moment(days.moment(found.received_at))));
    about.push(("message-stands", frame.t(shown::life(found.state))));
    about
}
