//! Who of a clinic's staff, or of a community's people, is in front of the screen.

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::staff::{Colleague, Somebody};
use crate::web::State;
use crate::web::portal::caller::Caller;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::{Fields, PostedByAnyone};

/// Somebody who is at work on their own side: of a clinic's staff, if nothing else is said.
#[derive(Clone)]
pub struct StaffSession<W = Colleague> {
    /// Who.
    pub who: W,
    secret: String,
}

/// A form that one of them sent who is signed in.
pub struct StaffPosted<W = Colleague> {
    /// Who.
    pub session: StaffSession<W>,
    /// What.
    pub fields: Fields,
}

/// Those who work on one side. Nobody of one side is anybody on another.
pub trait Here: Sized + 'static {
    /// Who of them called.
    fn session(caller: Caller) -> Option<StaffSession<Self>>;

    /// Somebody, if they are of these.
    fn of(who: Somebody) -> Option<Self>;
}

impl Here for Colleague {
    fn session(caller: Caller) -> Option<StaffSession> {
        caller.staff
    }

    fn of(who: Somebody) -> Option<Self> {
        who.colleague()
    }
}

impl<W> StaffSession<W> {
    /// What stands in the browser's cookie.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

/// Who of them is signed in with this secret, and moves the end of their session.
///
/// # Errors
/// [`PortalError`].
pub async fn signed_in<W: Here>(state: &State, secret: Option<&str>) -> Result<Option<StaffSession<W>>, PortalError> {
    let Some(secret) = secret else { return Ok(None) };
    let who = state.staff.find(secret).await?.and_then(W::of);
    Ok(who.map(|who| StaffSession { who, secret: secret.to_owned() }))
}

fn of<W: Here>(request: &HttpRequest) -> Result<StaffSession<W>, PortalError> {
    Caller::of(request).and_then(|caller| W::session(caller).ok_or(PortalError::SignInFirst))
}

/// For pages that are looked at; what a form sends comes as [`StaffPosted`].
impl<W: Here> FromRequest for StaffSession<W> {
    type Error = PortalError;
    type Future = Ready<Result<Self, PortalError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return ready(Err(PortalError::ForeignForm));
        }
        ready(of(request))
    }
}

impl<W: Here> FromRequest for StaffPosted<W> {
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
