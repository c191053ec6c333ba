//! What the companion does for a member: by the same functions as the portal, under the same rules.

use super::danger::call;
use super::forms;
use super::kept::{SaidMood, Stand};
use super::script::{Act, Became};
use super::{CompanionError, Done, Turn, Value, messages, rules};
use crate::booking;
use crate::domain::concern::Rule;
use crate::domain::consented::Method;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{ClinicId, CommunityId};
use crate::domain::recommendation::Answer;
use crate::domain::settings::Change;
use crate::erasure::{self, ErasureError, Wish};
use crate::insight::entry::{Destination, Noted, Taken, note_down};
use crate::pipeline::consent;
use crate::pipeline::{Bridge, Outcome};
use crate::readings::settings::{change_settings, settings};
use crate::telling;
use crate::vault::MemberKey;

/// Does something for the member whose key it is.
///
/// # Errors
/// [`CompanionError`]; whoever says the same again then tries it again.
pub(super) async fn act(turn: &mut Turn<'_>, act: Act) -> Result<Done, CompanionError> {
    let (bridge, key, heard, stand) = (turn.bridge, &turn.key, &turn.heard, &mut turn.stand);
    let is_chat = heard.by == Method::Chat;
    match act {
        // What a community brings, it reads: there, nothing that was set aside is shared again on its word alone. Nor does it
        // learn whether the member asked somewhere else to be erased, and when: it is called off in the portal only.
        Act::Resume if is_chat => Ok(Done::of(Became::Elsewhere).on("/sharing")),
        Act::LookErasing | Act::KeepMe if is_chat => Ok(Done::of(Became::Elsewhere).on("/erase")),
        Act::KeepMood => keep_mood(bridge, key, stand).await,
        Act::KeepAll => keep_all(bridge, key).await,
        Act::Messages => messages::look(bridge, key, heard, stand).await,
        Act::Accept => messages::answer(turn, Answer::Accept).await,
        Act::Refuse => messages::answer(turn, Answer::Decline { reason: None }).await,
        Act::Later => later(bridge, key).await,
        Act::Visits => visits(bridge, key).await,
        Act::Sharing => sharing(bridge, key).await,
        Act::Pause | Act::Resume | Act::Stop => decide(bridge, key, heard.by, act).await,
        Act::Human => human(bridge, key, heard.chat()).await,
        Act::Rules => rules::look(bridge, heard).await,
        Act::Agree => rules::agreed(bridge, heard, key.member()).await,
        Act::Erase => erase(bridge, key, heard.by).await,
        Act::LookErasing => look_erasing(bridge, key).await,
        Act::KeepMe => keep_me(bridge, key, heard.by).await,
        Act::Materials => materials(bridge).await,
        Act::OpenPhq2
        | Act::OpenPhq9
        | Act::OpenGad7
        | Act::KeepAnswer
        | Act::KeepDeclined
        | Act::LastQuestion
        | Act::NextQuestion
        | Act::Finish
        | Act::Discard => forms::act(turn, act).await,
    }
}

async fn keep_mood(bridge: &Bridge, key: &MemberKey, stand: &mut Stand) -> Result<Done, CompanionError> {
    let Some(SaidMood { level, key: entry, at }) = stand.mood else { return Ok(Done::of(Became::Kept)) };
    let noted = Noted { key: entry, at, level, note: None, tags: Vec::new() };
    let done = became(bridge, note_down(bridge, key.member(), noted).await?);
    if done.became != Became::Nobody {
        stand.mood = None;
    }
    let mut tx = bridge.store.begin().await?;
    telling::need_not_remind(bridge, &mut tx, key.member()).await?;
    tx.commit().await?;
    Ok(done)
}

/// What became of what was taken in.
pub(super) fn became(bridge: &Bridge, taken: Taken) -> Done {
    let Taken { parts, goes_to } = taken;
    if !goes_to.is_empty() {
        let clinics = names(bridge, goes_to.iter().map(|Destination { clinic, .. }| clinic));
        return Done::of(Became::Shared).saying("clinics", clinics);
    }
    let is_kept = parts.iter().all(|(_, outcome)| !matches!(outcome, Outcome::Refused(_)));
    Done::of(if is_kept { Became::Kept } else { Became::Nobody })
}

