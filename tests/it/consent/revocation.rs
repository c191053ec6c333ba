//! Consent is taken back while much waits: what waits is gone at once, whatever becomes of its rows and of the process.

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use mostik::outbox::enqueue::PAYLOAD_COLUMN;
use mostik::sandbox::{Fault, FaultKind};
use mostik::store::Replay;
use mostik::vault::MemberKey;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::on_every_database;
use crate::support::bridge::{Person, TestBridge, config_text, correcting, mood, riverside};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, identifier};
use crate::support::outbox::{execute, summary};

/// More than is swept in one portion.
const MANY: usize = 1000;
/// The same, as the database counts.
const MANY_ITEMS: i64 = 1000;

/// A row of the outbox as it lies in the database: its state, its id and its content.
type Row = (String, Uuid, Option<Vec<u8>>);

async fn rows(bridge: &TestBridge) -> Vec<Row> {
    let sql = "SELECT state, delivery_id, sealed_payload FROM outbox ORDER BY clinic_id, member_id, seq";
    let direct = &bridge.database.direct;
    match direct.strip_prefix("sqlite:") {
        Some(file) => sqlx::query_as(sql).fetch_all(&mut SqliteConnection::connect(file).await.unwrap()).await.unwrap(),
        None => sqlx::query_as(sql).fetch_all(&mut PgConnection::connect(direct).await.unwrap()).await.unwrap(),
    }
}

async fn sealed_lane_key(bridge: &TestBridge) -> Option<Vec<u8>> {
    let sql = "SELECT sealed_key FROM lanes";
    let direct = &bridge.database.direct;
    match direct.strip_prefix("sqlite:") {
        Some(file) => sqlx::query_scalar(sql).fetch_one(&mut SqliteConnection::connect(file).await.unwrap()).await,
        None => sqlx::query_scalar(sql).fetch_one(&mut PgConnection::connect(direct).await.unwrap()).await,
    }
    .unwrap()
}

async fn member_key(bridge: &TestBridge, member: &Person) -> MemberKey {
    let wrapped = bridge.bridge.store.read().await.unwrap().member_key(member.id).await.unwrap().unwrap();
    bridge.bridge.keyring.unwrap_member_key(member.id, &wrapped).unwrap()
}

/// How many rows open with what the database still holds.
async fn that_open(bridge: &TestBridge, member: &Person) -> usize {
    let (member, lane) = (member_key(bridge, member).await, sealed_lane_key(bridge).await);
    let key = member.content_key(&riverside(), lane.as_deref()).unwrap();
    let opens = |(_, id, sealed): &Row| {
        sealed.as_ref().is_some_and(|sealed| key.open(PAYLOAD_COLUMN, id.as_bytes(), sealed).is_ok())
    };
    rows(bridge).await.iter().filter(|row| opens(row)).count()
}

async fn count_rows(bridge: &TestBridge, state: &str) -> usize {
    rows(bridge).await.iter().filter(|row| row.0 == state).count()
}

fn moods(range: std::ops::Range<usize>) -> Value {
    range.map(|n| mood(&n.to_string(), "sparrow", 3)).collect()
}

/// A member for whom so many moods wait, and their grant.
async fn waiting(database: Database, ehr: &Ehr, count: usize) -> (TestBridge, Person, String) {
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    let grant = bridge.grant(&member, &["mood"]).await;
    assert_eq!(bridge.send(&moods(0..count)).await.status, 200);
    (bridge, member, grant)
}

async fn revoke(bridge: &TestBridge, member: &Person, grant: &str) -> u64 {
    let got = bridge.change_grant(member, grant, "revoke").await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    got.json["withdrawn"].as_u64().unwrap()
}

async fn replay(bridge: &TestBridge, which: Replay<'_>) -> u64 {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let replayed = tx.replay(&which, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    replayed
}

on_every_database! {
    async fn however_much_waits_it_is_withdrawn_and_unreadable_in_one_stroke(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = waiting(database, &ehr, MANY).await;
        assert_eq!(that_open(&bridge, &member).await, MANY);
        let before = rows(&bridge).await;
        assert_eq!(revoke(&bridge, &member, &grant).await, MANY as u64);

        assert_eq!(rows(&bridge).await, before, "no row is written: it would take the longer the more wait");
        assert_eq!(that_open(&bridge, &member).await, 0, "and none opens");
        assert_eq!(bridge.counts().await, [(DeliveryState::Withdrawn, MANY_ITEMS)]);
        let seen = bridge.bridge.store.read().await.unwrap().queue().await.unwrap();
        assert_eq!((seen.len(), seen[0].count, seen[0].reason.as_deref()), (1, MANY_ITEMS, Some("consent-revoked")));

        bridge.chores().await;
        assert!(rows(&bridge).await.iter().all(|row| row.0 == "withdrawn" && row.2.is_none()), "the rows follow");
        assert_eq!(bridge.counts().await, [(DeliveryState::Withdrawn, MANY_ITEMS)]);
        let swept = bridge.bridge.store.read().await.unwrap().queue().await.unwrap();
        assert_eq!(swept, seen, "an operator sees no difference");
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 0);
    }
}

