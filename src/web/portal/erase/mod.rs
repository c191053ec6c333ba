//! *Erase*: a member takes everything back, for good. Asked for with one press, called off with one press for seven days;
//! doing it at once is a page of its own ([`now`]). What proves it is had without an account ([`certificate`]).

pub mod certificate;
pub mod now;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, go_to_saying, page};
use super::own::Own;
use crate::domain::consented::Method;
use crate::erasure::{self, UnderWay, Wish};
use crate::store::ErasureState;
use crate::web::State;

#[derive(Template)]
#[template(path = "erase.html")]
struct ErasePage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "erase_waits.html")]
struct WaitingPage {
    frame: Frame,
    /// Whether it has begun, and clinics are waited for.
    has_begun: bool,
    /// When everything is erased; or, once it has begun, at the latest.
    day: String,
    asks_clinics: bool,
    secret: Option<String>,
    /// Where the certificate will be.
    certificate: String,
}

/// Says what it means; or how it stands.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let days = Own::open(&state.bridge, &mut tx, session.member).await?.days();
    let found = erasure::under_way(&state.bridge, &mut tx, session.member).await?;
    let Some(UnderWay { erasure, secret }) = found else { return page(&ErasePage { frame }) };
    page(&WaitingPage {
        has_begun: erasure.state == ErasureState::Upstream,
        day: frame.date(days.day_of(erasure.upstream_until.unwrap_or(erasure.due_at))),
        asks_clinics: erasure.ask_clinics,
        secret: secret.map(|secret| secret.0),
        certificate: state.portal.origin.absolute("/erase/certificate"),
        frame,
    })
}

/// Asks for it.
pub async fn ask(state: Data<State>, posted: Posted) -> Result<HttpResponse, PortalError> {
    let ask_clinics = posted.fields.text("ask-clinics") == "yes";
    let wish = Wish { at_once: false, ask_clinics, method: Method::Portal };
    let (bridge, now) = (&state.bridge, state.bridge.clock.now());
    let mut tx = bridge.store.begin().await?;
    erasure::request(&mut tx, &bridge.keyring, posted.session.member, wish, now).await?;
    tx.commit().await?;
    Ok(go_to_saying("/erase", "flash-erase-requested"))
}

/// Calls it off.
pub async fn cancel(state: Data<State>, posted: Posted) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    erasure::cancel(&mut tx, posted.session.member, Method::Portal, state.bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(go_to_saying("/sharing", "flash-erase-cancelled"))
}
