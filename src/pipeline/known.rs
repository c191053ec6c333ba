//! What is known of the events of a batch and of their entries, and what becomes of it.

use std::collections::HashMap;

use jiff::Timestamp;

use super::candidate::Candidate;
use crate::domain::ids::CommunityId;
use crate::store::{SeenEvent, StoreError, Tx};
use crate::vault::Index;

/// Rows of events. Nobody else changes them until the transaction ends: those that were there are held, and those that
/// were not have been put there, so that whoever wants the same ones waits.
pub(super) struct Known {
    stored: HashMap<Index, SeenEvent>,
    rows: HashMap<Index, SeenEvent>,
}

impl Known {
    /// Holds the rows of the candidates and of their entries.
    pub(super) async fn load(
        tx: &mut Tx,
        community: &CommunityId,
        candidates: &[Candidate],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let wanted: Vec<SeenEvent> = candidates
            .iter()
            .flat_map(|candidate| [Some(candidate.row()), candidate.row_of_entry()])
            .flatten()
            .collect();
        let new = tx.insert_events(community, &wanted, now).await?;
        let mut stored: HashMap<Index, SeenEvent> = HashMap::with_capacity(wanted.len());
        // Of two rows with the same index the first was inserted.
        for row in &wanted {
            stored.entry(row.event).or_insert(*row);
        }
        let mut others = stored.clone();
        for index in &new {
            others.remove(index);
        }
        let others: Vec<Index> = others.into_keys().collect();
        let rows = tx.hold_events(community, &others).await?;
        stored.extend(&rows);
        Ok(Self { stored, rows })
    }

    /// What is known of an event, what the batch said so far included.
    pub(super) fn get(&self, event: &Index) -> Option<&SeenEvent> {
        self.rows.get(event)
    }

    /// Notes what is known of an event from now on.
    pub(super) fn put(&mut self, row: SeenEvent) {
        self.rows.insert(row.event, row);
    }

    /// Writes what the batch changed, and forgets what was put there for nothing.
    pub(super) async fn save(&self, tx: &mut Tx, community: &CommunityId, now: Timestamp) -> Result<(), StoreError> {
        let changed: Vec<SeenEvent> =
            self.rows.values().filter(|row| self.stored.get(&row.event) != Some(row)).copied().collect();
        tx.update_events(community, &changed, now).await?;
        let unclaimed: Vec<Index> =
            self.stored.keys().filter(|event| !self.rows.contains_key(*event)).copied().collect();
        tx.forget_events(community, &unclaimed).await
    }
}
