//! Pages in words and in numbers: for a calm month, a bad one and an almost empty one, in each language.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use mostik::domain::category::{Category, Detail};
use mostik::domain::day::Days;
use mostik::domain::decimal::Decimal;
use mostik::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use mostik::domain::ids::{ClinicId, GrantId, MemberId, ReadingId};
use mostik::domain::language::Language;
use mostik::domain::measurement::{Measured, Measurement, Modality};
use mostik::domain::moment::Moment;
use mostik::domain::page::{Page, Recommended, Scored, Total, Untold, WEEKS};
use mostik::domain::questionnaire::{Answer, Answers, Instrument};
use mostik::domain::reading::{Measure, Mood, Rating, Reading};
use mostik::domain::recommendation::{RecommendationKind, RecommendationState};
use mostik::domain::summary::Scale;
use mostik::insight::page::pdf::pdf;
use mostik::insight::page::text::{COLUMNS, text};
use mostik::insight::page::{Whose, work_out};
use proptest::prelude::*;
use uuid::Uuid;

const MEMBER: MemberId = MemberId(Uuid::from_u128(1));

/// The first day of the first of the four weeks.
pub const FIRST: Date = date(2026, 10, 26);

/// The first day of the last one.
const LAST: Date = date(2026, 11, 16);

fn berlin() -> Days {
    Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap())
}

fn clinic() -> ClinicId {
    "riverside".parse().unwrap()
}

pub fn grant(categories: &[(Category, Detail)]) -> Grant {
    Grant {
        id: GrantId(Uuid::from_u128(3)),
        version: 1,
        member: MEMBER,
        clinic: clinic(),
        state: GrantState::Active,
        terms: Terms {
            categories: categories.iter().copied().collect::<BTreeMap<_, _>>(),
            purposes: BTreeSet::from([Purpose::Treatment]),
            valid_from: Timestamp::MIN,
            valid_until: "2027-05-20T22:00:00Z".parse().unwrap(),
            data_from: None,
            recipient: Addressee::Clinic,
            way_back: WayBack::None,
            withheld: BTreeSet::new(),
        },
        created_at: Timestamp::UNIX_EPOCH,
        ended_at: None,
    }
}

pub fn reading(day: Date, hour: i8, measure: Measure) -> Reading {
    let at = day.at(hour, 0, 0, 0).in_tz("Europe/Berlin").unwrap().timestamp();
    let id = ReadingId(Uuid::from_u128(at.as_microsecond().unsigned_abs().into()));
    Reading { id, member: MEMBER, moment: berlin().moment(at), measure, labels: BTreeSet::new(), source: None }
}

fn mood(day: Date, hour: i8, value: &str) -> Reading {
    let rating = Rating { value: value.parse().unwrap(), worst: "1".parse().unwrap(), best: "5".parse().unwrap() };
    reading(day, hour, Measure::Mood(Mood { rating: Some(rating), label: None, state_of_mind: None }))
}

fn measured(day: Date, of: Measured, value: i32) -> Reading {
    let value = Decimal::from(value);
    let measurement = Measurement { of, value, start: None, modality: Modality::Sensed, device: None };
    reading(day, 7, Measure::Measurement(measurement))
}

fn tags(day: Date, words: &[&str]) -> Reading {
    reading(day, 20, Measure::Tags(words.iter().map(|word| (*word).to_owned()).collect()))
}

/// PHQ-9 with this total, and nothing about how difficult it made anything.
fn phq9(day: Date, total: u8) -> Reading {
    let mut left = total;
    let mut answer = || {
        let given = left.min(3);
        left -= given;
        Answer::Given(given)
    };
    let mut answers: Vec<Answer> = (0..9).map(|_| answer()).collect();
    answers.push(Answer::NotAsked);
    reading(day, 12, Measure::Questionnaire(Answers::new(Instrument::Phq9, answers).unwrap()))
}

fn day(number: i64) -> Date {
    FIRST.checked_add(Span::new().days(number)).unwrap()
}

