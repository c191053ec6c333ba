//! Materials: a clinic's people publish texts for everybody, add versions, and take them back. What is published stays as it is.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use uuid::Uuid;

use super::caller::{StaffPosted, StaffSession};
use crate::domain::ids::MaterialId;
use crate::domain::language::Language;
use crate::domain::material::{BadContent, Content, LONGEST_LINK, LONGEST_TEXT, LONGEST_TITLE, Material};
use crate::enrolment::staff::Colleague;
use crate::materials::{self, MOST, MaterialError, verified};
use crate::store::MaterialRow;
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Fields;
use crate::web::portal::frame::{Frame, go_to_saying, page_with};
use crate::web::portal::materials::{day, path_of};

#[derive(Template)]
#[template(path = "clinic_materials.html")]
struct ListPage {
    frame: Frame,
    lines: Vec<Line>,
    /// What makes it the same material when the form is sent again.
    form: Uuid,
    draft: Draft,
}

/// A material in the list.
struct Line {
    id: MaterialId,
    title: String,
    version: String,
    day: String,
    /// How it stands: the key of its words.
    stands: &'static str,
}

#[derive(Template)]
#[template(path = "clinic_material.html")]
struct MaterialPage {
    frame: Frame,
    line: Line,
    /// Where everybody reads it.
    public: String,
    is_retracted: bool,
    /// The version that whoever writes the next one sees.
    version: i64,
    draft: Draft,
}

/// A form as it was filled in.
struct Draft {
    /// The languages to choose from, each with whether it is chosen; none for a version of something that has one.
    languages: Vec<(&'static str, &'static str, bool)>,
    title: String,
    text: String,
    link: String,
    longest_title: usize,
    longest_text: usize,
    longest_link: usize,
    /// What is wrong with it: the key of a text.
    wrong: Option<&'static str>,
}

impl Draft {
    fn new(language: Option<Language>, title: &str, text: &str, link: &str) -> Self {
        let choice = |it: Language, chosen| (it.as_str(), it.own_name(), it == chosen);
        let languages = language.map(|chosen| Language::ALL.map(|it| choice(it, chosen)).to_vec());
        Self {
            languages: languages.unwrap_or_default(),
            title: title.to_owned(),
            text: text.to_owned(),
            link: link.to_owned(),
            longest_title: LONGEST_TITLE,
            longest_text: LONGEST_TEXT,
            longest_link: LONGEST_LINK,
            wrong: None,
        }
    }

    /// What was typed, with what is wrong with it.
    fn typed(language: Option<Language>, fields: &Fields, wrong: BadContent) -> Self {
        let wrong = match wrong {
            BadContent::Title => "clinic-wrong-title",
            BadContent::Text => "clinic-wrong-text",
            BadContent::Link => "clinic-wrong-link",
        };
        let draft = Self::new(language, fields.text("title"), fields.text("text"), fields.text("link"));
        Self { wrong: Some(wrong), ..draft }
    }

    fn status(&self) -> StatusCode {
        if self.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
    }
}

/// Lists them, with a form to publish one.
pub async fn list(state: Data<State>, frame: Frame, session: StaffSession) -> Result<HttpResponse, PortalError> {
    let draft = Draft::new(Some(frame.language), "", "", "");
    let form = state.bridge.keyring.entropy().uuid(state.bridge.clock.now());
    listed(&state, frame, &session.who, form.map_err(|error| PortalError::internal(&error))?, draft).await
}

/// Publishes one.
pub async fn publish(state: Data<State>, frame: Frame, posted: StaffPosted) -> Result<HttpResponse, PortalError> {
    let (who, fields, now) = (&posted.session.who, &posted.fields, state.bridge.clock.now());
    let form: Uuid = fields.text("form").parse().map_err(|_| PortalError::BadForm)?;
    let language = Language::from_name(fields.text("language")).ok_or(PortalError::BadForm)?;
    let content = match read(language, fields) {
        Ok(content) => content,
        Err(wrong) => {
            return listed(&state, frame, who, form, Draft::typed(Some(language), fields, wrong)).await;
        }
    };
    let id = materials::id_of(&state.bridge.keyring, who, form);
    let mut tx = state.bridge.store.begin().await?;
    let material = materials::publish(&mut tx, &state.bridge.keyring, who, (id, content), now).await?;
    tx.commit().await?;
    Ok(done(who, &material))
}

