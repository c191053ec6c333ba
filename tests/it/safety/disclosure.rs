//! A clinic is told without consent that its patient may be in danger: only where a policy allows it, only because
//! somebody who was named decided so, and only that.

use jiff::SignedDuration;
use mostik::app;
use mostik::config::Config;
use mostik::domain::delivery::DeliveryState;
use mostik::enrolment::credentials::{CONCERNS_DISCLOSE, create_api_key};
use mostik::erasure;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{Person, TestBridge, config_text, lane, mood};
use crate::support::concerns::{Keepers, POLICY, REASON, with_ada, worrying};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::fixed_ehr::FixedEhr;
use crate::support::outbox::items;
use crate::support::postbox::Postbox;
use crate::support::validate::assert_valid;
use crate::vault::erasing::{AT_ONCE, request};
use crate::vault::export::files;

const INSTANT: SignedDuration = SignedDuration::from_micros(1);

/// Whom ada may decide about: a member of the forum who is a patient of riverside and has consented to nothing.
struct Scene {
    bridge: TestBridge,
    sparrow: Person,
    ehr: Ehr,
    _postbox: Postbox,
}

impl Scene {
    async fn with(database: Database, ehr: Ehr, policy: &str) -> Self {
        let postbox = Postbox::open();
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let text =
            text + "[communities.chat]\nname = \"The chat\"\n" + &with_ada(&database, &postbox, &postbox) + policy;
        let bridge = TestBridge::start_with(database, &text).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.send(&worrying("worry", "sparrow")).await;
        Self { bridge, sparrow, ehr, _postbox: postbox }
    }

    async fn open(database: Database) -> Self {
        Self::with(database, Ehr::sandbox().await, POLICY).await
    }

    /// Delivers under settings without the policy.
    async fn deliver_without_policy(&self) {
        let text = self.bridge.config.replace(POLICY, "");
        assert_ne!(text, self.bridge.config);
        app::desks(&Config::from_toml(&text).unwrap(), &self.bridge.bridge).unwrap().drain().await.unwrap();
    }

    /// A key of a community.
    async fn key(&self, community: &str, scopes: &str) -> String {
        let bridge = &self.bridge.bridge;
        let mut tx = bridge.store.begin().await.unwrap();
        let community = community.parse().unwrap();
        let key = create_api_key(&mut tx, &bridge.keyring, &community, scopes, self.bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        key.secret
    }

    fn told(&self) -> Vec<Value> {
        self.ehr.sandbox.as_ref().unwrap().resources("Communication")
    }
}

/// Whether a word stands in a text by itself: three letters are in many an id.
fn stands_in(word: &str, text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|found| found == word)
}

async fn concern(keepers: &Keepers<'_>) -> Value {
    keepers.open().await.remove(0)
}

/// Where the clinics stand that were told, as the community's people see it.
async fn states(keepers: &Keepers<'_>) -> Vec<String> {
    let told = concern(keepers).await["disclosed"].as_array().cloned().unwrap_or_default();
    told.iter().map(|told| told["state"].as_str().unwrap().to_owned()).collect()
}

on_both_databases! {
    async fn somebody_who_was_named_decides_and_the_clinic_is_told_that_and_nothing_else(database) {
        let scene = Scene::open(database).await;
        let keepers = Keepers::of(&scene.bridge).await;
        let done = keepers.disclose(&concern(&keepers).await, "ada", REASON).await;
        assert_eq!((done.status, &done.json["state"]), (200, &json!("acknowledged")), "{:?}", done.json);
        assert_eq!(done.json["acknowledged"]["by"], "ada");
        let told = json!([{"clinic": "Riverside", "at": "2026-11-20T12:00:00Z", "by": "ada", "state": "waiting"}]);
        assert_eq!(done.json["disclosed"], told);
        scene.bridge.deliver().await;
        assert_eq!(states(&keepers).await, ["arrived"]);
        let there = scene.told();
        assert_eq!((there.len(), scene.ehr.observations().await.len()), (1, 0), "neither the answers nor a score");
        let said = there[0]["payload"][0]["contentString"].as_str().unwrap();
        assert!(said.contains("A law that allows it in an emergency") && said.contains("question 9 of PHQ-9"), "{said}");
        assert!(!stands_in("ada", &there[0].to_string()), "who decided is nothing for the clinic: {}", there[0]);
        for kept in ["canary-reason", "sparrow", "forum"] {
            assert!(!there[0].to_string().contains(kept), "{kept} is nothing for the clinic: {}", there[0]);
        }
        assert_valid(&there[0]).await;
        // Once more changes nothing, and by somebody else it is said that it was decided.
        scene.bridge.clock.advance(SignedDuration::from_mins(1));
        let again = keepers.disclose(&concern(&keepers).await, "ada", "another").await;
        assert_eq!((again.status, &again.json["disclosed"][0]["at"]), (200, &json!("2026-11-20T12:00:00Z")));
        let other = keepers.disclose(&concern(&keepers).await, "bo", REASON).await;
        assert_eq!(other.status, 409);
        assert!(other.json["detail"].as_str().unwrap().contains("decided so already"), "{:?}", other.json);
        scene.bridge.deliver().await;
        assert_eq!(scene.told().len(), 1);
        assert_eq!(items(&scene.bridge, &scene.sparrow).await.len(), 1);
    }
}

