//! From the EHR to the member: what a clinic writes there is told once, and what it takes back to those who heard of it.

use serde_json::json;

use crate::on_both_databases;
use crate::support::ehr::Ehr;
use crate::support::receiver::{Receiver, Telling, any_time};
use crate::support::recommendations::{look_later, looking_bridge, open_person, task, write};

on_both_databases! {
    async fn what_a_clinic_writes_into_its_ehr_is_told_once_and_taken_back_when_it_is(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let ehr = Ehr::sandbox().await;
        let ways = receiver.by_hook(&database, "notice");
        let telling = Telling::before(looking_bridge(database, &ehr.base, &ways).await);
        let (sparrow, _) = open_person(&telling.bridge, "sparrow", &ehr.patient).await;
        telling.wish(&sparrow, any_time()).await;
        let unheard = write(&ehr.base, task(&ehr.patient, "never heard of")).await;
        look_later(&telling.bridge).await;
        write(&ehr.base, with_status(unheard, "cancelled")).await;
        look_later(&telling.bridge).await;
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 0, "nobody heard of it");

        let walk = write(&ehr.base, task(&ehr.patient, "Walk half an hour")).await;
        look_later(&telling.bridge).await;
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 1);
        look_later(&telling.bridge).await;
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 1, "seen again is not news");
        let url = format!("{}/Task/{}", ehr.base, walk["id"].as_str().unwrap());
        let now = crate::support::http::call(reqwest::Method::GET, &url, None, None).await.json;
        write(&ehr.base, with_status(now, "cancelled")).await;
        look_later(&telling.bridge).await;
        telling.tell().await;
        assert_eq!(receiver.seen().await.len(), 2, "they are told that it counts no more");
    }
}

on_both_databases! {
    async fn what_says_something_else_is_told_again_although_nobody_changed_the_task(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let ehr = Ehr::sandbox().await;
        let ways = receiver.by_hook(&database, "notice");
        let telling = Telling::before(looking_bridge(database, &ehr.base, &ways).await);
        let (sparrow, _) = open_person(&telling.bridge, "sparrow", &ehr.patient).await;
        telling.wish(&sparrow, any_time()).await;
        let subject = json!({"reference": format!("Patient/{}", ehr.patient)});
        let mut order = write(&ehr.base, json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": subject, "code": {"text": "Walk half an hour"}})).await;
        let mut asked = task(&ehr.patient, "Every day");
        asked["focus"] = json!({"reference": format!("ServiceRequest/{}", order["id"].as_str().unwrap())});
        write(&ehr.base, asked).await;
        let told = async || {
            look_later(&telling.bridge).await;
            telling.tell().await;
            receiver.seen().await.len()
        };
        assert_eq!((told().await, told().await), (1, 1));
        order["code"]["text"] = json!("Walk an hour");
        write(&ehr.base, order).await;
        assert_eq!((told().await, told().await), (2, 2));
    }
}

fn with_status(mut task: serde_json::Value, status: &str) -> serde_json::Value {
    task["status"] = json!(status);
    task
}
