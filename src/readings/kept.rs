//! Readings that are kept for their members: sealed, opened, found.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KeptError;
use crate::domain::category::Category;
use crate::domain::ids::ReadingId;
use crate::domain::label::Label;
use crate::domain::moment::Moment;
use crate::domain::reading::{Measure, Reading};
use crate::store::{ReadingSearch, SealedReading, Tx};
use crate::vault::MemberKey;

/// The column readings are sealed for; their row is their id.
const COLUMN: &str = "readings.sealed_reading";

/// How many are read at once.
const AT_ONCE: i64 = 1000;

#[derive(Serialize, Deserialize)]
struct Content {
    moment: Moment,
    measure: Measure,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    labels: BTreeSet<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// Some readings, and how to find those after them.
#[derive(Debug)]
pub struct Page {
    /// The newest first.
    pub readings: Vec<Reading>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<(Timestamp, ReadingId)>,
}

/// Seals a reading with its member's key.
///
/// # Errors
/// [`KeptError`].
pub fn seal(key: &MemberKey, reading: &Reading) -> Result<SealedReading, KeptError> {
    let Reading { id, member, moment, measure, labels, source } = reading.clone();
    let category = measure.category();
    let plain = serde_json::to_vec(&Content { moment, measure, labels, source }).map_err(|_| KeptError::Unreadable)?;
    Ok(SealedReading {
        member,
        id,
        category,
        measured_at: moment.at,
        sealed: key.seal(COLUMN, id.0.as_bytes(), &plain)?,
    })
}

fn open(key: &MemberKey, row: &SealedReading) -> Result<Reading, KeptError> {
    let plain = key.open(COLUMN, row.id.0.as_bytes(), &row.sealed)?;
    let content: Content = serde_json::from_slice(&plain).map_err(|_| KeptError::Unreadable)?;
    let Content { moment, measure, labels, source } = content;
    Ok(Reading { id: row.id, member: row.member, moment, measure, labels, source })
}

/// A page of readings of the member whose key it is. One that does not open is left out; the log says so.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn page(tx: &mut Tx, key: &MemberKey, search: &ReadingSearch) -> Result<Page, KeptError> {
    let rows = tx.readings(key.member(), search).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|found| found >= search.limit);
    let next = rows.last().filter(|_| is_full).map(|row| (row.measured_at, row.id));
    let readable = |row: SealedReading| {
        let opened = open(key, &row);
        opened.inspect_err(|error| tracing::error!(member_id = %row.member, %error, "a reading cannot be read")).ok()
    };
    Ok(Page { readings: rows.into_iter().filter_map(readable).collect(), next })
}

/// Every reading of the member whose key it is, of one category or of all, lived from one instant to before another; the
/// oldest first.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn all(
    tx: &mut Tx,
    key: &MemberKey,
    category: Option<Category>,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Reading>, KeptError> {
    let mut found = Vec::new();
    let mut search = ReadingSearch { category, from, until, after: None, limit: AT_ONCE };
    loop {
        let Page { readings, next } = page(tx, key, &search).await?;
        found.extend(readings);
        if next.is_none() {
            break;
        }
        search.after = next;
    }
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_before_it_was_noted_by_which_way_it_came_is_still_read() {
        let moment = Moment::parse_rfc3339("2026-11-20T11:00:00+01:00").unwrap();
        let measure = Measure::Note("dear diary".to_owned());
        let before = serde_json::json!({"moment": moment, "measure": measure}).to_string();
        let content: Content = serde_json::from_str(&before).unwrap();
        assert!(content.source.is_none() && content.measure == measure);
        assert!(!serde_json::to_string(&content).unwrap().contains("source"));
    }
}
