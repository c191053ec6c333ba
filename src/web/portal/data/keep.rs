//! Whether a member's own view keeps everything that they note down, or only what a clinic may see.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use crate::domain::settings::Change;
use crate::readings::settings::change_settings;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to_saying, page};
use crate::web::portal::own::Own;

#[derive(Template)]
#[template(path = "data_keep.html")]
struct KeepPage {
    frame: Frame,
    /// As it is now.
    keeps: bool,
    /// For how many days anything is kept.
    days: i64,
}

/// Says what each of the two means, and offers the other one.
pub async fn ask(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let own = Own::open(&state.bridge, &mut tx, session.member).await?;
    let days = state.bridge.readings.keep_for.as_hours() / 24;
    page(&KeepPage { frame, keeps: own.settings.keep, days })
}

/// Takes the decision. What is not kept any more goes soon after, not in this moment.
pub async fn save(state: Data<State>, posted: Posted) -> Result<HttpResponse, PortalError> {
    let (keep, said) = match posted.fields.text("keep") {
        "everything" => (true, "flash-data-kept"),
        "shared" => (false, "flash-data-not-kept"),
        _ => return Err(PortalError::BadForm),
    };
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let own = Own::open(&state.bridge, &mut tx, posted.session.member).await?;
    change_settings(&mut tx, &own.key, Change { keep: Some(keep), ..Change::default() }, now).await?;
    tx.commit().await?;
    Ok(go_to_saying("/data", said))
}
