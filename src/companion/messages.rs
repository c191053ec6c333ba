//! What clinics have for a member. In the portal they are told that it is there. In the chat of a community it is said what the
//! operator, their consent and they themselves let out in full, and there something to do is answered with a word.

use jiff::Timestamp;

use super::kept::{Shown, Stand};
use super::script::Became;
use super::{CompanionError, Done, Heard, Turn, Value};
use crate::domain::consented::Method;
use crate::domain::recommendation::{Answer, Recommendation, RecommendationState};
use crate::domain::telling::Grade;
use crate::pipeline::Bridge;
use crate::pipeline::answers::{self, AnswerError};
use crate::readings::settings::settings;
use crate::recommendations;
use crate::store::Tx;
use crate::telling::{INBOX_PATH, sayable};
use crate::vault::MemberKey;

/// How far it is looked back for what waits for an answer.
const LOOKED_AT: i64 = 50;

/// Looks what there is.
pub(super) async fn look(
    bridge: &Bridge,
    key: &MemberKey,
    heard: &Heard<'_>,
    stand: &mut Stand,
) -> Result<Done, CompanionError> {
    if heard.by != Method::Chat {
        let unread = bridge.store.read().await?.count_unread(key.member()).await?;
        let became = if unread > 0 { Became::Some } else { Became::None };
        return Ok(Done::of(became).saying("count", Value::Number(unread)).on(INBOX_PATH));
    }
    let mut tx = bridge.store.begin().await?;
    let open = open(bridge, &mut tx, key, heard).await?;
    let Some(newest) = open.into_iter().next() else { return Ok(elsewhere()) };
    // Whoever is told all of it has read it.
    answers::seen(bridge, &mut tx, key.member(), newest.id, bridge.clock.now()).await?;
    tx.commit().await?;
    bridge.wake.notify_waiters();
    stand.shown = Some(Shown { id: newest.id, at: bridge.clock.now() });
    Ok(Done::of(Became::Open).saying("clinic", clinic(bridge, &newest)).saying("says", says(&newest)).on(INBOX_PATH))
}

/// Answers the one thing to which the word can be meant: what was shown last, unless something else was told since; else the
/// only one that waits. The answer is kept together with where the talk stands then: the same word that is brought again answers
/// nothing else.
pub(super) async fn answer(turn: &mut Turn<'_>, word: Answer) -> Result<Done, CompanionError> {
    let (bridge, member) = (turn.bridge, turn.key.member());
    let mut tx = turn.locked().await?;
    let open = open(bridge, &mut tx, &turn.key, &turn.heard).await?;
    let Some(meant) = meant(&open, turn.stand.shown, &word) else {
        turn.tx = Some(tx);
        return Ok(if open.is_empty() { elsewhere() } else { Done::of(Became::Some) });
    };
    match answers::answer(bridge, &mut tx, member, meant.id, word, bridge.clock.now()).await {
        Ok(_) => turn.tx = Some(tx),
        // What was begun of it goes with this transaction; where the talk stands is kept in another one.
        Err(AnswerError::NotFound | AnswerError::NotNow | AnswerError::NotPermitted(_)) => return Ok(elsewhere()),
        Err(error) => return Err(error.into()),
    }
    turn.stand.shown = None;
    Ok(Done::of(Became::Done).saying("clinic", clinic(bridge, meant)).saying("says", says(meant)).on(INBOX_PATH))
}

/// What the word is an answer to.
fn meant<'a>(open: &'a [Recommendation], shown: Option<Shown>, word: &Answer) -> Option<&'a Recommendation> {
    let fitting: Vec<&Recommendation> = open.iter().filter(|it| it.takes(word)).collect();
    let shown = shown.filter(|shown| !open.iter().any(|it| it.id != shown.id && it.updated_at > shown.at));
    let last = shown.and_then(|shown| fitting.iter().find(|it| it.id == shown.id).copied());
    last.or(if let [only] = fitting.as_slice() { Some(only) } else { None })
}

/// What the member was told of and can still answer, as far as it may be said in this chat in full; the newest first.
async fn open(
    bridge: &Bridge,
    tx: &mut Tx,
    key: &MemberKey,
    heard: &Heard<'_>,
) -> Result<Vec<Recommendation>, CompanionError> {
    let (member, now) = (key.member(), bridge.clock.now());
    let most = heard.community.and_then(|community| bridge.house.most.get(community));
    if most != Some(&Grade::Full) {
        return Ok(Vec::new());
    }
    tx.lock_member(member).await?;
    let (grants, wishes) = (tx.living_grants(&[member]).await?, settings(tx, key).await?.told);
    let found = recommendations::page(tx, key, None, LOOKED_AT).await?.recommendations.into_iter();
    let is_told = |it: &Recommendation| matches!(it.state, RecommendationState::Delivered | RecommendationState::Seen);
    let is_sayable = |it: &Recommendation, now: Timestamp| sayable(it, &grants, &wishes, now) == Some(Grade::Full);
    let is_clear = |it: &Recommendation| it.says.as_ref().is_some_and(|says| says.is_actionable && !says.is_unclear);
    Ok(found.filter(|it| is_told(it) && is_clear(it) && is_sayable(it, now)).collect())
}

/// Whatever there is stands where nobody else reads.
fn elsewhere() -> Done {
    Done::of(Became::Elsewhere).on(INBOX_PATH)
}

fn clinic(bridge: &Bridge, it: &Recommendation) -> Value {
    Value::Text(bridge.house.clinic_name(&it.clinic).to_owned())
}

fn says(it: &Recommendation) -> Value {
    Value::Text(it.says.as_ref().map_or_else(String::new, |says| says.text.clone()))
}
