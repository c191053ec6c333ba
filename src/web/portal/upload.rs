//! A form with a file, as browsers send it (`multipart/form-data`, RFC 7578). It is read as it comes and never lies on a
//! disk; nothing of the file is read before the form's token was checked, which therefore stands first in the form.

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::dev::Payload as RawPayload;
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest};
use futures_util::{StreamExt, TryStreamExt};

use super::caller::{Caller, Session};
use super::error::PortalError;
use super::form::{CSRF_FIELD, Fields, confirm};
use crate::domain::clock::Clock;
use crate::domain::ids::MemberId;
use crate::web::State;
use crate::web::limits::Limit;

/// The largest file that is taken, in bytes: 16 MiB. `deploy/nginx.conf` knows it, too.
pub const MAX_FILE: usize = 16 << 20;

/// Of a file that is too large, so much is read and thrown away: a browser looks for the answer only when it has sent
/// everything.
const MAX_THROWN_AWAY: usize = 64 << 20;

/// The longest other field, in bytes, and the most fields.
const MAX_FIELD: usize = 4096;
const MOST_FIELDS: usize = 256;

/// Files that a member may send at once: whoever imports looks first, says what was missing, and tries again.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How many files each member may send.
#[must_use]
pub fn limit(clock: &Clock) -> Limit<MemberId> {
    Limit::new(AT_ONCE, Duration::from_mins(1), clock.clone())
}

/// A form with a file that a member sent who is signed in.
pub struct Uploaded {
    /// Who.
    pub session: Session,
    /// What is in the form beside the file.
    pub fields: Fields,
    /// The file; empty when none was chosen. Personal.
    pub file: Vec<u8>,
}

impl FromRequest for Uploaded {
    type Error = PortalError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PortalError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut RawPayload) -> Self::Future {
        let (request, payload) = (request.clone(), Payload::from_request(request, payload));
        Box::pin(async move {
            let caller = Caller::of(&request)?;
            let session = caller.session.clone().ok_or(PortalError::SignInFirst)?;
            let payload = payload.await.map_err(|_| PortalError::BadForm)?;
            let mut form = Multipart::new(request.headers(), payload);
            let token = first(&mut form).await?;
            confirm(&request, &caller, &token)?;
            let state = request.app_data::<Data<State>>().ok_or(PortalError::Internal)?;
            let wait = state.portal.uploads.check(&session.member);
            wait.map_err(|wait| PortalError::TooOften(wait.as_secs() + 1))?;
            let (fields, file) = rest(&mut form).await?;
            Ok(Self { session, fields, file })
        })
    }
}

/// The token. What has none, or is no such form at all, did not come from here.
async fn first(form: &mut Multipart) -> Result<String, PortalError> {
    let field = form.try_next().await.map_err(|_| PortalError::ForeignForm)?.ok_or(PortalError::ForeignForm)?;
    if field.name() != Some(CSRF_FIELD) {
        return Err(PortalError::ForeignForm);
    }
    text(field).await
}

async fn rest(form: &mut Multipart) -> Result<(Fields, Vec<u8>), PortalError> {
    let (mut fields, mut file) = (Vec::new(), Vec::new());
    while let Some(field) = form.next().await {
        let field = field.map_err(|error| unreadable(&error))?;
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            file = content(field).await?;
        } else if fields.len() < MOST_FIELDS {
            fields.push((name, text(field).await?));
        } else {
            return Err(PortalError::TooLarge);
        }
    }
    Ok((Fields::new(fields), file))
}

async fn text(mut field: Field) -> Result<String, PortalError> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| unreadable(&error))?);
        if bytes.len() > MAX_FIELD {
            return Err(PortalError::TooLarge);
        }
    }
    String::from_utf8(bytes).map_err(|_| PortalError::BadForm)
}

async fn content(mut field: Field) -> Result<Vec<u8>, PortalError> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|error| unreadable(&error))?;
        length += piece.len();
        if length <= MAX_FILE {
            bytes.extend_from_slice(&piece);
        } else if length <= MAX_THROWN_AWAY {
            bytes = Vec::new();
        } else {
            break;
        }
    }
    if length > MAX_FILE { Err(PortalError::TooLarge) } else { Ok(bytes) }
}

const fn unreadable(_: &MultipartError) -> PortalError {
    PortalError::BadForm
}
