//! A group on Telegram with live sessions: somebody joins by the bot, shares their mood, comes to an evening of the clinic, and
//! stops everything with one word.

use mostik::booking::remind;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::booking::appointments;
use crate::support::database::Database;
use crate::support::ehr::{create_patient, observations};
use crate::support::groups::{Circle, Guest};
use crate::support::story::{linked, shares, signs_in, tells};
use crate::support::telegram::{Telegram, judged};

const SPARROW: i64 = 4101;
const WREN: i64 = 4102;

on_both_databases! {
    async fn a_messenger_group_with_live_sessions(database) {
        Box::pin(the_group_story(database)).await;
    }
}

/// What the bot answers to what sparrow writes, or presses.
async fn hears(circle: &Circle, telegram: &Telegram, update: &Value) -> Value {
    let got = telegram.bring(circle.bridge(), "evening", update).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    got.json
}

/// The button of an answer that stands for this.
fn button<'a>(answer: &'a Value, name: &str) -> &'a str {
    let rows = answer["reply_markup"]["inline_keyboard"].as_array().unwrap().iter();
    let values = rows.flat_map(|row| row.as_array().unwrap()).map(|key| key["callback_data"].as_str().unwrap());
    values.into_iter().find(|value| value.split('.').next() == Some(name)).unwrap()
}

async fn the_group_story(database: Database) {
    let telegram = Telegram::open();
    let community =
        format!("[communities.evening]\nname = \"Evening circle\"\n{}", telegram.settings(&database, "evening"));
    let circle = Circle::open(database, 8, &community).await;
    let (bridge, ehr) = (circle.bridge(), circle.ward.ehr.base.clone());

    // Joins in two messages, without a name.
    let hello = hears(&circle, &telegram, &telegram.writes(SPARROW, "/start")).await;
    assert!(
        hello["text"].as_str().unwrap().contains("I am the helper of Evening circle: a program, no therapist"),
        "{hello}"
    );
    hears(&circle, &telegram, &telegram.presses(SPARROW, button(&hello, "yes"))).await;

    // The clinic links them to their Patient; they decide in the portal what it sees.
    let patient = create_patient(&ehr).await;
    let person = linked(bridge, "evening", &SPARROW.to_string(), &patient).await;
    let last = || telegram.said_to(SPARROW).pop().unwrap();
    let mut browser = signs_in(&circle.ward.portal, "evening", &SPARROW.to_string(), last).await;
    shares(&mut browser, &[("mood", "every-entry"), ("community", "weekly-summary")]).await;

    // Checks in with two presses.
    let menu = hears(&circle, &telegram, &telegram.writes(SPARROW, "menu")).await;
    let asked = hears(&circle, &telegram, &telegram.presses(SPARROW, button(&menu, "check-in"))).await;
    let noted = hears(&circle, &telegram, &telegram.presses(SPARROW, button(&asked, "4"))).await;
    assert!(noted["text"].as_str().unwrap().contains("your clinic will see it"), "{noted}");
    for update in [
        telegram.writes_in_group(SPARROW, bridge.now(), None),
        telegram.writes_in_group(WREN, bridge.now(), Some(SPARROW)),
    ] {
        assert_eq!(hears(&circle, &telegram, &update).await, json!({}), "nothing is said in the group");
    }
    circle.settle().await;
    assert_eq!(
        observations(&ehr, &patient).await.len(),
        1,
        "the mood, and nothing of the group before its week is over"
    );

    // Takes a place in an evening of the clinic; the bot reminds them, and says nothing of it.
    let id = circle.plan("8").await;
    let grant = String::new();
    let mut sparrow = Guest { person, patient, grant, browser };
    let booking = sparrow.joined(id).await;
    circle.settle().await;
    assert_eq!(appointments(&ehr, &sparrow.patient).await[0]["status"], "booked");
    circle.go_to_the_evening();
    while remind(&bridge.bridge).await.unwrap() {}
    tells(bridge).await;
    let reminded = telegram.said_to(SPARROW).pop().unwrap();
    assert!(
        reminded.contains("/messages") && !reminded.contains("calm") && !reminded.contains("Riverside"),
        "{reminded}"
    );
    sparrow.browser = signs_in(&circle.ward.portal, "evening", &SPARROW.to_string(), last).await;
    let page = format!("/visits/{booking}");
    sparrow.browser.get(&page).await;
    let here = sparrow.browser.post_and_follow(&format!("{page}/here"), &[]).await;
    assert!(here.body.contains("You said at"), "{}", here.body);
    circle.settle().await;
    assert_eq!(appointments(&ehr, &sparrow.patient).await[0]["status"], "arrived");

    // The week is over: what happened in the group is counted.
    bridge.until("2026-11-30T12:00:00Z").await;
    bridge.deliver().await;
    let charted = observations(&ehr, &sparrow.patient).await;
    assert_eq!(charted.len(), 2, "{charted:#?}");

    // One word ends it.
    let stopped = hears(&circle, &telegram, &telegram.writes(SPARROW, "stop everything")).await;
    assert!(stopped["text"].as_str().unwrap().contains("Everything is stopped."), "{stopped}");
    for text in ["mood", "2"] {
        hears(&circle, &telegram, &telegram.writes(SPARROW, text)).await;
    }
    circle.settle().await;
    assert_eq!(observations(&ehr, &sparrow.patient).await.len(), charted.len(), "nothing more arrives");
    for (method, with) in telegram.calls() {
        assert_eq!(judged(&format!("telegram-{method}"), &with).await.unwrap_or_default(), Value::Null, "{method}");
    }
    assert_eq!(audit::wrong(bridge).await, [""; 0]);
}
