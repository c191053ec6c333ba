//! `/v1/export`: a member's archive of everything, passed on while it is made. The portal hands out the same.

use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, CONTENT_DISPOSITION};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, get};
use futures_util::stream::unfold;

use super::auth::SignedInMember;
use super::limits::Limit;
use super::{Problem, State};
use crate::domain::clock::Clock;
use crate::domain::ids::MemberId;
use crate::domain::language::Language;
use crate::export::{self, ExportError};

/// How many archives a member may have made at once: an archive is much work.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// After which time one more may be made.
const ONE_MORE_AFTER: Duration = Duration::from_mins(10);

/// How often a member may have an archive made.
pub fn limit(clock: &Clock) -> Limit<MemberId> {
    Limit::new(AT_ONCE, ONE_MORE_AFTER, clock.clone())
}

/// Gives an archive of everything that the bridge has of the member: a ZIP file with a README in the language that
/// `Accept-Language` asks for, else in the member's own. It is streamed; one that breaks off is not whole.
#[utoipa::path(
    tag = "member",
    security(("member_token" = [])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/zip"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too often: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not now: the same again after `Retry-After`", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/export")]
pub async fn archive(
    state: Data<State>,
    member: SignedInMember,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.exports.check(&member.0).map_err(too_often)?;
    let asked = request.headers().get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
    Ok(stream(&state, member.0, asked.and_then(Language::accepted)).await?)
}

/// The archive as an answer.
///
/// # Errors
/// [`ExportError`] when it cannot even be begun.
pub async fn stream(state: &State, member: MemberId, language: Option<Language>) -> Result<HttpResponse, ExportError> {
    let pieces = export::export(&state.bridge, member, language).await?;
    let day = state.bridge.clock.now().strftime("%Y-%m-%d");
    tracing::info!(member_id = %member, "a member takes a copy of everything");
    let body = unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        Some((piece.map(Bytes::from), pieces))
    });
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"mostik-{day}.zip\"")))
        .streaming(body))
}

fn too_often(wait: Duration) -> Problem {
    let seconds = u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX);
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-often", "That was asked for too often")
        .detail("An archive can be made only so often.");
    problem.retry_after = Some(seconds);
    problem
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::UnknownMember => Self::unauthorized(),
            ExportError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}
