//! What a member sees before they decide: exactly what would go, and what would not; and what they note down themselves.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use mostik::consent::decide::DenyReason;
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Purpose, Terms, WayBack};
use mostik::domain::language::Language;
use mostik::domain::settings::Change;
use mostik::insight::entry::{Destination, NoteDownError, Noted, note_down};
use mostik::insight::preview::{Preview, preview};
use mostik::pipeline::Outcome;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, mood, note, riverside};
use crate::support::database::Database;
use crate::support::outbox::items;
use crate::support::own::at;

async fn ready(database: Database) -> (TestBridge, Person) {
    let bridge = TestBridge::start(database, "http://127.0.0.1:9/fhir").await;
    let member = bridge.person("sparrow", "pat-1").await;
    bridge.set(&member, Change { keep: Some(true), ..Change::default() }).await;
    bridge.move_to(&member, "Europe/Berlin").await;
    (bridge, member)
}

fn terms(categories: &[(Category, Detail)], data_from: Option<&str>) -> Terms {
    Terms {
        categories: categories.iter().copied().collect(),
        purposes: BTreeSet::from([Purpose::Treatment]),
        valid_from: "2026-11-20T12:00:00Z".parse().unwrap(),
        valid_until: "2027-05-20T12:00:00Z".parse().unwrap(),
        data_from: data_from.map(|from| from.parse().unwrap()),
        recipient: Addressee::Clinic,
        way_back: WayBack::None,
        withheld: BTreeSet::new(),
    }
}

async fn shown(bridge: &TestBridge, member: &Person, terms: Terms, language: Language) -> Preview {
    preview(&bridge.bridge, member.id, &riverside(), terms, language).await.unwrap().unwrap()
}

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// Everything the database holds that could have changed.
async fn traces(bridge: &TestBridge, member: &Person) -> (usize, usize, i64) {
    (items(bridge, member).await.len(), bridge.readings(member).await.len(), bridge.traces(member).await)
}

on_both_databases! {
    async fn a_preview_shows_exactly_what_then_goes_and_changes_nothing(database) {
        let (bridge, member) = ready(database).await;
        let events = json!([mood("1", "sparrow", 4), note("2", "sparrow", "dear diary"),
            at(mood("old", "sparrow", 1), "2026-11-13T11:59:59Z")]);
        bridge.send(&events).await;
        let before = traces(&bridge, &member).await;
        let preview = shown(&bridge, &member, terms(&[(Category::Mood, Detail::EveryEntry)], None), Language::En).await;
        assert_eq!(traces(&bridge, &member).await, before);
        let [going] = preview.goes.as_slice() else { panic!("one of the last seven days") };
        assert_eq!(going.line, "Mood: 4 (1 is the worst, 5 the best)");
        let [withheld] = preview.withheld.as_slice() else { panic!("the note") };
        assert_eq!((withheld.line.as_str(), withheld.reason), ("Note: dear diary", DenyReason::CategoryNotShared));
        // Given now, and told again, the very same goes: except that nobody knew the consent's name.
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&events).await;
        let sent_now = async || items(&bridge, &member).await.into_iter().find(|it| it.value() == Some(4)).unwrap().body.unwrap();
        let mut sent = sent_now().await;
        let mut previewed = json_of(&going.fhir.body);
        for body in [&mut sent, &mut previewed] {
            body["contained"][0]["policy"] = json!([]);
        }
        assert_eq!(previewed, sent);
        // With a consent to change, also that.
        let preview = shown(&bridge, &member, terms(&[(Category::Mood, Detail::EveryEntry)], None), Language::En).await;
        assert_eq!(json_of(&preview.goes[0].fhir.body), sent_now().await);
    }
}

on_both_databases! {
    async fn a_preview_shows_summaries_as_they_would_have_been_made(database) {
        let (bridge, member) = ready(database).await;
        bridge.send(&json!([
            at(mood("1", "sparrow", 4), "2026-11-14T08:00:00Z"),
            at(mood("2", "sparrow", 2), "2026-11-12T08:00:00Z"),
            at(mood("3", "sparrow", 1), "2026-11-17T08:00:00Z"),
            at(note("4", "sparrow", "dear diary"), "2026-11-17T08:00:00Z"),
        ])).await;
        let weekly = [(Category::Mood, Detail::WeeklySummary), (Category::Note, Detail::WeeklySummary)];
        let preview = shown(&bridge, &member, terms(&weekly, None), Language::En).await;
        let lines: Vec<&str> = preview.goes.iter().map(|going| going.line.as_str()).collect();
        // The week that ended within the last seven days, all of it; the running one is not over.
        assert_eq!(lines, ["Summary of a week, mood: entries: 2; days without an entry: 5; mean 3.00, from 2 to 4 \
            (1 is the worst, 5 the best)"]);
        let [note] = preview.withheld.as_slice() else { panic!("what counts in a summary is not withheld") };
        assert_eq!((note.reason, note.why), (DenyReason::SummaryOnly, "You share summaries only, and free text is in none."));
        let daily = [(Category::Mood, Detail::DailySummary)];
        let preview = shown(&bridge, &member, terms(&daily, Some("2026-11-15T00:00:00Z")), Language::Ru).await;
        let days: Vec<Value> = preview.goes.iter().map(|going| json_of(&going.fhir.body)["effectivePeriod"]["start"].clone()).collect();
        assert_eq!(days, [json!("2026-11-17T00:00:00+01:00")], "from the 15th on");
        assert!(preview.goes[0].line.starts_with("Итог дня, настроение: записей: 1"));
        let reasons: Vec<DenyReason> = preview.withheld.iter().map(|withheld| withheld.reason).collect();
        assert_eq!(reasons, [DenyReason::CategoryNotShared, DenyReason::BeforeDataPeriod]);
    }
}

