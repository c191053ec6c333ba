//! An EHR says that something changed: with a FHIR server that nobody here wrote, and with whatever can go wrong.

use jiff::SignedDuration;
use mostik::domain::recommendation::RecommendationState;
use mostik::domain::way_back::SubscriptionState;
use serde_json::json;

use crate::mapping::subscriptions::without_the_guide;
use crate::on_both_databases;
use crate::support::audit;
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::http;
use crate::support::notices::{Scene, notified, states, subscriptions, told_by, until_active};
use crate::support::recommendations::{look, look_later, notified_bridge, open_person, task, told, write};
use crate::support::validate::assert_valid;

const RECEIVED: RecommendationState = RecommendationState::Received;

/// From what a clinician writes to what the member answers, without waiting for the next look.
async fn story(database: Database, ehr: &Ehr, settings: &str) {
    let bridge = notified_bridge(database, &ehr.base, settings).await;
    let (sparrow, grant) = open_person(&bridge, "sparrow", &ehr.patient).await;
    look(&bridge).await;
    let made = subscriptions(ehr).await;
    assert_eq!(made.len(), 1, "{made:?}");
    assert_valid(&without_the_guide(made[0].clone())).await;
    until_active(ehr).await;
    bridge.clock.advance(SignedDuration::from_mins(2));
    look(&bridge).await;
    assert_eq!(states(&bridge).await, [SubscriptionState::Active]);
    notified(&bridge, write(&ehr.base, task(&ehr.patient, "Walk"))).await;
    bridge.clock.advance(SignedDuration::from_secs(6));
    look(&bridge).await;
    assert_eq!(told(&bridge, &sparrow).await, [("Walk".to_owned(), RECEIVED)]);
    bridge.change_grant(&sparrow, &grant, "revoke").await;
    look(&bridge).await;
    assert!(subscriptions(ehr).await.is_empty(), "it is deleted when consent ends");
    assert!(states(&bridge).await.is_empty());
}

on_both_databases! {
    async fn an_ehr_with_topics_says_at_once_that_there_is_something(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        let settings = told_by(&ehr, true, &["Task"]).await;
        story(database, &ehr, &settings).await;
    }
}

on_both_databases! {
    async fn an_ehr_with_criteria_says_at_once_that_there_is_something(database) {
        let Some(ehr) = Ehr::sekmet().await else { return };
        story(database, &ehr, "subscribe = \"auto\"\nkinds = [\"task\"]\n").await;
    }
}

on_both_databases! {
    async fn a_notice_is_taken_once_and_only_what_it_is_about_is_looked_at(database) {
        let scene = Scene::set(database).await;
        let walk = scene.task("Walk").await;
        scene.task("Nobody says anything of it").await;
        assert_eq!(scene.send(&scene.secret, scene.notice("handshake", 0, &[])).await, 204);
        assert_eq!(scene.event(1, &walk).await, 204);
        assert_eq!(scene.waiting().await, 1);
        assert_eq!(scene.told().await, ["Walk"]);
        assert_eq!(scene.event(1, &walk).await, 204, "a duplicate, or a replay");
        assert_eq!(scene.waiting().await, 0);
        assert_eq!(states(&scene.bridge).await, [SubscriptionState::Active]);
        look_later(&scene.bridge).await;
        assert_eq!(scene.told().await, ["Nobody says anything of it", "Walk"], "the next look finds it all the same");
    }
}

on_both_databases! {
    async fn a_number_that_is_missing_has_everything_looked_for(database) {
        let scene = Scene::set(database).await;
        let (walk, _, run) = (scene.task("Walk").await, scene.task("Missed").await, scene.task("Run").await);
        scene.event(1, &walk).await;
        assert_eq!(scene.told().await, ["Walk"]);
        scene.event(3, &run).await;
        assert_eq!(scene.told().await, ["Missed", "Run", "Walk"]);
        scene.event(2, &walk).await;
        assert_eq!(scene.waiting().await, 0, "out of order: it was looked for already");
    }
}

