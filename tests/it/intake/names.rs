//! How much a data point may name: each name stands beside everything that is read of it.

use serde_json::{Value, json};

use super::data_points::{fates, house, open_mhealth, send};
use crate::on_both_databases;

/// A heart rate with this in its header.
fn point(field: &str, name: &str) -> String {
    let time = json!({"date_time": "2026-11-20T07:30:00+01:00"});
    let rate = json!({"value": 61, "unit": "beats/min"});
    let mut point = open_mhealth("heart-rate", "2.0", json!({"heart_rate": rate, "effective_time_frame": time}));
    point["header"][field] = json!(name);
    point.to_string()
}

/// A state of mind with so many labels, and associations.
fn feeling(labels: usize, associations: usize) -> String {
    let words = |count: usize| (0..count).map(|number| json!(format!("word {number}"))).collect::<Value>();
    let feeling = json!({
        "id": "1", "start": "2026-11-19 23:05:00 +0100", "end": "2026-11-19 23:05:00 +0100", "kind": "daily_mood",
        "valence": 0.5, "labels": words(labels), "associations": words(associations),
    });
    json!({"data": {"stateOfMind": [feeling]}}).to_string()
}

on_both_databases! {
    async fn an_id_or_a_member_with_too_long_a_name_is_refused_by_its_field(database) {
        let (_, bridge, sparrow) = house(database).await;
        let (fits, long) = ("x".repeat(1024), "x".repeat(1025));
        for field in ["id", "user_id"] {
            // A community names the member here, and nowhere else.
            let refused = send(&bridge, &point(field, &long), &[]).await;
            let refusal = &refused.json["results"][0]["refusal"];
            assert_eq!(refusal["field"], format!("/header/{field}"), "{}", refused.json);
            assert_eq!(refusal["expected"], "a text of at most 1 KiB");
        }
        assert_eq!(bridge.traces(&sparrow).await, 0);
        assert_eq!(fates(&send(&bridge, &point("id", &fits), &[]).await), [" heart-rate accepted"]);
        let stranger = send(&bridge, &point("user_id", &fits), &[]).await;
        assert_eq!(stranger.json["results"][0]["refusal"]["reason"], "unknown-member");
        assert_eq!(bridge.traces(&sparrow).await, 1);
    }
}

on_both_databases! {
    async fn a_state_of_mind_with_too_many_words_is_refused_by_its_labels(database) {
        let (_, bridge, sparrow) = house(database).await;
        let subject = [("mostik-subject", "sparrow")];
        let refused = send(&bridge, &feeling(251, 250), &subject).await;
        let refusal = &refused.json["results"][0]["refusal"];
        assert_eq!(refusal["field"], "/data/stateOfMind/0/labels", "{}", refused.json);
        assert_eq!(refusal["expected"], "at most 500 labels and associations");
        assert_eq!(bridge.traces(&sparrow).await, 0);
        let taken = fates(&send(&bridge, &feeling(250, 250), &subject).await);
        assert_eq!(taken, ["/data/stateOfMind/0 mood accepted", "/data/stateOfMind/0 tags accepted"]);
    }
}