on_both_databases! {
    async fn what_a_summary_will_be_is_what_the_preview_showed(database) {
        let (bridge, member) = ready(database).await;
        let grant = bridge.share(&member, json!({"mood": "daily-summary"})).await;
        bridge.send(&at(mood("1", "sparrow", 4), "2026-11-19T08:00:00Z")).await;
        let daily = [(Category::Mood, Detail::DailySummary)];
        let preview = shown(&bridge, &member, terms(&daily, None), Language::En).await;
        bridge.chores().await;
        assert_eq!(json_of(&preview.goes[0].fhir.body), items(&bridge, &member).await.pop().unwrap().body.unwrap());
        assert!(!grant.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_a_preview_of_somebody_else() {
    let (bridge, member) = ready(Database::sqlite()).await;
    bridge.send(&mood("1", "sparrow", 4)).await;
    let other = bridge.unlinked_person("wren").await;
    let terms = || terms(&[(Category::Mood, Detail::EveryEntry)], None);
    assert!(shown(&bridge, &other, terms(), Language::En).await.goes.is_empty());
    assert_eq!(shown(&bridge, &member, terms(), Language::En).await.goes.len(), 1);
}

fn noted(bridge: &TestBridge, level: u8) -> Noted {
    let tags = vec!["walk".to_owned(), " ".to_owned()];
    Noted { key: Uuid::from_u128(7), at: bridge.now(), level, note: Some(" a quiet day\u{7} ".to_owned()), tags }
}

on_both_databases! {
    async fn what_a_member_notes_down_goes_where_their_consent_says_and_once(database) {
        let (bridge, member) = ready(database).await;
        bridge.set(&member, Change { keep: Some(false), ..Change::default() }).await;
        bridge.share(&member, json!({"mood": "every-entry", "tags": "weekly-summary"})).await;
        let taken = note_down(&bridge.bridge, member.id, noted(&bridge, 4)).await.unwrap();
        assert_eq!(taken.goes_to, [
            Destination { clinic: riverside(), category: Category::Mood, detail: Detail::EveryEntry },
            Destination { clinic: riverside(), category: Category::Tags, detail: Detail::WeeklySummary },
        ]);
        let became: Vec<(Category, bool)> =
            taken.parts.iter().map(|(category, outcome)| (*category, *outcome == Outcome::Accepted)).collect();
        assert_eq!(became, [(Category::Mood, true), (Category::Note, false), (Category::Tags, true)]);
        let again = note_down(&bridge.bridge, member.id, noted(&bridge, 4)).await.unwrap();
        assert!(again.parts.iter().all(|(_, outcome)| *outcome != Outcome::Accepted));
        let other = note_down(&bridge.bridge, member.id, noted(&bridge, 5)).await.unwrap();
        assert_eq!(other.parts[0].1, Outcome::Conflict, "the same form with another answer");
        let found = items(&bridge, &member).await;
        assert_eq!(found.len(), 1);
        let body = found[0].body.as_ref().unwrap();
        assert_eq!((found[0].value(), &body["effectiveDateTime"]), (Some(4), &json!("2026-11-20T13:00:00+01:00")));
        assert_eq!(bridge.readings(&member).await.len(), 2, "and nothing of the note is kept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_noted_down_is_refused_by_field() {
    let (bridge, member) = ready(Database::sqlite()).await;
    let now = bridge.now();
    let with = |change: &dyn Fn(&mut Noted)| {
        let mut noted = noted(&bridge, 3);
        change(&mut noted);
        noted
    };
    let late = |hours: i64| -> Timestamp { now.checked_add(SignedDuration::from_hours(hours)).unwrap() };
    for (noted, wrong) in [
        (with(&|it| it.level = 0), "level"),
        (with(&|it| it.level = 6), "level"),
        (with(&|it| it.at = late(1)), "at"),
        (with(&|it| it.at = late(-24 * 370)), "at"),
        (with(&|it| it.note = Some("x".repeat(10_001))), "note"),
        (with(&|it| it.tags = vec!["x".repeat(101)]), "tags"),
        (with(&|it| it.tags = vec!["x".to_owned(); 51]), "tags"),
    ] {
        let error = note_down(&bridge.bridge, member.id, noted).await.unwrap_err();
        assert!(matches!(error, NoteDownError::Field { field, .. } if field == wrong), "{error}");
    }
    assert_eq!(bridge.traces(&member).await, 0);
}