/// Everything is as it was, and nearly every day is noted.
fn calm() -> Vec<Reading> {
    let mut readings = Vec::new();
    for number in 0..28 {
        let ups = i32::try_from(number * 7 % 5).unwrap();
        if number % 9 != 5 {
            readings.push(mood(day(number), 9, ["4", "3", "4", "4", "5"][usize::try_from(number * 3 % 5).unwrap()]));
        }
        readings.push(measured(day(number), Measured::SleepDuration, 420 + ups * 8));
        readings.push(measured(day(number), Measured::Steps, 6200 + ups * 410));
        readings.push(measured(day(number), Measured::RestingHeartRate, 58 + ups));
        if number % 3 == 0 {
            readings.push(tags(day(number), &["walk", "friends"]));
        }
    }
    readings
}

/// It goes down from the second week on, with days on which nothing could be noted.
fn bad() -> Vec<Reading> {
    let mut readings = Vec::new();
    for number in 0..28 {
        let down = i32::try_from(number).unwrap();
        if ![12, 13, 17, 18, 19, 25].contains(&number) {
            let level = ["4", "3.5", "2.5", "1"][usize::try_from(number / 7).unwrap()];
            readings.push(mood(day(number), 9, level));
            readings.push(mood(day(number), 21, if number % 4 == 0 { "1" } else { "2" }));
        }
        if number % 6 != 4 {
            readings.push(measured(day(number), Measured::SleepDuration, 450 - down * 8 - down % 3 * 35));
        }
        readings.push(measured(day(number), Measured::Steps, 7000 - down * 220));
        readings.push(measured(day(number), Measured::Awakenings, 1 + down / 6));
        if number > 14 {
            readings.push(tags(day(number), &["slept badly", "alone"]));
        }
    }
    readings.push(phq9(date(2026, 11, 20), 16));
    readings.push(phq9(date(2026, 11, 6), 9));
    readings
}

/// Hardly anything.
fn empty() -> Vec<Reading> {
    vec![mood(day(3), 9, "3"), mood(day(22), 9, "2")]
}

pub const KINDS: [&str; 3] = ["calm", "bad", "empty"];

/// A month as it is seen by whoever may see it by days.
pub fn month(kind: &str, language: Language) -> Page {
    let readings = match kind {
        "calm" => calm(),
        "bad" => bad(),
        _ => empty(),
    };
    let daily = [Category::Mood, Category::Sleep, Category::Activity, Category::Questionnaires]
        .map(|it| (it, Detail::DailySummary));
    let weekly = [Category::Tags, Category::Heart].map(|it| (it, Detail::WeeklySummary));
    let mut page = page(&readings, &[grant(&[daily.to_vec(), weekly.to_vec()].concat())]).unwrap();
    let agenda = match (kind, language) {
        ("calm", _) => None,
        (_, Language::En) => Some(
            "I wake at four since the dose was changed. Could we look at the time of day at which I take it?\nAnd I \
             would like to know how long this is meant to go on.",
        ),
        (_, Language::Ru) => Some(
            "С тех пор как изменили дозу, я просыпаюсь в четыре утра. Можно ли обсудить, в какое время дня её \
             принимать?\nИ хотелось бы понять, сколько это ещё продлится.",
        ),
    };
    page.recommended = if kind == "bad" { recommended(language) } else { Vec::new() };
    let noted = Moment::parse_rfc3339("2026-11-21T19:00:00+01:00").unwrap();
    page.agenda = agenda.map(|words| (noted, words.to_owned()));
    page
}

/// What the clinic recommended: one that was declined, by an answer that its EHR took in no other form, and one that was done.
fn recommended(language: Language) -> Vec<Recommended> {
    let (walk, test, knee) = match language {
        Language::En => ("Walk half an hour, every other day", "Blood test", "My knee hurts."),
        Language::Ru => ("Ходить полчаса через день", "Анализ крови", "Болит колено."),
    };
    let of = |kind, what: &str, state, replies| Recommended {
        kind,
        what: what.to_owned(),
        on: date(2026, 11, 9),
        state,
        since: date(2026, 11, 17),
        is_actionable: true,
        replies,
    };
    let declined = Untold { answer: "decline", text: Some(knee.to_owned()), on: date(2026, 11, 17) };
    vec![
        of(RecommendationKind::Task, walk, RecommendationState::Declined, vec![declined]),
        of(RecommendationKind::ServiceRequest, test, RecommendationState::Done, Vec::new()),
    ]
}

