//! Summary → FHIR: a snapshot of each shape, judged by both validators, and as the note of an EHR that takes no Observations.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use mostik::consent::decide::{Request, decide};
use mostik::domain::activity::Activity;
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Grant, GrantState, Terms, WayBack};
use mostik::domain::ids::{GrantId, MemberId};
use mostik::domain::moment::Moment;
use mostik::domain::reading::StateOfMindKind;
use mostik::domain::statistics::Spread;
use mostik::domain::summary::{Figures, Scale, Summary, TagCount};
use mostik::mapping::to_fhir::{Recipient, document, summary_to_fhir};
use serde_json::Value;
use uuid::Uuid;

use crate::support::validate::assert_valid;

const MEMBER: MemberId = MemberId(Uuid::from_u128(1));

pub fn week(figures: Figures) -> Summary {
    let moment = |text: &str| Moment::parse_rfc3339(text).unwrap();
    Summary {
        member: MEMBER,
        detail: Detail::WeeklySummary,
        first_day: jiff::civil::date(2026, 10, 19),
        start: moment("2026-10-19T00:00:00+02:00"),
        last: moment("2026-10-25T23:59:59+01:00"),
        days: 7,
        days_missing: 2,
        entries: 9,
        labels: BTreeSet::new(),
        by_device: false,
        figures,
    }
}

fn ratings(numbers: &[&str]) -> Figures {
    let scale = Scale::Rating { worst: "1".parse().unwrap(), best: "5.0".parse().unwrap() };
    Figures::Numbers(scale, spread(numbers))
}

pub fn spread(numbers: &[&str]) -> Spread {
    let numbers: Vec<_> = numbers.iter().map(|number| number.parse().unwrap()).collect();
    Spread::of(&numbers.iter().collect::<Vec<_>>()).unwrap()
}

/// What the clinic receives, as text.
pub fn mapped(summary: &Summary) -> String {
    let clinic = "riverside".parse().unwrap();
    let grant = Grant {
        id: GrantId(Uuid::from_u128(3)),
        version: 1,
        member: MEMBER,
        clinic,
        state: GrantState::Active,
        terms: Terms {
            categories: Category::ALL.map(|it| (it, summary.detail)).into_iter().collect::<BTreeMap<_, _>>(),
            purposes: BTreeSet::from([mostik::domain::grant::Purpose::Treatment]),
            valid_from: Timestamp::MIN,
            valid_until: Timestamp::MAX,
            data_from: None,
            recipient: Addressee::Clinic,
            way_back: WayBack::None,
            withheld: BTreeSet::new(),
        },
        created_at: Timestamp::UNIX_EPOCH,
        ended_at: None,
    };
    let clinic = grant.clinic.clone();
    let grants = [grant];
    let permit = decide(&grants, Request::to_record(summary, &clinic, Timestamp::UNIX_EPOCH)).unwrap();
    let identifier = Uuid::from_u128(4);
    let recipient = Recipient {
        patient: "pat-1",
        identifier,
        source: "urn:mostik:test",
        recorded: Timestamp::UNIX_EPOCH,
        practitioner: None,
    };
    String::from_utf8(summary_to_fhir(&permit, recipient).unwrap().body).unwrap()
}

async fn check(name: &str, summary: Summary) {
    let resource: Value = serde_json::from_str(&mapped(&summary)).unwrap();
    insta::assert_json_snapshot!(name, resource);
    assert_valid(&resource).await;
    let note = document(&resource).unwrap();
    let data = note["content"][0]["attachment"]["data"].as_str().unwrap();
    let words = String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap();
    assert!(words.lines().all(|line| line.chars().count() <= 80), "{words}");
    insta::assert_snapshot!(format!("{name}_words"), words);
    assert_valid(&note).await;
}

#[tokio::test]
async fn a_week_of_ratings() {
    check("summary_week", week(ratings(&["4", "2.5", "5.0"]))).await;
}

#[tokio::test]
async fn a_day_of_states_of_mind() {
    let figures = Figures::Numbers(Scale::Valence(StateOfMindKind::MomentaryEmotion), spread(&["-0.25", "0.5"]));
    let day = Summary {
        detail: Detail::DailySummary,
        last: Moment::parse_rfc3339("2026-10-19T23:59:59+02:00").unwrap(),
        days: 1,
        days_missing: 0,
        entries: 2,
        ..week(figures)
    };
    check("summary_day_of_states", day).await;
}

#[tokio::test]
async fn a_week_of_tags() {
    let count = |tag: &str, entries| TagCount { tag: tag.to_owned(), entries };
    let counts = vec![count("walk", 5), count("плохо спал", 2), count("tea", 1)];
    check("summary_tags", week(Figures::Tags { counts, left_out: 3 })).await;
}

#[tokio::test]
async fn a_week_in_the_community() {
    let counts = Activity {
        active_days: 5,
        posts: 12,
        replies_given: 7,
        replies_received: 9,
        reactions_given: 20,
        reactions_received: 31,
        night_hours: 3,
        longest_silence: 41,
    };
    check("summary_activity", week(Figures::Activity(counts))).await;
}

#[test]
fn the_figures_leave_digit_by_digit() {
    let text = mapped(&week(ratings(&["4.50", "2", "3.125", "1.0"])));
    for number in ["2.66", "1.0", "4.50", "5.0"] {
        assert!(text.contains(&format!("\"value\":{number},")), "{number} in {text}");
    }
}