async fn keep_all(bridge: &Bridge, key: &MemberKey) -> Result<Done, CompanionError> {
    let mut tx = bridge.store.begin().await?;
    change_settings(&mut tx, key, Change { keep: Some(true), ..Change::default() }, bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(Done::of(Became::Done))
}

async fn later(bridge: &Bridge, key: &MemberKey) -> Result<Done, CompanionError> {
    let mut tx = bridge.store.begin().await?;
    telling::remind_later(bridge, &mut tx, key.member(), bridge.clock.now()).await?;
    tx.commit().await?;
    Ok(Done::of(Became::Done))
}

async fn visits(bridge: &Bridge, key: &MemberKey) -> Result<Done, CompanionError> {
    let (member, now) = (key.member(), bridge.clock.now());
    let mut tx = bridge.store.read().await?;
    let grants = tx.living_grants(&[member]).await?;
    let links = tx.links(&[member]).await?;
    for link in links.iter().filter(|link| booking::may_ask(&grants, member, &link.clinic, false, now)) {
        if bridge.visits(&mut tx, &link.clinic).await?.iter().any(|visit| visit.is_offered) {
            return Ok(Done::of(Became::Some).on("/visits"));
        }
    }
    Ok(Done::of(Became::None).on("/visits"))
}

async fn materials(bridge: &Bridge) -> Result<Done, CompanionError> {
    let count = bridge.store.read().await?.count_materials().await?;
    let became = if count > 0 { Became::Some } else { Became::None };
    Ok(Done::of(became).saying("count", Value::Number(count)).on("/materials"))
}

async fn sharing(bridge: &Bridge, key: &MemberKey) -> Result<Done, CompanionError> {
    let grants = bridge.store.read().await?.living_grants(&[key.member()]).await?;
    let is_active = grants.iter().any(|grant| grant.state == GrantState::Active);
    let became = match (grants.is_empty(), is_active) {
        (true, _) => Became::None,
        (false, true) => Became::Active,
        (false, false) => Became::Paused,
    };
    let clinics = names(bridge, grants.iter().map(|grant| &grant.clinic));
    Ok(Done::of(became).saying("clinics", clinics).on("/sharing"))
}

/// Sets every grant aside, takes every one up again, or ends every one: all, or none of them.
async fn decide(bridge: &Bridge, key: &MemberKey, by: Method, act: Act) -> Result<Done, CompanionError> {
    let (member, now) = (key.member(), bridge.clock.now());
    let mut tx = bridge.store.begin().await?;
    tx.lock_member(member).await?;
    let grants = tx.living_grants(&[member]).await?;
    let is_open = |grant: &&Grant| match act {
        Act::Pause => grant.state == GrantState::Active,
        Act::Resume => grant.state == GrantState::Paused,
        _ => true,
    };
    let (mut lent, mut is_done) = (Vec::new(), false);
    for grant in grants.iter().filter(is_open) {
        match act {
            Act::Pause => drop(consent::pause(bridge, &mut tx, member, grant.id, by, now).await?),
            Act::Resume => drop(consent::resume(bridge, &mut tx, member, grant.id, by, now).await?),
            _ => {
                let revoked = consent::revoke(bridge, &mut tx, member, grant.id, by, false, now).await?;
                lent.extend(revoked.lent.map(|lent| (grant.clinic.clone(), lent)));
            }
        }
        is_done = true;
    }
    tx.commit().await?;
    bridge.wake.notify_waiters();
    for (clinic, lent) in lent {
        bridge.launches.give_back(&clinic, &lent).await;
    }
    let became = if is_done || !grants.is_empty() { Became::Done } else { Became::None };
    Ok(Done::of(became).on("/sharing"))
}

/// Has people of the member's communities called, where some are there for it: once an hour, however often it is asked, and again
/// once somebody looked after it. In the chat of a community, only its own.
async fn human(bridge: &Bridge, key: &MemberKey, only: Option<&CommunityId>) -> Result<Done, CompanionError> {
    let mut tx = bridge.store.begin().await?;
    let mut became = Became::None;
    let communities = match only {
        Some(community) => vec![community.clone()],
        None => tx.communities_of(key.member()).await?,
    };
    for community in &communities {
        if call(bridge, &mut tx, key, community, Rule::AskedForSomebody, None).await? {
            became = Became::Done;
        }
    }
    tx.commit().await?;
    Ok(Done::of(became))
}

async fn erase(bridge: &Bridge, key: &MemberKey, by: Method) -> Result<Done, CompanionError> {
    let mut tx = bridge.store.begin().await?;
    let wish = Wish { at_once: false, ask_clinics: false, method: by };
    match erasure::request(&mut tx, &bridge.keyring, key.member(), wish, bridge.clock.now()).await {
        Ok(_) => tx.commit().await?,
        Err(ErasureError::AlreadyRequested) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Done::of(Became::Done))
}

async fn look_erasing(bridge: &Bridge, key: &MemberKey) -> Result<Done, CompanionError> {
    let mut tx = bridge.store.read().await?;
    let Some(found) = erasure::under_way(bridge, &mut tx, key.member()).await? else {
        return Ok(Done::of(Became::None));
    };
    let days = settings(&mut tx, key).await?.days(&bridge.readings.zone);
    let day = Value::Day(days.day_of(found.erasure.due_at));
    Ok(Done::of(Became::Some).saying("day", day).on("/erase"))
}

async fn keep_me(bridge: &Bridge, key: &MemberKey, by: Method) -> Result<Done, CompanionError> {
    let mut tx = bridge.store.begin().await?;
    match erasure::cancel(&mut tx, key.member(), by, bridge.clock.now()).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(Done::of(Became::Done))
        }
        Err(ErasureError::NotRequested) => Ok(Done::of(Became::Gone)),
        Err(error) => Err(error.into()),
    }
}

/// Clinics by their names, each once.
fn names<'a>(bridge: &Bridge, clinics: impl Iterator<Item = &'a ClinicId>) -> Value {
    let mut clinics: Vec<&ClinicId> = clinics.collect();
    clinics.sort();
    clinics.dedup();
    let names: Vec<&str> = clinics.into_iter().map(|clinic| bridge.house.clinic_name(clinic)).collect();
    Value::Text(names.join(", "))
}
