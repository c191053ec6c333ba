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
    /// Who sent it, or in whose chat it was said; `None`: the member themselves gave it, in no community.
    from: Option<CommunityId>,
    entry: Index,
    rule: Rule,
}

/// Has those told at once who are told of what a member says here themselves, before it is finished and taken in. It then
/// raises no second concern: its entry is the same.
///
/// # Errors
/// [`AcceptError`]; the caller's transaction must then be dropped. Who commits it wakes those who are to be told.
pub(crate) async fn heed(
    bridge: &Bridge,
    tx: &mut Tx,
    (community, chat): (&CommunityId, Option<&CommunityId>),
    said: &[Result<Event, Refusal>],
) -> Result<(), AcceptError> {
    let members = Members::load(bridge, tx, community, said).await?;
    let now = bridge.clock.now();
    let worries = noticed(bridge, (community, chat), &members, said, now);
    raise(bridge, tx, &members, worries, now).await
}

/// What in a batch wants a human's eye, of members who are known here. Of anybody else there is no key to seal it with.
pub(super) fn noticed(
    bridge: &Bridge,
    (community, chat): (&CommunityId, Option<&CommunityId>),
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
            from: chat.or_else(|| Some(community).filter(|it| it.as_str() != IMPORT_COMMUNITY)).cloned(),
            entry: entry_of(&bridge.keyring, community, event),
            rule,
        })
    };
    events.iter().flatten().filter_map(worry).collect()
}

/// Raises a concern for each, in the community that sent it or in whose chat it was said, which no other one learns of; what
/// a member gave here themselves, in every community that knows them. One that has named nobody is not told, and nothing is
/// stored for it.
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
