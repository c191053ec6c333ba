//! Questionnaires → what a page says of them: the newest total of each, and the one before.

use crate::domain::day::Days;
use crate::domain::page::Scored;
use crate::domain::questionnaire::Instrument;
use crate::domain::reading::{Measure, Reading};

/// Of each instrument whose total is known at least once.
pub fn scores(readings: &[Reading], days: &Days) -> Vec<Scored> {
    Instrument::ALL.into_iter().filter_map(|instrument| scored(instrument, readings, days)).collect()
}

fn scored(instrument: Instrument, readings: &[Reading], days: &Days) -> Option<Scored> {
    let total = |reading: &Reading| match &reading.measure {
        Measure::Questionnaire(answers) if answers.instrument() == instrument => {
            answers.total().map(|total| (reading.moment.at, reading.id, total))
        }
        _ => None,
    };
    let mut totals: Vec<_> = readings.iter().filter_map(total).collect();
    totals.sort_unstable();
    let mut newest = totals.into_iter().rev().map(|(at, _, total)| (total, days.day_of(at)));
    let (total, on) = newest.next()?;
    Some(Scored { instrument, total, on, before: newest.next() })
}
