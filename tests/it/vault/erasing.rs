//! Erasure: when it comes, what is left, and what is waited for.

use std::collections::BTreeSet;

use futures_util::future::join;
use jiff::SignedDuration;
use mostik::config::Config;
use mostik::domain::clock::Clock;
use mostik::domain::consented::Method as Through;
use mostik::domain::entropy::Entropy;
use mostik::domain::ids::RecommendationId;
use mostik::erasure::{self, ErasureError, GRACE, Requested, Wish};
use mostik::recommendations::seal_answer;
use mostik::sandbox::{Fault, FaultKind};
use mostik::store::{ErasureState, KEPT_TABLES, MEMBER_TABLES, NewAnswer, NewSubscription, NoticeRow};
use mostik::vault::signing::{SigningAlgorithm, SigningKey};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::audit;
use crate::support::booking;
use crate::support::bridge::{NOON, Person, TestBridge, config_text, forum, lane, mood, note};
use crate::support::concerns::{Keepers, POLICY, REASON, with_ada, worrying};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::own::BROWSER_KEYS;
use crate::support::postbox::Postbox;
use crate::support::recommendations;
use crate::{on_both_databases, on_every_database};

const INSTANT: SignedDuration = SignedDuration::from_micros(1);

/// A bridge that can sign.
pub async fn signing_bridge(database: Database, ehr: &str) -> TestBridge {
    let folder = database.folder.path().join("keys");
    SigningKey::create(&folder, SigningAlgorithm::Es384, NOON.parse().unwrap()).unwrap();
    let text = config_text(&database, ehr, "127.0.0.1:0");
    let nobody = Postbox::open();
    let watched = with_ada(&database, &nobody, &nobody) + POLICY;
    let text = format!("{text}[keys]\nfolder = \"{}\"\n{watched}", folder.display());
    TestBridge::start_with(database, &text).await
}

