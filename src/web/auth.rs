//! Who is calling: a community by its API key, or a member by their token. Both are found by keyed index only.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::{Problem, State};
use crate::domain::ids::{CommunityId, MemberId};
use crate::enrolment::credentials::{
    API_KEY_PREFIX, CONCERNS_DISCLOSE, CONCERNS_MANAGE, EVENTS_WRITE, MEMBER_TOKEN_PREFIX, TALKS_WRITE, api_key_index,
    member_token_index,
};
use crate::store::ApiKeyRow;

/// A community that may send events.
#[derive(Debug)]
pub struct EventSender(pub CommunityId);

/// A community that may see and settle the concerns about its members.
#[derive(Debug)]
pub struct ConcernKeeper(pub CommunityId);

/// A community whose people may decide that a clinic is told without consent.
#[derive(Debug)]
pub struct ConcernDecider(pub CommunityId);

/// A community that brings what its members say to the companion.
#[derive(Debug)]
pub struct TalkBringer(pub CommunityId);

/// A member, acting for themselves.
#[derive(Debug)]
pub struct SignedInMember(pub MemberId);

/// Whoever may send data points: a community those of its members, or a member their own.
#[derive(Debug)]
pub enum DataSender {
    /// With an API key.
    Community(CommunityId),
    /// With their token.
    Member(MemberId),
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

impl FromRequest for EventSender {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { community(&request, EVENTS_WRITE).await.map(Self) })
    }
}

impl FromRequest for ConcernKeeper {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { community(&request, CONCERNS_MANAGE).await.map(Self) })
    }
}

impl FromRequest for ConcernDecider {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { community(&request, CONCERNS_DISCLOSE).await.map(Self) })
    }
}

impl FromRequest for TalkBringer {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { community(&request, TALKS_WRITE).await.map(Self) })
    }
}

impl FromRequest for DataSender {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if credential(request, MEMBER_TOKEN_PREFIX).is_ok() {
            let member = SignedInMember::from_request(request, payload);
            return Box::pin(async move { member.await.map(|member| Self::Member(member.0)) });
        }
        let community = EventSender::from_request(request, payload);
        Box::pin(async move { community.await.map(|community| Self::Community(community.0)) })
    }
}

impl FromRequest for SignedInMember {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (state, credential) = credential(&request, MEMBER_TOKEN_PREFIX)?;
            let index = member_token_index(&state.bridge.keyring, credential);
            let now = state.bridge.clock.now();
            let mut tx = state.bridge.store.read().await?;
            let member = tx.member_by_token(index, now).await?;
            member.map(Self).ok_or_else(Problem::unauthorized)
        })
    }
}

/// Which community calls with a key that allows this.
async fn community(request: &HttpRequest, scope: &str) -> Result<CommunityId, Problem> {
    let (state, credential) = credential(request, API_KEY_PREFIX)?;
    let index = api_key_index(&state.bridge.keyring, credential);
    let mut tx = state.bridge.store.read().await?;
    let key = tx.api_key(index).await?;
    let in_force = |key: &ApiKeyRow| !key.revoked && state.communities.contains(&key.community);
    let key = key.filter(in_force).ok_or_else(Problem::unauthorized)?;
    if key.scopes.split(' ').any(|found| found == scope) { Ok(key.community) } else { Err(Problem::forbidden(scope)) }
}

fn credential<'a>(request: &'a HttpRequest, prefix: &str) -> Result<(&'a Data<State>, &'a str), Problem> {
    let state = request.app_data::<Data<State>>().ok_or_else(Problem::unauthorized)?;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, credential) = header.and_then(|header| header.split_once(' ')).ok_or_else(Problem::unauthorized)?;
    if scheme.eq_ignore_ascii_case("bearer") && credential.starts_with(prefix) {
        Ok((state, credential))
    } else {
        Err(Problem::unauthorized())
    }
}
