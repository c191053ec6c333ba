//! Entries that a clinic was told by themselves, and that read differently now that only summaries may be told: a correction
//! that was under way when the detail changed goes no more, and what it was to correct must not stand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::standing::Standing;
use super::tell::Mail;
use crate::domain::category::{Category, Detail};
use crate::pipeline::{AcceptError, Bridge, content_of};
use crate::readings::kept;
use crate::store::{LaneKey, Tx, Unsummarised};

/// Takes back what is no longer so of the entries that are to be summarised.
///
/// # Errors
/// [`AcceptError`].
pub async fn take_back_stale<'k>(
    bridge: &Bridge,
    tx: &mut Tx,
    standing: &'k Standing,
    changes: &[Unsummarised],
    mail: &mut Mail<'k>,
    now: Timestamp,
) -> Result<(), AcceptError> {
    let mut times: BTreeMap<(LaneKey, Category), BTreeSet<Timestamp>> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.detail != Detail::EveryEntry) {
        times.entry((change.lane.clone(), change.category)).or_default().insert(change.measured_at);
    }
    for ((lane, category), times) in times {
        let (Some(first), Some(last)) = (times.first(), times.last()) else { continue };
        let Some(patient) = standing.patient(&lane.clinic) else { continue };
        let until = last.checked_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::MAX);
        let mut readings = kept::all(tx, &standing.key, Some(category), *first, until).await?;
        readings.retain(|reading| times.contains(&reading.moment.at));
        let told: Vec<(String, _)> = readings
            .iter()
            .map(|reading| {
                let identifier = patient.identifier(bridge, reading.id).to_string();
                (identifier, content_of(&bridge.keyring, reading))
            })
            .collect();
        let versions = tx.newest_versions(&told.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()).await?;
        for (name, content) in told {
            let Some(before) = versions.get(&name) else { continue };
            if before.content.is_some_and(|before| before != content) {
                mail.take_back(standing, &lane.clinic, &name, before, now);
            }
        }
    }
    Ok(())
}
