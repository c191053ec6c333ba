//! Noting down with the bridge itself how one is.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use jiff::civil::DateTime;

use crate::domain::category::{Category, Detail};
use crate::domain::ids::MemberId;
use crate::domain::settings::Change;
use crate::insight::entry::{Destination, NoteDownError, Noted, Taken, note_down};
use crate::pipeline::Outcome;
use crate::readings::settings::change_settings;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::{Fields, Posted, fresh_key};
use crate::web::portal::frame::{Frame, page, page_with};
use crate::web::portal::own::Own;
use crate::web::portal::sharing::words;

/// The levels, the best first, and the keys of their words.
pub const LEVELS: [(u8, &str); 5] =
    [(5, "note-level-5"), (4, "note-level-4"), (3, "note-level-3"), (2, "note-level-2"), (1, "note-level-1")];

#[derive(Template)]
#[template(path = "data_note.html")]
struct NotePage {
    frame: Frame,
    draft: Draft,
    /// What the place is called by whose clock times are read.
    zone: String,
    /// Whether everything is kept anyway.
    keeps: bool,
    /// What was wrong: the key of a text.
    wrong: Option<&'static str>,
    /// What would be lost.
    lost: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "data_noted.html")]
struct NotedPage {
    frame: Frame,
    goes: Vec<Goes>,
    keeps: bool,
}

/// To which clinic which part goes, and how.
pub struct Goes {
    /// What the clinic is called.
    pub clinic: String,
    /// The key of the words for the part.
    pub what: &'static str,
    /// The key of the words for how finely it goes.
    pub how: &'static str,
}

/// The form as it is filled in.
struct Draft {
    /// What makes it the same when it is sent again.
    key: String,
    /// When it was, as in the field.
    at: String,
    level: Option<u8>,
    note: String,
    tags: String,
}

impl Draft {
    fn read(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        let level = fields.text("level").parse().ok();
        Self { key: text("key"), at: text("at"), level, note: text("note"), tags: text("tags") }
    }

    /// What it says; or what is wrong with it: the key of a text.
    fn noted(&self, own: &Own) -> Result<Noted, &'static str> {
        let at = self.at.parse::<DateTime>().ok().and_then(|shown| own.days().instant_of(shown));
        Ok(Noted {
            key: self.key.parse().map_err(|_| "note-wrong-key")?,
            level: self.level.ok_or("note-wrong-level")?,
            at: at.ok_or("note-wrong-at")?,
            note: Some(self.note.clone()),
            tags: self.tags.split(',').map(str::to_owned).collect(),
        })
    }
}

/// Shows the form, for now.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let at = own.days().moment(now).shown().strftime("%Y-%m-%dT%H:%M").to_string();
    let draft =
        Draft { key: fresh_key(&state)?.to_string(), at, level: None, note: String::new(), tags: String::new() };
    form(StatusCode::OK, frame, draft, &own, None, Vec::new())
}

/// Takes the form. What would be lost is given back, with the choice to keep it.
pub async fn save(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    let member = posted.session.member;
    let draft = Draft::read(&posted.fields);
    let mut own = open(&state, member).await?;
    let noted = match draft.noted(&own) {
        Ok(noted) => noted,
        Err(wrong) => return form(StatusCode::UNPROCESSABLE_ENTITY, frame, draft, &own, Some(wrong), Vec::new()),
    };
    if posted.fields.text("keep") == "yes" && !own.settings.keep {
        keep(&state, &own).await?;
        own.settings.keep = true;
    }
    let Taken { parts, goes_to } = match note_down(&state.bridge, member, noted).await {
        Ok(taken) => taken,
        Err(NoteDownError::Field { field, .. }) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return form(status, frame, draft, &own, Some(wrong_field(field)), Vec::new());
        }
        Err(NoteDownError::UnknownMember) => return Err(PortalError::SignInFirst),
        Err(NoteDownError::Accept(error)) => return Err(error.into()),
    };
    if parts.iter().any(|(_, outcome)| *outcome == Outcome::Conflict) {
        // Pressed again, it is an entry of its own.
        let draft = Draft { key: fresh_key(&state)?.to_string(), ..draft };
        return form(StatusCode::CONFLICT, frame, draft, &own, Some("note-wrong-twice"), Vec::new());
    }
    let lost: Vec<&str> = parts.iter().filter_map(lost_part).collect();
    if !lost.is_empty() {
        return form(StatusCode::UNPROCESSABLE_ENTITY, frame, draft, &own, Some("note-wrong-lost"), lost);
    }
    let goes = goes_to.iter().map(|to| goes(&state, to)).collect();
    page(&NotedPage { frame, goes, keeps: own.settings.keep })
}

async fn open(state: &State, member: MemberId) -> Result<Own, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    Own::open(&state.bridge, &mut tx, member).await
}

/// Keeps everything for the member from now on.
async fn keep(state: &State, own: &Own) -> Result<(), PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    let change = Change { keep: Some(true), ..Change::default() };
    change_settings(&mut tx, &own.key, change, state.bridge.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// What a part is called that was not taken.
fn lost_part((part, outcome): &(Category, Outcome)) -> Option<&'static str> {
    matches!(outcome, Outcome::Refused(_)).then(|| words::category(*part))
}

/// Where a part goes, in words.
pub fn goes(state: &State, to: &Destination) -> Goes {
    let how: Option<Detail> = Some(to.detail);
    let clinic = state.bridge.house.clinic_name(&to.clinic).to_owned();
    Goes { clinic, what: words::category(to.category), how: words::detail(how) }
}

fn wrong_field(field: &str) -> &'static str {
    match field {
        "at" => "note-wrong-at",
        "level" => "note-wrong-level",
        "note" => "note-wrong-note",
        _ => "note-wrong-tags",
    }
}

fn form(
    status: StatusCode,
    frame: Frame,
    draft: Draft,
    own: &Own,
    wrong: Option<&'static str>,
    lost: Vec<&'static str>,
) -> Result<HttpResponse, PortalError> {
    let (zone, keeps) = (own.zone().to_owned(), own.settings.keep);
    page_with(status, &NotePage { frame, draft, zone, keeps, wrong, lost })
}
