//! How desks press an EHR: several items in one request, no more than it bears, and each clinic for itself.

use jiff::SignedDuration;
use mostik::domain::delivery::{DeliveryState, Rung};
use mostik::sandbox::{Fault, FaultKind};
use serde_json::Value;

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text, mood, riverside};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient, observations};

/// A bridge whose `members` members have each told one mood.
async fn moods(database: Database, ehr: &Ehr, members: usize) -> TestBridge {
    let text = config_text(&database, &ehr.base, "127.0.0.1:0").replace("[delivery]", "[delivery]\nconcurrency = 8");
    let bridge = TestBridge::start_with(database, &text).await;
    for n in 0..members {
        let (handle, patient) = (format!("bird-{n}"), create_patient(&ehr.base).await);
        let member = bridge.person(&handle, &patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood(&n.to_string(), &handle, 3)).await;
    }
    bridge
}

fn charted(ehr: &Ehr) -> usize {
    ehr.sandbox.as_ref().unwrap().resources("Observation").len()
}

on_both_databases! {
    async fn items_of_several_members_go_in_one_request_where_the_ehr_takes_batches(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = moods(database, &ehr, 30).await;
        let before = ehr.sandbox.as_ref().unwrap().requests();
        bridge.deliver().await;
        let asked = ehr.sandbox.as_ref().unwrap().requests() - before;
        assert_eq!((charted(&ehr), bridge.count(DeliveryState::Confirmed).await), (30, 30));
        assert!(asked < 10, "{asked} requests for 30 items");
    }
}

on_both_databases! {
    async fn where_batches_are_refused_the_items_go_one_by_one(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = moods(database, &ehr, 6).await;
        let refused = Fault::always(FaultKind::Status { code: 405, retry_after: None }).on("POST", "Bundle");
        ehr.sandbox.as_ref().unwrap().faults().switch_on(refused);
        bridge.deliver_in_time().await;
        assert_eq!((charted(&ehr), bridge.count(DeliveryState::Confirmed).await), (6, 6));
    }
}

on_both_databases! {
    async fn when_the_answer_to_a_batch_is_lost_each_item_is_searched_for(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = moods(database, &ehr, 6).await;
        ehr.sandbox.as_ref().unwrap().faults().switch_on(Fault::once(FaultKind::LostReply).on("POST", "Bundle"));
        bridge.deliver().await;
        assert!(bridge.count(DeliveryState::Unknown).await > 1, "{:?}", bridge.counts().await);
        bridge.deliver_in_time().await;
        assert_eq!((charted(&ehr), bridge.count(DeliveryState::Confirmed).await), (6, 6));
    }
}

on_both_databases! {
    async fn an_ehr_in_trouble_is_left_in_peace_and_asked_again_by_one_request(database) {
        let ehr = Ehr::without_conditional_create().await;
        let bridge = moods(database, &ehr, 30).await;
        let sandbox = ehr.sandbox.as_ref().unwrap();
        sandbox.faults().switch_on(Fault::always(FaultKind::Status { code: 500, retry_after: None }).on("POST", "Observation"));
        let before = sandbox.requests();
        bridge.deliver().await;
        let asked = sandbox.requests() - before;
        assert!((5..=14).contains(&asked), "{asked} requests until it is left in peace");
        let seen = bridge.bridge.store.read().await.unwrap().clinics().await.unwrap().remove(0);
        assert_eq!(seen.trouble.unwrap().0, "http-500");
        assert!(bridge.count(DeliveryState::Ready).await >= 16, "the others wait without an attempt");

        bridge.clock.advance(SignedDuration::from_secs(10));
        let before = sandbox.requests();
        bridge.deliver().await;
        assert_eq!(sandbox.requests() - before, 1, "one request finds out how it is");

        sandbox.faults().clear();
        bridge.deliver_in_time().await;
        assert_eq!(charted(&ehr), 30);
        let seen = bridge.bridge.store.read().await.unwrap().clinics().await.unwrap().remove(0);
        assert_eq!(seen.trouble, None);
    }
}

on_both_databases! {
    async fn what_an_ehr_asks_for_holds_for_everyone(database) {
        let ehr = Ehr::without_conditional_create().await;
        let bridge = moods(database, &ehr, 12).await;
        let sandbox = ehr.sandbox.as_ref().unwrap();
        sandbox.faults().switch_on(Fault::always(FaultKind::Status { code: 429, retry_after: Some(120) }).on("POST", "Observation"));
        let before = sandbox.requests();
        bridge.deliver().await;
        assert!(sandbox.requests() - before <= 9, "those under way, and no others");
        sandbox.faults().clear();
        bridge.clock.advance(SignedDuration::from_secs(119));
        bridge.deliver().await;
        assert_eq!(charted(&ehr), 0, "not a second too early");
        bridge.deliver_in_time().await;
        assert_eq!(charted(&ehr), 12);
    }
}

