//! Signing in: a member says where and under which name they are known, and the community brings them a link; or they go
//! there themselves (see [`identity`](super::identity)).

use std::time::Duration;

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
use super::{Community, asked_for};
use crate::domain::audit::{Chain, Event, SignIn};
use crate::domain::ids::{CommunityId, MemberId};
use crate::enrolment::join::handle_index;
use crate::enrolment::session;
use crate::enrolment::sign_in::{self, Asked, LinkState};
use crate::store::Tx;
use crate::web::{State, limits};

/// The longest name that anybody is known under.
const LONGEST_HANDLE: usize = 320;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    /// Those that bring links.
    communities: Vec<(CommunityId, String)>,
    /// Those where members sign in with their account.
    providers: Vec<(CommunityId, String)>,
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
    let those = |how: fn(&Community) -> bool| {
        let all = state.portal.communities.iter().filter(|(_, community)| how(community));
        all.map(|(id, community)| (id.clone(), community.name.clone())).collect()
    };
    let (communities, providers) = (those(|it| it.sends_links), those(|it| it.has_provider));
    page_with(status, &SignInPage { frame, communities, providers, wrong })
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
    let sends_links =
        |id: &CommunityId| state.portal.communities.get(id).is_some_and(|community| community.sends_links);
    let Some(community) = community.filter(sends_links) else {
        return form(&state, frame, StatusCode::UNPROCESSABLE_ENTITY, Some("sign-in-wrong-community"));
    };
    if handle.is_empty() || handle.len() > LONGEST_HANDLE {
        return form(&state, frame, StatusCode::UNPROCESSABLE_ENTITY, Some("sign-in-wrong-handle"));
    }
    let (portal, keyring) = (&state.portal, &state.bridge.keyring);
    count(&state, &request)?;
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

/// Counts that somebody begins to sign in.
pub(in crate::web) fn count(state: &State, request: &HttpRequest) -> Result<(), PortalError> {
    let address = limits::caller(request, state.portal.client_address_header());
    state.portal.sign_ins_by_address.check(&address).map_err(too_often)
}

const fn too_often(wait: Duration) -> PortalError {
    PortalError::TooOften(wait.as_secs().saturating_add(1))
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
    request: HttpRequest,
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
    let_in(&state, tx, &request, &caller, Entrant { member, community, method: "link" }).await
}

/// Somebody who has shown who they are.
pub(super) struct Entrant {
    /// Which member.
    pub member: MemberId,
    /// Who vouches for them.
    pub community: CommunityId,
    /// How, as the audit log says it.
    pub method: &'static str,
}

/// Opens a session, and commits it together with what else was done. They are led to the page that they asked for.
pub(super) async fn let_in(
    state: &State,
    mut tx: Tx,
    request: &HttpRequest,
    caller: &Caller,
    entrant: Entrant,
) -> Result<HttpResponse, PortalError> {
    let (Entrant { member, community, method }, now) = (entrant, state.bridge.clock.now());
    let language = Own::open(&state.bridge, &mut tx, member).await?.settings.language;
    let before = caller.session.as_ref().map(super::caller::Session::secret);
    let session = session::open(&mut tx, &state.bridge.keyring, member, community, before, now).await?;
    tx.record(Chain::of_member(member), now, Event::SignedIn(SignIn { method: method.to_owned() }));
    tx.commit().await?;
    tracing::info!(member_id = %member, method, "a member signed in");
    let mut answer = go_to(asked_for::page(request));
    asked_for::forget(request, &mut answer);
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

pub(in crate::web) fn append(answer: &mut HttpResponse, cookie: &str) {
    if let Ok(value) = cookie.parse() {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}
