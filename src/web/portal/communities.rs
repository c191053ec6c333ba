//! *Your communities*: which know the member, and the code with which they join another one as the same.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use secrecy::ExposeSecret;

use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, page};
use super::own::Own;
use crate::enrolment::another;
use crate::web::State;

#[derive(Template)]
#[template(path = "communities.html")]
struct CommunitiesPage {
    frame: Frame,
    names: Vec<String>,
    made: Option<Made>,
}

/// A code, shown once.
struct Made {
    code: String,
    until: String,
}

/// Shows which know the member.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    page(&CommunitiesPage { names: names(&state, &session).await?, made: None, frame })
}

/// Makes a code, and shows it. Nothing leads back to it: whoever loads the page again gets another one.
pub async fn issue(state: Data<State>, frame: Frame, posted: Posted) -> Result<HttpResponse, PortalError> {
    let (bridge, member) = (&state.bridge, posted.session.member);
    let mut tx = bridge.store.begin().await?;
    let own = Own::open(bridge, &mut tx, member).await?;
    let issued = another::issue(&mut tx, &bridge.keyring, member, bridge.clock.now()).await?;
    tx.commit().await?;
    let until = frame.moment(own.days().moment(issued.expires_at));
    let made = Made { code: issued.code.expose_secret().to_owned(), until };
    page(&CommunitiesPage { names: names(&state, &posted.session).await?, made: Some(made), frame })
}

async fn names(state: &State, session: &Session) -> Result<Vec<String>, PortalError> {
    let known = state.bridge.store.read().await?.communities_of(session.member).await?;
    let mut names: Vec<String> = known.iter().map(|community| state.portal.name_of(community)).collect();
    names.sort();
    Ok(names)
}
