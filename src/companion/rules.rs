//! What the companion says of a community's rules: in short before somebody joins, and once when there are new ones.

use super::script::Became;
use super::{CompanionError, Done, Heard, Value};
use crate::domain::ids::{CommunityId, MemberId};
use crate::enrolment::agreed::{Standing, agree, standing};
use crate::pipeline::Bridge;
use crate::store::Tx;

/// What is said of the rules of a community, below what is said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfRules {
    /// What stands in them: whoever joins agrees to them.
    InShort,
    /// That somebody agreed to them by joining.
    Agreed,
    /// That there are new ones.
    New,
}

/// Where a community's rules are read, below the bridge's address.
#[must_use]
pub fn page(community: &CommunityId) -> String {
    format!("/rules/{community}")
}

/// Whether somebody is to be told now that there are new rules where they say something; then they were.
pub(super) async fn news(
    bridge: &Bridge,
    tx: &mut Tx,
    heard: &Heard<'_>,
) -> Result<Option<(OfRules, CommunityId)>, CompanionError> {
    let Some(community) = heard.community else { return Ok(None) };
    let Some(rules) = bridge.house.rules.get(community) else { return Ok(None) };
    let is_told = match standing(tx, heard.member, community, rules).await? {
        Standing::New => {
            tx.put_told_of_rules(heard.member, community, &rules.name(), Some(heard.key)).await?;
            true
        }
        // The answer was lost.
        Standing::Told(key) => key == Some(heard.key),
        Standing::Agreed => false,
    };
    Ok(is_told.then(|| (OfRules::New, community.clone())))
}

/// How a member stands to the rules of the community where they ask.
pub(super) async fn look(bridge: &Bridge, heard: &Heard<'_>) -> Result<Done, CompanionError> {
    let Some((community, rules)) = heard.community.and_then(|id| bridge.house.rules.get_key_value(id)) else {
        return Ok(Done::of(Became::None));
    };
    let mut tx = bridge.store.begin().await?;
    let standing = standing(&mut tx, heard.member, community, rules).await?;
    if standing == Standing::New {
        tx.put_told_of_rules(heard.member, community, &rules.name(), None).await?;
    }
    tx.commit().await?;
    let became = if standing == Standing::Agreed { Became::Done } else { Became::Some };
    let summary = rules.summary.get(heard.language).trim().to_owned();
    let done = Done::of(became).saying("summary", Value::Text(summary)).saying("day", Value::Day(rules.version));
    Ok(done.on(page(community)))
}

/// The member agrees to them.
pub(super) async fn agreed(bridge: &Bridge, heard: &Heard<'_>, member: MemberId) -> Result<Done, CompanionError> {
    let Some((community, rules)) = heard.community.and_then(|id| bridge.house.rules.get_key_value(id)) else {
        return Ok(Done::of(Became::None));
    };
    let mut tx = bridge.store.begin().await?;
    agree(&mut tx, member, community, rules, bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(Done::of(Became::Done).saying("day", Value::Day(rules.version)).on(page(community)))
}
