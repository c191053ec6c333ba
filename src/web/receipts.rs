//! `/v1/receipts` and `/v1/notices`: what proves a member's decisions, and what they are told before they make one.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::SignedInMember;
use super::{Problem, State};
use crate::consent::notice::{CURRENT, Notice};
use crate::domain::ids::ReceiptId;
use crate::domain::language::Language;
use crate::pipeline::consent;

/// A member's receipts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptList {
    /// Oldest first.
    receipts: Vec<ReceiptEntry>,
}

/// A receipt in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptEntry {
    /// The receipt.
    id: Uuid,
    /// For which grant.
    grant: Uuid,
    /// And which version of it.
    version: i32,
    /// For what: `given`, `changed`, `paused`, `resumed` or `revoked`.
    change: &'static str,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
}

/// What members are told before they decide.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeList {
    /// Which version it is: name it when a member decides.
    version: i32,
    /// The text, in each language.
    notices: Vec<NoticeText>,
}

/// A text in one language.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticeText {
    /// Which.
    language: Language,
    /// The text: lines that begin with `# ` and `## ` are the title and the headings, all others paragraphs.
    text: &'static str,
    /// The SHA-256 of its bytes, in hexadecimal, as receipts have it.
    sha256: String,
}

/// Lists the receipts of the member, oldest first: one for each change of each grant.
#[utoipa::path(
    operation_id = "list_receipts",
    tag = "receipts",
    security(("member_token" = [])),
    responses(
        (status = 200, body = ReceiptList),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/receipts")]
pub async fn list(state: Data<State>, member: SignedInMember) -> Result<HttpResponse, Problem> {
    let mut tx = state.bridge.store.read().await?;
    let lines = consent::receipts(&mut tx, member.0).await?.into_iter();
    let entry = |line: consent::ReceiptLine| ReceiptEntry {
        id: line.id.0,
        grant: line.grant.0,
        version: line.version,
        change: line.change.as_str(),
        issued_at: line.at,
    };
    Ok(HttpResponse::Ok().json(ReceiptList { receipts: lines.map(entry).collect() }))
}

/// Gives one receipt: a compact JWS (RFC 7515) over ISO/IEC TS 27560 fields, signed with a key in `/.well-known/jwks.json`.
/// `mostik receipt verify` says whether it is genuine.
#[utoipa::path(
    tag = "receipts",
    security(("member_token" = [])),
    params(("receipt_id" = Uuid, Path)),
    responses(
        (status = 200, body = String, content_type = "application/jose"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/receipts/{receipt_id}")]
pub async fn receipt(
    state: Data<State>,
    member: SignedInMember,
    receipt: Path<String>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such receipt");
    let id: ReceiptId = receipt.parse().map_err(|_| unknown())?;
    let mut tx = state.bridge.store.read().await?;
    let signed = consent::receipt(&state.bridge, &mut tx, member.0, id).await?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().content_type("application/jose").body(signed))
}

/// Gives the text that members must have before them when they decide now, in every language.
#[utoipa::path(tag = "receipts", responses((status = 200, body = NoticeList)))]
#[get("/v1/notices")]
pub async fn notices() -> HttpResponse {
    let text = |language| {
        let notice = Notice::current(language);
        NoticeText { language, text: notice.text, sha256: notice.shown().hash }
    };
    HttpResponse::Ok().json(NoticeList { version: CURRENT, notices: Language::ALL.map(text).into() })
}
