//! Erasing without any more waiting. Nobody gets here by one press, and nobody does it by one: what was asked for before is
//! hurried, a word is typed, and whoever does it has signed in lately.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::consented::Method;
use crate::erasure::{self, UnderWay};
use crate::store::ErasureState;
use crate::web::State;
use crate::web::portal::caller::{Caller, Session};
use crate::web::portal::cookies::SESSION;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to, page, page_with};

#[derive(Template)]
#[template(path = "erase_now.html")]
struct NowPage {
    frame: Frame,
    is_fresh: bool,
    is_wrong: bool,
}

#[derive(Template)]
#[template(path = "erased.html")]
struct ErasedPage {
    frame: Frame,
    /// Whether all of it is done; else clinics are waited for.
    is_done: bool,
    secret: Option<String>,
    /// Where the certificate is.
    certificate: String,
}

/// Asks once more.
pub async fn ask(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    if state.bridge.store.read().await?.living_erasure(session.member).await?.is_none() {
        return Ok(go_to("/erase"));
    }
    page(&NowPage { frame, is_fresh: session.is_fresh(state.bridge.clock.now()), is_wrong: false })
}

/// Does it. Whoever was signed in is so no more: the page after it is the last one, and says under what the certificate is
/// had.
pub async fn erase(
    state: Data<State>,
    request: HttpRequest,
    frame: Frame,
    posted: Posted,
) -> Result<HttpResponse, PortalError> {
    let session = &posted.session;
    if !session.is_fresh(state.bridge.clock.now()) {
        return Ok(go_to("/erase/now"));
    }
    if !is_the_word(&frame, posted.fields.text("word")) {
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &NowPage { frame, is_fresh: true, is_wrong: true });
    }
    let UnderWay { erasure, secret } = erasure::at_once(&state.bridge, session.member, Method::Portal).await?;
    let mut answer = page(&ErasedPage {
        frame: frame.signed_out(Caller::of(&request)?, &state.bridge.keyring),
        is_done: erasure.state == ErasureState::Erased,
        secret: secret.map(|secret| secret.0),
        certificate: state.portal.origin.absolute("/erase/certificate"),
    })?;
    if let Ok(value) = SESSION.clear().parse() {
        answer.headers_mut().append(SET_COOKIE, value);
    }
    Ok(answer)
}

/// Large or small, and whatever a keyboard puts around it.
fn is_the_word(frame: &Frame, typed: &str) -> bool {
    let bare = |text: &str| text.trim_matches(|sign: char| !sign.is_alphabetic()).to_lowercase();
    bare(typed) == bare(&frame.t("erase-now-word"))
}
