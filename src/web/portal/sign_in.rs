//! Signing in: a member says where and under which name they are known, and the community brings them a link.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::caller::Caller;
use super::cookies::{SESSION, VISIT};
use super::error::PortalError;
use super::form::PostedByAnyone;
use super::frame::{Frame, go_to, page, page_with};
use super::own::Own;
use super::settings::speaking;
use crate::domain::audit::{Chain, Event, SignIn};
use crate::domain::ids::CommunityId;
use crate::enrolment::join::handle_index;
use crate::enrolment::session;
use crate::enrolment::sign_in::{self, Asked, LinkState};
use crate::web::{State, limits};

/// The longest name that anybody is known under.
const LONGEST_HANDLE: usize = 320;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    communities: Vec<(CommunityId, String)>,
    /// What was wrong with what was sent: the key of a text.
    wrong: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "sign_in_sent.html")]
struct SentPage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct LinkPage {
    frame: Frame,
    is_good: bool,
    title: &'static str,
    more: &'static str,
}

/// The form.
pub async fn show(state: Data<State>, frame: Frame) -> Result<HttpResponse, PortalError> {
    if frame.signed_in { Ok(go_to("/sharing")) } else { form(&state, frame, StatusCode::OK, None) }
}

fn form(
    state: &State,
    frame: Frame,
    status: StatusCode,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, PortalError> {
    let communities = state.portal.communities.iter().map(|(id, name)| (id.clone(), name.clone())).collect();
    page_with(status, &SignInPage { frame, communities, wrong })
}

/// Takes the form. The answer is the same for a member and for a name that nobody has, and takes the same way.
pub async fn ask(
    state: Data<State>,
    request: HttpRequest,
    frame: Frame,
    posted: PostedByAnyone,
) -> Result<HttpResponse, PortalError> {
    let handle = posted.fields.text("handle");
    let community = posted.fields.text("community").parse::<CommunityId>().ok();
    let Some(community) = community.filter(|community| state.portal.communities.contains_key(community)) else {
        return form(&state, frame, StatusCode::UNPROCESSABLE_ENTITY, Some("sign-in-wrong-community"));
    };
    if handle.is_empty() || handle.len() > LONGEST_HANDLE {
        return form(&state, frame, StatusCode::UNPROCESSABLE_ENTITY, Some("sign-in-wrong-handle"));
    }
    let (portal, keyring) = (&state.portal, &state.bridge.keyring);
    let too_often = |wait: std::time::Duration| PortalError::TooOften(wait.as_secs().saturating_add(1));
    let address = limits::caller(&request, portal.client_address_header.as_deref());
    portal.links_by_address.check(&address).map_err(too_often)?;
    portal.links_by_handle.check(&handle_index(keyring, &community, handle)).map_err(too_often)?;
    let asked = Asked { community: &community, handle, browser: &posted.caller.visit, language: frame.language };
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    sign_in::ask(&mut tx, keyring, asked, now).await?;
    tx.commit().await?;
    state.bridge.wake.notify_waiters();
    tracing::info!(community_id = %community, "a sign-in link was asked for");
    let mut answer = go_to("/sign-in/sent");
    // From now on the browser is known by this for as long as the link is good.
    append(&mut answer, &VISIT.set(&posted.caller.visit));
    Ok(answer)
}

/// What comes next.
pub async fn sent(frame: Frame) -> Result<HttpResponse, PortalError> {
    page(&SentPage { frame })
}

/// Where the link leads. Nothing happens yet: mail programs and scanners look at links too.
pub async fn look(
    state: Data<State>,
    request: HttpRequest,
    frame: Frame,
    secret: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let caller = Caller::of(&request)?;
    let mut tx = state.bridge.store.read().await?;
    let found = sign_in::look(&mut tx, &state.bridge.keyring, &secret, &caller.visit, state.bridge.clock.now()).await?;
    link_page(frame, found)
}

/// Uses the link: the member is in.
pub async fn enter(
    state: Data<State>,
    frame: Frame,
    secret: Path<String>,
    posted: PostedByAnyone,
) -> Result<HttpResponse, PortalError> {
    let (caller, keyring, now) = (posted.caller, &state.bridge.keyring, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let found = sign_in::look(&mut tx, keyring, &secret, &caller.visit, now).await?;
    if found != LinkState::Good {
        return link_page(frame, found);
    }
    let Some((member, community)) = sign_in::redeem(&mut tx, keyring, &secret, &caller.visit, now).await? else {
        return link_page(frame, LinkState::Gone);
    };
    let language = Own::open(&state.bridge, &mut tx, member).await?.settings.language;
    let before = caller.session.as_ref().map(super::caller::Session::secret);
    let session = session::open(&mut tx, keyring, member, community, before, now).await?;
    tx.record(Chain::of_member(member), now, Event::SignedIn(SignIn { method: "link".to_owned() }));
    tx.commit().await?;
    tracing::info!(member_id = %member, "a member signed in");
    let mut answer = go_to("/sharing");
    append(&mut answer, &SESSION.set(&session));
    append(&mut answer, &VISIT.clear());
    // From now on pages speak the language that the member set, wherever they sign in.
    Ok(match language {
        Some(language) => speaking(answer, language),
        None => answer,
    })
}

fn link_page(frame: Frame, found: LinkState) -> Result<HttpResponse, PortalError> {
    let (status, title, more) = match found {
        LinkState::Good => (StatusCode::OK, "link-good", "link-good-more"),
        LinkState::OtherBrowser => (StatusCode::FORBIDDEN, "link-other-browser", "link-other-browser-more"),
        LinkState::Gone => (StatusCode::GONE, "link-gone", "link-gone-more"),
    };
    page_with(status, &LinkPage { frame, is_good: found == LinkState::Good, title, more })
}

fn append(answer: &mut HttpResponse, cookie: &str) {
    if let Ok(value) = cookie.parse() {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}
