//! What an operator sees and does: by the command line.

use std::process::Command;

use jiff::SignedDuration;

use crate::on_both_databases;
use crate::safety::concerns::{audit_kinds, ready};
use crate::support::bridge::{TestBridge, config_text};
use crate::support::concerns::{Keepers, POLICY, REASON, with_ada, worrying};
use crate::support::ehr::Ehr;
use crate::support::own::at;
use crate::support::postbox::Postbox;
use crate::support::smart::present;

/// Runs the program as an operator does: whether it ended well, and what it said.
async fn mostik(bridge: &TestBridge, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.arg("--config").arg(bridge.database.folder.path().join("mostik.toml")).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

on_both_databases! {
    async fn an_operator_sees_who_waits_and_settles_it(database) {
        let (bridge, sparrow, postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        let (good, said) = mostik(&bridge, &["safety", "list"]).await;
        assert!(good && said.contains("Nobody is in need that this bridge knows of."), "{said}");
        bridge.send(&worrying("1", "sparrow")).await;
        let id = keepers.open().await[0]["id"].as_str().unwrap().to_owned();

        let (_, said) = mostik(&bridge, &["safety", "list"]).await;
        assert!(said.contains(&id) && said.contains("forum: 1 concern(s) raised") && !said.contains("sparrow"), "{said}");
        let (_, said) = mostik(&bridge, &["safety", "list", "--names", "--community", "forum"]).await;
        assert!(said.contains("sparrow") && !said.contains("phq"), "{said}");
        let (_, said) = mostik(&bridge, &["safety", "list", "--community", "chat"]).await;
        assert!(!said.contains(&id), "{said}");
        let (_, said) = mostik(&bridge, &["queue"]).await;
        assert!(said.contains("forum: 1 concern(s) raised, the oldest for") && !said.contains("sparrow"), "{said}");

        let (good, said) = mostik(&bridge, &["safety", "close", &id, "--by", "anna"]).await;
        assert!(!good && said.contains("nobody has acknowledged the concern yet"), "{said}");
        assert!(mostik(&bridge, &["safety", "acknowledge", &id, "--by", "anna"]).await.0);
        let (good, said) = mostik(&bridge, &["safety", "acknowledge", &id, "--by", "boris"]).await;
        assert!(!good && said.contains("already"), "{said}");
        assert!(mostik(&bridge, &["safety", "list"]).await.1.contains("by anna"));
        assert!(mostik(&bridge, &["safety", "close", &id, "--by", "anna"]).await.0);
        let kinds = audit_kinds(&bridge, &sparrow).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "operator-access").count(), 3, "names, acknowledged, closed: {kinds:?}");
        assert_eq!(postbox.letters().len(), 0);
    }
}

on_both_databases! {
    async fn an_operator_tries_whether_an_alarm_arrives(database) {
        let (bridge, _sparrow, postbox) = ready(database).await;
        let (good, said) = mostik(&bridge, &["safety", "check", "forum"]).await;
        assert!(good && said.contains("✓ first level") && said.contains("- second level"), "{said}");
        let trial = postbox.letters().remove(0);
        let schema = serde_json::from_str(include_str!("../../../schemas/messages/concern.v1.json")).unwrap();
        jsonschema::validator_for(&schema).unwrap().validate(&trial.json).unwrap();
        assert_eq!(trial.json["type"], "mostik.concern-trial.v1");
        postbox.will_answer(&[500]);
        let (good, said) = mostik(&bridge, &["safety", "check", "forum"]).await;
        assert!(!good && said.contains("✗ first level") && said.contains("500"), "{said}");
        let (good, said) = mostik(&bridge, &["key", "create", "--community", "forum", "--for", "concerns"]).await;
        assert!(good && said.contains("mk_"), "{said}");
    }
}

on_both_databases! {
    async fn an_operator_may_decide_for_somebody_who_was_named_that_a_clinic_is_told(database) {
        let (ehr, nobody) = (Ehr::sandbox().await, Postbox::open());
        let text = config_text(&database, &ehr.base, "127.0.0.1:0") + &with_ada(&database, &nobody, &nobody) + POLICY;
        // The program goes by the real clock, and so does the bridge here.
        let now = present();
        let bridge = TestBridge::start_at(database, &text, now).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.send(&at(worrying("1", "sparrow"), &now.to_string())).await;
        let keepers = Keepers::of(&bridge).await;
        let id = keepers.open().await[0]["id"].as_str().unwrap().to_owned();
        let arguments = |by| ["safety", "disclose", id.as_str(), "--by", by, "--reason", REASON];
        let (good, said) = mostik(&bridge, &arguments("anna")).await;
        assert!(!good && said.contains("nobody by this name may decide"), "{said}");
        let (good, said) = mostik(&bridge, &arguments("ada")).await;
        assert!(good && said.contains("Riverside: waiting") && said.contains("Call them"), "{said}");
        bridge.clock.advance(SignedDuration::from_mins(10));
        bridge.deliver().await;
        assert_eq!(ehr.sandbox.as_ref().unwrap().resources("Communication").len(), 1);
        let kinds = audit_kinds(&bridge, &sparrow).await;
        for kind in ["operator-access", "warning-decided"] {
            assert!(kinds.contains(&kind.to_owned()), "{kind}: {kinds:?}");
        }
        let (_, said) = mostik(&bridge, &["key", "create", "--community", "forum", "--for", "disclosure"]).await;
        let key = said.lines().next().unwrap().to_owned();
        let own = Keepers { key: key.clone(), decider: key, ..Keepers::of(&bridge).await };
        let concern = own.open().await.remove(0);
        assert_eq!(own.disclose(&concern, "ada", REASON).await.status, 200, "one key for both");
    }
}
