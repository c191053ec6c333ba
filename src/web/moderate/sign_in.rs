//! A community's people sign in with their accounts there, and out.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{FIRST_PAGE, SIGN_IN};
use crate::domain::ids::CommunityId;
use crate::domain::staff::{Moderator, Whose};
use crate::web::State;
use crate::web::clinic::StaffPosted;
use crate::web::clinic::door::{self, Door};
use crate::web::portal::caller::Caller;
use crate::web::portal::cookies::MODERATOR;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::PostedByAnyone;
use crate::web::portal::frame::{Frame, go_to, page};

/// Their way in.
const DOOR: Door = Door {
    sign_in: SIGN_IN,
    first_page: FIRST_PAGE,
    cookie: MODERATOR,
    not_admitted: "moderate-not-admitted",
    trouble: "moderate-provider",
    not_set_up: "moderate-not-set-up",
    signed_out: "flash-moderate-signed-out",
};

#[derive(Template)]
#[template(path = "moderate_sign_in.html")]
struct SignInPage {
    frame: Frame,
    /// The communities whose people can sign in.
    communities: Vec<(CommunityId, String)>,
}

/// Asks in which community.
pub async fn sign_in(state: Data<State>, request: HttpRequest, frame: Frame) -> Result<HttpResponse, PortalError> {
    if Caller::of(&request)?.moderator.is_some() {
        return Ok(go_to(FIRST_PAGE));
    }
    let named = |community: &CommunityId| (community.clone(), state.portal.name_of(community));
    page(&SignInPage { communities: state.staff.communities().map(named).collect(), frame })
}

/// Leads to the community's provider, by a page that says where that is.
pub async fn begin(
    state: Data<State>,
    request: HttpRequest,
    frame: Frame,
    posted: PostedByAnyone,
) -> Result<HttpResponse, PortalError> {
    let community: CommunityId = posted.fields.text("community").parse().map_err(|_| PortalError::BadForm)?;
    let name = state.portal.name_of(&community);
    door::leave(&state, &request, frame, &posted, (&Whose::Community(community), name), &DOOR).await
}

/// What a browser brings back from a provider.
pub async fn come_back(state: Data<State>, frame: Frame, request: HttpRequest) -> Result<HttpResponse, PortalError> {
    door::come_back::<Moderator>(&state, frame, &request, &DOOR).await
}

/// Signs out.
pub async fn sign_out(state: Data<State>, posted: StaffPosted<Moderator>) -> Result<HttpResponse, PortalError> {
    door::sign_out(&state, (&posted.session.who).into(), posted.session.secret(), &DOOR).await
}
