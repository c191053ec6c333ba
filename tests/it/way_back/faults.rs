//! What goes wrong between an EHR that should say that something changed, and the bridge: nothing is lost, and whoever runs it
//! sees that it goes wrong.

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use mostik::domain::way_back::SubscriptionState;
use mostik::sandbox::{Fault, FaultKind};
use mostik::store::ErasureState;
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, riverside};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::launch;
use crate::support::notices::{Scene, states, subscriptions};
use crate::support::recommendations::{look, told, write};
use crate::support::topic_ehr::{TOPIC, TopicEhr};
use crate::vault::erasing::{AT_ONCE, request, state};

/// A Subscription by topic, which works; looking alone would find nothing for days.
async fn watched(database: Database, tells_events: bool) -> (Scene, TopicEhr) {
    let ehr = Ehr::sandbox().await;
    let seen = TopicEhr::before(&ehr, tells_events);
    let settings = format!("subscribe = \"topics\"\ntopics = [\"{TOPIC}\"]\nkinds = [\"task\"]\npoll_minutes = 6000\n");
    let scene = Scene::at(database, ehr, &seen.base, &settings).await;
    let mut works = subscriptions(&scene.ehr).await.remove(0);
    works["status"] = json!("active");
    write(&scene.ehr.base, works).await;
    assert_eq!(scene.send(&scene.secret, scene.notice("handshake", 0, &[])).await, 204);
    assert_eq!(states(&scene.bridge).await, [SubscriptionState::Active]);
    (scene, seen)
}

/// How the Subscriptions stand, and why, as whoever runs the bridge sees it.
async fn seen_by_operators(bridge: &TestBridge) -> Vec<(SubscriptionState, Option<String>)> {
    let counted = bridge.bridge.store.read().await.unwrap().count_subscriptions().await.unwrap();
    counted.into_iter().map(|(_, state, reason, _)| (state, reason)).collect()
}

on_both_databases! {
    async fn an_ehr_of_which_nothing_is_heard_any_more_is_looked_at_and_asked_to_begin_anew(database) {
        let (scene, _ehr) = Box::pin(watched(database, false)).await;
        // As long as it says that it lives, nobody looks.
        for _ in 0..4 {
            scene.bridge.clock.advance(SignedDuration::from_mins(5));
            scene.send(&scene.secret, scene.notice("heartbeat", 0, &[])).await;
            assert!(scene.told().await.is_empty());
        }
        assert_eq!(seen_by_operators(&scene.bridge).await, [(SubscriptionState::Active, None)]);
        scene.task("In the silence").await;
        for _ in 0..3 {
            scene.bridge.clock.advance(SignedDuration::from_mins(6));
            look(&scene.bridge).await;
        }
        let silent = (SubscriptionState::Error, Some("was-silent".to_owned()));
        assert_eq!(seen_by_operators(&scene.bridge).await, [silent]);
        assert_eq!(subscriptions(&scene.ehr).await[0]["status"], "requested", "it is to try anew whether anybody listens");
        scene.bridge.clock.advance(SignedDuration::from_secs(10));
        assert_eq!(scene.told().await, ["In the silence"]);
        scene.send(&scene.secret, scene.notice("handshake", 0, &[])).await;
        assert_eq!(states(&scene.bridge).await, [SubscriptionState::Active]);
    }
}

on_both_databases! {
    async fn where_subscriptions_are_of_no_use_any_more_looking_takes_over(database) {
        let scene = Scene::set(database).await;
        let faults = scene.ehr.sandbox.as_ref().unwrap().faults();
        for method in ["GET", "PUT"] {
            faults.switch_on(Fault::always(FaultKind::Status { code: 503, retry_after: None }).on(method, "Subscription"));
        }
        scene.task("Nobody says anything of it").await;
        scene.bridge.clock.advance(SignedDuration::from_mins(16));
        assert_eq!(scene.told().await, ["Nobody says anything of it"]);
        let seen = seen_by_operators(&scene.bridge).await;
        assert_eq!(seen[0].1.as_deref(), Some("http-503"), "{seen:?}");
    }
}

