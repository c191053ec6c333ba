//! What members set for themselves: kept sealed, each for themselves.

use jiff::civil::date;
use mostik::domain::language::Language;
use mostik::domain::settings::{Change, Settings};
use mostik::domain::zone::Zone;
use mostik::readings::settings::{change_settings, settings};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge};
use crate::support::database::Database;
use crate::support::outbox::execute;

async fn ready(database: Database) -> (TestBridge, Person) {
    let bridge = TestBridge::start(database, "http://127.0.0.1:9/fhir").await;
    let member = bridge.unlinked_person("sparrow").await;
    (bridge, member)
}

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

on_both_databases! {
    async fn what_was_set_is_there_again_and_what_was_not_stays(database) {
        let (bridge, member) = ready(database).await;
        let other = bridge.unlinked_person("wren").await;
        assert_eq!(bridge.settings(&member).await, Settings::default());
        bridge.set(&member, Change { language: Some(Language::Ru), zone: Some(zone("Europe/Berlin")), ..Change::default() }).await;
        bridge.set(&member, Change { keep: Some(true), ..Change::default() }).await;
        let found = bridge.settings(&member).await;
        assert_eq!((found.language, found.zone.unwrap(), found.keep), (Some(Language::Ru), zone("Europe/Berlin"), true));
        bridge.set(&member, Change { keep: Some(false), ..Change::default() }).await;
        assert!(!bridge.settings(&member).await.keep);
        assert_eq!(bridge.settings(&other).await, Settings::default(), "and nobody else's");
    }
}

on_both_databases! {
    async fn settings_moved_to_another_member_open_nothing(database) {
        let (bridge, member) = ready(database).await;
        let other = bridge.unlinked_person("wren").await;
        bridge.set(&member, Change { keep: Some(true), ..Change::default() }).await;
        bridge.set(&other, Change { keep: Some(false), ..Change::default() }).await;
        let theirs = "(SELECT sealed_settings FROM member_settings ORDER BY member_id DESC LIMIT 1)";
        execute(&bridge, &format!("UPDATE member_settings SET sealed_settings = {theirs}")).await;
        let mut tx = bridge.bridge.store.read().await.unwrap();
        let mut opened = 0;
        for person in [&member, &other] {
            opened += u8::from(settings(&mut tx, &bridge.key(person).await).await.is_ok());
        }
        assert_eq!(opened, 1, "only the one whose they are");
    }
}

on_both_databases! {
    async fn changes_at_once_lose_nothing(database) {
        let (bridge, member) = ready(database).await;
        let key = bridge.key(&member).await;
        let changes = [
            Change { language: Some(Language::Ru), ..Change::default() },
            Change { zone: Some(zone("Asia/Tokyo")), ..Change::default() },
            Change { keep: Some(true), ..Change::default() },
        ];
        let change = async |change: Change| {
            let mut tx = bridge.bridge.store.begin().await.unwrap();
            change_settings(&mut tx, &key, change, bridge.now()).await.unwrap();
            tx.commit().await.unwrap();
        };
        futures_util::future::join_all(changes.map(change)).await;
        let found = bridge.settings(&member).await;
        assert_eq!((found.language, found.zone.unwrap(), found.keep), (Some(Language::Ru), zone("Asia/Tokyo"), true));
    }
}

#[test]
fn the_first_zone_counts_for_all_of_the_past_and_later_ones_from_then_on() {
    let at = |text: &str| text.parse().unwrap();
    let set = |zone| Change { zone: Some(zone), ..Change::default() };
    let (utc, evening) = (Zone::default(), at("2026-11-18T23:30:00Z"));
    let never = Settings::default();
    assert_eq!(never.days(&utc).day_of(evening), date(2026, 11, 18));
    let berlin = never.with(set(zone("Europe/Berlin")), at("2026-11-20T12:00:00Z"));
    assert_eq!(berlin.days(&utc).day_of(evening), date(2026, 11, 19));
    let away = berlin.with(set(zone("America/New_York")), at("2026-11-21T12:00:00Z"));
    assert_eq!(away.days(&utc).day_of(evening), date(2026, 11, 19), "what was lived in Berlin stays so");
    assert_eq!(away.days(&utc).day_of(at("2026-11-22T04:30:00Z")), date(2026, 11, 21), "now in New York");
    let text = serde_json::to_string(&away).unwrap();
    assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), away);
    assert!(!format!("{away:?}").contains("York"), "where somebody lives is not shown");
}

#[test]
fn a_zone_is_known_by_name_or_refused() {
    for bad in ["", "Mars/Olympus", "CEST+2", "Etc/Unknown", "../../etc/passwd", "/etc/localtime"] {
        assert!(Zone::named(bad).is_err(), "{bad}");
    }
    assert_eq!(Zone::named("europe/berlin").unwrap().name(), "Europe/Berlin");
    let strange: Zone = serde_json::from_str("\"Europe/Nowhere\"").unwrap();
    assert_eq!(strange.rules().to_datetime(jiff::Timestamp::UNIX_EPOCH).date(), date(1970, 1, 1));
    assert_eq!(serde_json::to_string(&strange).unwrap(), "\"Europe/Nowhere\"", "its name is kept");
}