on_both_databases! {
    async fn without_a_policy_nothing_leaves_and_the_api_says_so(database) {
        let scene = Scene::with(database, Ehr::sandbox().await, "").await;
        let keepers = Keepers::of(&scene.bridge).await;
        let refused = keepers.disclose(&concern(&keepers).await, "ada", REASON).await;
        assert_eq!(refused.status, 403);
        let said = refused.json["detail"].as_str().unwrap();
        assert!(said.starts_with("Nothing was sent: no clinic may be told without consent"), "{said}");
        assert_eq!(concern(&keepers).await["state"], "raised", "and nobody looks after it for that");
        scene.bridge.deliver().await;
        assert_eq!((scene.told().len(), items(&scene.bridge, &scene.sparrow).await.len()), (0, 0));
        let rows = scene.bridge.database.cells().await.into_iter().filter(|cell| cell.table == "warnings").count();
        assert_eq!(rows, 0);
    }
}

on_both_databases! {
    async fn nobody_else_decides_and_nothing_is_decided_of_what_is_over(database) {
        let scene = Scene::open(database).await;
        scene.bridge.unlinked_person("wren").await;
        let keepers = Keepers::of(&scene.bridge).await;
        let first = concern(&keepers).await;
        let refused = async |concern: &Value, by: &str, reason: &str| {
            let got = keepers.disclose(concern, by, reason).await;
            (got.status, got.json["detail"].as_str().unwrap_or_default().to_owned())
        };
        let (status, said) = refused(&first, "anna", REASON).await;
        assert!(status == 403 && said.contains("nobody by this name"), "{status} {said}");
        assert_eq!(refused(&first, "ada", " ").await.0, 400);
        assert_eq!(refused(&first, "", REASON).await.0, 400);
        assert_eq!(refused(&json!({"id": "0198f2a4-5b6c-7d8e-9f00-112233445566"}), "ada", REASON).await.0, 404);
        // A key that settles concerns does not decide.
        let without = Keepers { decider: keepers.key.clone(), ..Keepers::of(&scene.bridge).await };
        assert_eq!(without.disclose(&first, "ada", REASON).await.status, 403);
        // Nor do those of another community.
        let theirs = Keepers { decider: scene.key("chat", CONCERNS_DISCLOSE).await, ..Keepers::of(&scene.bridge).await };
        assert_eq!(theirs.disclose(&first, "ada", REASON).await.status, 404);
        // Of somebody who is no clinic's patient no clinic is found.
        scene.bridge.send(&worrying("2", "wren")).await;
        let of_wren = keepers.open().await.into_iter().find(|it| it["handle"] == "wren").unwrap();
        let (status, said) = refused(&of_wren, "ada", REASON).await;
        assert!(status == 409 && said.contains("linked to no clinic"), "{status} {said}");
        // What is closed is over, and what is two weeks old speaks of now no more.
        scene.bridge.send(&worrying("3", "sparrow")).await;
        let other = keepers.open().await.into_iter().find(|it| it["handle"] == "sparrow" && it["id"] != first["id"]).unwrap();
        keepers.settle(&first, "acknowledge", "anna").await;
        assert_eq!(theirs.disclose(&first, "ada", REASON).await.status, 404, "whoever looks after it");
        keepers.settle(&first, "close", "anna").await;
        let (status, said) = refused(&first, "ada", REASON).await;
        assert!(status == 409 && said.contains("closed"), "{status} {said}");
        scene.bridge.clock.advance(SignedDuration::from_hours(14 * 24) + INSTANT);
        let (status, said) = refused(&other, "ada", REASON).await;
        assert!(status == 409 && said.contains("two weeks"), "{status} {said}");
        scene.bridge.deliver().await;
        assert_eq!((scene.told().len(), items(&scene.bridge, &scene.sparrow).await.len()), (0, 0));
    }
}

