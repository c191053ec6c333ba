//! Between the bridge and the EHR: connections that are refused, reset, silent, slow, or break off.

use std::time::Duration;

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState::{Retry, Unknown};
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use super::scene::{Scene, assert_all_once, queue};
use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text, mood};
use crate::support::door::Door;
use crate::support::ehr::{Ehr, create_patient, identifier};
use crate::support::proxy::{Fault, On, Proxy};
use crate::support::server::moment;

on_both_databases! {
    async fn an_ehr_that_refuses_connections_is_called_again_later(database) {
        let scene = Scene::new(database).await;
        scene.proxy.door.shut().await;
        scene.is_seen_as(Retry, "no-connection").await;
        scene.an_hour_later(Retry, "no-connection").await;
        scene.proxy.door.open();
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn a_connection_that_is_reset_in_the_middle_of_a_request_leaves_its_fate_open(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::Reset);
        scene.is_seen_as(Unknown, "no-answer").await;
        scene.an_hour_later(Unknown, "no-answer").await;
        scene.proxy.heal();
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn an_answer_that_is_lost_after_the_ehr_has_stored_is_found_out_by_a_search(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Posts, Fault::LostAnswer);
        scene.is_seen_as(Unknown, "no-answer").await;
        scene.all_arrive_once().await;
        assert_eq!(scene.proxy.struck(), scene.proxy.posts(), "not one answer came");
    }
}

on_both_databases! {
    async fn while_no_answer_comes_at_all_nothing_is_sent_a_second_time(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::LostAnswer);
        scene.is_seen_as(Unknown, "no-answer").await;
        let posts = scene.proxy.posts();
        scene.an_hour_later(Unknown, "no-answer").await;
        assert_eq!(scene.proxy.posts(), posts, "only searches");
        scene.proxy.heal();
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn an_ehr_that_says_nothing_is_left_after_the_timeout(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::Stall);
        scene.is_seen_as(Unknown, "timeout").await;
        scene.an_hour_later(Unknown, "timeout").await;
        scene.proxy.heal();
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn an_ehr_that_stores_after_it_was_given_up_is_asked_twice_before_anything_is_sent_again(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike_times(1, On::Posts, Fault::Late(Duration::from_secs(2)));
        scene.is_seen_as(Unknown, "timeout").await;
        // The first search finds nothing, because it comes too early.
        scene.bridge.clock.advance(SignedDuration::from_secs(6));
        scene.come_to_rest().await;
        while scene.proxy.late() == 0 {
            moment().await;
        }
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn an_answer_that_trickles_in_byte_by_byte_is_left_after_the_timeout(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::Trickle(Duration::from_millis(50)));
        scene.is_seen_as(Unknown, "timeout").await;
        scene.an_hour_later(Unknown, "timeout").await;
        scene.proxy.heal();
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn an_answer_that_trickles_in_within_the_timeout_is_good(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::Trickle(Duration::from_millis(1)));
        scene.report().await;
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn an_answer_that_breaks_off_is_no_answer(database) {
        let scene = Scene::new(database).await;
        scene.proxy.strike(On::Every, Fault::BrokenOff);
        scene.is_seen_as(Unknown, "no-answer").await;
        scene.an_hour_later(Unknown, "no-answer").await;
        scene.proxy.heal();
        scene.all_arrive_once().await;
    }
}

on_both_databases! {
    async fn a_name_that_leads_nowhere_is_looked_up_again_later(database) {
        let ehr = Ehr::without_conditional_create().await;
        let mut proxy = Proxy::before(&ehr.base);
        "http://ehr.invalid/fhir".clone_into(&mut proxy.base);
        let scene = Scene::with(database, ehr, proxy).await;
        scene.is_seen_as(Retry, "no-connection").await;
        scene.an_hour_later(Retry, "no-connection").await;
        scene.arrives_at(&scene.ehr.base).await;
    }
}

on_both_databases! {
    async fn a_thousand_answers_are_lost_and_a_thousand_resources_arrive_exactly_once(database) {
        let ehr = Ehr::without_conditional_create().await;
        let proxy = Proxy::before(&ehr.base);
        let text = config_text(&database, &proxy.base, "127.0.0.1:0");
        let bridge = TestBridge::start_with(database, &text).await;
        let mut patients = Vec::new();
        for bird in 0..40 {
            let handle = format!("bird-{bird}");
            let patient = create_patient(&ehr.base).await;
            let member = bridge.person(&handle, &patient).await;
            bridge.grant(&member, &["mood"]).await;
            patients.push(format!("Patient/{patient}"));
        }
        let moods: Value =
            (0..1000).map(|n| mood(&n.to_string(), &format!("bird-{}", n % 40), 1 + i64::from(n % 5))).collect();
        assert_eq!(bridge.send(&moods).await.status, 200);
        proxy.strike(On::Posts, Fault::LostAnswer);
        let before = proxy.requests();
        // As an EHR that loses every answer may be spared by its bridge, it may take days.
        for _ in 0..3 * 24 * 60 {
            bridge.deliver().await;
            if bridge.open_items().await == 0 {
                break;
            }
            bridge.clock.advance(SignedDuration::from_mins(1));
        }
        let lines = queue(&bridge).await;
        assert!(lines.len() == 1 && lines[0].state == "confirmed" && lines[0].items == 1000, "{lines:?}");
        assert_eq!(proxy.struck(), proxy.posts(), "not one answer came");
        let made = proxy.requests() - before;
        assert!(made < 5000, "{made} requests for a thousand resources are a busy loop");

        let charted = ehr.sandbox.as_ref().unwrap().resources("Observation");
        assert_eq!(charted.len(), 1000, "nothing lost, nothing twice");
        let identifiers: std::collections::BTreeSet<String> = charted.iter().map(identifier).collect();
        assert_eq!(identifiers.len(), 1000);
        for patient in patients {
            let hers = charted.iter().filter(|resource| resource["subject"]["reference"] == patient.as_str()).count();
            assert_eq!(hers, 25, "{patient}");
        }
    }
}

on_both_databases! {
    async fn connections_that_are_cut_again_and_again_lose_and_double_nothing(database) {
        let ehr = Ehr::without_conditional_create().await;
        let url = reqwest::Url::parse(&ehr.base).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let door = Door::new(move |mut client| {
            let target = target.clone();
            async move {
                let mut upstream = TcpStream::connect(target).await.unwrap();
                let _ended = copy_bidirectional(&mut client, &mut upstream).await;
            }
        });
        let text = config_text(&database, &format!("http://{}/fhir", door.address), "127.0.0.1:0");
        let bridge = TestBridge::start_with(database, &text).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let moods: Value = (0..150).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
        assert_eq!(bridge.send(&moods).await.status, 200);
        let sandbox = ehr.sandbox.as_ref().unwrap();
        let mut cuts = 0;
        while bridge.open_items().await > 0 {
            let working = bridge.deliver_aside();
            let mut next = sandbox.requests() + 7;
            // Requests share connections, and some are cut with a request on its way.
            while !working.is_finished() {
                if sandbox.requests() >= next {
                    door.break_off();
                    (cuts, next) = (cuts + 1, next + 7);
                }
                tokio::task::yield_now().await;
            }
            assert!(working.await.unwrap(), "the database has no part in it");
            bridge.clock.advance(SignedDuration::from_mins(1));
        }
        assert!(cuts > 5, "only {cuts} cuts");
        assert_all_once(&ehr, 150).await;
        let most = 4 * 150 + 10 * cuts;
        assert!(sandbox.requests() < most, "{} requests are a busy loop", sandbox.requests());
    }
}
