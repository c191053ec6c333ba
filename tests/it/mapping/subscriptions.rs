//! The Subscriptions that the bridge has at EHRs: a snapshot of each form, judged by both validators.

use jiff::Timestamp;
use mostik::mapping::to_fhir::{Watch, subscription};
use serde_json::Value;

use crate::support::validate::assert_valid;

fn watch(topic: &str) -> Watch<'_> {
    Watch {
        topic,
        patient: "pat-1",
        endpoint: "https://mostik.example/fhir/notify/0123",
        header: "4567",
        until: Timestamp::UNIX_EPOCH,
        heartbeat: 300,
    }
}

/// What of it is plain R4: the validators do not have the guide's extensions.
pub fn without_the_guide(mut subscription: Value) -> Value {
    subscription["channel"].as_object_mut().unwrap().retain(|name, _| name != "_payload" && name != "extension");
    subscription.as_object_mut().unwrap().retain(|name, _| name != "_criteria" && name != "meta");
    subscription
}

#[tokio::test]
async fn by_topic() {
    let made = subscription(watch("https://topics.example/task-changed"));
    insta::assert_json_snapshot!("subscription_topic", made);
    assert_valid(&without_the_guide(made)).await;
}

#[tokio::test]
async fn by_criteria_and_without_a_payload() {
    let made = subscription(watch("Task"));
    insta::assert_json_snapshot!("subscription_criteria", made);
    assert_valid(&made).await;
}
