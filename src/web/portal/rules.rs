//! *Rules and privacy* of a community: for whoever looks, and for its members to agree to.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::caller::Session;
use super::error::PortalError;
use super::form::Posted;
use super::frame::{Frame, go_to_saying, page};
use crate::companion::rules::page as page_of;
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::rules::{Part, Rules, parts};
use crate::enrolment::agreed::{Standing, agree, standing};
use crate::pipeline::Bridge;
use crate::store::Tx;
use crate::web::State;

/// How the rules of their community concern a member who is signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RulesNews {
    /// Where they are read.
    pub page: String,
    /// Whether they do not know of them yet.
    pub is_new: bool,
}

impl RulesNews {
    /// How the rules of a community concern its member; `None`: it has none.
    pub async fn find(
        bridge: &Bridge,
        tx: &mut Tx,
        community: &CommunityId,
        member: MemberId,
    ) -> Result<Option<Self>, PortalError> {
        let Some(rules) = bridge.house.rules.get(community) else { return Ok(None) };
        let is_new = standing(tx, member, community, rules).await? == Standing::New;
        Ok(Some(Self { page: page_of(community), is_new }))
    }
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage<'a> {
    frame: Frame,
    path: String,
    name: String,
    summary: &'a str,
    /// Their version, as it is kept, and as people write it.
    version: String,
    day: String,
    texts: [(&'static str, Vec<Part<'a>>); 2],
    /// How it stands with the member who looks; `None`: they are none of this community.
    standing: Option<Standing>,
}

impl RulesPage<'_> {
    fn is_agreed(&self) -> bool {
        self.standing == Some(Standing::Agreed)
    }
}

/// Shows them. A member who looks at them knows of them.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: Option<Session>,
    community: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (community, rules) = find(&state, &community)?;
    let standing = match session {
        Some(session) => look(&state, session.member, community, rules).await?,
        None => None,
    };
    let language = frame.language;
    page(&RulesPage {
        path: page_of(community),
        name: state.portal.name_of(community),
        summary: rules.summary.get(language).trim(),
        version: rules.name(),
        day: frame.date(rules.version),
        texts: [
            ("rules-title", parts(rules.rules.get(language))),
            ("rules-privacy", parts(rules.privacy.get(language))),
        ],
        standing,
        frame,
    })
}

/// Notes that a member agrees to the version that they have read.
pub async fn say(state: Data<State>, posted: Posted, community: Path<String>) -> Result<HttpResponse, PortalError> {
    let (community, rules) = find(&state, &community)?;
    if posted.fields.text("version") != rules.name() {
        return Err(PortalError::ChangedMeanwhile);
    }
    let (member, now) = (posted.session.member, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    if !tx.communities_of(member).await?.contains(community) {
        return Err(PortalError::NotFound);
    }
    agree(&mut tx, member, community, rules, now).await?;
    tx.commit().await?;
    Ok(go_to_saying(&page_of(community), "flash-rules-agreed"))
}

fn find<'a>(state: &'a State, community: &str) -> Result<(&'a CommunityId, &'a Rules), PortalError> {
    let community: CommunityId = community.parse().map_err(|_| PortalError::NotFound)?;
    state.bridge.house.rules.get_key_value(&community).ok_or(PortalError::NotFound)
}

async fn look(
    state: &State,
    member: MemberId,
    community: &CommunityId,
    rules: &Rules,
) -> Result<Option<Standing>, PortalError> {
    let mut tx = state.bridge.store.begin().await?;
    if !tx.communities_of(member).await?.contains(community) {
        return Ok(None);
    }
    let found = standing(&mut tx, member, community, rules).await?;
    if found == Standing::New {
        tx.put_told_of_rules(member, community, &rules.name(), None).await?;
        tx.commit().await?;
    }
    Ok(Some(found))
}
