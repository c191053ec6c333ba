//! A mood diary, with consent, lands in an EHR.

use std::collections::BTreeSet;
use std::io::Cursor;

use jiff::tz::TimeZone;
use mostik::domain::category::Category;
use mostik::domain::day::Days;
use mostik::domain::delivery::DeliveryState;
use mostik::import::{self, Diary, Report};
use mostik::inbound::mood::daylio::MoodScale;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, lane, mood, note};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, identifier};
use crate::support::proxy::Proxy;
use crate::support::validate::assert_valid;

const DIARY: &str = include_str!("../fixtures/daylio/demo_8col.csv");
const MOODS: &str = include_str!("../fixtures/daylio/demo_moods.toml");

on_both_databases! {
    async fn in_the_sandbox(database) {
        the_diary_story(database, Ehr::sandbox().await).await;
    }
}

on_both_databases! {
    async fn in_an_ehr_without_conditional_create(database) {
        the_diary_story(database, Ehr::without_conditional_create().await).await;
    }
}

on_both_databases! {
    async fn in_a_fhir_server_nobody_here_wrote(database) {
        if let Some(ehr) = Ehr::sekmet().await {
            the_diary_story(database, ehr).await;
        }
    }
}

/// Diary in → consent → Observations in the EHR, each exactly once although answers get lost, each valid; nothing that
/// was not consented to; nothing after consent is taken back.
async fn the_diary_story(database: Database, ehr: Ehr) {
    let proxy = Proxy::before(&ehr.base);
    let bridge = TestBridge::start(database, &proxy.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;

    let before_consent = import_diary(&bridge, &member.id).await;
    assert!(before_consent.accepted.is_empty(), "nothing may be taken before the member consents");
    assert_eq!(bridge.traces(&member).await, 0);

    let grant = bridge.grant(&member, &["mood"]).await;
    let report = import_diary(&bridge, &member.id).await;
    let moods = report.accepted[&Category::Mood];
    assert_eq!(report.accepted.len(), 1, "only moods are shared: {report:?}");
    assert!(report.withheld[&Category::Note] > 0 && report.withheld[&Category::Tags] > 0);
    assert_eq!(bridge.traces(&member).await.unsigned_abs(), moods, "what no clinic may see is not stored");

    proxy.lose_answers(3);
    bridge.deliver_in_time().await;
    assert_eq!(proxy.lost(), 3, "three answers never came");
    let charted = ehr.observations().await;
    assert_eq!(charted.len() as u64, moods, "each exactly once");
    let identifiers: BTreeSet<String> = charted.iter().map(identifier).collect();
    assert_eq!(identifiers.len(), charted.len());
    for observation in &charted {
        assert_eq!(observation["code"]["coding"][0]["code"], "mood-rating");
        assert_valid(observation).await;
    }
    let ledger = bridge.bridge.store.read().await.unwrap().ledger(&lane(&member)).await.unwrap();
    let known: BTreeSet<String> = ledger.into_iter().map(|entry| entry.identifier).collect();
    assert_eq!(known, identifiers, "the ledger knows what the EHR has");

    let again = import_diary(&bridge, &member.id).await;
    assert_eq!((again.accepted.len(), again.duplicates), (0, moods), "importing twice adds nothing");

    let sent = bridge.send(&json!([mood("m1", "sparrow", 4), note("n1", "sparrow", "not for the clinic")])).await;
    assert_eq!(sent.json["results"][0]["status"], "accepted");
    assert_eq!(sent.json["results"][1]["status"], "refused");
    let revoked = bridge.change_grant(&member, &grant, "revoke").await;
    assert_eq!((revoked.status, revoked.json["withdrawn"].as_u64()), (200, Some(1)), "what waited is withdrawn");
    let late = bridge.send(&mood("m2", "sparrow", 5)).await;
    assert_eq!(late.json["refusal"]["reason"], "not-permitted");
    bridge.deliver_in_time().await;
    assert_eq!(ehr.observations().await.len() as u64, moods, "nothing arrives after consent was taken back");
    assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 1);
}

async fn import_diary(bridge: &TestBridge, member: &mostik::domain::ids::MemberId) -> Report {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    let diary = Diary::new(*member, days, MoodScale::from_toml(MOODS).unwrap());
    import::file(&bridge.bridge, &diary, Cursor::new(DIARY)).await.unwrap()
}
