//! Members agree to the rules of their communities: when they join, and again when there are new ones. Nothing is taken from
//! whoever has not agreed to the newest ones.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::audit::{Chain, Event, RulesAt};
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::rules::Rules;
use crate::store::{StoreError, Tx};

/// How a member stands to the rules as they are now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// They agreed to them.
    Agreed,
    /// They know of them, and have not agreed. Told in answer to this, if it was an answer.
    Told(Option<Uuid>),
    /// They do not know of them yet.
    New,
}

/// How a member stands to the rules of a community.
///
/// # Errors
/// [`StoreError`].
pub async fn standing(
    tx: &mut Tx,
    member: MemberId,
    community: &CommunityId,
    rules: &Rules,
) -> Result<Standing, StoreError> {
    let (row, version) = (tx.agreement(member, community).await?, rules.name());
    if row.agreed.is_some_and(|(agreed, _)| agreed == version) {
        return Ok(Standing::Agreed);
    }
    Ok(if row.told == Some(version) { Standing::Told(row.told_key) } else { Standing::New })
}

/// Notes that a member agreed to the rules of a community. Said twice, it is said once.
///
/// # Errors
/// [`StoreError`]; the caller's transaction must then be dropped.
pub async fn agree(
    tx: &mut Tx,
    member: MemberId,
    community: &CommunityId,
    rules: &Rules,
    now: Timestamp,
) -> Result<(), StoreError> {
    if standing(tx, member, community, rules).await? == Standing::Agreed {
        return Ok(());
    }
    let version = rules.name();
    tx.put_agreed(member, community, &version, now).await?;
    let at = RulesAt { community: community.clone(), version };
    tx.record(Chain::of_member(member), now, Event::RulesAgreed(at));
    Ok(())
}
