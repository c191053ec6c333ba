//! Setting sharing aside, taking it up again, and ending it: two presses, no reasons asked.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::{Standing, decision, linked};
use crate::domain::grant::Grant;
use crate::domain::ids::ClinicId;
use crate::web::State;
use crate::web::grants::give_back;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Posted;
use crate::web::portal::frame::{Frame, go_to, go_to_saying, page};

#[derive(Template)]
#[template(path = "sharing_stop.html")]
struct StopPage {
    frame: Frame,
    clinic: ClinicId,
    name: String,
    is_paused: bool,
    /// Whether members lend the bridge their access there.
    is_lent: bool,
}

/// What stopping does, and the button that does it.
pub async fn ask(
    state: Data<State>,
    frame: Frame,
    session: Session,
    clinic: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let (clinic, name, grant) = linked(&state, &mut tx, session.member, &clinic).await?;
    let standing = Standing::of(grant.as_ref(), state.bridge.clock.now());
    if !standing.is_living() {
        return Ok(go_to("/sharing"));
    }
    let (is_paused, is_lent) = (standing == Standing::Paused, state.launches.are_lent_at(&clinic));
    page(&StopPage { frame, clinic, name, is_paused, is_lent })
}

/// Ends it. When the page after it shows, nothing more is sent.
pub async fn stop(state: Data<State>, posted: Posted, clinic: Path<String>) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let Some(grant) = living(&state, &mut tx, &posted, &clinic).await? else { return Ok(go_to("/sharing")) };
    let (clinic, marking) = (grant.clinic.clone(), posted.fields.text("mark") == "yes");
    let lent = decision::revoke(&state.bridge, tx, grant, marking, now).await?;
    give_back(state, clinic, lent);
    Ok(go_to_saying("/sharing", "flash-sharing-stopped"))
}

/// Sets it aside.
pub async fn pause(state: Data<State>, posted: Posted, clinic: Path<String>) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let grant = living(&state, &mut tx, &posted, &clinic).await?.ok_or(PortalError::ChangedMeanwhile)?;
    decision::pause(&state.bridge, tx, grant, now).await?;
    Ok(go_to_saying("/sharing", "flash-sharing-paused"))
}

/// Takes it up again.
pub async fn resume(state: Data<State>, posted: Posted, clinic: Path<String>) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let grant = living(&state, &mut tx, &posted, &clinic).await?.ok_or(PortalError::ChangedMeanwhile)?;
    decision::resume(&state.bridge, tx, grant, now).await?;
    Ok(go_to_saying("/sharing", "flash-sharing-resumed"))
}

async fn living(
    state: &State,
    tx: &mut crate::store::Tx,
    posted: &Posted,
    clinic: &Path<String>,
) -> Result<Option<Grant>, PortalError> {
    Ok(linked(state, tx, posted.session.member, clinic).await?.2)
}