on_both_databases! {
    async fn a_server_that_counts_anew_has_everything_looked_for(database) {
        let scene = Scene::set(database).await;
        let walk = scene.task("Walk").await;
        scene.event(7, &walk).await;
        assert_eq!(scene.told().await, ["Walk"]);
        scene.task("Before the restart").await;
        scene.bridge.clock.advance(SignedDuration::from_secs(10));
        assert_eq!(scene.send(&scene.secret, scene.notice("heartbeat", 0, &[])).await, 204);
        assert_eq!(scene.told().await, ["Before the restart", "Walk"]);
        let run = scene.task("Run").await;
        scene.event(1, &run).await;
        assert_eq!(scene.told().await, ["Before the restart", "Run", "Walk"]);
    }
}

on_both_databases! {
    async fn a_heartbeat_that_counts_more_than_came_has_everything_looked_for(database) {
        let scene = Scene::set(database).await;
        scene.send(&scene.secret, scene.notice("handshake", 0, &[])).await;
        scene.task("Lost").await;
        scene.send(&scene.secret, scene.notice("heartbeat", 1, &[])).await;
        assert_eq!(scene.told().await, ["Lost"]);
    }
}

on_both_databases! {
    async fn whoever_does_not_know_the_secrets_is_sent_away(database) {
        let scene = Scene::set(database).await;
        let walk = scene.task("Walk").await;
        let notice = scene.notice("event-notification", 1, &[(1, &walk)]);
        let other = if scene.secret.ends_with('0') { '1' } else { '0' };
        let forged = format!("{}{other}", &scene.secret[..scene.secret.len() - 1]);
        assert_eq!(scene.send(&forged, notice.clone()).await, 401);
        assert_eq!(scene.send("", notice.clone()).await, 401);
        assert_eq!(scene.send(&scene.secret, "x".repeat(300 * 1024)).await, 413);
        let elsewhere = notice.replace(&scene.subscription, "another-one");
        assert_eq!(scene.send(&scene.secret, elsewhere).await, 404, "it names another Subscription");
        let url = format!("{}/fhir/notify/{}", scene.bridge.api, "0".repeat(64));
        assert_eq!(http::client().post(url).bearer_auth(&scene.secret).body(notice).send().await.unwrap().status(), 404);
        assert_eq!((scene.waiting().await, scene.told().await), (0, Vec::new()));
    }
}

on_both_databases! {
    async fn a_notice_about_somebody_else_shows_nothing_and_is_written_down(database) {
        let scene = Scene::set(database).await;
        let other = create_patient(&scene.ehr.base).await;
        let (wren, _) = open_person(&scene.bridge, "wren", &other).await;
        let stranger = create_patient(&scene.ehr.base).await;
        for (number, patient) in [(1, &other), (2, &stranger)] {
            let theirs = write(&scene.ehr.base, task(patient, "Not for sparrow")).await;
            scene.event(number, &format!("Task/{}", theirs["id"].as_str().unwrap())).await;
        }
        assert!(scene.told().await.is_empty());
        let kinds = audit::kinds(&scene.bridge, &audit::between(&scene.sparrow)).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "recommendation-not-kept").count(), 2, "{kinds:?}");
        assert_eq!(told(&scene.bridge, &wren).await.len(), 1, "wren's own comes by wren's own look");
    }
}

