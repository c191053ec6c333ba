//! The way in of a clinic's staff, and of a community's people: the same, with other words.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse};

use super::caller::{Here, StaffSession};
use crate::domain::staff::{Somebody, Whose};
use crate::enrolment::identity::{IdentityError, IdentityTrouble};
use crate::enrolment::returned::Returned;
use crate::web::State;
use crate::web::portal::caller::Caller;
use crate::web::portal::cookies::{Cookie, VISIT};
use crate::web::portal::error::PortalError;
use crate::web::portal::form::PostedByAnyone;
use crate::web::portal::frame::{Frame, go_to, go_to_saying, page, page_with};
use crate::web::portal::identity::{FailedPage, LeavingPage};
use crate::web::portal::sign_in::{append, count};

/// A way in, and what it is called: the keys of texts.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// Where they sign in.
    pub sign_in: &'static str,
    /// Where they begin.
    pub first_page: &'static str,
    /// By which they are known then.
    pub cookie: Cookie,
    /// That the account does not let them in.
    pub not_admitted: &'static str,
    /// That the provider does not work.
    pub trouble: &'static str,
    /// That it is not set up as it should be.
    pub not_set_up: &'static str,
    /// That they are signed out.
    pub signed_out: &'static str,
}

/// Leads to a provider, by a page that says where that is.
pub async fn leave(
    state: &State,
    request: &HttpRequest,
    frame: Frame,
    posted: &PostedByAnyone,
    (whose, name): (&Whose, String),
    door: &Door,
) -> Result<HttpResponse, PortalError> {
    count(state, request)?;
    match state.staff.begin(whose, &posted.caller.visit, frame.language).await {
        Ok(url) => {
            let host = url.host_str().unwrap_or_default().to_owned();
            let mut answer = page(&LeavingPage { frame, name, host, url: url.into(), back: door.sign_in })?;
            // From now on the browser is known by this for as long as it may be away.
            append(&mut answer, &VISIT.set(&posted.caller.visit));
            Ok(answer)
        }
        Err(error) => refuse(frame, error, door),
    }
}

/// What a browser brings back from a provider. Who came by another way in than they left by is nobody here.
pub async fn come_back<W: Here>(
    state: &State,
    frame: Frame,
    request: &HttpRequest,
    door: &Door,
) -> Result<HttpResponse, PortalError> {
    let caller = Caller::of(request)?;
    let arrived = match Returned::read(request.query_string()) {
        Ok(returned) => state.staff.complete(&caller.visit, &returned).await,
        Err(error) => Err(error.into()),
    };
    let who = match arrived {
        Ok(who) if W::of(who.clone()).is_some() => who,
        Ok(_) => return refuse(frame, IdentityError::Unknown, door),
        Err(error) => return refuse(frame, error, door),
    };
    let mut tx = state.bridge.store.begin().await?;
    let before = W::session(caller);
    let secret = state.staff.open(&mut tx, &who, before.as_ref().map(StaffSession::secret)).await?;
    tx.commit().await?;
    tracing::info!(whose = ?who.whose, "somebody signed in");
    let mut answer = go_to(door.first_page);
    append(&mut answer, &door.cookie.set(&secret));
    append(&mut answer, &VISIT.clear());
    Ok(answer)
}

/// Signs out.
pub async fn sign_out(state: &State, who: Somebody, secret: &str, door: &Door) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    state.staff.end(&mut tx, &who, secret).await?;
    tx.commit().await?;
    let mut answer = go_to_saying(door.sign_in, door.signed_out);
    if let Ok(value) = door.cookie.clear().parse() {
        answer.headers_mut().append(SET_COOKIE, value);
    }
    Ok(answer)
}

fn refuse(frame: Frame, error: IdentityError, door: &Door) -> Result<HttpResponse, PortalError> {
    let (status, trouble) = match error.trouble() {
        IdentityTrouble::BeginAgain => (StatusCode::UNPROCESSABLE_ENTITY, "trouble-begin-again"),
        IdentityTrouble::TooLate => (StatusCode::UNPROCESSABLE_ENTITY, "trouble-too-late"),
        IdentityTrouble::Declined => (StatusCode::UNPROCESSABLE_ENTITY, "identity-declined"),
        IdentityTrouble::NotAdmitted => (StatusCode::FORBIDDEN, door.not_admitted),
        IdentityTrouble::NotTrusted => (StatusCode::BAD_GATEWAY, "identity-not-trusted"),
        IdentityTrouble::ProviderTrouble => (StatusCode::BAD_GATEWAY, door.trouble),
        IdentityTrouble::OurTrouble => return Err(error.into()),
        // Whether they are a member is not asked here.
        IdentityTrouble::NotSetUp
        | IdentityTrouble::NoMember
        | IdentityTrouble::OfAnother
        | IdentityTrouble::HasAnother => (StatusCode::BAD_GATEWAY, door.not_set_up),
    };
    page_with(status, &FailedPage { frame, trouble, back: door.sign_in })
}
