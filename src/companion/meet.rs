//! Somebody talks with the companion who is no member: they are told what it is, and become one if they say so. Nothing of what
//! they say is kept.

use uuid::Uuid;

use super::danger;
use super::kept::{self, Stand};
use super::rules::{OfRules, page};
use super::script::{Became, Place};
use super::talk::{Said, Talk};
use super::{CompanionError, Done, Saying, saying};
use crate::domain::concern::Rule;
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::language::Language;
use crate::enrolment::agreed::agree;
use crate::enrolment::another::{self, Told};
use crate::enrolment::join::{EnrolError, join};
use crate::pipeline::Bridge;
use crate::store::Tx;
use crate::vault::MemberKey;

/// What somebody says who is no member. Personal.
#[derive(Clone, Copy)]
pub struct Stranger<'a> {
    /// Where they say it.
    pub community: &'a CommunityId,
    /// Under which name they are known there.
    pub handle: &'a str,
    /// What makes it the same when it is heard again.
    pub key: Uuid,
    /// What they said.
    pub said: Said<'a>,
    /// In which language they are answered.
    pub language: Language,
}

/// Hears what a stranger says, and makes a member of them if they want to be one and may join now. Says whether they are one now.
///
/// Nobody is told of a stranger who may be in danger: there is no key to seal it with. Who is a member with a code that stands in
/// the same letter has one: of them, people of the community are told. Where help is found, both are told at once, whatever else
/// they wrote.
///
/// # Errors
/// [`CompanionError`]; whoever says the same again then tries it again.
pub async fn meet(
    bridge: &Bridge,
    talk: &Talk,
    stranger: Stranger<'_>,
    may_join: impl FnOnce() -> bool + Send,
) -> Result<(Saying, bool), CompanionError> {
    let phrase = danger::in_what(&bridge.house, stranger.community, Some(stranger.said));
    let (said, is_member) = answer(bridge, talk, stranger, phrase, may_join).await?;
    Ok((if phrase.is_some() { said.with_help() } else { said }, is_member))
}

async fn answer(
    bridge: &Bridge,
    talk: &Talk,
    stranger: Stranger<'_>,
    phrase: Option<&'static str>,
    may_join: impl FnOnce() -> bool + Send,
) -> Result<(Saying, bool), CompanionError> {
    let script = talk.script();
    let Some((first, Place::Waits(waits))) = script.strange() else { return Err(CompanionError::Nowhere) };
    let mut understood = talk.understand(waits, stranger.said.unmarked()).map(|it| it.to);
    match again_as(bridge, &stranger, phrase, script.joined()).await? {
        Told::NoCode => {}
        Told::Unknown => understood = Some(script.wrong_code().to_owned()),
        Told::Joined(_) => {
            let said = joined(bridge, talk, &stranger)?;
            return Ok((if phrase.is_some() { danger::answered(said) } else { said }, true));
        }
    }
    let is_letter = matches!(stranger.said, Said::Letter(_));
    if phrase.is_some() && (understood.is_none() || is_letter) {
        understood = script.help().map(|(help, _)| help.to_owned());
    }
    let wants_to_join = understood.as_deref() == Some(script.joined());
    let is_joining = wants_to_join && may_join();
    if wants_to_join && !is_joining {
        understood = Some(script.too_many().to_owned());
    }
    if is_joining {
        become_member(bridge, &stranger, script.joined()).await?;
    }
    let to = understood.filter(|to| is_joining || script.is_strange(to));
    match talk.place(to.as_deref().unwrap_or(first)) {
        Some((at, Place::Waits(waits))) => {
            let said = saying(talk, waits, Done::of(Became::Done), None, stranger.language);
            Ok((with_rules(bridge, stranger.community, at == first, is_joining, said), is_joining))
        }
        _ => Err(CompanionError::Nowhere),
    }
}

/// Whoever tells a code is a member already, and known here as the same from now on. If a phrase that may mean danger stands in
/// what they wrote, people of the community have to look: what they say next is heard as a member's, but this is not heard again.
async fn again_as(
    bridge: &Bridge,
    stranger: &Stranger<'_>,
    phrase: Option<&'static str>,
    joined: &str,
) -> Result<Told, CompanionError> {
    let Some(said) = stranger.said.line() else { return Ok(Told::NoCode) };
    let (now, who) = (bridge.clock.now(), (stranger.community, stranger.handle));
    let mut tx = bridge.store.begin().await?;
    let told = match another::tell(&mut tx, &bridge.keyring, who, said, now).await {
        // They are known here under this name since a moment ago: what they say next is heard as a member's.
        Err(EnrolError::HandleTaken) => return Ok(Told::Unknown),
        told => told?,
    };
    if let Told::Joined(member) = told {
        let key = begin(bridge, &mut tx, stranger, member, joined).await?;
        if let Some(phrase) = phrase {
            danger::call(bridge, &mut tx, &key, stranger.community, Rule::Phrase, Some(phrase)).await?;
        }
        tx.commit().await?;
        bridge.wake.notify_waiters();
    }
    Ok(told)
}

/// What somebody hears who has joined.
fn joined(bridge: &Bridge, talk: &Talk, stranger: &Stranger<'_>) -> Result<Saying, CompanionError> {
    let Some((_, Place::Waits(waits))) = talk.place(talk.script().joined()) else {
        return Err(CompanionError::Nowhere);
    };
    let said = saying(talk, waits, Done::of(Became::Done), None, stranger.language);
    Ok(with_rules(bridge, stranger.community, false, true, said))
}

/// Whoever is asked whether they want to join is told the rules before they say so, and whoever has joined which these were.
fn with_rules(bridge: &Bridge, community: &CommunityId, is_asked: bool, is_joining: bool, said: Saying) -> Saying {
    let what = match (is_asked, is_joining) {
        (true, _) => OfRules::InShort,
        (_, true) => OfRules::Agreed,
        _ => return said,
    };
    if !bridge.house.rules.contains_key(community) {
        return said;
    }
    Saying { page: Some(page(community).into()), rules: Some((what, community.clone())), ..said }
}

/// Makes a member of them, who agrees to the rules with it. Whoever says it twice is one already.
async fn become_member(bridge: &Bridge, stranger: &Stranger<'_>, joined: &str) -> Result<(), CompanionError> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.begin().await?;
    let member = match join(&mut tx, &bridge.keyring, stranger.community, stranger.handle, now).await {
        Ok(member) => member,
        Err(EnrolError::HandleTaken) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    begin(bridge, &mut tx, stranger, member, joined).await?;
    Ok(tx.commit().await?)
}

/// Their talk in this community begins, and they agree to its rules. Returns their key.
async fn begin(
    bridge: &Bridge,
    tx: &mut Tx,
    stranger: &Stranger<'_>,
    member: MemberId,
    joined: &str,
) -> Result<MemberKey, CompanionError> {
    let now = bridge.clock.now();
    let wrapped = tx.member_key(member).await?.ok_or(CompanionError::UnknownMember)?;
    let key = bridge.keyring.unwrap_member_key(member, &wrapped)?;
    let stand = Stand::new(joined.to_owned(), stranger.key);
    kept::keep(tx, &key, Some(stranger.community), stand, now).await?;
    if let Some(rules) = bridge.house.rules.get(stranger.community) {
        agree(tx, member, stranger.community, rules, now).await?;
    }
    Ok(key)
}