on_both_databases! {
    async fn a_notice_about_what_a_task_asks_to_do_has_the_task_say_something_else(database) {
        let scene = Scene::set(database).await;
        let subject = json!({"reference": format!("Patient/{}", scene.ehr.patient)});
        let mut order = write(&scene.ehr.base, json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": subject, "code": {"text": "Walk half an hour"}})).await;
        let order_named = format!("ServiceRequest/{}", order["id"].as_str().unwrap());
        let mut asked = task(&scene.ehr.patient, "Every day");
        asked["focus"] = json!({"reference": order_named});
        let asked = write(&scene.ehr.base, asked).await;
        scene.event(1, &format!("Task/{}", asked["id"].as_str().unwrap())).await;
        assert_eq!(scene.told().await, ["Every day\n\nWalk half an hour"]);
        order["code"]["text"] = json!("Walk an hour");
        write(&scene.ehr.base, order).await;
        scene.event(2, &order_named).await;
        assert_eq!(scene.told().await, ["Every day\n\nWalk an hour"], "although nobody changed the Task");
    }
}

on_both_databases! {
    async fn what_was_revoked_between_notice_and_look_is_not_looked_at(database) {
        let scene = Scene::set(database).await;
        let walk = scene.task("Walk").await;
        assert_eq!(scene.event(1, &walk).await, 204);
        scene.bridge.change_grant(&scene.sparrow, &scene.grant, "revoke").await;
        assert!(scene.told().await.is_empty());
        assert_eq!(scene.event(2, &walk).await, 404, "nobody listens any more");
        assert!(subscriptions(&scene.ehr).await.is_empty());
    }
}

on_both_databases! {
    async fn what_is_gone_from_the_ehr_is_taken_back(database) {
        let scene = Scene::set(database).await;
        let walk = scene.task("Walk").await;
        scene.event(1, &walk).await;
        assert_eq!(scene.told().await, ["Walk"]);
        let deleted = http::client().delete(&walk).send().await.unwrap().status().as_u16();
        assert!(deleted < 300 || deleted == 405, "{deleted}");
        if deleted < 300 {
            scene.event(2, &walk).await;
            assert_eq!(scene.told().await, [""], "nothing of it is kept");
        }
    }
}

on_both_databases! {
    async fn a_subscription_in_error_is_begun_anew_and_what_was_missed_is_looked_for(database) {
        let scene = Scene::set(database).await;
        let mut broken = subscriptions(&scene.ehr).await.remove(0);
        broken["status"] = json!("error");
        write(&scene.ehr.base, broken).await;
        scene.task("Missed").await;
        scene.bridge.clock.advance(SignedDuration::from_mins(2));
        look(&scene.bridge).await;
        let after = subscriptions(&scene.ehr).await.remove(0);
        assert_eq!((&after["status"], &after["id"]), (&json!("requested"), &json!(scene.subscription)));
        assert_eq!(states(&scene.bridge).await, [SubscriptionState::Error]);
        scene.bridge.clock.advance(SignedDuration::from_secs(10));
        assert_eq!(scene.told().await, ["Missed"]);
    }
}

on_both_databases! {
    async fn a_subscription_that_would_end_is_renewed_and_one_that_was_deleted_is_made_again(database) {
        let scene = Scene::set(database).await;
        let mut works = subscriptions(&scene.ehr).await.remove(0);
        works["status"] = json!("active");
        let first = write(&scene.ehr.base, works).await;
        scene.bridge.clock.advance(SignedDuration::from_hours(26 * 24));
        look(&scene.bridge).await;
        let renewed = subscriptions(&scene.ehr).await.remove(0);
        assert!(renewed["end"].as_str().unwrap() > first["end"].as_str().unwrap(), "{renewed}");
        assert_eq!((&renewed["status"], states(&scene.bridge).await), (&json!("active"), vec![SubscriptionState::Active]));
        let url = format!("{}/Subscription/{}", scene.ehr.base, scene.subscription);
        http::client().delete(url).send().await.unwrap();
        assert!(subscriptions(&scene.ehr).await.is_empty());
        scene.bridge.clock.advance(SignedDuration::from_mins(11));
        look(&scene.bridge).await;
        scene.bridge.clock.advance(SignedDuration::from_secs(10));
        look(&scene.bridge).await;
        let again = subscriptions(&scene.ehr).await;
        assert_eq!((again.len(), again[0]["channel"]["endpoint"].as_str()), (1, Some(scene.endpoint.as_str())));
    }
}
