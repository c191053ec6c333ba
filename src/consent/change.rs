//! How consent comes, changes and goes. Each change is one transaction of the caller's.

use jiff::{SignedDuration, Timestamp};

use crate::domain::audit::{Chain, ConsentState, Event};
use crate::domain::grant::{Grant, GrantState, InvalidTransition, Terms};
use crate::domain::ids::{ClinicId, GrantId, MemberId};
use crate::store::{LaneKey, StoreError, Tx};

/// A change of consent that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The terms contradict themselves.
    #[error("{field}: expected {expected}")]
    Terms {
        /// Which part of the terms.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The clinic does not know yet which Patient the member is.
    #[error("the member is not linked to this clinic")]
    NotLinked,
    /// A living grant towards the clinic exists; it is changed, not doubled.
    #[error("there is a living grant towards this clinic already")]
    AlreadyGranted(GrantId),
    /// The member has no such grant.
    #[error("there is no such grant")]
    NotFound,
    /// The grant's life does not allow it.
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
    /// The store failed; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives a first version of consent towards a clinic.
///
/// # Errors
/// [`ChangeError`]; then nothing was changed.
pub async fn grant(
    tx: &mut Tx,
    id: GrantId,
    member: MemberId,
    clinic: ClinicId,
    terms: Terms,
    now: Timestamp,
) -> Result<Grant, ChangeError> {
    check(&terms, now)?;
    tx.lock_member(member).await?;
    if !tx.links(&[member]).await?.iter().any(|link| link.clinic == clinic) {
        return Err(ChangeError::NotLinked);
    }
    for living in tx.living_grants(&[member]).await?.into_iter().filter(|grant| grant.clinic == clinic) {
        if !living.is_expired(now) {
            return Err(ChangeError::AlreadyGranted(living.id));
        }
        note_expired(tx, &living, now).await?;
        let from = living.state;
        tx.update_grant_state(&living.into_state(GrantState::Superseded, now)?, from).await?;
    }
    let grant =
        Grant { id, version: 1, member, clinic, state: GrantState::Active, terms, created_at: now, ended_at: None };
    tx.insert_grant(&grant).await?;
    record(tx, &grant, Event::ConsentGranted(ConsentState::of(&grant)), now);
    // What waited under an expired consent is decided about anew.
    tx.wake_lane(&lane_of(&grant)).await?;
    Ok(grant)
}

/// Replaces the terms of a grant: the old version ends, a new one takes its place. A pause goes on.
///
/// # Errors
/// [`ChangeError`]; then nothing was changed.
pub async fn change(
    tx: &mut Tx,
    member: MemberId,
    id: GrantId,
    terms: Terms,
    now: Timestamp,
) -> Result<Grant, ChangeError> {
    check(&terms, now)?;
    let old = newest(tx, member, id, now).await?;
    let new = Grant { version: old.version.saturating_add(1), terms, created_at: now, ended_at: None, ..old.clone() };
    let from = old.state;
    tx.update_grant_state(&old.into_state(GrantState::Superseded, now)?, from).await?;
    tx.insert_grant(&new).await?;
    record(tx, &new, Event::ConsentChanged(ConsentState::of(&new)), now);
    tx.wake_lane(&lane_of(&new)).await?;
    Ok(new)
}

/// Sets a grant aside: nothing goes out and nothing is withdrawn until it is resumed.
///
/// # Errors
/// [`ChangeError`]; then nothing was changed.
pub async fn pause(tx: &mut Tx, member: MemberId, id: GrantId, now: Timestamp) -> Result<Grant, ChangeError> {
    let grant = into_state(tx, member, id, GrantState::Paused, now).await?;
    record(tx, &grant, Event::ConsentPaused(ConsentState::of(&grant)), now);
    Ok(grant)
}

/// Ends a pause: what waited goes on.
///
/// # Errors
/// [`ChangeError`]; then nothing was changed.
pub async fn resume(tx: &mut Tx, member: MemberId, id: GrantId, now: Timestamp) -> Result<Grant, ChangeError> {
    let grant = into_state(tx, member, id, GrantState::Active, now).await?;
    record(tx, &grant, Event::ConsentResumed(ConsentState::of(&grant)), now);
    tx.wake_lane(&lane_of(&grant)).await?;
    Ok(grant)
}

/// How long what a member lent may be kept after the consent has ended that it was lent for: to tell the clinic so. It
/// lets nothing else out: that is decided anew for each item, and there is no consent any more.
pub const FAREWELL: SignedDuration = SignedDuration::from_mins(10);

/// Takes consent back: the grant ends, what waits is withdrawn and its content erased, and the clinic's access that the
/// member lent to the bridge has an end, in one transaction. Returns the ended grant and how many items were
/// withdrawn. Taking it back twice changes nothing more.
///
/// # Errors
/// [`ChangeError`]; then nothing was changed.
pub async fn revoke(tx: &mut Tx, member: MemberId, id: GrantId, now: Timestamp) -> Result<(Grant, u64), ChangeError> {
    let grant = newest(tx, member, id, now).await?;
    if grant.state == GrantState::Revoked {
        return Ok((grant, 0));
    }
    let from = grant.state;
    let ended = grant.into_state(GrantState::Revoked, now)?;
    tx.update_grant_state(&ended, from).await?;
    let withdrawn = tx.withdraw_lane(&lane_of(&ended), now).await?;
    record(tx, &ended, Event::ConsentRevoked(ConsentState::of(&ended).withdrawing(withdrawn)), now);
    // A grant that cannot be read permits nothing, and so it is not counted here either.
    if !tx.living_grants(&[member]).await?.iter().any(|living| living.clinic == ended.clinic) {
        tx.end_patient_tokens(&ended.clinic, member, farewell(now)).await?;
    }
    Ok((ended, withdrawn))
}

/// Writes down that the time of a living grant is over. Returns whether it is news: it may not be, or was written down
/// before. The caller holds the member.
///
/// # Errors
/// [`StoreError`].
pub async fn note_expired(tx: &mut Tx, grant: &Grant, now: Timestamp) -> Result<bool, StoreError> {
    let is_news = grant.is_expired(now) && tx.note_expiry(grant, now).await?;
    if is_news {
        record(tx, grant, Event::ConsentExpired(ConsentState::of(grant)), now);
    }
    Ok(is_news)
}

/// Until when what was lent is kept at most, if the consent ends now.
#[must_use]
pub fn farewell(now: Timestamp) -> Timestamp {
    now.checked_add(FAREWELL).unwrap_or(Timestamp::MAX)
}

async fn into_state(
    tx: &mut Tx,
    member: MemberId,
    id: GrantId,
    to: GrantState,
    now: Timestamp,
) -> Result<Grant, ChangeError> {
    let grant = newest(tx, member, id, now).await?;
    let from = grant.state;
    let changed = grant.into_state(to, now)?;
    tx.update_grant_state(&changed, from).await?;
    Ok(changed)
}

/// The newest version of a grant, which nobody else decides about or changes until the transaction ends.
async fn newest(tx: &mut Tx, member: MemberId, id: GrantId, now: Timestamp) -> Result<Grant, ChangeError> {
    tx.lock_member(member).await?;
    let grant = tx.newest_grant(member, id).await?.ok_or(ChangeError::NotFound)?;
    note_expired(tx, &grant, now).await?;
    Ok(grant)
}

fn record(tx: &mut Tx, grant: &Grant, event: Event, now: Timestamp) {
    tx.record(Chain::between(&grant.clinic, grant.member), now, event);
}

fn lane_of(grant: &Grant) -> LaneKey {
    LaneKey { clinic: grant.clinic.clone(), member: grant.member }
}

fn check(terms: &Terms, now: Timestamp) -> Result<(), ChangeError> {
    let wrong = |field, expected| Err(ChangeError::Terms { field, expected });
    if terms.categories.is_empty() {
        return wrong("categories", "at least one category");
    }
    if terms.purposes.is_empty() {
        return wrong("purposes", "at least one purpose");
    }
    if terms.valid_until <= terms.valid_from {
        return wrong("valid_until", "an instant after valid_from");
    }
    if terms.valid_until <= now {
        return wrong("valid_until", "an instant in the future");
    }
    Ok(())
}
