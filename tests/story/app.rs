//! A mood-tracking app with a companion: its members talk with the companion in the app, a questionnaire that wants a human's eye
//! reaches one, the clinic gets a week in one line and recommends something, which the app tells of.

use mostik::enrolment::credentials::{TALKS_WRITE, create_api_key};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, forum, mood};
use crate::support::concerns::{Keepers, watched};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, observations};
use crate::support::http;
use crate::support::own::at;
use crate::support::portal::{Portal, portal_config};
use crate::support::postbox::Postbox;
use crate::support::recommendations::{all, put, said};
use crate::support::story::{linked, shares, signs_in, tells};

on_both_databases! {
    async fn a_mood_tracking_app_with_a_companion(database) {
        the_app_story(database).await;
    }
}

/// The app's own server.
struct App {
    url: String,
    key: String,
    sent: usize,
}

impl App {
    async fn of(bridge: &TestBridge) -> Self {
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let key = create_api_key(&mut tx, &bridge.bridge.keyring, &forum(), TALKS_WRITE, bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        Self { url: format!("{}/v1/talk", bridge.api), key: key.secret, sent: 0 }
    }

    /// Sparrow says something in the app.
    async fn says(&mut self, said: &str) -> Value {
        self.sent += 1;
        let body = json!({"id": format!("msg-{}", self.sent), "handle": "sparrow", "said": said});
        let got = http::call(Method::POST, &self.url, Some(&self.key), Some(&body)).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        got.json
    }
}

fn text(answer: &Value) -> &str {
    answer["text"].as_str().unwrap()
}

async fn the_app_story(database: Database) {
    let (ehr, postbox, keepers) = (Ehr::sandbox().await, Postbox::open(), Postbox::open());
    let config = portal_config(&database, &ehr.base, &postbox) + &watched(&database, &keepers, "PT15M");
    let portal = Portal::open_with(database, &config, postbox).await;
    let bridge = &portal.bridge;
    let mut app = App::of(bridge).await;

    // Joins, and says who may see what.
    assert!(text(&app.says("hello").await).contains("a program, no therapist"));
    assert_eq!(app.says("yes").await["is_member"], true);
    let person = linked(bridge, "forum", "sparrow", &ehr.patient).await;
    let mut browser = signs_in(&portal, "forum", "sparrow", || portal.postbox.letters().last().unwrap().link()).await;
    shares(&mut browser, &[("mood", "weekly-summary"), ("questionnaires", "every-entry")]).await;

    // Nine questions, one at a time. The ninth brings help at once, and a human.
    let first = app.says("phq 9").await;
    assert!(text(&first).contains("0 Not at all"), "{first}");
    for _ in 0..8 {
        assert!(app.says("1").await.get("help").is_none());
    }
    let danger = app.says("2").await;
    assert!(danger["help"]["lines"][0]["name"].is_string(), "{danger}");
    app.says("go on").await;
    app.says("0").await;
    assert!(text(&app.says("done").await).contains("your clinic"), "as they decided");
    let humans = Keepers::of(bridge).await;
    humans.told().await;
    assert_eq!(keepers.letters().len(), 1, "the first level is told");
    let open = humans.open().await;
    assert_eq!((open.len(), &open[0]["handle"]), (1, &json!("sparrow")));
    assert_eq!(humans.settle(&open[0], "acknowledge", "anna").await.status, 200);
    bridge.deliver().await;
    let charted = observations(&ehr.base, &ehr.patient).await;
    let is_total = |it: &&Value| it["code"]["coding"][0]["code"] == "44261-6";
    assert_eq!(charted.iter().find(is_total).unwrap()["valueQuantity"]["value"], json!(10), "PHQ-9 in the chart");

    // A week of moods from the app becomes one line for the clinic.
    let before = charted.len();
    for (day, level) in (16..=20).zip([3, 2, 4, 4, 5]) {
        let event = at(mood(&format!("mood-{day}"), "sparrow", level), &format!("2026-11-{day}T09:00:00+00:00"));
        assert!(bridge.send(&event).await.status < 300);
    }
    bridge.until("2026-11-24T06:00:00Z").await;
    bridge.deliver().await;
    let charted = observations(&ehr.base, &ehr.patient).await;
    assert_eq!(charted.len(), before + 1, "the week in one Observation");

    // The clinic recommends something: the app tells that there is something, and the member accepts it in the portal.
    let id = put(bridge, &person, &said("Walk half an hour each day")).await;
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    tx.put_telling(person.id, id.0, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    bridge.clock.advance(jiff::SignedDuration::from_hours(6));
    tells(bridge).await;
    let letter = portal.postbox.letters().pop().unwrap();
    assert!(letter.json["type"] == "mostik.message.v1" && !letter.raw.contains("Walk"), "{}", letter.raw);
    let mut browser = signs_in(&portal, "forum", "sparrow", || portal.postbox.letters().last().unwrap().link()).await;
    let page = format!("/messages/{id}");
    assert!(browser.get(&page).await.body.contains("Walk half an hour each day"));
    assert_eq!(browser.post(&page, &[("answer", "accept")]).await.status, 303);
    assert_eq!(all(bridge, &person).await[0].state.as_str(), "accepted");

    assert!(text(&app.says("stop everything").await).contains("Everything is stopped."));
    assert!(bridge.send(&mood("late", "sparrow", 1)).await.status == 422);
    assert_eq!(audit::wrong(bridge).await, [""; 0]);
}
