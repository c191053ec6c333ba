//! What is kept no longer: readings that no consent covers any more, and the summaries that they were part of.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::standing::Standing;
use crate::consent::share::Share;
use crate::domain::category::Category;
use crate::domain::ids::{MemberId, ReadingId};
use crate::pipeline::AcceptError;
use crate::readings::kept;
use crate::store::{LaneKey, Tx};

/// Forgets the readings of a member, whom the caller has locked, that no clinic may see any more, unless the member wants
/// them kept.
///
/// A summary of which readings are gone is never corrected: it would become one of what is left. Nor is one that was made
/// under a consent that has ended.
///
/// # Errors
/// [`AcceptError`].
pub async fn forget_uncovered(tx: &mut Tx, standing: &Standing, now: Timestamp) -> Result<(), AcceptError> {
    let member = standing.member;
    let mut gone: BTreeMap<Category, Timestamp> = BTreeMap::new();
    if !standing.settings.keep {
        for category in Category::ALL {
            let before = standing.reach(category, now).unwrap_or(Timestamp::MAX);
            let last = tx.forget_readings_before(member, category, before).await?;
            gone.extend(last.map(|last| (category, last)));
        }
        if standing.grants.iter().any(|grant| !grant.terms.withheld.is_empty()) {
            forget_withheld(tx, standing, &mut gone, now).await?;
        }
    }
    let gone_last = gone.values().max().copied();
    for (category, last) in gone {
        tx.close_summaries(member, None, category, standing.days.day_of(last)).await?;
    }
    if let Some(last) = gone_last {
        tx.close_pages(member, standing.days.day_of(last)).await?;
    }
    for clinic in tx.paged_clinics(member).await? {
        if standing.grants.iter().all(|grant| grant.clinic != clinic || grant.is_expired(now)) {
            tx.close_pages_of(&LaneKey { clinic, member }).await?;
        }
    }
    for (lane, category) in tx.summarised(&[member]).await? {
        let share = Share::at(member, category, Timestamp::MAX);
        if !standing.is_covered(&share, Some(&lane.clinic), now) {
            tx.close_summaries(member, Some(&lane.clinic), category, jiff::civil::Date::MAX).await?;
        }
    }
    Ok(())
}

/// Labels are sealed with what was said: they are looked at one by one.
async fn forget_withheld(
    tx: &mut Tx,
    standing: &Standing,
    gone: &mut BTreeMap<Category, Timestamp>,
    now: Timestamp,
) -> Result<(), AcceptError> {
    let readings = kept::all(tx, &standing.key, None, Timestamp::MIN, Timestamp::MAX).await?;
    let mut withheld: Vec<(MemberId, ReadingId)> = Vec::new();
    for reading in readings {
        if !standing.is_covered(&Share::of(&reading), None, now) {
            withheld.push((standing.member, reading.id));
            // The oldest come first.
            gone.insert(reading.measure.category(), reading.moment.at);
        }
    }
    tx.delete_readings(&withheld).await?;
    Ok(())
}