/// The page about the last week.
pub fn page(readings: &[Reading], grants: &[Grant]) -> Option<Page> {
    let days = berlin();
    let week = days.period_of(Detail::WeeklySummary, days.start_of(LAST));
    let whose = Whose { member: MEMBER, grants, days: &days };
    work_out(whose, &clinic(), week, readings, Vec::new(), week.end)
}

#[test]
fn a_page_is_read_in_a_narrow_window_in_each_language() {
    for kind in KINDS {
        for language in Language::ALL {
            let words = text(&month(kind, language), Some("Dr Ada Example"), language);
            insta::assert_snapshot!(format!("page_{kind}_{}", language.as_str()), words);
            assert!(words.lines().all(|line| line.chars().count() <= COLUMNS), "{words}");
        }
    }
}

/// With `MOSTIK_SHOW_PAGES` they are written into that folder, for people to look at: `pdftoppm -r 100 -png calm-en.pdf calm`.
#[test]
fn a_page_is_one_sheet_and_the_same_page_gives_the_same_bytes() {
    let made = "2026-11-23T00:00:00Z".parse().unwrap();
    for kind in KINDS {
        for language in Language::ALL {
            let page = month(kind, language);
            let written = pdf(&page, Some("Dr Ada Example"), language, made).unwrap();
            assert!(written.starts_with(b"%PDF-1.7") && written.len() < 60_000, "{} bytes", written.len());
            assert_eq!(written, pdf(&page, Some("Dr Ada Example"), language, made).unwrap());
            let sheets = String::from_utf8_lossy(&written).matches("/Type/Page/").count();
            assert_eq!(sheets, 1);
            if let Some(folder) = std::env::var_os("MOSTIK_SHOW_PAGES") {
                let name = format!("{kind}-{}.pdf", language.as_str());
                std::fs::write(std::path::Path::new(&folder).join(name), written).unwrap();
            }
        }
    }
}

#[test]
fn whatever_somebody_writes_finds_its_place() {
    let mut page = month("bad", Language::En);
    let (noted, _) = page.agenda.clone().unwrap();
    let words = "😀 აბგ \u{7}word\tword ".to_owned() + &"й".repeat(400) + &"\nline".repeat(60);
    page.agenda = Some((noted, words));
    page.tags = vec![mostik::domain::summary::TagCount { tag: "t".repeat(100), entries: 3 }; 5];
    let row = page.rows[0].clone();
    page.rows.extend(std::iter::repeat_n(row, 40));
    let made = "2026-11-23T00:00:00Z".parse().unwrap();
    let written = pdf(&page, Some(&"W".repeat(200)), Language::En, made).unwrap();
    if let Some(folder) = std::env::var_os("MOSTIK_SHOW_PAGES") {
        std::fs::write(std::path::Path::new(&folder).join("full-en.pdf"), written).unwrap();
    }
    assert!(text(&page, None, Language::En).lines().all(|line| line.chars().count() <= COLUMNS));
}

#[test]
fn where_only_weeks_are_shared_no_day_stands_on_the_page() {
    let shared = |detail| page(&bad(), &[grant(&[(Category::Mood, detail)])]).unwrap();
    let (weekly, daily) = (shared(Detail::WeeklySummary), shared(Detail::EveryEntry));
    if let Some(folder) = std::env::var_os("MOSTIK_SHOW_PAGES") {
        let written = pdf(&weekly, None, Language::En, Timestamp::UNIX_EPOCH).unwrap();
        std::fs::write(std::path::Path::new(&folder).join("weekly-en.pdf"), written).unwrap();
    }
    assert!(weekly.rows.iter().all(|row| row.days.is_empty()));
    assert_eq!(weekly.parts[0].detail, Detail::WeeklySummary);
    assert_eq!(daily.rows[0].days.len(), 7 * usize::from(WEEKS));
    assert_eq!(daily.parts[0].detail, Detail::DailySummary, "a page is no diary");
}