on_every_database! {
    async fn a_desk_puts_the_rows_right_before_it_does_anything_else_on_the_lane(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = waiting(database, &ehr, MANY).await;
        revoke(&bridge, &member, &grant).await;
        bridge.deliver().await;
        assert_eq!(count_rows(&bridge, "withdrawn").await, MANY);
        let seen = bridge.bridge.store.read().await.unwrap().queue().await.unwrap();
        assert_eq!((seen.len(), seen[0].reason.as_deref()), (1, Some("consent-revoked")), "not one by one, for want of consent");
        assert_eq!(ehr.observations().await.len(), 0);
    }
}

on_every_database! {
    async fn what_was_taken_back_stays_so_when_consent_is_given_anew_before_its_rows_are_swept(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = waiting(database, &ehr, MANY).await;
        revoke(&bridge, &member, &grant).await;
        let again = bridge.grant(&member, &["mood"]).await;
        assert_eq!(bridge.send(&mood("0", "sparrow", 3)).await.status, 202, "said again, it goes again");
        let got = bridge.send(&correcting(mood("c", "sparrow", 5), "1")).await;
        assert_eq!(got.json["results"][0]["status"], "corrected");
        assert_eq!(bridge.send(&mood("new", "sparrow", 1)).await.status, 202);
        assert_eq!(count_rows(&bridge, "ready").await, MANY - 2 + 3, "only what was said again was put right");
        assert_eq!(bridge.open_items().await, 3);

        bridge.deliver().await;
        let charted = ehr.observations().await;
        let mut ratings: Vec<i64> = charted.iter().filter_map(|mood| mood["valueQuantity"]["value"].as_i64()).collect();
        ratings.sort_unstable();
        assert_eq!(ratings, [1, 3, 5], "what was said since, and nothing else");
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, MANY_ITEMS);

        assert_eq!(revoke(&bridge, &member, &again).await, 0, "nothing waits any more");
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 3);
    }
}

on_every_database! {
    async fn each_revocation_counts_only_what_it_took_back(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = waiting(database, &ehr, 5).await;
        assert_eq!(revoke(&bridge, &member, &grant).await, 5);
        let again = bridge.grant(&member, &["mood"]).await;
        bridge.send(&moods(3..7)).await;
        assert_eq!(revoke(&bridge, &member, &again).await, 4);
        assert_eq!(bridge.counts().await, [(DeliveryState::Withdrawn, 9)]);
        bridge.chores().await;
        assert_eq!(bridge.counts().await, [(DeliveryState::Withdrawn, 9)]);
    }
}

on_every_database! {
    async fn a_process_that_dies_before_or_during_the_sweep_leaves_nothing_that_could_go(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = waiting(database, &ehr, MANY).await;
        revoke(&bridge, &member, &grant).await;
        let text = bridge.config.clone();
        let bridge = TestBridge::start_with(bridge.database, &text).await;
        assert_eq!(bridge.counts().await, [(DeliveryState::Withdrawn, MANY_ITEMS)]);

        let mut tx = bridge.bridge.store.begin().await.unwrap();
        assert!(tx.sweep_any_lane(bridge.now()).await.unwrap());
        tx.commit().await.unwrap();
        let half = count_rows(&bridge, "withdrawn").await;
        assert!(0 < half && half < MANY, "in portions: {half}");
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        tx.sweep_any_lane(bridge.now()).await.unwrap();
        drop(tx);
        let bridge = TestBridge::start_with(bridge.database, &text).await;
        assert_eq!(count_rows(&bridge, "withdrawn").await, half, "a portion is swept or not");
        assert_eq!(bridge.counts().await, [(DeliveryState::Withdrawn, MANY_ITEMS)]);

        bridge.grant(&member, &["mood"]).await;
        assert_eq!(replay(&bridge, Replay::Clinic(&riverside(), None)).await, 0);
        bridge.deliver().await;
        bridge.chores().await;
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 0);
        assert_eq!(count_rows(&bridge, "withdrawn").await, MANY);
    }
}

on_every_database! {
    async fn what_was_under_way_is_found_out_and_not_sent_again(database) {
        let ehr = Ehr::without_conditional_create().await;
        let (bridge, member, grant) = waiting(database, &ehr, 3).await;
        let sandbox = ehr.sandbox.as_ref().unwrap();
        sandbox.faults().switch_on(Fault::once(FaultKind::LostReply).on("POST", "Observation"));
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Unknown).await, 1);
        assert_eq!(revoke(&bridge, &member, &grant).await, 2, "what is under way is not taken back by this");
        assert_eq!(bridge.open_items().await, 1);
        let again = bridge.grant(&member, &["mood"]).await;
        bridge.deliver_in_time().await;
        assert_eq!(bridge.count(DeliveryState::Confirmed).await, 1, "it had arrived");
        assert_eq!(ehr.observations().await.len(), 1);

        bridge.send(&mood("lost", "sparrow", 1)).await;
        sandbox.faults().switch_on(Fault::once(FaultKind::Reset).on("POST", "Observation"));
        bridge.deliver().await;
        revoke(&bridge, &member, &again).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1, "it had not, and does not go now");
        assert_eq!(bridge.count(DeliveryState::Withdrawn).await, 3);
        assert_eq!(bridge.send(&mood("lost", "sparrow", 1)).await.status, 202, "unless it is said again");
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 2);
    }
}

