//! *Questionnaires*: a member fills one in, one question a page, and goes on where they left it.
//!
//! What they answer so far is kept as a draft that nobody else sees; that an answer wants a human's eye is told at once. Only
//! when they finish does it become a reading, which goes the way of every other one. What they began in the chat of a
//! community is gone on with there, not here.

mod ask;
mod finish;

pub use ask::{answer, question};
pub use finish::{discard, finish, review};

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, go_to, go_to_saying, page};
use super::own::{Own, Watched};
use crate::domain::questionnaire::{Answer, Draft, Instrument};
use crate::insight::due::{self, Due};
use crate::insight::entry::NoteDownError;
use crate::readings::drafts;
use crate::store::Tx;
use crate::web::State;

#[derive(Template)]
#[template(path = "questionnaires.html")]
struct ListPage {
    frame: Frame,
    forms: Vec<Form>,
    /// Who is told if an answer wants a human's eye: the names of communities; empty where nobody is.
    watched: Watched,
}

/// A questionnaire in the list.
struct Form {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    /// How many questions were answered, and how many there are; `None` where it was not begun.
    begun: Option<(usize, usize)>,
    /// The names of the clinics that ask for it now; empty where none does.
    asked_by: String,
}

/// Shows what can be filled in.
pub async fn list(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let drafts = drafts::drafts(&mut tx, &own.key, None).await?;
    let due = due::due(&state.bridge, &mut tx, session.member).await?;
    let form = |instrument: Instrument| Form {
        name: instrument.as_str(),
        title: instrument.title(),
        about: instrument.about(frame.language),
        begun: drafts.iter().find(|draft| draft.instrument() == instrument).map(progress),
        asked_by: due.iter().find(|due| due.instrument == instrument).map(|due| names(&state, due)).unwrap_or_default(),
    };
    let forms = Instrument::ALL.map(form).into();
    let watched = Watched::of(&state, &mut tx, session.member, frame.language).await?;
    page(&ListPage { frame, forms, watched })
}

/// What the clinics are called that ask.
fn names(state: &State, due: &Due) -> String {
    let names: Vec<&str> = due.clinics.iter().map(|clinic| state.bridge.house.clinic_name(clinic)).collect();
    names.join(", ")
}

/// Leaves one out that a clinic asks for, until it asks the next time.
pub async fn leave_out(state: Data<State>, posted: Posted, name: Path<String>) -> Result<HttpResponse, PortalError> {
    let instrument = named(&name)?;
    let mut tx = state.bridge.store.begin().await?;
    let was_asked = due::leave_out(&state.bridge, &mut tx, posted.session.member, instrument).await?;
    tx.commit().await?;
    if was_asked {
        Ok(go_to_saying("/questionnaires", "flash-questionnaire-left-out"))
    } else {
        Ok(go_to("/questionnaires"))
    }
}

fn progress(draft: &Draft) -> (usize, usize) {
    (draft.each().filter(|(_, _, answer)| *answer != Answer::NotAsked).count(), draft.each().count())
}

/// Leads to where somebody left off: to the next question, or to the end.
pub async fn go_on(state: Data<State>, session: Session, name: Path<String>) -> Result<HttpResponse, PortalError> {
    let instrument = named(&name)?;
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let draft = drafts::draft(&mut tx, &own.key, None, instrument).await?;
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
    if let Some(draft) = drafts::draft(tx, &own.key, None, instrument).await? {
        return Ok(draft);
    }
    let key = state.bridge.keyring.entropy().uuid(state.bridge.clock.now());
    Ok(Draft::new(instrument, key.map_err(|error| PortalError::internal(&error))?))
}

impl From<NoteDownError> for PortalError {
    fn from(error: NoteDownError) -> Self {
        match error {
            NoteDownError::Accept(error) => error.into(),
            NoteDownError::UnknownMember | NoteDownError::Field { .. } => Self::SignInFirst,
        }
    }
}
