//! Signing in with an account at the community, and connecting one.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::caller::{Caller, Session};
use super::cookies::VISIT;
use super::error::PortalError;
use super::form::{Posted, PostedByAnyone};
use super::frame::{Frame, go_to_saying, page, page_with};
use super::sign_in::{Entrant, append, count, let_in};
use crate::domain::ids::CommunityId;
use crate::enrolment::identity::{self, Arrived, Asked, IdentityError, IdentityTrouble};
use crate::enrolment::returned::Returned;
use crate::web::State;

/// Leads on to a provider, and says where people are about to type their password.
#[derive(Template)]
#[template(path = "provider_leaving.html")]
pub struct LeavingPage {
    /// The frame.
    pub frame: Frame,
    /// Whose provider it is.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Where the link leads.
    pub url: String,
    /// Where the way back leads.
    pub back: &'static str,
}

/// Says why a sign-in at a provider came to nothing.
#[derive(Template)]
#[template(path = "identity_failed.html")]
pub struct FailedPage {
    /// The frame.
    pub frame: Frame,
    /// What went wrong: the key of a text.
    pub trouble: &'static str,
    /// Where to begin again.
    pub back: &'static str,
}

/// Leads to the provider of the community that was chosen.
pub async fn begin(
    state: Data<State>,
    request: HttpRequest,
    frame: Frame,
    posted: PostedByAnyone,
) -> Result<HttpResponse, PortalError> {
    let community: CommunityId = posted.fields.text("community").parse().map_err(|_| PortalError::BadForm)?;
    leave(&state, &request, frame, &community, &posted.caller.visit, None).await
}

/// The same, for somebody who is signed in, so that their account becomes a way in.
pub async fn connect(
    state: Data<State>,
    request: HttpRequest,
    frame: Frame,
    posted: Posted,
) -> Result<HttpResponse, PortalError> {
    let visit = Caller::of(&request)?.visit;
    leave(&state, &request, frame, &posted.session.community, &visit, Some(&posted.session)).await
}

/// A page that leads on by a link, and not an answer that leads on by itself: what a form may lead to is bounded, and where
/// a provider leads to is not known here. It also says where people are about to type their password.
async fn leave(
    state: &State,
    request: &HttpRequest,
    frame: Frame,
    community: &CommunityId,
    visit: &str,
    session: Option<&Session>,
) -> Result<HttpResponse, PortalError> {
    count(state, request)?;
    let back = back_to(session);
    let asked = Asked { community, browser: visit, session: session.map(Session::secret), language: frame.language };
    match state.identities.begin(asked).await {
        Ok(url) => {
            let (name, host) = (state.portal.name_of(community), url.host_str().unwrap_or_default().to_owned());
            let mut answer = page(&LeavingPage { frame, name, host, url: url.into(), back })?;
            // From now on the browser is known by this for as long as it may be away.
            append(&mut answer, &VISIT.set(visit));
            Ok(answer)
        }
        Err(error) => refuse(frame, error, back),
    }
}

/// What a browser brings back from a provider.
pub async fn come_back(state: Data<State>, frame: Frame, request: HttpRequest) -> Result<HttpResponse, PortalError> {
    let caller = Caller::of(&request)?;
    let arrived = match Returned::read(request.query_string()) {
        Ok(returned) => {
            let session = caller.session.as_ref().map(Session::secret);
            state.identities.complete(&caller.visit, session, &returned).await
        }
        Err(error) => Err(error.into()),
    };
    match arrived {
        Ok(arrived) => receive(&state, frame, &request, &caller, &arrived).await,
        Err(error) => refuse(frame, error, back_to(caller.session.as_ref())),
    }
}

/// Lets somebody in, or connects their account.
async fn receive(
    state: &State,
    frame: Frame,
    request: &HttpRequest,
    caller: &Caller,
    arrived: &Arrived,
) -> Result<HttpResponse, PortalError> {
    let (keyring, now) = (&state.bridge.keyring, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let member = match &caller.session {
        Some(session) if arrived.connects => {
            identity::connect(&mut tx, keyring, arrived, session.member, now).await.map(|()| session.member)
        }
        _ => identity::member_of(&mut tx, keyring, arrived, now).await,
    };
    let member = match member {
        Ok(member) => member,
        Err(error) => return refuse(frame, error, back_to(caller.session.as_ref())),
    };
    if arrived.connects {
        tx.commit().await?;
        return Ok(go_to_saying("/settings", "flash-identity-connected"));
    }
    let entrant = Entrant { member, community: arrived.community.clone(), method: "openid-connect" };
    let_in(state, tx, request, caller, entrant).await
}

/// Takes an account as a way in no longer.
pub async fn disconnect(state: Data<State>, posted: Posted) -> Result<HttpResponse, PortalError> {
    let Posted { session, .. } = posted;
    let mut tx = state.bridge.store.begin().await?;
    identity::disconnect(&mut tx, session.member, &session.community, state.bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(go_to_saying("/settings", "flash-identity-removed"))
}

const fn back_to(session: Option<&Session>) -> &'static str {
    if session.is_some() { "/settings" } else { "/sign-in" }
}

fn refuse(frame: Frame, error: IdentityError, back: &'static str) -> Result<HttpResponse, PortalError> {
    let (status, trouble) = match error.trouble() {
        IdentityTrouble::BeginAgain => (StatusCode::UNPROCESSABLE_ENTITY, "trouble-begin-again"),
        IdentityTrouble::TooLate => (StatusCode::UNPROCESSABLE_ENTITY, "trouble-too-late"),
        IdentityTrouble::Declined => (StatusCode::UNPROCESSABLE_ENTITY, "identity-declined"),
        IdentityTrouble::NotSetUp => (StatusCode::BAD_GATEWAY, "identity-not-set-up"),
        IdentityTrouble::NotTrusted => (StatusCode::BAD_GATEWAY, "identity-not-trusted"),
        IdentityTrouble::ProviderTrouble => (StatusCode::BAD_GATEWAY, "identity-provider"),
        IdentityTrouble::NoMember | IdentityTrouble::NotAdmitted => (StatusCode::FORBIDDEN, "identity-no-member"),
        IdentityTrouble::OfAnother => (StatusCode::CONFLICT, "identity-of-another"),
        IdentityTrouble::HasAnother => (StatusCode::CONFLICT, "identity-has-another"),
        IdentityTrouble::OurTrouble => return Err(error.into()),
    };
    page_with(status, &FailedPage { frame, trouble, back })
}
