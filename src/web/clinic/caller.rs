//! Who of a clinic's staff is in front of the screen.

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest};

use crate::enrolment::staff::Colleague;
use crate::web::State;
use crate::web::portal::caller::Caller;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::{Fields, PostedByAnyone};

/// Somebody of a clinic's staff who is signed in.
#[derive(Clone)]
pub struct StaffSession {
    /// Who.
    pub who: Colleague,
    secret: String,
}

impl StaffSession {
    /// What stands in the browser's cookie.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

/// A form that somebody of a clinic's staff sent who is signed in.
pub struct StaffPosted {
    /// Who.
    pub session: StaffSession,
    /// What.
    pub fields: Fields,
}

/// Who is signed in with this secret, and moves the end of their session.
///
/// # Errors
/// [`PortalError`].
pub async fn signed_in(state: &State, secret: Option<&str>) -> Result<Option<StaffSession>, PortalError> {
    let Some(secret) = secret else { return Ok(None) };
    let who = state.staff.find(secret).await?;
    Ok(who.map(|who| StaffSession { who, secret: secret.to_owned() }))
}

fn of(request: &HttpRequest) -> Result<StaffSession, PortalError> {
    Caller::of(request).and_then(|caller| caller.staff.ok_or(PortalError::SignInFirst))
}

/// For pages that are looked at; what a form sends comes as [`StaffPosted`].
impl FromRequest for StaffSession {
    type Error = PortalError;
    type Future = Ready<Result<Self, PortalError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return ready(Err(PortalError::ForeignForm));
        }
        ready(of(request))
    }
}

impl FromRequest for StaffPosted {
    type Error = PortalError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PortalError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // Whose session is over learns that first: the form's token went with it.
        let session = match of(request) {
            Ok(session) => session,
            Err(error) => return Box::pin(async move { Err(error) }),
        };
        let posted = PostedByAnyone::from_request(request, payload);
        Box::pin(async move { Ok(Self { session, fields: posted.await?.fields }) })
    }
}
