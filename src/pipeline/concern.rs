//! What wants a human's eye: looked for in every event that can be read, before any consent is asked for, and whatever
//! becomes of the event.

use jiff::Timestamp;

use super::candidate::entry_of;
use super::members::Members;
use super::{AcceptError, Bridge};
use crate::domain::concern::{Rule, SPEAKS_OF_NOW};
use crate::domain::ids::{CommunityId, IMPORT_COMMUNITY, MemberId};
use crate::inbound::event::{Event, Refusal, Says};
use crate::safety::{self, Noticed};
use crate::store::Tx;
use crate::vault::Index;

/// Something that wants a human's eye.
pub(super) struct Worry {
    member: MemberId,
    /// Who sent it; `None`: the member themselves.
    from: Option<CommunityId>,
    entry: Index,
    rule: Rule,
}

/// What in a batch wants a human's eye, of members who are known here. Of anybody else there is no key to seal it with.
pub(super) fn noticed(
    bridge: &Bridge,
    community: &CommunityId,
    members: &Members,
    events: &[Result<Event, Refusal>],
    now: Timestamp,
) -> Vec<Worry> {
    if bridge.house.watched.is_empty() {
        return Vec::new();
    }
    let since = now.checked_sub(SPEAKS_OF_NOW).unwrap_or(Timestamp::MIN);
    let worry = |event: &Event| {
        let Says::Reading(said, _) = &event.says else { return None };
        let rule = Rule::met_by(&said.measure).filter(|_| said.moment.at >= since)?;
        Some(Worry {
            member: members.member_of(bridge, community, &event.subject)?,
            from: Some(community.clone()).filter(|community| community.as_str() != IMPORT_COMMUNITY),
            entry: entry_of(&bridge.keyring, community, event),
            rule,
        })
    };
    events.iter().flatten().filter_map(worry).collect()
}

/// Raises a concern for each, in the community that sent it; what a member said here themselves, in every community that
/// knows them. One that has named nobody is not told, and nothing is stored for it.
pub(super) async fn raise(
    bridge: &Bridge,
    tx: &mut Tx,
    members: &Members,
    mut worries: Vec<Worry>,
    now: Timestamp,
) -> Result<(), AcceptError> {
    // In one order, so that of two who raise the same ones none waits for the other for ever.
    worries.sort_by_key(|worry| (worry.member, worry.entry));
    for Worry { member, from, entry, rule } in worries {
        let communities = match from {
            Some(community) => vec![community],
            None => tx.communities_of(member).await?,
        };
        for community in &communities {
            let Some(watch) = bridge.house.watched.get(community) else { continue };
            let escalate_after = watch.escalate_after;
            let noticed = Noticed { community, entry, rule, phrase: None, escalate_after };
            safety::raise(tx, &bridge.keyring, members.key(member)?, &noticed, now).await?;
        }
    }
    Ok(())
}