on_both_databases! {
    async fn a_policy_that_is_switched_off_meanwhile_withdraws_what_waits(database) {
        let scene = Scene::open(database).await;
        let keepers = Keepers::of(&scene.bridge).await;
        assert_eq!(keepers.disclose(&concern(&keepers).await, "ada", REASON).await.status, 200);
        scene.deliver_without_policy().await;
        let item = items(&scene.bridge, &scene.sparrow).await.remove(0);
        assert_eq!((item.state.as_str(), item.reason.as_deref()), ("withdrawn", Some("no-policy")));
        assert_eq!((scene.told().len(), states(&keepers).await), (0, vec!["failed".to_owned()]));
        // Switched on again, somebody has to decide again.
        scene.bridge.deliver().await;
        assert_eq!(scene.told().len(), 0);
        assert_eq!(keepers.disclose(&concern(&keepers).await, "ada", REASON).await.json["disclosed"][0]["state"], "waiting");
        scene.bridge.deliver().await;
        assert_eq!((scene.told().len(), states(&keepers).await), (1, vec!["arrived".to_owned()]));
    }
}

on_both_databases! {
    async fn what_could_not_be_sent_within_a_day_is_not_sent(database) {
        let scene = Scene::open(database).await;
        let keepers = Keepers::of(&scene.bridge).await;
        keepers.disclose(&concern(&keepers).await, "ada", REASON).await;
        scene.bridge.clock.advance(SignedDuration::from_hours(24));
        scene.bridge.deliver().await;
        let item = items(&scene.bridge, &scene.sparrow).await.remove(0);
        assert_eq!((item.state.as_str(), item.reason.as_deref()), ("withdrawn", Some("decision-too-old")));
        keepers.disclose(&concern(&keepers).await, "ada", REASON).await;
        scene.bridge.clock.advance(SignedDuration::from_hours(24) - INSTANT);
        scene.bridge.deliver().await;
        assert_eq!(scene.told().len(), 1, "to the instant");
    }
}

on_both_databases! {
    async fn a_pause_does_not_keep_it_waiting_and_an_end_of_consent_withdraws_it(database) {
        let scene = Scene::open(database).await;
        let (bridge, sparrow) = (&scene.bridge, &scene.sparrow);
        let keepers = Keepers::of(bridge).await;
        let grant = bridge.grant(sparrow, &["mood"]).await;
        bridge.send(&mood("waits", "sparrow", 2)).await;
        bridge.change_grant(sparrow, &grant, "pause").await;
        bridge.deliver().await;
        keepers.disclose(&concern(&keepers).await, "ada", REASON).await;
        bridge.deliver().await;
        assert_eq!((scene.told().len(), scene.ehr.observations().await.len()), (1, 0), "the mood waits, this does not");

        bridge.send(&worrying("again", "sparrow")).await;
        let again = keepers.open().await.into_iter().find(|it| it["state"] == "raised").unwrap();
        assert_eq!(keepers.disclose(&again, "ada", REASON).await.status, 200);
        bridge.change_grant(sparrow, &grant, "revoke").await;
        bridge.deliver().await;
        assert_eq!((scene.told().len(), bridge.count(DeliveryState::Ready).await), (1, 0));
        let open = keepers.open().await;
        let again = open.iter().find(|it| it["id"] == again["id"]).unwrap();
        assert_eq!(again["disclosed"][0]["state"], "failed", "it is said, and can be decided anew");
    }
}

/// What an EHR gets that takes only these types, and where that stands then; `more` is what the operator says of it.
async fn told_where_only(database: Database, types: &[&str], more: &str) -> (Vec<Value>, Vec<String>) {
    let fixed = FixedEhr::that_takes(types, &json!({"resourceType": "Bundle", "type": "searchset"}));
    let ehr = Ehr { base: fixed.base.clone(), patient: "pat-1".to_owned(), sandbox: None };
    let scene = Scene::with(database, ehr, &(POLICY.to_owned() + more)).await;
    let keepers = Keepers::of(&scene.bridge).await;
    keepers.disclose(&concern(&keepers).await, "ada", REASON).await;
    scene.bridge.deliver().await;
    (fixed.written(), states(&keepers).await)
}

