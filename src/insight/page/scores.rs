//! Questionnaires → what a page says of them: the newest total of each, and the one before.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::day::Days;
use crate::domain::ids::ReadingId;
use crate::domain::page::Scored;
use crate::domain::questionnaire::Instrument;
use crate::domain::reading::{Measure, Reading};

/// Of each instrument whose total is known at least once; and the readings that these are the totals of.
pub fn scores(readings: &[Reading], days: &Days) -> (Vec<Scored>, BTreeSet<ReadingId>) {
    let (mut found, mut of) = (Vec::new(), BTreeSet::new());
    for instrument in Instrument::ALL {
        let totals = totals(instrument, readings);
        let mut newest = totals.iter().rev().map(|(at, _, total)| (*total, days.day_of(*at)));
        let Some((total, on)) = newest.next() else { continue };
        found.push(Scored { instrument, total, on, before: newest.next() });
        of.extend(totals.iter().rev().take(2).map(|(_, id, _)| *id));
    }
    (found, of)
}

/// The totals of an instrument, the oldest first.
fn totals(instrument: Instrument, readings: &[Reading]) -> Vec<(Timestamp, ReadingId, u8)> {
    let total = |reading: &Reading| match &reading.measure {
        Measure::Questionnaire(answers) if answers.instrument() == instrument => {
            answers.total().map(|total| (reading.moment.at, reading.id, total))
        }
        _ => None,
    };
    let mut totals: Vec<_> = readings.iter().filter_map(total).collect();
    totals.sort_unstable();
    totals
}
