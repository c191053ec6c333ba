//! `/v1/materials`: a community's own program shows what clinics published for everybody, or tells them of it.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use jiff::Timestamp;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::auth::EventSender;
use super::portal::materials::path_of;
use super::{Problem, State};
use crate::domain::audit::hex;
use crate::domain::ids::MaterialId;
use crate::domain::language::Language;
use crate::domain::material::Material;
use crate::materials::{MOST, published};

/// What clinics published for everybody to read.
#[derive(Debug, Serialize, ToSchema)]
pub struct MaterialList {
    /// The newest version of each, the last published first: the last hundred.
    materials: Vec<PublishedMaterial>,
    /// Which were taken back, the last first: the last hundred. A program that keeps one shows it no more.
    retracted: Vec<RetractedMaterial>,
}

/// A text that a clinic published. Nobody but the clinic can change it; each change is a new version.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedMaterial {
    /// The same for all its versions.
    #[schema(value_type = Uuid)]
    id: MaterialId,
    /// From 1 on.
    version: i64,
    /// What the clinic is called.
    clinic: String,
    /// When this version was published.
    #[schema(value_type = String, format = DateTime)]
    published_at: Timestamp,
    /// The language of title and text.
    language: Language,
    /// What it is called.
    title: String,
    /// Plain text: paragraphs, with an empty line between them.
    text: String,
    /// Where the clinic says that more stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// SHA-256 of `text` in UTF-8, in hexadecimal.
    sha256: String,
    /// Where everybody reads it.
    page: String,
}

/// A text that its clinic took back, in all its versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetractedMaterial {
    /// Which.
    #[schema(value_type = Uuid)]
    id: MaterialId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    retracted_at: Timestamp,
}

/// Lists what clinics published for everybody: verified to be what they published, with whose it is, which version, and its
/// checksum. There is nothing of any member in it: it may be shown to anybody, as it is.
#[utoipa::path(
    operation_id = "list_materials",
    tag = "materials",
    security(("api_key" = ["events:write"])),
    responses(
        (status = 200, body = MaterialList),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope events:write", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/materials")]
pub async fn list(state: Data<State>, _community: EventSender) -> Result<HttpResponse, Problem> {
    let mut tx = state.bridge.store.read().await?;
    let all = published(&mut tx, &state.bridge.keyring).await?;
    let retracted = tx.retracted_materials(MOST).await?;
    drop(tx);
    let materials = all.into_iter().map(|material| shown(&state, material)).collect::<Result<_, _>>();
    let materials = materials.map_err(|error| Problem::internal(&error))?;
    let retracted = retracted.into_iter().map(|(id, retracted_at)| RetractedMaterial { id, retracted_at }).collect();
    Ok(HttpResponse::Ok().json(MaterialList { materials, retracted }))
}

fn shown(state: &State, material: Material) -> Result<PublishedMaterial, url::ParseError> {
    let page: Url = state.public_url.join(&path_of(material.id))?;
    let Material { id, version, clinic, content, published_at, .. } = material;
    Ok(PublishedMaterial {
        id,
        version,
        clinic: state.bridge.house.clinic_name(&clinic).to_owned(),
        published_at,
        language: content.language,
        sha256: hex(&content.sha256()),
        title: content.title,
        text: content.text,
        link: content.link,
        page: page.into(),
    })
}
