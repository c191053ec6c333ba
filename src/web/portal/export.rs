//! *Export*: a copy of everything. It comes in answer to a form, and not to a link: browsers fetch links beforehand, and
//! other sites can lead a browser to one. And whoever takes everything along has signed in lately.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, go_to, page};
use crate::web::{State, export};

#[derive(Template)]
#[template(path = "export.html")]
struct ExportPage {
    frame: Frame,
    is_fresh: bool,
}

/// Says what is in it.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    page(&ExportPage { frame, is_fresh: session.is_fresh(state.bridge.clock.now()) })
}

/// Hands it over, while it is made.
pub async fn take(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    if !posted.session.is_fresh(state.bridge.clock.now()) {
        return Ok(go_to("/export"));
    }
    let member = posted.session.member;
    let too_often = |wait: std::time::Duration| PortalError::TooOften(wait.as_secs().saturating_add(1));
    state.exports.check(&member).map_err(too_often)?;
    Ok(export::stream(&state, member, Some(frame.language)).await?)
}