on_both_databases! {
    async fn an_ehr_that_takes_no_messages_gets_a_note(database) {
        let (written, states) = Box::pin(told_where_only(database, &["DocumentReference", "Observation"], "")).await;
        assert_eq!((written.len(), states), (1, vec!["arrived".to_owned()]));
        assert_eq!(written[0]["description"], "Your patient may be in danger");
        assert_valid(&written[0]).await;
    }
}

on_both_databases! {
    async fn an_operator_who_says_that_observations_are_taken_does_not_say_so_of_messages(database) {
        let says = "[clinics.riverside.takes]\nform = \"discrete\"\n";
        let (written, states) = Box::pin(told_where_only(database, &["DocumentReference"], says)).await;
        assert_eq!((written.len(), states), (1, vec!["arrived".to_owned()]));
        assert_eq!(written[0]["resourceType"], "DocumentReference");
    }
}

on_both_databases! {
    async fn an_ehr_that_takes_neither_gets_nothing_and_that_is_said_at_once(database) {
        let (written, states) = Box::pin(told_where_only(database, &["Observation"], "")).await;
        assert_eq!((written.len(), states), (0, vec!["failed".to_owned()]));
    }
}

on_both_databases! {
    async fn every_step_of_it_is_in_the_audit_log_with_its_purpose(database) {
        let scene = Scene::open(database).await;
        let keepers = Keepers::of(&scene.bridge).await;
        keepers.disclose(&concern(&keepers).await, "ada", REASON).await;
        scene.bridge.deliver().await;
        let chain = audit::between(&scene.sparrow);
        let rows = audit::chain(&scene.bridge, &chain).await;
        // Before it there are the link, and that nobody may have the answers.
        let of_it: Vec<_> = rows.iter().filter(|row| !["linked", "decision"].contains(&row.kind.as_str())).collect();
        let kinds: Vec<&str> = of_it.iter().map(|row| row.kind.as_str()).collect();
        assert_eq!(kinds, ["warning-decided", "warning-cleared", "disclosure"]);
        for row in of_it {
            assert!(row.body.contains("\"ETREAT\"") && !row.body.contains("canary"), "{}", row.body);
            assert!(!stands_in("ada", &row.body), "{}", row.body);
        }
        assert_eq!(audit::wrong(&scene.bridge).await, [""; 0]);
        let everything: Vec<u8> = scene.bridge.database.cells().await.into_iter().flat_map(|cell| cell.value).collect();
        for word in ["canary-reason", "A law that allows it"] {
            assert!(!everything.windows(word.len()).any(|part| part == word.as_bytes()), "{word} is sealed");
        }
    }
}

on_both_databases! {
    async fn an_archive_tells_of_it_and_an_erasure_leaves_nothing_of_it(database) {
        let scene = Scene::open(database).await;
        let (bridge, sparrow) = (&scene.bridge, &scene.sparrow);
        let keepers = Keepers::of(bridge).await;
        keepers.disclose(&concern(&keepers).await, "ada", REASON).await;
        bridge.deliver().await;
        let archive = files(bridge, sparrow).await;
        let told = archive.json("disclosures/warnings.json");
        assert_eq!((told.as_array().unwrap().len(), &told[0]["state"], &told[0]["purpose"]), (1, &json!("arrived"), &json!("ETREAT")));
        assert_eq!((&told[0]["reason"], &told[0]["legal_basis"]["en"]), (&json!(REASON), &json!("A law that allows it in an emergency")));
        assert!(!told.to_string().contains("\"ada\""), "another person's name");
        let disclosures = archive.text("disclosures/disclosures.csv");
        assert!(disclosures.lines().any(|line| line.contains(",warning,,create,,,")), "{disclosures}");
        request(bridge, sparrow, AT_ONCE).await;
        while erasure::work(&bridge.bridge).await.unwrap() {}
        assert_eq!(bridge.bridge.store.read().await.unwrap().warnings(sparrow.id).await.unwrap(), []);
        assert_eq!(bridge.bridge.store.read().await.unwrap().ledger(&lane(sparrow)).await.unwrap().len(), 0);
    }
}