on_every_database! {
    async fn what_was_held_for_want_of_a_form_does_not_come_back(database) {
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let none = format!("{text}[clinics.riverside.takes]\nform = \"none\"\n");
        let bridge = TestBridge::start_with(database, &none).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        bridge.send(&moods(0..2)).await;
        bridge.deliver().await;
        assert_eq!(bridge.count(DeliveryState::Held).await, 2);
        assert_eq!(revoke(&bridge, &member, &grant).await, 2);
        assert_eq!(bridge.counts().await, [(DeliveryState::Withdrawn, 2)]);
        assert!(bridge.bridge.store.read().await.unwrap().stuck_items(10).await.unwrap().is_empty());
        bridge.grant(&member, &["mood"]).await;
        assert_eq!(replay(&bridge, Replay::Held(&riverside())).await, 0);

        let bridge = TestBridge::start_with(bridge.database, &text).await;
        bridge.send(&mood("new", "sparrow", 1)).await;
        bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 1);
        assert_eq!(count_rows(&bridge, "withdrawn").await, 2);
    }
}

on_every_database! {
    async fn what_was_sealed_before_lanes_had_keys_still_goes_and_is_erased_at_once_all_the_same(database) {
        let ehr = Ehr::sandbox().await;
        let (bridge, member, grant) = waiting(database, &ehr, 3).await;
        let key = member_key(&bridge, &member).await;
        let lane = sealed_lane_key(&bridge).await;
        let lane = key.content_key(&riverside(), lane.as_deref()).unwrap();
        for (_, id, sealed) in rows(&bridge).await {
            let plain = lane.open(PAYLOAD_COLUMN, id.as_bytes(), &sealed.unwrap()).unwrap();
            let sealed = key.seal(PAYLOAD_COLUMN, id.as_bytes(), &plain).unwrap();
            let (sealed, id) = if bridge.database.is_sqlite() {
                (format!("x'{}'", hex(&sealed)), format!("x'{}'", id.simple()))
            } else {
                (format!("decode('{}', 'hex')", hex(&sealed)), format!("'{id}'"))
            };
            execute(&bridge, &format!("UPDATE outbox SET sealed_payload = {sealed} WHERE delivery_id = {id}")).await;
        }
        execute(&bridge, "UPDATE lanes SET sealed_key = NULL, keyed_after = NULL").await;
        bridge.send(&mood("new", "sparrow", 1)).await;
        let sandbox = ehr.sandbox.as_ref().unwrap();
        sandbox.faults().switch_on(Fault::always(FaultKind::Status { code: 422, retry_after: None }).on("POST", "Observation"));
        bridge.deliver().await;
        sandbox.faults().clear();
        assert_eq!(replay(&bridge, Replay::Clinic(&riverside(), None)).await, 4);
        bridge.deliver().await;
        let mut charted: Vec<String> = ehr.observations().await.iter().map(identifier).collect();
        charted.sort_unstable();
        charted.dedup();
        assert_eq!(charted.len(), 4);

        bridge.send(&moods(10..13)).await;
        execute(&bridge, "UPDATE lanes SET sealed_key = NULL, keyed_after = NULL").await;
        assert_eq!(revoke(&bridge, &member, &grant).await, 3);
        assert!(rows(&bridge).await.iter().all(|row| row.2.is_none()), "there is no key whose end would erase it");
    }
}

on_every_database! {
    async fn a_correction_that_is_searched_for_while_its_consent_is_taken_back_stays_withdrawn(database) {
        let ehr = Ehr::without_conditional_create().await;
        let (bridge, member, grant) = waiting(database, &ehr, 1).await;
        let sandbox = ehr.sandbox.as_ref().unwrap();
        // The first report is a dead letter: nobody knows whether the EHR has it.
        execute(&bridge, "UPDATE outbox SET state = 'dead'").await;
        bridge.send(&correcting(mood("c", "sparrow", 5), "0")).await;
        sandbox.faults().switch_on(Fault::once(FaultKind::Status { code: 405, retry_after: None }).on("GET", "Observation"));
        let desk = &mut bridge.desks.open()[0];
        // It is under way, or its answer waits to be written down.
        assert!(desk.step().await.unwrap());
        revoke(&bridge, &member, &grant).await;
        bridge.grant(&member, &["mood"]).await;
        desk.finished().await;
        while desk.step().await.unwrap() || desk.finished().await {}
        assert_eq!(summary(&bridge, &member).await, ["create - dead", "correct - withdrawn"]);
        bridge.clock.advance(SignedDuration::from_hours(1));
        bridge.deliver_in_time().await;
        assert_eq!(summary(&bridge, &member).await, ["create - dead", "correct - withdrawn"]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