on_both_databases! {
    async fn an_ehr_that_can_say_what_was_missed_is_asked_for_that_alone(database) {
        let (scene, ehr) = Box::pin(watched(database, true)).await;
        let (walk, run, swim, rest) = (
            scene.task("Walk").await, scene.task("Run").await, scene.task("Swim").await, scene.task("Rest").await);
        scene.task("Nobody says anything of it").await;
        ehr.knows(&[(1, &walk), (2, &run), (3, &swim), (4, &rest)]);
        scene.event(1, &walk).await;
        scene.event(4, &rest).await;
        assert_eq!(scene.waiting().await, 4, "those that are missing are among them");
        assert_eq!(scene.told().await, ["Rest", "Run", "Swim", "Walk"]);
        assert_eq!(ehr.asked(), ["eventsSinceNumber=2&eventsUntilNumber=3&content=id-only"]);
        // A heartbeat that counts more than came.
        let read = scene.task("Read").await;
        ehr.knows(&[(5, &read)]);
        scene.send(&scene.secret, scene.notice("heartbeat", 5, &[])).await;
        assert_eq!(scene.told().await, ["Read", "Rest", "Run", "Swim", "Walk"]);
    }
}

on_both_databases! {
    async fn an_ehr_that_no_longer_knows_all_that_was_missed_is_looked_through(database) {
        for tells_events in [true, false] {
            let database = if database.is_sqlite() { Database::sqlite() } else { Database::postgres().await.unwrap() };
            let (scene, ehr) = Box::pin(watched(database, tells_events)).await;
            let (walk, run, rest) = (scene.task("Walk").await, scene.task("Run").await, scene.task("Rest").await);
            scene.task("The third").await;
            ehr.knows(&[(2, &run)]);
            scene.event(1, &walk).await;
            scene.event(4, &rest).await;
            assert_eq!(scene.told().await, ["Rest", "Run", "The third", "Walk"]);
            assert_eq!(ehr.asked().len(), usize::from(tells_events), "only an EHR is asked that says that it knows");
        }
    }
}

on_both_databases! {
    async fn ten_thousand_events_at_once_are_one_look(database) {
        let scene = Scene::set(database).await;
        let walk = scene.task("Walk").await;
        // A thousand notices of one event each, and as many notices as it takes of a hundred each.
        let sent = stream::iter(1..=1000).map(|number| scene.event(number, &walk)).buffer_unordered(8);
        let refused = sent.filter(|status| std::future::ready(*status != 204)).count().await;
        assert_eq!(refused, 0, "each is answered");
        for first in (1001..=9901).step_by(100) {
            let events: Vec<(i64, &str)> = (first..first + 100).map(|number| (number, walk.as_str())).collect();
            let notice = scene.notice("event-notification", first + 99, &events);
            assert_eq!(scene.send(&scene.secret, notice).await, 204);
        }
        assert!(scene.waiting().await <= 50, "nobody fills the database with notices: {}", scene.waiting().await);
        assert_eq!(scene.told().await, ["Walk"]);
        assert_eq!(scene.waiting().await, 0);
    }
}

on_both_databases! {
    async fn a_notice_outlives_the_bridge_and_an_ehr_that_does_not_show_what_it_is_about(database) {
        let scene = Scene::set(database).await;
        let faults = scene.ehr.sandbox.as_ref().unwrap().faults();
        let walk = scene.task("Walk").await;
        assert_eq!(scene.event(1, &walk).await, 204);
        let again = TestBridge::start_at(Database::at(&scene.bridge.database.url),
            &scene.bridge.config.replace(scene.bridge.api.strip_prefix("http://").unwrap(), "127.0.0.1:0"), scene.bridge.now()).await;
        look(&again).await;
        assert_eq!(told(&again, &scene.sparrow).await[0].0, "Walk", "another process looks at it");
        faults.switch_on(Fault::always(FaultKind::Status { code: 503, retry_after: None }).on("GET", "Task"));
        let run = scene.task("Run").await;
        assert_eq!(scene.event(2, &run).await, 204, "taken at once, whatever becomes of it");
        for _ in 0..24 * 4 {
            scene.bridge.clock.advance(SignedDuration::from_mins(15));
            look(&scene.bridge).await;
        }
        assert_eq!(told(&scene.bridge, &scene.sparrow).await.len(), 1);
        faults.clear();
        scene.bridge.clock.advance(SignedDuration::from_mins(15));
        assert_eq!(scene.told().await, ["Run", "Walk"], "after a day");
    }
}

