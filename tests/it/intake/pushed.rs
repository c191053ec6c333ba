//! What apps push again and again: it keeps its name and its day, and says no more of anybody than it should.

use serde_json::{Value, json};

use super::data_points::{charted, fates, house, open_mhealth, send};
use crate::on_both_databases;
use crate::support::database::Database;

const SPARROW: [(&str, &str); 1] = [("mostik-subject", "sparrow")];

/// Steps, as Health Auto Export sends them.
fn steps(date: &str, count: u32) -> String {
    let samples = json!([{"date": date, "qty": count, "source": "sparrow's Apple Watch"}]);
    json!({"data": {"metrics": [{"name": "step_count", "units": "count", "data": samples}]}}).to_string()
}

on_both_databases! {
    async fn what_is_sent_again_from_another_time_zone_is_the_same(database) {
        let (ehr, bridge, _) = house(database).await;
        for (date, fate) in [("2026-11-18 14:00:00 +0100", "accepted"), ("2026-11-18 08:00:00 -0500", "corrected")] {
            let taken = fates(&send(&bridge, &steps(date, 500), &SPARROW).await);
            assert_eq!(taken, [format!("/data/metrics/0/data/0 steps {fate}")]);
            assert_eq!(charted(&bridge, &ehr).await.len(), 1, "{date}");
        }
        send(&bridge, &steps("2026-11-18 15:00:00 +0100", 500), &SPARROW).await;
        assert_eq!(charted(&bridge, &ehr).await.len(), 2);
    }
}

#[tokio::test]
async fn a_clinic_hears_what_kind_of_device_it_was_and_not_what_somebody_calls_theirs() {
    let (ehr, bridge, _) = house(Database::sqlite()).await;
    send(&bridge, &steps("2026-11-18 14:00:00 +0100", 500), &SPARROW).await;
    bridge.deliver_in_time().await;
    let told = Value::Array(ehr.observations().await).to_string();
    assert!(told.contains("Apple Watch") && !told.contains("sparrow"), "{told}");
}

#[tokio::test]
async fn what_is_counted_until_midnight_belongs_to_the_day_that_ends_then() {
    let (ehr, bridge, _) = house(Database::sqlite()).await;
    let day = json!({"start_date_time": "2026-11-18T00:00:00+01:00", "duration": {"value": 1, "unit": "d"}});
    let body = json!({"step_count": 4321, "effective_time_frame": {"time_interval": day}});
    send(&bridge, &open_mhealth("step-count", "1.0", body).to_string(), &SPARROW).await;
    let told = charted(&bridge, &ehr).await;
    assert_eq!(told, ["Steps: 4321 {steps} (2026-11-18T00:00:00+01:00 – 2026-11-18T23:59:59+01:00)"]);
}

#[tokio::test]
async fn a_time_that_cannot_be_told_to_an_ehr_is_refused_by_itself() {
    let (_, bridge, sparrow) = house(Database::sqlite()).await;
    let night = |start: i64| {
        let data = json!({"total_sleep_time": 25_200});
        let night = json!({"timezone": "Europe/Berlin", "startdate": start, "enddate": start + 28_800, "data": data});
        json!({"body": {"series": [night]}}).to_string()
    };
    for body in
        [steps("2026-11-18 14:00:00 +1500", 500), steps("1899-11-18 14:00:00 +0100", 500), night(-62_200_000_000)]
    {
        let got = send(&bridge, &body, &SPARROW).await;
        let expected = &got.json["results"][0]["refusal"]["expected"];
        assert_eq!(got.status, 200, "{body}");
        assert_eq!(expected, "a time since 1900 with an offset of at most 14 hours", "{body}: {}", got.json);
    }
    assert_eq!(bridge.traces(&sparrow).await, 0);
}