on_both_databases! {
    async fn a_clinic_that_never_answers_delays_no_other(database) {
        let (slow, quick) = (Ehr::sandbox().await, Ehr::sandbox().await);
        slow.sandbox.as_ref().unwrap().faults().switch_on(Fault::always(FaultKind::Stall));
        let hillside = format!("[clinics.hillside]\nname = \"Hillside\"\nfhir_base = {:?}\n", slow.base);
        let text = config_text(&database, &quick.base, "127.0.0.1:0").replace("timeout_seconds = 1", "timeout_seconds = 30");
        let text = format!("{}{hillside}", text.replace("lease_seconds = 3", "lease_seconds = 90"));
        let bridge = TestBridge::start_with(database, &text).await;
        for n in 0..10 {
            let (handle, patient) = (format!("bird-{n}"), create_patient(&quick.base).await);
            let member = bridge.person(&handle, &patient).await;
            let mut tx = bridge.bridge.store.begin().await.unwrap();
            let clinic = "hillside".parse().unwrap();
            mostik::enrolment::join::link(&mut tx, &bridge.bridge.keyring, member.id, &clinic, &patient, "test", bridge.now())
                .await
                .unwrap();
            tx.commit().await.unwrap();
            bridge.grant(&member, &["mood"]).await;
            let asked = serde_json::json!({"clinic": "hillside", "terms": {"categories": {"mood": "every-entry"}}});
            bridge.as_member(&member, reqwest::Method::POST, "/v1/grants", Some(&asked)).await;
            bridge.send(&mood(&n.to_string(), &handle, 3)).await;
        }
        let mut desks = bridge.desks.open();
        let mut drains = desks.iter_mut().map(|desk| Box::pin(desk.drain()));
        let (hillside, riverside) = (drains.next().unwrap(), drains.next().unwrap());
        tokio::select! {
            _ = hillside => panic!("the clinic that never answers cannot be done first"),
            done = riverside => done.unwrap(),
        }
        assert_eq!(charted(&quick), 10);
    }
}

on_both_databases! {
    async fn an_ehr_that_takes_documents_gets_notes_under_the_same_identifiers(database) {
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let bridge = TestBridge::start_with(database, &format!("{text}[clinics.riverside.takes]\nform = \"document\"\n")).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        let notes = ehr.sandbox.as_ref().unwrap().resources("DocumentReference");
        assert_eq!((notes.len(), charted(&ehr)), (1, 0));
        assert_eq!(notes[0]["subject"]["reference"], format!("Patient/{}", ehr.patient));
        let ledger = bridge.bridge.store.read().await.unwrap().ledger(&crate::support::bridge::lane(&member)).await.unwrap();
        assert_eq!(ledger[0].stored.resource_type, "DocumentReference");
        assert_eq!(notes[0]["identifier"][0]["value"], ledger[0].identifier);
        let seen = bridge.bridge.store.read().await.unwrap().clinics().await.unwrap().remove(0);
        assert_eq!((seen.clinic, seen.rung), (riverside(), Some(Rung::Document)));
        let shown = bridge.as_member(&member, reqwest::Method::GET, "/v1/grants", None).await;
        assert_eq!(shown.json["arrives_as"]["riverside"], "document", "the member sees it too");
    }
}

on_both_databases! {
    async fn what_an_ehr_takes_in_no_form_is_held_until_it_does(database) {
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let none = format!("{text}[clinics.riverside.takes]\nform = \"none\"\n");
        let bridge = TestBridge::start_with(database, &none).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        assert_eq!((bridge.count(DeliveryState::Held).await, charted(&ehr)), (1, 0));

        let bridge = TestBridge::start_with(bridge.database, &text).await;
        bridge.send(&mood("2", "sparrow", 2)).await;
        bridge.deliver().await;
        bridge.deliver().await;
        assert_eq!((bridge.count(DeliveryState::Held).await, charted(&ehr)), (0, 2));
    }
}

on_both_databases! {
    async fn a_rule_of_the_operator_changes_what_goes_and_what_was_refused_is_sent_again(database) {
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let rule = "[[clinics.riverside.rules]]\nresource = \"Observation\"\n\
                    patch = [{ op = \"replace\", path = \"/valueQuantity/unit\", value = \"points\" }]\n";
        let bridge = TestBridge::start_with(database, &format!("{text}provenance = false\n{rule}")).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        bridge.send(&mood("1", "sparrow", 4)).await;
        bridge.deliver().await;
        let charted = observations(&ehr.base, &ehr.patient).await;
        assert_eq!(charted[0]["valueQuantity"]["unit"], "points");
        assert_eq!(charted[0]["contained"], Value::Null, "and no Provenance, as the operator said");
    }
}
