//! `/v1/announcements`: a community's own program tells everybody there which sessions of clinics are open to them.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::EventSender;
use super::{Problem, State};
use crate::booking::group::{Announced, announced};
use crate::domain::ids::GroupSessionId;

/// Sessions of clinics that are open to everybody in the community.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnnouncementList {
    /// Those that are to come, or going on, by when they begin.
    announcements: Vec<Announcement>,
}

/// A session that is open to everybody. It says nothing of who takes part, nor how many do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Announcement {
    /// The same each time.
    #[schema(value_type = Uuid)]
    id: GroupSessionId,
    /// What it is.
    title: Title,
    /// What the clinic is called that holds it.
    clinic: String,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// Whether whoever comes now gets a place; else they wait for one.
    has_free_places: bool,
    /// Where members take part.
    page: String,
}

/// A title in each language.
#[derive(Debug, Serialize, ToSchema)]
pub struct Title {
    /// In English.
    en: String,
    /// In Russian.
    ru: String,
}

/// Lists what clinics offer to everybody, to be told to the whole community. There is no name in it, and nothing of any member:
/// it may be shown to anybody.
#[utoipa::path(
    operation_id = "list_announcements",
    tag = "announcements",
    security(("api_key" = ["events:write"])),
    responses(
        (status = 200, body = AnnouncementList),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An API key without the scope events:write", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/announcements")]
pub async fn list(state: Data<State>, _community: EventSender) -> Result<HttpResponse, Problem> {
    let mut tx = state.bridge.store.read().await?;
    let all = announced(&state.bridge, &mut tx, state.bridge.clock.now()).await;
    drop(tx);
    let page = state.public_url.join("/visits").map_err(|error| Problem::internal(&error))?;
    let house = &state.bridge.house;
    let told = |Announced { session, visit, has_room }: Announced| Announcement {
        id: session.id,
        title: Title { en: visit.title.en, ru: visit.title.ru },
        clinic: house.clinic_name(&session.clinic).to_owned(),
        starts_at: session.time.start,
        ends_at: session.time.end,
        has_free_places: has_room,
        page: page.to_string(),
    };
    let announcements = all.map_err(|error| Problem::internal(&error))?.into_iter().map(told).collect();
    Ok(HttpResponse::Ok().json(AnnouncementList { announcements }))
}