/// Shows one.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: StaffSession,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    shown(&state, frame, &session.who, &id, None).await
}

/// Publishes another version of one.
pub async fn renew(
    state: Data<State>,
    frame: Frame,
    posted: StaffPosted,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (who, fields, now) = (&posted.session.who, &posted.fields, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let row = own(tx.newest_material(parse(&id)?).await?, who)?;
    let seen: i64 = fields.text("version").parse().map_err(|_| PortalError::BadForm)?;
    let content = match read(row.material.content.language, fields) {
        Ok(content) => content,
        Err(wrong) => {
            drop(tx);
            return shown(&state, frame, who, &id, Some(Draft::typed(None, fields, wrong))).await;
        }
    };
    let next = (row.material.id, seen, content);
    let material = materials::renew(&mut tx, &state.bridge.keyring, who, next, now).await?;
    tx.commit().await?;
    Ok(done(who, &material))
}

/// Takes one back.
pub async fn retract(state: Data<State>, posted: StaffPosted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let (who, id) = (&posted.session.who, parse(&id)?);
    let mut tx = state.bridge.store.begin().await?;
    materials::retract(&mut tx, who, id, state.bridge.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(clinic_id = %who.clinic, material_id = %id, "a clinic took a material back");
    Ok(go_to_saying(&path(id), "flash-clinic-material-retracted"))
}

async fn listed(
    state: &State,
    frame: Frame,
    who: &Colleague,
    form: Uuid,
    draft: Draft,
) -> Result<HttpResponse, PortalError> {
    let rows = state.bridge.store.read().await?.materials_of(&who.clinic, MOST).await?;
    let lines = rows.into_iter().map(|row| line(state, &frame, row).0).collect();
    page_with(draft.status(), &ListPage { lines, form, draft, frame })
}

async fn shown(
    state: &State,
    frame: Frame,
    who: &Colleague,
    id: &str,
    draft: Option<Draft>,
) -> Result<HttpResponse, PortalError> {
    let row = own(state.bridge.store.read().await?.newest_material(parse(id)?).await?, who)?;
    let (version, is_retracted, public) = (row.material.version, row.retracted_at.is_some(), path_of(row.material.id));
    let (line, material) = line(state, &frame, row);
    let next = |Material { content: Content { title, text, link, .. }, .. }: Material| {
        Draft::new(None, &title, &text, link.as_deref().unwrap_or_default())
    };
    let draft = draft.unwrap_or_else(|| material.map_or_else(|| Draft::new(None, "", "", ""), next));
    page_with(draft.status(), &MaterialPage { line, public, is_retracted, version, draft, frame })
}

/// A line of the list; and what stands there, where it is what the clinic published.
fn line(state: &State, frame: &Frame, row: MaterialRow) -> (Line, Option<Material>) {
    let (id, version, at) = (row.material.id, row.material.version.to_string(), row.material.published_at);
    let is_retracted = row.retracted_at.is_some();
    let verified = verified(&state.bridge.keyring, row);
    if let Err(error @ MaterialError::Altered(..)) = &verified {
        tracing::error!(%error, "a material is not shown");
    }
    let (title, stands) = match &verified {
        Err(_) => (frame.t("material-altered"), "clinic-material-altered"),
        Ok(material) if is_retracted => (material.content.title.clone(), "clinic-material-retracted"),
        Ok(material) => (material.content.title.clone(), "clinic-material-published"),
    };
    (Line { id, title, version, day: day(state, frame, at), stands }, verified.ok())
}

/// What the clinic published, and no other.
fn own(row: Option<MaterialRow>, who: &Colleague) -> Result<MaterialRow, PortalError> {
    row.filter(|row| row.material.clinic == who.clinic).ok_or(PortalError::NotFound)
}

fn read(language: Language, fields: &Fields) -> Result<Content, BadContent> {
    Content::read(language, fields.text("title"), fields.text("text"), fields.text("link"))
}

fn done(who: &Colleague, material: &Material) -> HttpResponse {
    let Material { id, version, .. } = material;
    tracing::info!(clinic_id = %who.clinic, material_id = %id, version, "a clinic published a material");
    go_to_saying(&path(*id), "flash-clinic-material-published")
}

fn parse(id: &str) -> Result<MaterialId, PortalError> {
    id.parse().map_err(|_| PortalError::NotFound)
}

fn path(id: MaterialId) -> String {
    format!("/clinic/materials/{id}")
}
