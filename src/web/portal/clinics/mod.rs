//! *My clinics*: whom the member is connected to, and how. Connecting is in [`connect`].

pub mod connect;
mod troubles;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, go_to_saying, page};
use crate::domain::consented::Method;
use crate::domain::ids::ClinicId;
use crate::enrolment::unlink::UnlinkError as LinkError;
use crate::pipeline::consent::{self, UnlinkError};
use crate::store::{EndedBy, FormerLink, Link};
use crate::web::State;

/// A clinic as the member sees it.
struct Row {
    id: String,
    name: String,
    /// Since when, and the text that says how.
    linked: Option<(String, &'static str)>,
    /// Whether it can be connected anew by signing in there.
    signs_in: bool,
    /// Whether the clinic said that the member's record belongs to somebody else.
    taken: bool,
}

#[derive(Template)]
#[template(path = "clinics.html")]
struct ClinicsPage {
    frame: Frame,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "unlink.html")]
struct UnlinkPage {
    frame: Frame,
    id: String,
    name: String,
    /// Whether members lend the bridge their access there.
    is_lent: bool,
}

/// Shows every clinic there is.
pub async fn list(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let links = tx.links(&[session.member]).await?;
    let former = tx.former_links(session.member).await?;
    drop(tx);
    let rows = state.bridge.house.clinics.keys().map(|clinic| row(&state, clinic, &links, &former)).collect();
    page(&ClinicsPage { frame, rows })
}

fn row(state: &State, clinic: &ClinicId, links: &[Link], former: &[FormerLink]) -> Row {
    let link = links.iter().find(|link| link.clinic == *clinic);
    let last = former.iter().find(|former| former.clinic == *clinic);
    Row {
        id: clinic.to_string(),
        name: state.bridge.house.clinic_name(clinic).to_owned(),
        linked: link.map(|link| (link.linked_at.strftime("%Y-%m-%d").to_string(), how(&link.proof))),
        signs_in: state.launches.are_offered_at(clinic),
        taken: link.is_none() && last.is_some_and(|last| last.ended_by == EndedBy::Clinic),
    }
}

fn how(proof: &str) -> &'static str {
    match proof {
        "smart-launch" => "clinics-how-launch",
        "clinic-code" => "clinics-how-code",
        _ => "clinics-how-word",
    }
}

/// Asks whether a link is to end.
pub async fn ask_to_unlink(
    state: Data<State>,
    frame: Frame,
    session: Session,
    path: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let clinic = known(&state, &path)?;
    let links = state.bridge.store.read().await?.links(&[session.member]).await?;
    if !links.iter().any(|link| link.clinic == clinic) {
        return Err(PortalError::NotFound);
    }
    let name = state.bridge.house.clinic_name(&clinic).to_owned();
    page(&UnlinkPage { frame, id: clinic.to_string(), name, is_lent: state.launches.are_lent_at(&clinic) })
}

/// Ends a link.
pub async fn end_link(state: Data<State>, posted: Posted, path: Path<String>) -> Result<HttpResponse, PortalError> {
    let (clinic, member, now) = (known(&state, &path)?, posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let (by, method) = (EndedBy::Member, Method::Portal);
    let ended = match consent::unlink(&state.bridge, &mut tx, member, &clinic, by, method, now).await {
        Ok(ended) => ended,
        Err(UnlinkError::Link(LinkError::NotLinked)) => return Err(PortalError::ChangedMeanwhile),
        Err(UnlinkError::Link(LinkError::Store(error))) => return Err(error.into()),
        Err(error) => return Err(PortalError::internal(&error)),
    };
    tx.commit().await?;
    state.bridge.wake.notify_waiters();
    if let Some(lent) = ended.lent {
        state.launches.give_back(&clinic, &lent).await;
    }
    Ok(go_to_saying("/clinics", "flash-clinic-unlinked"))
}

/// The clinic of an address.
fn known(state: &State, path: &str) -> Result<ClinicId, PortalError> {
    let clinic: ClinicId = path.parse().map_err(|_| PortalError::NotFound)?;
    if state.clinics.contains(&clinic) { Ok(clinic) } else { Err(PortalError::NotFound) }
}
