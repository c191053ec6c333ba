//! Looking after members' readings: what no consent covers any more is forgotten, and of days and weeks that are over
//! clinics are told what they may know. And the time of a consent may be over: that is written down, and told.
//!
//! One member is one transaction that has the member for itself: nothing of theirs is taken in, changed or sent meanwhile,
//! and a replica that does the same finds that it was done. A summary is made when its day or week is over by the member's
//! own clock, if something came during it under a consent to summaries; it speaks of every reading of that time that the
//! consent covers. Pages for clinics ([`super::page`]) are made at the end of weeks, too. While a consent is paused nothing is made; when it is resumed, what was due is.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::forget::forget_uncovered;
use super::page::make_due;
use super::plan::{Made, plan};
use super::remind::remind;
use super::stale::take_back_stale;
use super::standing::Standing;
use super::tell::{mail, work_out};
use crate::consent::decide::DenyReason;
use crate::domain::audit::{Decisions, Stage};
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::settings::Change;
use crate::outbox::enqueue::enqueue;
use crate::pipeline::consent::note_expired;
use crate::pipeline::{AcceptError, Bridge};
use crate::readings::settings::change_settings;
use crate::store::{StoreError, Tx};

/// How many members are looked after before others get a turn.
const MEMBERS_AT_ONCE: i64 = 20;

/// How long a member is left alone whose readings cannot be worked on, so that nobody else waits for them.
const LEFT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Looks after members whose time has come. Returns whether there may be more.
///
/// # Errors
/// [`StoreError`]; members before the one where it failed are done.
pub async fn look_after_members(bridge: &Bridge) -> Result<bool, StoreError> {
    let due = {
        let mut tx = bridge.store.read().await?;
        tx.members_to_look_after(bridge.clock.now(), MEMBERS_AT_ONCE).await?
    };
    for member in &due {
        match look_after(bridge, *member).await {
            Ok(()) => {}
            Err(AcceptError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::error!(member_id = %member, %error, "a member's readings cannot be worked on");
                let mut tx = bridge.store.begin().await?;
                let later = bridge.clock.now().checked_add(LEFT_FOR).unwrap_or(Timestamp::MAX);
                tx.looked_after(*member, Some(later)).await?;
                tx.commit().await?;
            }
        }
    }
    Ok(!due.is_empty())
}

async fn look_after(bridge: &Bridge, member: MemberId) -> Result<(), AcceptError> {
    let mut tx = bridge.store.begin().await?;
    match tx.lock_member(member).await {
        // They were erased in between.
        Err(StoreError::RowCount { .. }) => return Ok(()),
        locked => locked?,
    }
    // Only now, when nobody else changes anything of theirs.
    let now = bridge.clock.now();
    if tx.upkeep(member).await?.is_none_or(|due| due > now) {
        return Ok(());
    }
    let Some(standing) = Standing::load(bridge, &mut tx, member).await? else { return Ok(()) };
    note_expired(bridge, &mut tx, &standing.grants, now).await?;
    let kept_from = bridge.readings.kept_from(now);
    forget_uncovered(&mut tx, &standing, now).await?;
    tx.forget_old_summaries(member, standing.days.day_of(kept_from)).await?;
    let changes = tx.unsummarised(member).await?;
    let made = made(&mut tx, member).await?;
    let plan = plan(&standing, &changes, &made, kept_from, now);
    let told = work_out(bridge, &mut tx, &standing, plan.targets, now).await?;
    let mut mail = mail(bridge, &mut tx, &standing, &told, &made, now).await?;
    take_back_stale(bridge, &mut tx, &standing, &changes, &mut mail, now).await?;
    let next_page = make_due(bridge, &mut tx, &standing, &mut mail, now).await?;
    if !(made.is_empty() && mail.parcels.is_empty()) {
        note_clock(bridge, &mut tx, &standing, now).await?;
    }
    note_denied(&mut tx, member, plan.denied.iter().chain(&mail.denied), now);
    enqueue(&mut tx, &mail.parcels, &mail.recalls, bridge.keyring.entropy(), now).await?;
    for ((lane, category), made) in &mail.made {
        tx.note_summaries(lane, *category, made).await?;
    }
    tx.cross_out(member, &plan.settled).await?;
    tx.note_unsummarised(&mail.unsummarised).await?;
    let at_once = mail.unsummarised.first().map(|_| now);
    let next_reminder = remind(bridge, &mut tx, &standing, now).await?;
    let others = [at_once, next_page, next_reminder, turn_of_consent(&standing, now)];
    let next = plan.next.into_iter().chain(others.into_iter().flatten()).min();
    tx.looked_after(member, next).await?;
    tx.commit().await?;
    if !mail.parcels.is_empty() {
        bridge.wake.notify_waiters();
    }
    Ok(())
}

/// Notes by which clock the days are of which clinics are told, where the member has not said where theirs stands: when they do,
/// what was told stays right.
async fn note_clock(bridge: &Bridge, tx: &mut Tx, standing: &Standing, now: Timestamp) -> Result<(), AcceptError> {
    if !standing.settings.has_clock() {
        let change = Change { counted_by: Some(bridge.readings.zone.clone()), ..Change::default() };
        change_settings(tx, &standing.key, change, now).await?;
    }
    Ok(())
}

/// Notes for the audit log what clinics may not be told, as at the intake: how much and why, and nothing more.
fn note_denied<'d>(
    tx: &mut Tx,
    member: MemberId,
    denied: impl Iterator<Item = &'d (ClinicId, DenyReason)>,
    now: Timestamp,
) {
    let mut decisions = Decisions::at(Stage::Intake);
    denied.for_each(|(clinic, reason)| decisions.deny(clinic, member, reason.as_str()));
    decisions.entries(now).for_each(|entry| tx.record_entry(entry));
}

async fn made(tx: &mut Tx, member: MemberId) -> Result<Made, StoreError> {
    let mut made = HashMap::new();
    for (lane, category) in tx.summarised(&[member]).await? {
        let of_lane = tx.made_summaries(member, &lane.clinic, category).await?;
        made.insert((lane, category), of_lane);
    }
    Ok(made)
}

/// When the next consent begins or ends by itself: what waited for it is due then, or what it alone covered forgotten.
fn turn_of_consent(standing: &Standing, now: Timestamp) -> Option<Timestamp> {
    let terms = standing.grants.iter().map(|grant| &grant.terms);
    terms.flat_map(|terms| [terms.valid_from, terms.valid_until]).filter(|at| *at > now).min()
}
