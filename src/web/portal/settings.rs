//! The member's settings, and the language of the pages.

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use askama::Template;

use super::caller::Session;
use super::cookies::LANGUAGE;
use super::error::PortalError;
use super::form::{Posted, PostedByAnyone};
use super::frame::{Frame, go_to, go_to_saying, page};
use crate::domain::language::Language;
use crate::web::State;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    community: String,
}

/// Shows the settings.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let community = session.community;
    let community = state.portal.communities.get(&community).cloned().unwrap_or_else(|| community.to_string());
    page(&SettingsPage { frame, community })
}

/// Saves the settings.
pub async fn save(posted: Posted) -> Result<HttpResponse, PortalError> {
    let language = Language::from_name(posted.fields.text("language")).ok_or(PortalError::BadForm)?;
    Ok(speaking(go_to_saying("/settings", "flash-settings-saved"), language))
}

/// Changes the language of the pages, for anybody, and goes back to the page where it was asked for.
pub async fn speak(state: Data<State>, posted: PostedByAnyone) -> Result<HttpResponse, PortalError> {
    let language = Language::from_name(posted.fields.text("language")).ok_or(PortalError::BadForm)?;
    let back = state.portal.origin.local_path(posted.fields.text("back")).unwrap_or_else(|| "/".to_owned());
    Ok(speaking(go_to(&back), language))
}

fn speaking(mut answer: HttpResponse, language: Language) -> HttpResponse {
    if let Ok(value) = LANGUAGE.set(language.as_str()).parse() {
        answer.headers_mut().append(SET_COOKIE, value);
    }
    answer
}