pub async fn request(bridge: &TestBridge, person: &Person, wish: Wish) -> Requested {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let keyring = &bridge.bridge.keyring;
    let requested = erasure::request(&mut tx, keyring, person.id, wish, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    requested
}

pub const IN_TIME: Wish = Wish { at_once: false, ask_clinics: false, method: Through::Operator };

pub const AT_ONCE: Wish = Wish { at_once: true, ..IN_TIME };

pub async fn state(bridge: &TestBridge, requested: &Requested) -> ErasureState {
    bridge.bridge.store.read().await.unwrap().erasure(requested.erasure.id).await.unwrap().unwrap().state
}

/// The certificate, by the secret alone.
pub async fn certificate(bridge: &TestBridge, requested: &Requested) -> Value {
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let found = erasure::by_secret(&mut tx, &bridge.bridge.keyring, &requested.secret.0).await.unwrap().unwrap();
    erasure::verify(&found.certificate.unwrap(), &bridge.bridge.signing.published(bridge.now())).unwrap()
}

/// In which columns a member is named, by the bytes of their id or its text; not counting what is kept of everybody.
pub async fn named_in(database: &Database, person: &Person) -> BTreeSet<String> {
    let (bytes, text) = (person.id.0.as_bytes().to_vec(), person.id.to_string().into_bytes());
    let has = |value: &[u8], part: &[u8]| value.windows(part.len()).any(|window| window == part);
    let is_kept = |table: &str| KEPT_TABLES.iter().any(|(kept, _)| *kept == table);
    let cells = database.cells().await.into_iter().filter(|cell| !is_kept(&cell.table));
    let found = cells.filter(|cell| has(&cell.value, &bytes) || has(&cell.value, &text));
    found.map(|cell| format!("{}.{}", cell.table, cell.column)).collect()
}

/// The member is to be told of something, has answered it, and is watched at an EHR that said that there is more.
async fn comes_back(bridge: &TestBridge, person: &Person, to: RecommendationId) {
    let (key, now) = (recommendations::key(&bridge.bridge, person).await, bridge.now());
    let lane = lane(person);
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    tx.put_telling(person.id, to.0, now).await.unwrap();
    let answer = NewAnswer {
        member: person.id,
        recommendation: to,
        answer: "question",
        sealed: Some(seal_answer(&key, to, 1, "How far?").unwrap()),
        ordinal: 1,
        task_identifier: None,
        identifier: None,
    };
    tx.insert_answer(&answer, now).await.unwrap();
    let id = bridge.bridge.keyring.entropy().uuid(now).unwrap();
    let index = |name| bridge.bridge.keyring.index().index(name, &[id.as_bytes()]);
    let subscription = NewSubscription {
        lane: &lane,
        topic: "Task",
        id,
        path_index: index("path"),
        sealed_secret: key.seal("subscriptions.sealed_secret", id.as_bytes(), b"a secret").unwrap(),
        header_index: index("header"),
    };
    tx.want_subscription(&subscription, now).await.unwrap();
    let focus = Some(("Task".to_owned(), "t1".to_owned()));
    tx.insert_notice(&NoticeRow { lane: lane.clone(), subscription: id, number: 1, focus }, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// The member agreed to the rules of the forum.
async fn agrees(bridge: &TestBridge, person: &Person) {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    tx.put_agreed(person.id, &forum(), "2026-11-01", bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// A member about whom there is something in every table.
pub async fn known_in_every_room(bridge: &TestBridge, ehr: &Ehr) -> Person {
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&sparrow, &["mood", "note"]).await;
    bridge.send(&mood("sent", "sparrow", 4)).await;
    bridge.deliver().await;
    bridge.send(&json!([mood("waits", "sparrow", 2), note("note", "sparrow", "a long night")])).await;
    let tokens = crate::support::launch::some_tokens(bridge);
    crate::support::launch::store(bridge, sparrow.id, &tokens).await;
    bridge.begin(&sparrow, &[1, 0, 2]).await;
    bridge.begin_in(Some(&forum()), &sparrow, &[2]).await;
    bridge.begin_in(Some(&"app".parse().unwrap()), &sparrow, &[2]).await;
    bridge.send(&worrying("worry", "sparrow")).await;
    agrees(bridge, &sparrow).await;
    let keepers = Keepers::of(bridge).await;
    let concern = keepers.open().await.remove(0);
    assert_eq!(keepers.disclose(&concern, "ada", REASON).await.status, 200);
    let id = recommendations::put(bridge, &sparrow, &recommendations::said("Walk half an hour")).await;
    comes_back(bridge, &sparrow, id).await;
    let [point, auth] = BROWSER_KEYS;
    bridge.subscribe(&sparrow, "https://push.example/sparrow", point, auth).await;
    booking::put(bridge, &sparrow, "It is about the nights").await;
    sparrow
}

on_every_database! {
    async fn a_member_is_erased_when_the_grace_is_over_and_not_before(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = known_in_every_room(&bridge, &ehr).await;
        let rooms = named_in(&bridge.database, &sparrow).await;
        for table in ["agreements", "recommendations", "recommendation_answers", "tellings", "push_subscriptions", "way_back",
            "subscriptions", "news", "questionnaire_drafts", "chat_drafts"] {
            assert!(rooms.contains(&format!("{table}.member_id")), "{table} has nothing to be erased: {rooms:?}");
        }
        let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
        bridge.grant(&wren, &["mood"]).await;
        let requested = request(&bridge, &sparrow, IN_TIME).await;
        bridge.clock.advance(GRACE - INSTANT);
        bridge.chores().await;
        assert_eq!(state(&bridge, &requested).await, ErasureState::Requested);
        assert_eq!(bridge.as_member(&sparrow, Method::GET, "/v1/grants", None).await.status, 200);
        assert_eq!(bridge.send(&mood("in-grace", "sparrow", 3)).await.json["results"][0]["status"], "accepted");

        bridge.clock.advance(INSTANT);
        bridge.chores().await;
        assert_eq!(state(&bridge, &requested).await, ErasureState::Erased);
        assert_eq!(named_in(&bridge.database, &sparrow).await, BTreeSet::new());
        assert_eq!(bridge.as_member(&sparrow, Method::GET, "/v1/grants", None).await.status, 401);
        assert_eq!(bridge.send(&json!([mood("late", "sparrow", 3)])).await.json["results"][0]["refusal"]["reason"], "unknown-member");
        bridge.deliver().await;
        assert_eq!(ehr.observations().await.len(), 1, "what waited was not sent");
        assert_eq!(bridge.send(&mood("wren", "wren", 3)).await.json["results"][0]["status"], "accepted", "nobody else");

        let says = certificate(&bridge, &requested).await;
        assert_eq!(says["member"], sparrow.id.to_string());
        assert_eq!((&says["erased"]["members"], &says["erased"]["handles"]), (&json!(1), &json!(1)), "{says}");
        assert_eq!(says["clinics"]["riverside"], json!({"has": 1, "asked": false, "unanswered": 0}));
        assert_eq!(says["key_destroyed"].as_str().unwrap().len(), 8);
        assert!(!says.to_string().contains("sparrow"));
        bridge.unlinked_person("sparrow").await;
        assert_eq!(audit::wrong(&bridge).await, [""; 0], "the audit log verifies without them");
    }
}

on_both_databases! {
    async fn a_member_thinks_better_of_it_or_cannot_wait(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let first = request(&bridge, &sparrow, IN_TIME).await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let twice = erasure::request(&mut tx, &bridge.bridge.keyring, sparrow.id, AT_ONCE, bridge.now()).await;
        assert!(matches!(twice, Err(ErasureError::AlreadyRequested)));
        erasure::cancel(&mut tx, sparrow.id, Through::Operator, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        bridge.clock.advance(GRACE + GRACE);
        bridge.chores().await;
        assert_eq!(state(&bridge, &first).await, ErasureState::Cancelled);
        assert_eq!(bridge.as_member(&sparrow, Method::GET, "/v1/grants", None).await.status, 200);

        let second = request(&bridge, &sparrow, IN_TIME).await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        erasure::hurry(&mut tx, sparrow.id, Through::Operator, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        bridge.chores().await;
        assert_eq!(state(&bridge, &second).await, ErasureState::Erased);
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let late = erasure::cancel(&mut tx, sparrow.id, Through::Operator, bridge.now()).await;
        assert!(matches!(late, Err(ErasureError::UnknownMember)), "{late:?}");
    }
}

on_both_databases! {
    async fn a_member_sees_the_secret_of_their_certificate_again_and_nobody_guesses_it(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let sparrow = bridge.unlinked_person("sparrow").await;
        let requested = request(&bridge, &sparrow, IN_TIME).await;
        let keyring = &bridge.bridge.keyring;
        let mut tx = bridge.bridge.store.read().await.unwrap();
        let wrapped = tx.member_key(sparrow.id).await.unwrap().unwrap();
        let key = keyring.unwrap_member_key(sparrow.id, &wrapped).unwrap();
        let living = tx.living_erasure(sparrow.id).await.unwrap().unwrap();
        assert_eq!(erasure::secret_of(&key, &living).unwrap(), requested.secret);
        assert!(requested.secret.0.len() > 64, "256 random bits");
        let other = if requested.secret.0.ends_with('0') { '1' } else { '0' };
        let guess = format!("{}{other}", &requested.secret.0[..requested.secret.0.len() - 1]);
        assert!(erasure::by_secret(&mut tx, keyring, &guess).await.unwrap().is_none());
        assert_eq!(format!("{:?}", requested.secret), "CertificateSecret(..)");
    }
}

on_both_databases! {
    async fn what_is_under_way_is_waited_for_but_not_for_ever(database) {
        let ehr = Ehr::without_conditional_create().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let wren = bridge.person("wren", &create_patient(&ehr.base).await).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        // It is stored, the answer is lost, and the EHR cannot be searched.
        faults.switch_on(Fault::always(FaultKind::LostReply).on("POST", "Observation"));
        faults.switch_on(Fault::always(FaultKind::Status { code: 500, retry_after: None }).on("GET", "Observation"));
        let mut requested = Vec::new();
        for person in [&sparrow, &wren] {
            bridge.grant(person, &["mood"]).await;
            bridge.send(&mood(&person.handle, &person.handle, 4)).await;
            bridge.deliver().await;
            requested.push(request(&bridge, person, AT_ONCE).await);
        }
        bridge.chores().await;
        assert_eq!(state(&bridge, &requested[0]).await, ErasureState::Upstream, "it may have arrived");
        assert_eq!(bridge.send(&json!([mood("more", "sparrow", 4)])).await.json["results"][0]["refusal"]["reason"], "not-permitted");
        assert_eq!(bridge.as_member(&sparrow, Method::GET, "/v1/grants", None).await.status, 401);

        bridge.clock.advance(SignedDuration::from_hours(4 * 24));
        bridge.chores().await;
        assert_eq!(state(&bridge, &requested[0]).await, ErasureState::Erased, "the time is over");
        assert_eq!(certificate(&bridge, &requested[0]).await["clinics"]["riverside"]["unanswered"], 1);
    }
}

on_both_databases! {
    async fn clinics_that_are_asked_mark_what_they_have_before_its_member_is_gone(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&sparrow, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        let requested = request(&bridge, &sparrow, Wish { ask_clinics: true, ..AT_ONCE }).await;
        bridge.chores().await;
        assert_eq!(state(&bridge, &requested).await, ErasureState::Upstream, "the clinic is asked first");
        bridge.deliver_in_time().await;
        bridge.clock.advance(SignedDuration::from_mins(1));
        bridge.chores().await;
        assert_eq!(state(&bridge, &requested).await, ErasureState::Erased);
        assert_eq!(ehr.observations().await[0]["status"], "entered-in-error");
        let says = certificate(&bridge, &requested).await;
        assert_eq!(says["clinics"]["riverside"], json!({"has": 1, "asked": true, "unanswered": 0}));
    }
}

on_both_databases! {
    async fn an_answer_ends_the_wait(database) {
        let ehr = Ehr::without_conditional_create().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&sparrow, &["mood"]).await;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "Observation"));
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        let requested = request(&bridge, &sparrow, AT_ONCE).await;
        bridge.chores().await;
        assert_eq!(state(&bridge, &requested).await, ErasureState::Upstream);
        bridge.deliver_in_time().await;
        bridge.clock.advance(SignedDuration::from_mins(1));
        bridge.chores().await;
        assert_eq!(state(&bridge, &requested).await, ErasureState::Erased);
        let says = certificate(&bridge, &requested).await;
        assert_eq!(says["clinics"]["riverside"], json!({"has": 1, "asked": false, "unanswered": 0}), "it was found there");
    }
}

on_both_databases! {
    async fn every_table_that_names_members_is_erased_or_kept_for_a_reason(database) {
        drop(mostik::store::Store::open(&database.url).await.unwrap());
        let columns = database.columns().await;
        let known: BTreeSet<&str> =
            MEMBER_TABLES.into_iter().chain(KEPT_TABLES.map(|(table, _)| table)).chain(["members"]).collect();
        for column in columns.iter().filter(|column| column.name.contains("member")) {
            assert!(known.contains(column.table.as_str()), "{} is not erased with its member", column.table);
        }
        for table in known {
            let has = |column: &&crate::support::cells::Column| column.table == table && column.name == "member_id";
            assert!(columns.iter().any(|column| has(&column)), "{table} names no member");
        }
    }
}

on_both_databases! {
    async fn an_erasure_amid_traffic_leaves_nothing_behind(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = signing_bridge(database, &ehr.base).await;
        let other = bridge.beside(SignedDuration::ZERO).await;
        let wren = bridge.person("wren", &ehr.patient).await;
        bridge.grant(&wren, &["mood"]).await;
        for round in 0..8 {
            let name = format!("sparrow-{round}");
            let sparrow = bridge.person(&name, &create_patient(&ehr.base).await).await;
            bridge.grant(&sparrow, &["mood"]).await;
            bridge.send(&mood(&format!("{round}-0"), &name, 3)).await;
            let delivering = bridge.deliver_aside();
            let requested = request(&bridge, &sparrow, AT_ONCE).await;
            let traffic = async {
                for number in 1..10 {
                    let id = format!("{round}-{number}");
                    let batch = json!([mood(&id, &name, 3), mood(&id, "wren", 3)]);
                    assert!(other.send(&batch).await.status < 300);
                    other.try_deliver().await.unwrap();
                }
            };
            join(traffic, bridge.chores()).await;
            assert!(delivering.await.unwrap());
            bridge.deliver().await;
            bridge.clock.advance(SignedDuration::from_mins(1));
            bridge.chores().await;
            assert_eq!(state(&bridge, &requested).await, ErasureState::Erased);
            assert_eq!(named_in(&bridge.database, &sparrow).await, BTreeSet::new());
        }
    }
}

on_both_databases! {
    async fn without_a_signing_key_a_member_is_erased_all_the_same(database) {
        let bridge = TestBridge::start(database, "http://127.0.0.1:9").await;
        let sparrow = bridge.unlinked_person("sparrow").await;
        let requested = request(&bridge, &sparrow, AT_ONCE).await;
        bridge.chores().await;
        let mut tx = bridge.bridge.store.read().await.unwrap();
        let certificate = tx.erasure(requested.erasure.id).await.unwrap().unwrap().certificate.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&certificate).unwrap()["member"], sparrow.id.to_string());
        assert!(erasure::verify(&certificate, &bridge.bridge.signing.published(bridge.now())).is_err(), "it proves nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_an_erased_member_is_in_no_byte_of_the_database_files() {
    let ehr = Ehr::sandbox().await;
    let bridge = signing_bridge(Database::sqlite(), &ehr.base).await;
    let sparrow = known_in_every_room(&bridge, &ehr).await;
    let wrapped = bridge.bridge.store.read().await.unwrap().member_key(sparrow.id).await.unwrap().unwrap();
    let times = |bytes: &[u8]| {
        let files = std::fs::read_dir(bridge.database.folder.path()).unwrap();
        let files = files.map(|file| file.unwrap().path()).filter(|path| path.to_string_lossy().contains("mostik.db"));
        files.map(|path| count(bytes, &std::fs::read(path).unwrap())).sum::<usize>()
    };
    assert!(times(&wrapped) > 0, "it is looked for in the right place");
    request(&bridge, &sparrow, AT_ONCE).await;
    bridge.chores().await;
    assert_eq!(times(&wrapped), 0);
    assert_eq!(times(&wrapped[5..21]), 0);
}

fn count(needle: &[u8], hay: &[u8]) -> usize {
    hay.windows(needle.len()).filter(|window| *window == needle).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_that_cannot_keep_the_list_of_erased_members_does_not_start() {
    let bridge = TestBridge::start(Database::sqlite(), "http://127.0.0.1:9").await;
    let sparrow = bridge.unlinked_person("sparrow").await;
    request(&bridge, &sparrow, AT_ONCE).await;
    bridge.chores().await;
    let text = bridge.config.replace("erased.list", "master.key/erased.list");
    let opened = mostik::app::open(&Config::from_toml(&text).unwrap(), Clock::System, Entropy::System).await;
    assert!(opened.unwrap_err().to_string().contains("list of erased members"));
    let list = bridge.database.folder.path().join("erased.list");
    let changed =
        std::fs::read_to_string(&list).unwrap().replace(&sparrow.id.to_string(), &uuid::Uuid::max().to_string());
    std::fs::write(&list, changed).unwrap();
    let config = Config::from_toml(&bridge.config).unwrap();
    let opened = mostik::app::open(&config, Clock::System, Entropy::System).await;
    assert!(opened.unwrap_err().to_string().contains("line 1"));
}
