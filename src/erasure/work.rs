//! What becomes of an erasure when its time has come.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::certificate::certificate;
use super::{ErasureError, LOOK_AGAIN_AFTER, UPSTREAM};
use crate::booking::let_go_of;
use crate::delivery::smart_auth::patient::TokenSet;
use crate::domain::audit::{self, Chain, Event};
use crate::domain::consented::Method;
use crate::domain::ids::ClinicId;
use crate::enrolment::session::end_all;
use crate::pipeline::{Bridge, consent};
use crate::store::{Erasure, ErasureState, Sent, Tx};
use crate::vault::{Erased, KeyId};

/// Works on the erasure that is due, if one is. Returns whether there was one.
///
/// # Errors
/// [`ErasureError`]; what was not done is found again.
pub async fn work(bridge: &Bridge) -> Result<bool, ErasureError> {
    let due = bridge.store.read().await?.due_erasure(bridge.clock.now()).await?;
    match due {
        Some(erasure) => work_on(bridge, &erasure).await.map(|_| true),
        None => Ok(false),
    }
}

/// Works on an erasure, if it is due: begins it, and does it as soon as nothing is waited for any more. Returns where it
/// stands then.
///
/// # Errors
/// [`ErasureError`]; what was not done is found again.
pub async fn work_on(bridge: &Bridge, erasure: &Erasure) -> Result<ErasureState, ErasureError> {
    let mut tx = bridge.store.begin().await?;
    let wrapped = tx.lock_member_for_good(erasure.member).await?;
    let now = bridge.clock.now();
    // As it is now that nobody else can change it.
    let Some(mut erasure) = tx.erasure(erasure.id).await? else { return Ok(ErasureState::Cancelled) };
    if erasure.ended_at.is_some() || erasure.due_at > now {
        return Ok(erasure.state);
    }
    let lent = match erasure.state {
        ErasureState::Requested => begin(bridge, &mut tx, &mut erasure, now).await?,
        _ => Vec::new(),
    };
    let sent = tx.sent_of(erasure.member).await?;
    let may_wait = erasure.upstream_until.is_some_and(|until| now < until);
    // Whose Subscription stays at an EHR is still watched there, and nobody could say any more that it should not be.
    let is_watched = tx.subscriptions_at_ehrs(erasure.member).await? > 0;
    if may_wait && (is_watched || sent.values().any(|sent| sent.open > 0)) {
        erasure.due_at = now.checked_add(LOOK_AGAIN_AFTER).unwrap_or(Timestamp::MAX);
        tx.update_erasure(&erasure).await?;
        tx.commit().await?;
        bridge.wake.notify_waiters();
        give_back(bridge, lent).await;
        return Ok(erasure.state);
    }
    // A key that does not open can be destroyed all the same; there only is no id to name it by.
    let key = wrapped.and_then(|wrapped| bridge.keyring.unwrap_member_key(erasure.member, &wrapped).ok());
    finish(bridge, tx, erasure, key.map(|key| key.id()), &sent).await?;
    give_back(bridge, lent).await;
    Ok(ErasureState::Erased)
}

/// Gives back to clinics what the member had lent, after it was forgotten here.
async fn give_back(bridge: &Bridge, lent: Vec<(ClinicId, TokenSet)>) {
    for (clinic, lent) in lent {
        bridge.launches.give_back(&clinic, &lent).await;
    }
}

/// Ends all consent and every access of the member. What clinics are to be told is on its way from here on: that consent
/// has ended, and, if the member wants it, that they are asked to mark what they have. Returns what is to be given back.
async fn begin(
    bridge: &Bridge,
    tx: &mut Tx,
    erasure: &mut Erasure,
    now: Timestamp,
) -> Result<Vec<(ClinicId, TokenSet)>, ErasureError> {
    let (member, marking) = (erasure.member, erasure.ask_clinics);
    // It was asked for by the member, through this; what nobody knows was done here.
    let method = erasure.method.unwrap_or(Method::Operator);
    let mut lent = Vec::new();
    for grant in tx.living_grants(&[member]).await? {
        let revoked = consent::revoke(bridge, tx, member, grant.id, method, marking, now).await?;
        lent.extend(revoked.lent.map(|tokens| (grant.clinic, tokens)));
    }
    if erasure.ask_clinics {
        for link in tx.links(&[member]).await? {
            consent::ask_to_mark(bridge, tx, member, &link.clinic, now).await?;
        }
    }
    let_go_of(bridge, tx, member, now).await?;
    end_all(tx, erasure.member, now).await?;
    erasure.state = ErasureState::Upstream;
    erasure.upstream_until = Some(now.checked_add(UPSTREAM).unwrap_or(Timestamp::MAX));
    Ok(lent)
}

/// Deletes everything, and leaves the certificate.
async fn finish(
    bridge: &Bridge,
    mut tx: Tx,
    mut erasure: Erasure,
    key: Option<KeyId>,
    sent: &BTreeMap<ClinicId, Sent>,
) -> Result<(), ErasureError> {
    let now = bridge.clock.now();
    let counts = tx.wipe_member(erasure.member).await?;
    let certificate = certificate(bridge, &erasure, key, &counts, sent, now);
    let erased = Erased {
        erasure: erasure.id,
        member: erasure.member,
        requested_at: erasure.requested_at,
        erased_at: now,
        certificate_index: erasure.certificate_index,
        certificate: certificate.clone(),
    };
    erasure.state = ErasureState::Erased;
    (erasure.sealed_secret, erasure.ended_at, erasure.certificate) = (None, Some(now), Some(certificate));
    tx.update_erasure(&erasure).await?;
    let step = audit::Erasure { certificate: Some(erasure.id.0), ..audit::Erasure::default() };
    tx.record(Chain::of_member(erasure.member), now, Event::MemberKeyDestroyed(step.clone()));
    tx.record(Chain::of_member(erasure.member), now, Event::Erased(step));
    // Before the commit: who is in the list is to be erased anyway, and who was erased must be in it.
    bridge.erased.add(bridge.keyring.index(), &erased)?;
    tx.commit().await?;
    tracing::info!(erasure_id = %erasure.id, "a member was erased");
    Ok(bridge.store.truncate_log().await?)
}
