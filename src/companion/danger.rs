//! Words that may mean danger, where a community has its people look at them: what is found has a human look, once an hour unless
//! somebody looked after them meanwhile. In what is written to the companion, and, where a community wants that too, in its rooms
//! that are counted.

use super::talk::Said;
use super::{CompanionError, Heard, Saying};
use crate::domain::concern::Rule;
use crate::domain::ids::CommunityId;
use crate::enrolment::join::handle_index;
use crate::pipeline::{Bridge, House};
use crate::safety::{self, Noticed, phrases};
use crate::store::Tx;
use crate::vault::MemberKey;

/// The phrase that stands in what somebody wrote, where their community has its people look at such phrases. In any language:
/// people mix them.
pub(super) fn in_what(house: &House, community: &CommunityId, said: Option<Said<'_>>) -> Option<&'static str> {
    let Some(Said::Written(text) | Said::Letter(text)) = said else { return None };
    house.watched.get(community).filter(|watch| watch.phrases)?;
    phrases::found(text, None)
}

/// Has people of the community look, if a member wrote such a phrase; of what was heard before, they were told then. Says
/// whether they wrote one.
pub(super) async fn listen(
    bridge: &Bridge,
    key: &MemberKey,
    heard: &Heard<'_>,
    is_known: bool,
) -> Result<bool, CompanionError> {
    let Some(community) = heard.community else { return Ok(false) };
    let Some(phrase) = in_what(&bridge.house, community, heard.said) else { return Ok(false) };
    if !is_known {
        tell(bridge, key, community, phrase).await?;
    }
    Ok(true)
}

/// What a member is answered who wrote such a phrase, whatever else was understood: who is told, and where help is found.
pub(super) fn answered(mut saying: Saying) -> Saying {
    saying.also.push("companion-phrase");
    saying.with_help()
}

/// Has people of the community look, if a member wrote such a phrase in one of its rooms: a connector hands on words of rooms only
/// where the community wants that. Somebody who has not joined is nobody whom the bridge could name.
///
/// # Errors
/// [`CompanionError`].
pub async fn in_room(bridge: &Bridge, community: &CommunityId, handle: &str, text: &str) -> Result<(), CompanionError> {
    match phrases::found(text, None) {
        Some(phrase) => tell_of(bridge, community, handle, phrase).await,
        None => Ok(()),
    }
}

/// Has people of the community look, if such a phrase stands in what is not heard because its author says too much: nobody is too
/// loud to be in danger.
///
/// # Errors
/// [`CompanionError`].
pub async fn in_unheard(
    bridge: &Bridge,
    community: &CommunityId,
    handle: &str,
    said: Said<'_>,
) -> Result<(), CompanionError> {
    match in_what(&bridge.house, community, Some(said)) {
        Some(phrase) => tell_of(bridge, community, handle, phrase).await,
        None => Ok(()),
    }
}

/// Has people of the community look at it, if a member wrote it.
async fn tell_of(
    bridge: &Bridge,
    community: &CommunityId,
    handle: &str,
    phrase: &'static str,
) -> Result<(), CompanionError> {
    let index = handle_index(&bridge.keyring, community, handle);
    let found = bridge.store.read().await?.member_by_handle(community, index).await?;
    let Some((member, key, _)) = found else { return Ok(()) };
    tell(bridge, &bridge.keyring.unwrap_member_key(member, &key)?, community, phrase).await
}

/// Has people of the community look at it.
async fn tell(
    bridge: &Bridge,
    key: &MemberKey,
    community: &CommunityId,
    phrase: &'static str,
) -> Result<(), CompanionError> {
    let mut tx = bridge.store.begin().await?;
    call(bridge, &mut tx, key, community, Rule::Phrase, Some(phrase)).await?;
    tx.commit().await?;
    bridge.wake.notify_waiters();
    Ok(())
}

/// Has people of a community look after a member, for this once an hour, and again once somebody did. Says whether the community
/// has some: they are told then, or are being told.
///
/// # Errors
/// [`CompanionError`]; the caller's transaction must then be dropped.
pub(super) async fn call(
    bridge: &Bridge,
    tx: &mut Tx,
    key: &MemberKey,
    community: &CommunityId,
    rule: Rule,
    phrase: Option<&'static str>,
) -> Result<bool, CompanionError> {
    let Some(watch) = bridge.house.watched.get(community) else { return Ok(false) };
    let now = bridge.clock.now();
    let hour = (now.as_second() / 3600).to_be_bytes();
    let member = key.member();
    let mut times = 0_u32;
    let entry = loop {
        let parts = [b"in an hour".as_slice(), member.0.as_bytes(), &hour, &times.to_be_bytes()];
        let entry = bridge.keyring.index().index(rule.as_str(), &parts);
        match tx.concern_about(community, member, entry).await? {
            Some(state) if state.is_waiting() => return Ok(true),
            // Whoever looked after it does not know of this.
            Some(_) => times = times.saturating_add(1),
            None => break entry,
        }
    };
    let noticed = Noticed { community, entry, rule, phrase, escalate_after: watch.escalate_after };
    safety::raise(tx, &bridge.keyring, key, &noticed, now).await?;
    Ok(true)
}
