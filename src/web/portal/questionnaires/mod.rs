//! *Questionnaires*: a member fills one in, one question a page, and goes on where they left it.
//!
//! What they answer so far is kept as a draft that nobody else sees. Only when they finish does it become a reading, which
//! goes the way of every other one.

mod ask;
mod finish;

pub use ask::{answer, question};
pub use finish::{discard, finish, review};

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, go_to, page};
use super::own::Own;
use crate::domain::questionnaire::{Answer, Draft, Instrument};
use crate::readings::drafts;
use crate::store::Tx;
use crate::web::State;

#[derive(Template)]
#[template(path = "questionnaires.html")]
struct ListPage {
    frame: Frame,
    forms: Vec<Form>,
}

/// A questionnaire in the list.
struct Form {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    /// How many questions were answered, and how many there are; `None` where it was not begun.
    begun: Option<(usize, usize)>,
}

/// Shows what can be filled in.
pub async fn list(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let drafts = drafts::drafts(&mut tx, &own.key).await?;
    let form = |instrument: Instrument| Form {
        name: instrument.as_str(),
        title: instrument.title(),
        about: instrument.about(frame.language),
        begun: drafts.iter().find(|draft| draft.instrument() == instrument).map(progress),
    };
    let forms = Instrument::ALL.map(form).into();
    page(&ListPage { frame, forms })
}

fn progress(draft: &Draft) -> (usize, usize) {
    (draft.each().filter(|(_, _, answer)| *answer != Answer::NotAsked).count(), draft.each().count())
}

/// Leads to where somebody left off: to the next question, or to the end.
pub async fn go_on(state: Data<State>, session: Session, name: Path<String>) -> Result<HttpResponse, PortalError> {
    let instrument = named(&name)?;
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let draft = drafts::draft(&mut tx, &own.key, instrument).await?;
    Ok(go_to(&draft.map_or_else(|| place_of(instrument, Some(0)), |draft| place_of(instrument, draft.next()))))
}

/// The address of the question at a place, which is counted from zero; of the last page where there is none.
fn place_of(instrument: Instrument, place: Option<usize>) -> String {
    let name = instrument.as_str();
    place.map_or_else(
        || format!("/questionnaires/{name}/review"),
        |place| format!("/questionnaires/{name}/{}", place + 1),
    )
}

fn named(name: &str) -> Result<Instrument, PortalError> {
    Instrument::from_name(name).ok_or(PortalError::NotFound)
}

/// What was answered so far; a fresh draft where nothing was.
async fn draft_of(state: &State, tx: &mut Tx, own: &Own, instrument: Instrument) -> Result<Draft, PortalError> {
    if let Some(draft) = drafts::draft(tx, &own.key, instrument).await? {
        return Ok(draft);
    }
    let key = state.bridge.keyring.entropy().uuid(state.bridge.clock.now());
    Ok(Draft::new(instrument, key.map_err(|error| PortalError::internal(&error))?))
}
