//! What a C-SSRS screening by people of the community found: who is told, by the operator's policy.

use jiff::SignedDuration;
use mostik::config::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::safety::concerns::ready;
use crate::support::audit;
use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::concerns::{Keepers, alarms, watched};
use crate::support::database::Database;
use crate::support::http::{self, Got};
use crate::support::outbox::items;
use crate::support::postbox::Postbox;

/// A forum whose people are told from this risk on, and a member.
async fn told_from(database: Database, risk: &str) -> (TestBridge, Person, Postbox) {
    let postbox = Postbox::open();
    let told =
        watched(&database, &postbox, "PT15M").replace("escalate_after", &format!("c_ssrs = {risk:?}\nescalate_after"));
    let text = config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0") + &told;
    let bridge = TestBridge::start_with(database, &text).await;
    let sparrow = bridge.unlinked_person("sparrow").await;
    (bridge, sparrow, postbox)
}

/// The forum's program says what a screening found.
async fn found(keepers: &Keepers<'_>, screening: &Value) -> Got {
    let url = format!("{}/v1/screenings", keepers.bridge.api);
    http::call(Method::POST, &url, Some(&keepers.key), Some(screening)).await
}

fn screening(id: &str, risk: &str) -> Value {
    json!({"id": id, "handle": "sparrow", "instrument": "c-ssrs", "risk": risk})
}

on_both_databases! {
    async fn what_a_screening_found_is_looked_at_once_and_goes_to_no_clinic(database) {
        let (bridge, sparrow, postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        for _ in 0..2 {
            let got = found(&keepers, &screening("1", "high")).await;
            assert_eq!((got.status, &got.json["is_looked_at"]), (200, &json!(true)), "{}", got.json);
            assert!(got.json["help"]["emergency"].is_string(), "and the member can be told where help is");
        }
        let open = keepers.open().await;
        assert_eq!(open.iter().map(|it| &it["rule"]).collect::<Vec<_>>(), ["c-ssrs-high"]);
        assert_eq!(found(&keepers, &screening("2", "low")).await.json["is_looked_at"], true, "another one");
        assert_eq!(keepers.open().await.len(), 2);
        keepers.told().await;
        assert_eq!(alarms(&postbox).len(), 2);
        assert_eq!((bridge.traces(&sparrow).await, items(&bridge, &sparrow).await.len()), (0, 0));
        assert_eq!(audit::wrong(&bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn of_a_lower_risk_than_the_operator_says_nobody_is_told(database) {
        let (bridge, _sparrow, _postbox) = told_from(database, "moderate").await;
        let keepers = Keepers::of(&bridge).await;
        let low = found(&keepers, &screening("1", "low")).await;
        assert_eq!((low.status, &low.json["is_looked_at"]), (200, &json!(false)));
        assert!(low.json["help"].is_object());
        assert_eq!(keepers.open().await, [Value::Null; 0]);
        found(&keepers, &screening("2", "moderate")).await;
        bridge.clock.advance(SignedDuration::from_mins(1));
        found(&keepers, &screening("3", "high")).await;
        let open = keepers.open().await;
        assert_eq!(open.iter().map(|it| &it["rule"]).collect::<Vec<_>>(), ["c-ssrs-moderate", "c-ssrs-high"]);
    }
}

on_both_databases! {
    async fn what_cannot_be_looked_at_is_said_to_be_so(database) {
        let (bridge, _sparrow, _postbox) = ready(database).await;
        let keepers = Keepers::of(&bridge).await;
        let stranger = found(&keepers, &json!({"id": "1", "handle": "nobody", "instrument": "c-ssrs", "risk": "high"})).await;
        assert_eq!((stranger.status, &stranger.json["type"].as_str().unwrap().ends_with("not-found")), (404, &true));
        for (field, value) in [("risk", "severe"), ("instrument", "phq-9"), ("id", ""), ("handle", "a\nb")] {
            let mut wrong = screening("1", "high");
            wrong[field] = json!(value);
            let got = found(&keepers, &wrong).await;
            assert_eq!(got.status, 400, "{field}: {}", got.json);
        }
        assert_eq!(keepers.open().await, [Value::Null; 0]);
    }
}

#[test]
fn a_risk_that_there_is_not_is_no_policy() {
    let text = "[communities.forum]\nname = \"F\"\n[communities.forum.safety]\nescalate_after = \"PT15M\"\nc_ssrs = \"severe\"\n\
                [communities.forum.safety.first]\nmethod = \"webhook\"\nurl = \"https://a.example/\"\nsecret_file = \"s\"\n";
    assert!(Config::from_toml(text).unwrap_err().to_string().contains("c_ssrs"));
    assert!(Config::from_toml(&text.replace("severe", "moderate")).is_ok());
}
