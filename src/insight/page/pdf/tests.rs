//! What is drawn where, on sheets from an empty one to the fullest that there can be.

use jiff::civil::{Date, date};
use uuid::Uuid;

use super::*;
use crate::domain::category::Detail;
use crate::domain::ids::MemberId;
use crate::domain::measurement::Measured;
use crate::domain::moment::Moment;
use crate::domain::page::{Recommended, Scope, Scored, Total, Untold, Week};
use crate::domain::questionnaire::{Answer, Instrument, SELF_HARM};
use crate::domain::recommendation::{RecommendationKind, RecommendationState};
use crate::domain::statistics::Spread;
use crate::domain::summary::TagCount;

const DAY: Date = date(2026, 11, 20);

fn moment(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap()
}

/// How much of what there is.
#[derive(Clone, Copy, Debug)]
struct Full {
    lines: usize,
    questionnaires: usize,
    recommended: usize,
    rows: usize,
}

fn page(full: Full) -> Page {
    let rating = Scale::Rating { worst: 1.into(), best: 5.into() };
    let scales = std::iter::once(rating).chain(Measured::ALL.map(Scale::Measured));
    Page {
        member: MemberId(Uuid::nil()),
        weeks: vec![date(2026, 10, 26), date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)],
        start: moment("2026-10-26T00:00:00+01:00"),
        last: moment("2026-11-22T23:59:59+01:00"),
        rows: scales.take(full.rows).map(row).collect(),
        tags: vec![TagCount { tag: "slept badly".to_owned(), entries: 7 }; 5],
        scores: Instrument::ALL.into_iter().take(full.questionnaires).map(scored).collect(),
        results: Vec::new(),
        agenda: (full.lines > 0).then(|| (moment("2026-11-20T13:00:00+01:00"), "Мне плохо.\n".repeat(full.lines))),
        recommended: vec![recommended(); full.recommended],
        scope: Scope {
            categories: Category::ALL.map(|it| (it, Detail::EveryEntry)).to_vec(),
            since: Some(DAY),
            until: date(2027, 5, 20),
        },
        parts: Vec::new(),
        is_measured: true,
        has_news: true,
    }
}

fn row(scale: Scale) -> Row {
    let number = 300.into();
    let week = Week { days: 7, days_missing: 0, entries: 9, spread: Spread::of(&[&number]).unwrap() };
    Row { scale, weeks: vec![Some(week); 4], days: vec![Some(number); 28], waits: false }
}

/// Everything that can be said of a questionnaire, at its longest.
fn scored(instrument: Instrument) -> Scored {
    let asks = instrument.questions().iter().any(|question| question.code == SELF_HARM);
    Scored {
        instrument,
        newest: Some(Total { total: instrument.most() / 3 * 2, on: DAY, before: Some((0, DAY)) }),
        incomplete: Some(DAY),
        self_harm: if asks { vec![(Answer::Given(3), DAY); 4] } else { Vec::new() },
    }
}

fn recommended() -> Recommended {
    let reply = Untold { answer: "question", text: Some("почему? ".repeat(20)), on: DAY };
    Recommended {
        kind: RecommendationKind::Task,
        what: "Ходить по полчаса ".repeat(3),
        on: DAY,
        state: RecommendationState::Seen,
        since: DAY,
        is_actionable: true,
        replies: vec![reply],
    }
}

/// How far down a page is filled above its foot, and where that begins.
fn filled(page: &Page, language: Language) -> [f32; 2] {
    let faces = Faces::open().unwrap();
    let mut document = Document::new();
    let mut leaf = document.start_page_with(PageSettings::from_wh(WIDTH, HEIGHT).unwrap());
    let mut surface = leaf.surface();
    let sheet = Sheet { faces: &faces, surface: &mut surface };
    let mut layout = Layout { sheet, words: Words(language), page, y: TOP };
    let end = BOTTOM - layout.foot_height();
    layout.body(Some("Dr Ada Example"), end);
    let filled = layout.y;
    surface.finish();
    leaf.finish();
    [filled, end]
}

#[test]
fn however_full_a_page_is_nothing_is_drawn_into_its_foot() {
    for language in Language::ALL {
        for lines in [0, 3, 7, 60] {
            for (questionnaires, recommended, rows) in [(0, 0, 14), (1, 2, 4), (3, 8, 14)] {
                let full = Full { lines, questionnaires, recommended, rows };
                let [filled, end] = filled(&page(full), language);
                assert!(filled <= end, "{full:?} in {language:?}: down to {filled}, the foot begins at {end}");
            }
        }
    }
}

#[test]
fn where_there_is_room_both_pictures_are_drawn() {
    let few = Full { lines: 3, questionnaires: 1, recommended: 1, rows: 2 };
    for language in Language::ALL {
        let [without, _] = filled(&page(Full { rows: 0, ..few }), language);
        let [with, _] = filled(&page(few), language);
        assert!(with - without > 2.0 * chart::HEIGHT, "{with} is not far enough below {without}");
    }
}
