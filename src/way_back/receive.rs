//! A notice comes in. Whoever sends it proves that they know both secrets of a Subscription, and still is believed no more
//! than that it is worth a look: nothing of what a notice brings along is kept.
//!
//! Each event has a number. One that was seen is ignored. Where one is missing, the EHR is asked what it was about, or
//! everything is looked for: what changed before the one that came is there by then. A number that is lower than before means
//! that the EHR counts anew.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jiff::{SignedDuration, Timestamp};

use super::WayBackError;
use super::secret::{header_index, path_index};
use crate::domain::way_back::SubscriptionState;
use crate::inbound::notice::{News, Notice, NoticeKind};
use crate::pipeline::Bridge;
use crate::store::{NoticeRow, SubscriptionRow, Tx};

/// However often an EHR says that there is news, everything about one Patient is not looked for more often than this.
pub const GAP: SignedDuration = SignedDuration::from_secs(5);

/// So many things to look at may wait for one Subscription; with more, everything is looked for instead.
const MOST_WAITING: i64 = 50;

/// What became of a notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// It is stored, or known already.
    Taken,
    /// There is no such Subscription, or no longer.
    Unknown,
    /// It does not carry the secret.
    Forged,
}

/// Takes a notice that came to this address.
///
/// # Errors
/// [`WayBackError`]; then it should be sent again.
pub async fn receive(bridge: &Bridge, path: &str, header: &str, body: &[u8]) -> Result<Received, WayBackError> {
    let keyring = &bridge.keyring;
    let mut tx = bridge.store.begin().await?;
    let Some(row) = tx.hold_subscription(path_index(keyring, path)).await? else { return Ok(Received::Unknown) };
    if verify_slices_are_equal(&header_index(keyring, header), &row.header_index).is_err() {
        return Ok(Received::Forged);
    }
    let notice = Notice::read(body).ok();
    let named = notice.as_ref().and_then(|notice| notice.subscription.as_ref());
    // The handshake may be faster than the answer that says which id it has.
    let is_other = named.zip(row.ehr_id.as_ref()).is_some_and(|(named, known)| named != known);
    if is_other || row.state == SubscriptionState::Unwanted {
        return Ok(Received::Unknown);
    }
    let now = bridge.clock.now();
    if let Some(notice) = notice {
        take(&mut tx, &row, &notice, now).await?;
    } else if row.state != SubscriptionState::Active || !is_looked_for(&mut tx, &row, now).await? {
        tx.look_for_notified(&row.lane, now, GAP).await?;
        tx.heard_of(&row, (heard(&row, None), row.last_event), now).await?;
    }
    tx.commit().await?;
    bridge.news.notify_waiters();
    Ok(Received::Taken)
}

async fn take(tx: &mut Tx, row: &SubscriptionRow, notice: &Notice, now: Timestamp) -> Result<(), WayBackError> {
    let last = row.last_event;
    let counted = notice.events.or_else(|| notice.news.iter().filter_map(|news| news.number).max());
    // It was begun anew, or taken back to an earlier state: whatever was between is looked for.
    let is_anew = last.zip(counted).is_some_and(|(last, counted)| counted < last) && !is_replay(notice, last);
    let before = if is_anew { None } else { last };
    let Fresh { events, reached, is_lost } = fresh(notice, before, counted);
    let waiting = i64::try_from(events.len()).unwrap_or(i64::MAX).saturating_add(tx.count_notices(row.id).await?);
    if is_anew || is_lost || waiting > MOST_WAITING {
        if !is_anew && is_looked_for(tx, row, now).await? {
            return Ok(());
        }
        tx.look_for_notified(&row.lane, now, GAP).await?;
    } else {
        for (number, focus) in events {
            let (lane, focus) = (row.lane.clone(), focus.cloned());
            tx.insert_notice(&NoticeRow { lane, subscription: row.id, number, focus }, now).await?;
        }
    }
    let state = heard(row, notice.status.as_deref());
    Ok(tx.heard_of(row, (state, reached.or(counted)), now).await?)
}

/// Whether everything is looked for anyway, by a look that has not begun: of many notices at once the first one saw to that,
/// and nothing has to be written down for the others.
async fn is_looked_for(tx: &mut Tx, row: &SubscriptionRow, now: Timestamp) -> Result<bool, WayBackError> {
    Ok(tx.is_look_due(&row.lane, now.checked_add(GAP).unwrap_or(now)).await?)
}

/// What a notice tells that nobody told before.
struct Fresh<'a> {
    /// Each event with its number, and with what it is about, where the notice says so. Those that never came are among them.
    events: BTreeMap<i64, Option<&'a (String, String)>>,
    /// The last number up to which all are told, looked for, or among them.
    reached: Option<i64>,
    /// Whether there were more that cannot be named.
    is_lost: bool,
}

fn fresh(notice: &Notice, before: Option<i64>, counted: Option<i64>) -> Fresh<'_> {
    let is_fresh = |number: i64| before.is_none_or(|before| number > before);
    let numbered = notice.news.iter().map(|News { number, focus }| (number.or(counted), focus.as_ref()));
    let (mut events, mut is_lost) = (BTreeMap::new(), notice.is_more);
    for (number, focus) in numbered {
        match number {
            Some(number) if is_fresh(number) => {
                events.insert(number, focus);
            }
            Some(_) => {}
            None => is_lost = true,
        }
    }
    let last = events.keys().next_back().copied();
    // What only counts them says how many there were: of those that did not come, nobody knows what they were about.
    let reached = match notice.kind {
        NoticeKind::Event if !notice.news.is_empty() => last,
        _ => counted.filter(|counted| is_fresh(*counted)).max(last),
    };
    if let Some((before, reached)) = before.zip(reached) {
        let missing = (before.saturating_add(1)..=reached).filter(|number| !events.contains_key(number));
        let missing: Vec<i64> = missing.take(usize::try_from(MOST_WAITING).unwrap_or_default() + 1).collect();
        events.extend(missing.into_iter().map(|number| (number, None)));
    }
    Fresh { events, reached: reached.or(before), is_lost }
}

/// Whether all that it tells was told before, by one that comes late or a second time: its events are old, and so is its
/// count of them.
fn is_replay(notice: &Notice, last: Option<i64>) -> bool {
    let is_old = |number: Option<i64>| number.zip(last).is_some_and(|(number, last)| number <= last && number > 0);
    notice.kind == NoticeKind::Event
        && !notice.news.is_empty()
        && notice.news.iter().all(|news| is_old(news.number.or(notice.events)))
        // A server that begins anew begins with the first.
        && !notice.news.iter().any(|news| news.number == Some(1) && last != Some(1))
}

/// How a Subscription stands after it was heard of.
fn heard(row: &SubscriptionRow, status: Option<&str>) -> SubscriptionState {
    match (row.state, status) {
        (_, Some("error" | "off")) => SubscriptionState::Error,
        (SubscriptionState::Unwanted, _) => SubscriptionState::Unwanted,
        _ => SubscriptionState::Active,
    }
}