on_both_databases! {
    async fn who_is_erased_is_watched_at_no_ehr_any_more(database) {
        let scene = Scene::set(database).await;
        let requested = request(&scene.bridge, &scene.sparrow, AT_ONCE).await;
        scene.bridge.chores().await;
        assert_eq!(state(&scene.bridge, &requested).await, ErasureState::Upstream, "the EHR still watches them");
        look(&scene.bridge).await;
        assert!(subscriptions(&scene.ehr).await.is_empty(), "no longer");
        scene.bridge.clock.advance(SignedDuration::from_mins(1));
        scene.bridge.chores().await;
        assert_eq!(state(&scene.bridge, &requested).await, ErasureState::Erased);
        assert_eq!(scene.bridge.database.count("subscriptions").await, 0);
    }
}

on_both_databases! {
    async fn an_ehr_that_cannot_be_reached_keeps_nobody_from_being_erased_for_ever(database) {
        let scene = Scene::set(database).await;
        let faults = scene.ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::always(FaultKind::Status { code: 503, retry_after: None }).on("DELETE", "Subscription"));
        let requested = request(&scene.bridge, &scene.sparrow, AT_ONCE).await;
        scene.bridge.chores().await;
        look(&scene.bridge).await;
        scene.bridge.clock.advance(SignedDuration::from_mins(1));
        scene.bridge.chores().await;
        assert_eq!(state(&scene.bridge, &requested).await, ErasureState::Upstream, "it is tried again");
        for _ in 0..20 {
            scene.bridge.clock.advance(SignedDuration::from_hours(5));
            look(&scene.bridge).await;
            scene.bridge.chores().await;
        }
        assert_eq!(state(&scene.bridge, &requested).await, ErasureState::Erased);
    }
}

on_both_databases! {
    async fn a_subscription_that_cannot_be_deleted_at_once_is_deleted_later(database) {
        let scene = Scene::set(database).await;
        let faults = scene.ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::always(FaultKind::Status { code: 503, retry_after: None }).on("DELETE", "Subscription"));
        scene.bridge.change_grant(&scene.sparrow, &scene.grant, "revoke").await;
        look(&scene.bridge).await;
        assert_eq!(seen_by_operators(&scene.bridge).await, [(SubscriptionState::Unwanted, Some("http-503".to_owned()))]);
        faults.clear();
        scene.bridge.clock.advance(SignedDuration::from_mins(2));
        look(&scene.bridge).await;
        assert!(subscriptions(&scene.ehr).await.is_empty() && states(&scene.bridge).await.is_empty());
    }
}

on_both_databases! {
    async fn what_a_member_lent_is_kept_until_nobody_watches_them_any_more(database) {
        let scene = Scene::set(database).await;
        let bridge = &scene.bridge;
        launch::store(bridge, scene.sparrow.id, &launch::some_tokens(bridge)).await;
        let is_lent = async || {
            let mut tx = bridge.bridge.store.read().await.unwrap();
            tx.patient_tokens(&riverside(), scene.sparrow.id).await.unwrap().is_some()
        };
        bridge.change_grant(&scene.sparrow, &scene.grant, "revoke").await;
        bridge.chores().await;
        assert!(is_lent().await, "without it nobody could delete the Subscription");
        look(bridge).await;
        bridge.chores().await;
        assert!(!is_lent().await && subscriptions(&scene.ehr).await.is_empty());
    }
}