#[test]
fn a_total_stands_there_with_its_day_only_where_days_are_shared() {
    let shared = |detail| page(&bad(), &[grant(&[(Category::Questionnaires, detail)])]).unwrap();
    let (weekly, finest) = (shared(Detail::WeeklySummary), shared(Detail::EveryEntry));
    let newest = Total { total: 16, on: date(2026, 11, 20), before: Some((9, date(2026, 11, 6))) };
    let scored = Scored { instrument: Instrument::Phq9, newest: Some(newest), incomplete: None, self_harm: vec![] };
    assert!(finest.scores == [scored] && finest.rows.is_empty());
    assert_eq!(finest.parts[0].detail, Detail::DailySummary);
    assert!(weekly.scores.is_empty(), "its day would say what no more than weeks may");
    assert_eq!(weekly.rows[0].now().unwrap().spread.most.as_str(), "16");
    assert_eq!(weekly.parts[0].detail, Detail::WeeklySummary);
}

#[test]
fn what_is_not_shared_is_not_there_and_nothing_says_that_it_is() {
    let only_mood = [grant(&[(Category::Mood, Detail::DailySummary)])];
    let mine =
        |readings: &[Reading]| readings.iter().filter(|it| it.measure.category() == Category::Mood).cloned().collect();
    let without: Vec<Reading> = mine(&bad());
    let (with, without) = (page(&bad(), &only_mood).unwrap(), page(&without, &only_mood).unwrap());
    assert!(with == without, "the same, whether there is anything else or not");
    assert!(page(&bad(), &[grant(&[(Category::Note, Detail::EveryEntry)])]).is_none());
}

/// Three weeks before the page, and one after it: what counts, and what does not.
fn any_readings() -> impl Strategy<Value = Vec<Reading>> {
    let number = prop_oneof![Just("1".to_owned()), "[1-4](\\.[0-9]{1,3})?", Just("5.0".to_owned())];
    let rated = (-10i64..40, 0i8..24, number).prop_map(|(number, hour, value)| mood(day(number), hour, &value));
    let slept =
        (-10i64..40, 0i32..900).prop_map(|(number, minutes)| measured(day(number), Measured::SleepDuration, minutes));
    prop::collection::vec(prop_oneof![rated, slept], 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_figures_are_those_of_a_count_by_hand(readings in any_readings()) {
        let grants = [grant(&[(Category::Mood, Detail::DailySummary), (Category::Sleep, Detail::WeeklySummary)])];
        let Some(page) = page(&readings, &grants) else { return Ok(()) };
        for row in &page.rows {
            for (week, found) in row.weeks.iter().enumerate() {
                let days: Vec<Vec<f64>> = (0..7).map(|it| of_day(&readings, &row.scale, i64::try_from(week).unwrap() * 7 + it)).collect();
                let noted = days.iter().filter(|day| !day.is_empty()).count();
                let Some(found) = found else { prop_assert_eq!(noted, 0); continue };
                prop_assert_eq!(usize::try_from(found.days_missing).unwrap(), 7 - noted);
                prop_assert_eq!(usize::try_from(found.entries).unwrap(), days.iter().map(Vec::len).sum::<usize>());
                let numbers: Vec<f64> = match row.scale {
                    // Minutes of a day add up.
                    Scale::Measured(_) => days.iter().filter(|day| !day.is_empty()).map(|day| day.iter().sum()).collect(),
                    _ => days.concat(),
                };
                let count = f64::from(u32::try_from(numbers.len()).unwrap());
                let mean = found.spread.mean.as_ref().unwrap().approximate();
                prop_assert!((mean - numbers.iter().sum::<f64>() / count).abs() <= 0.005 + 1e-9);
                let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
                prop_assert!((found.spread.least.approximate() - least).abs() < 1e-9);
            }
        }
        for language in Language::ALL {
            let words = text(&page, Some(&"Б".repeat(200)), language);
            prop_assert!(words.lines().all(|line| line.chars().count() <= COLUMNS), "{}", words);
        }
    }
}

/// The numbers of a scale on a day of the page, counted from its first.
fn of_day(readings: &[Reading], scale: &Scale, number: i64) -> Vec<f64> {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let on_day = readings.iter().filter(|it| zone.to_datetime(it.moment.at).date() == day(number));
    let of_scale = |reading: &Reading| {
        let found = reading.numbers().into_iter().find(|(of, _)| of.name() == scale.name());
        found.map(|(_, number)| number.approximate())
    };
    on_day.filter_map(of_scale).collect()
}
