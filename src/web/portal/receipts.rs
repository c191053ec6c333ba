//! *Receipts*: what proves to anybody what a member decided, to be looked at, printed and taken along.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Data, Path};
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::frame::{Frame, page};
use super::own::Own;
use crate::consent::receipt::{rows, verify};
use crate::consent::words::Row;
use crate::domain::consented::Change;
use crate::domain::ids::ReceiptId;
use crate::pipeline::consent;
use crate::web::State;

#[derive(Template)]
#[template(path = "receipts.html")]
struct ReceiptsPage {
    frame: Frame,
    lines: Vec<Line>,
}

/// A receipt in the list.
struct Line {
    id: ReceiptId,
    /// What was done: the key of its words.
    what: &'static str,
    clinic: String,
    day: String,
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    frame: Frame,
    id: ReceiptId,
    /// What it says; `None` where it cannot be believed.
    rows: Option<Vec<Row>>,
    /// Where the keys are with which it is checked.
    keys: String,
}

/// Lists every receipt, the newest first.
pub async fn list(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let days = Own::open(&state.bridge, &mut tx, session.member).await?.days();
    let grants = tx.grant_history(session.member).await?;
    let found = consent::receipts(&mut tx, session.member).await?;
    let clinic = |receipt: &consent::ReceiptLine| {
        let grant = grants.iter().find(|grant| grant.id == receipt.grant)?;
        Some(state.bridge.house.clinic_name(&grant.clinic).to_owned())
    };
    let line = |receipt: consent::ReceiptLine| Line {
        id: receipt.id,
        what: what(receipt.change),
        clinic: clinic(&receipt).unwrap_or_default(),
        day: frame.date(days.day_of(receipt.at)),
    };
    let lines = found.into_iter().rev().map(line).collect();
    page(&ReceiptsPage { frame, lines })
}

/// Shows one, in words.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: Session,
    receipt: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (id, signed) = find(&state, &session, &receipt).await?;
    let published = state.bridge.signing.published(state.bridge.clock.now());
    // What is shown is what anybody else would see who checks it.
    let rows = verify(&signed, &published).ok().map(|genuine| rows(&genuine, frame.language));
    let keys = state.portal.origin.absolute("/.well-known/jwks.json");
    page(&ReceiptPage { frame, id, rows, keys })
}

/// Hands one over, as it was signed.
pub async fn file(state: Data<State>, session: Session, receipt: Path<String>) -> Result<HttpResponse, PortalError> {
    let (id, signed) = find(&state, &session, &receipt).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/jose")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"receipt-{id}.jws\"")))
        .body(signed))
}

/// A receipt of the member. Somebody else's is as good as none.
async fn find(state: &State, session: &Session, receipt: &str) -> Result<(ReceiptId, String), PortalError> {
    let id: ReceiptId = receipt.parse().map_err(|_| PortalError::NotFound)?;
    let mut tx = state.bridge.store.read().await?;
    let signed = consent::receipt(&state.bridge, &mut tx, session.member, id).await?;
    Ok((id, signed.ok_or(PortalError::NotFound)?))
}

const fn what(change: Change) -> &'static str {
    match change {
        Change::Given => "receipt-given",
        Change::Changed => "receipt-changed",
        Change::Paused => "receipt-paused",
        Change::Resumed => "receipt-resumed",
        Change::Revoked => "receipt-revoked",
    }
}
