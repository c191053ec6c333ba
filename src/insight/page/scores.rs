//! Questionnaires → what a page says of them: the newest total of each and the one before, whether a newer form is not complete,
//! and what no total says: that somebody thinks of death or of hurting themselves.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::day::Days;
use crate::domain::ids::ReadingId;
use crate::domain::page::{Scored, Total};
use crate::domain::questionnaire::{Answer, Answers, Instrument};
use crate::domain::reading::{Measure, Reading};

/// How many totals of an instrument it says.
const TOTALS: usize = 2;

/// A form that was filled in.
struct Form<'r> {
    at: Timestamp,
    id: ReadingId,
    answers: &'r Answers,
    /// Whether its answers may be told one by one.
    is_told: bool,
}

/// Of each instrument of which there is a form; and the readings whose totals these are. A single answer is said only of those
/// whose answers may be told one by one.
pub fn scores(
    readings: &[Reading],
    days: &Days,
    is_told: impl Fn(&Reading) -> bool,
) -> (Vec<Scored>, BTreeSet<ReadingId>) {
    let (mut found, mut of) = (Vec::new(), BTreeSet::new());
    for instrument in Instrument::ALL {
        let forms = forms(instrument, readings, &is_told);
        let Some(newest) = forms.first() else { continue };
        let totals = forms.iter().filter_map(|form| Some((form, form.answers.total()?))).take(TOTALS);
        of.extend(totals.clone().map(|(form, _)| form.id));
        let mut totals = totals.map(|(form, total)| (total, days.day_of(form.at)));
        found.push(Scored {
            instrument,
            newest: totals.next().map(|(total, on)| Total { total, on, before: totals.next() }),
            incomplete: newest.answers.total().is_none().then(|| days.day_of(newest.at)),
            self_harm: self_harm(&forms, days),
        });
    }
    (found, of)
}

/// The forms of an instrument, the newest first.
fn forms<'r>(instrument: Instrument, readings: &'r [Reading], is_told: impl Fn(&Reading) -> bool) -> Vec<Form<'r>> {
    let forms = readings.iter().filter_map(|reading| match &reading.measure {
        Measure::Questionnaire(answers) if answers.instrument() == instrument => {
            Some(Form { at: reading.moment.at, id: reading.id, answers, is_told: is_told(reading) })
        }
        _ => None,
    });
    let mut forms: Vec<Form<'r>> = forms.collect();
    forms.sort_unstable_by_key(|form| Reverse((form.at, form.id)));
    forms
}

/// What was answered to the question about death and self-harm in the forms of which something is said, and in the newest in
/// which it was above zero, whatever came after it. Nothing where it was zero in each.
fn self_harm(forms: &[Form<'_>], days: &Days) -> Vec<(Answer, Date)> {
    let forms: Vec<&Form<'_>> = forms.iter().filter(|form| form.is_told).collect();
    let first = |most: usize, is: fn(&Answers) -> bool| {
        forms.iter().enumerate().filter(move |(_, form)| is(form.answers)).map(|(place, _)| place).take(most)
    };
    let newest =
        first(1, |_| true).chain(first(TOTALS, |it| it.total().is_some())).chain(first(1, Answers::wants_help));
    let said = newest.collect::<BTreeSet<_>>().into_iter().filter_map(|place| forms.get(place));
    let said = said.filter_map(|form| Some((form.answers.self_harm()?, days.day_of(form.at))));
    let said: Vec<(Answer, Date)> = said.collect();
    if said.iter().all(|(answer, _)| answer.given() == Some(0)) { Vec::new() } else { said }
}
