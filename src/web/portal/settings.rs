//! The member's settings, and the language of the pages.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use askama::Template;
use jiff::tz;

use super::caller::Session;
use super::cookies::LANGUAGE;
use super::error::PortalError;
use super::form::{Posted, PostedByAnyone};
use super::frame::{Frame, go_to, go_to_saying, page_with};
use super::own::Own;
use crate::domain::ids::CommunityId;
use crate::domain::language::Language;
use crate::domain::settings::Change;
use crate::domain::zone::Zone;
use crate::readings::settings::change_settings;
use crate::web::State;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    community: String,
    /// Where the member's clock stands, as they wrote it.
    zone: String,
    zones: Vec<String>,
    is_wrong: bool,
    /// Whether the member's account at the community lets them in; `None`: it has no accounts that could.
    has_identity: Option<bool>,
}

/// Shows the settings.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let zone = own.settings.zone.map_or_else(String::new, |zone| zone.name().to_owned());
    let has_identity = state.identities.lets_in(&mut tx, &session.community, session.member).await?;
    form(&state, StatusCode::OK, frame, &session.community, (zone, false), has_identity)
}

/// Saves the settings. The language is that of this browser, too.
pub async fn save(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    let language = Language::from_name(posted.fields.text("language")).ok_or(PortalError::BadForm)?;
    let named = posted.fields.text("zone");
    let zone = if named.is_empty() { None } else { Some(Zone::named(named)) };
    let Ok(zone) = zone.transpose() else {
        let (status, session) = (StatusCode::UNPROCESSABLE_ENTITY, posted.session);
        let mut tx = state.bridge.store.read().await?;
        let has_identity = state.identities.lets_in(&mut tx, &session.community, session.member).await?;
        return form(&state, status, frame, &session.community, (named.to_owned(), true), has_identity);
    };
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let own = Own::open(&state.bridge, &mut tx, posted.session.member).await?;
    let change = Change { language: Some(language), zone, ..Change::default() };
    change_settings(&mut tx, &own.key, change, now).await?;
    tx.commit().await?;
    Ok(speaking(go_to_saying("/settings", "flash-settings-saved"), language))
}

fn form(
    state: &State,
    status: StatusCode,
    frame: Frame,
    community: &CommunityId,
    (zone, is_wrong): (String, bool),
    has_identity: Option<bool>,
) -> Result<HttpResponse, PortalError> {
    let community = state.portal.name_of(community);
    let zones = tz::db().available().map(|name| name.to_string()).filter(|name| name.contains('/')).collect();
    page_with(status, &SettingsPage { frame, community, zone, zones, is_wrong, has_identity })
}

/// Changes the language of the pages, for anybody, and goes back to the page where it was asked for.
pub async fn speak(state: Data<State>, posted: PostedByAnyone) -> Result<HttpResponse, PortalError> {
    let language = Language::from_name(posted.fields.text("language")).ok_or(PortalError::BadForm)?;
    let back = state.portal.origin.local_path(posted.fields.text("back")).unwrap_or_else(|| "/".to_owned());
    Ok(speaking(go_to(&back), language))
}

/// Has the browser keep a language.
pub fn speaking(mut answer: HttpResponse, language: Language) -> HttpResponse {
    if let Ok(value) = LANGUAGE.set(language.as_str()).parse() {
        answer.headers_mut().append(SET_COOKIE, value);
    }
    answer
}
