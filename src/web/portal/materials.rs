//! *Materials*: what clinics published, for whoever looks, signed in or not. Each page says whose it is, which version, and that
//! nobody else can change it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::Timestamp;

use super::error::PortalError;
use super::frame::{Frame, page, page_with};
use crate::domain::audit::hex;
use crate::domain::day::Days;
use crate::domain::ids::MaterialId;
use crate::domain::material::Material;
use crate::materials::{Found, MaterialError, find, published};
use crate::web::State;

#[derive(Template)]
#[template(path = "materials.html")]
struct ListPage {
    frame: Frame,
    lines: Vec<Line>,
}

/// A material in the list.
struct Line {
    path: String,
    title: String,
    language: &'static str,
    clinic: String,
    day: String,
}

#[derive(Template)]
#[template(path = "material.html")]
struct MaterialPage<'a> {
    frame: Frame,
    material: &'a Material,
    language: &'static str,
    /// Whose it is, since when, which version.
    verified: String,
    checksum: String,
    /// Where the newest version is read, if this is not the newest.
    newer: Option<String>,
    /// Where the version before it is read.
    before: Option<String>,
    list: &'static str,
}

#[derive(Template)]
#[template(path = "material_away.html")]
struct AwayPage {
    frame: Frame,
    /// What there is instead: the key of its title.
    title: &'static str,
    more: String,
    list: &'static str,
}

/// Where they are listed.
pub const LIST: &str = "/materials";

/// Where a material is read, in its newest version.
#[must_use]
pub fn path_of(id: MaterialId) -> String {
    format!("{LIST}/{id}")
}

/// Lists them.
pub async fn list(state: Data<State>, frame: Frame) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let all = published(&mut tx, &state.bridge.keyring).await?;
    drop(tx);
    let line = |Material { id, clinic, content, published_at, .. }: Material| Line {
        path: path_of(id),
        title: content.title,
        language: content.language.as_str(),
        clinic: state.bridge.house.clinic_name(&clinic).to_owned(),
        day: day(&state, &frame, published_at),
    };
    page(&ListPage { lines: all.into_iter().map(line).collect(), frame })
}

/// Shows one, in its newest version.
pub async fn show(state: Data<State>, frame: Frame, id: Path<String>) -> Result<HttpResponse, PortalError> {
    shown(&state, frame, &id, None).await
}

/// Shows one version of one.
pub async fn version(
    state: Data<State>,
    frame: Frame,
    which: Path<(String, String)>,
) -> Result<HttpResponse, PortalError> {
    let (id, version) = which.into_inner();
    shown(&state, frame, &id, Some(version.parse().map_err(|_| PortalError::NotFound)?)).await
}

async fn shown(state: &State, frame: Frame, id: &str, version: Option<i64>) -> Result<HttpResponse, PortalError> {
    let id: MaterialId = id.parse().map_err(|_| PortalError::NotFound)?;
    let mut tx = state.bridge.store.read().await?;
    let found = find(&mut tx, &state.bridge.keyring, id, version).await;
    drop(tx);
    match found {
        Ok(Found::Published { material, newest }) => of_material(state, frame, &material, newest),
        Ok(Found::Retracted { clinic, at }) => {
            let (name, day) = (state.bridge.house.clinic_name(&clinic), day(state, &frame, at));
            let more = frame.tn("material-retracted-more", &[("clinic", name.into()), ("day", day.into())]);
            let title = "material-retracted";
            page_with(StatusCode::GONE, &AwayPage { frame, title, more, list: LIST })
        }
        Err(error @ MaterialError::Altered(..)) => {
            tracing::error!(%error, "a material is not shown");
            let (title, more) = ("material-altered", frame.t("material-altered-more"));
            page_with(StatusCode::INTERNAL_SERVER_ERROR, &AwayPage { frame, title, more, list: LIST })
        }
        Err(error) => Err(error.into()),
    }
}

fn of_material(state: &State, frame: Frame, material: &Material, newest: i64) -> Result<HttpResponse, PortalError> {
    let (clinic, day) = (state.bridge.house.clinic_name(&material.clinic), day(state, &frame, material.published_at));
    let parts = [("clinic", clinic.into()), ("day", day.into()), ("version", material.version.to_string().into())];
    let (path, version) = (path_of(material.id), material.version);
    page(&MaterialPage {
        verified: frame.tn("material-verified", &parts),
        checksum: hex(&material.content.sha256()),
        language: material.content.language.as_str(),
        newer: (version < newest).then(|| path.clone()),
        before: (version > 1).then(|| format!("{path}/{}", version - 1)),
        list: LIST,
        material,
        frame,
    })
}

/// A day, by the clock of the house.
pub fn day(state: &State, frame: &Frame, at: Timestamp) -> String {
    frame.date(Days::new(std::iter::empty(), state.bridge.readings.zone.rules().clone()).day_of(at))
}

impl From<MaterialError> for PortalError {
    fn from(error: MaterialError) -> Self {
        match error {
            MaterialError::Store(error) => error.into(),
            MaterialError::NotFound => Self::NotFound,
            MaterialError::Meanwhile => Self::ChangedMeanwhile,
            altered @ MaterialError::Altered(..) => Self::internal(&altered),
        }
    }
}
