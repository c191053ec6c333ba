//! Signing out: of this browser, or of every one.

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use askama::Template;

use super::caller::Session;
use super::cookies::SESSION;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, go_to_saying, page};
use crate::domain::audit::{Chain, Event, SignOut};
use crate::enrolment::session::{end_all, session_index};
use crate::web::State;

#[derive(Template)]
#[template(path = "sign_out.html")]
struct SignOutPage {
    frame: Frame,
}

/// Asks which.
pub async fn show(frame: Frame, _: Session) -> Result<HttpResponse, PortalError> {
    page(&SignOutPage { frame })
}

/// Signs out of this browser.
pub async fn here(state: Data<State>, posted: Posted) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    if tx.delete_session(session_index(&state.bridge.keyring, posted.session.secret())).await? {
        let (chain, now) = (Chain::of_member(posted.session.member), state.bridge.clock.now());
        tx.record(chain, now, Event::SignedOut(SignOut { ended: 1 }));
    }
    tx.commit().await?;
    Ok(goodbye())
}

/// Signs out of every browser, and of every program that holds a token of the member's.
pub async fn everywhere(state: Data<State>, posted: Posted) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    end_all(&mut tx, posted.session.member, state.bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(goodbye())
}

fn goodbye() -> HttpResponse {
    let mut answer = go_to_saying("/sign-in", "flash-signed-out");
    if let Ok(value) = SESSION.clear().parse() {
        answer.headers_mut().append(SET_COOKIE, value);
    }
    answer
}
