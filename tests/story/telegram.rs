//! A member on Telegram: from the first message to the last. Telegram is the tests' own; whatever the bot says there is judged by
//! python-telegram-bot.

use mostik::domain::settings::Change;
use mostik::domain::telling::{Grade, Wishes};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::portal::{PORTAL, Portal};
use crate::support::postbox::Postbox;
use crate::support::receiver::{Telling, any_time};
use crate::support::recommendations::{look_later, task, write};
use crate::support::story::{connects, counts, member, signs_in};
use crate::support::telegram::{Telegram, judged};
use crate::support::validate::assert_valid;

const SPARROW: i64 = 4101;
const WREN: i64 = 4102;

on_both_databases! {
    async fn a_member_shares_for_a_while_what_they_say_and_do_on_telegram_and_stops(database) {
        Box::pin(the_telegram_story(database)).await;
    }
}

/// What the bot says when Telegram brings it something.
async fn hears(bridge: &TestBridge, telegram: &Telegram, update: &Value) -> String {
    let got = telegram.bring(bridge, "forum", update).await;
    assert_eq!(got.status, 200, "{:?}", got.json);
    got.json["text"].as_str().unwrap_or_default().to_owned()
}

/// What the bot answers to what sparrow writes.
async fn says(bridge: &TestBridge, telegram: &Telegram, text: &str) -> String {
    hears(bridge, telegram, &telegram.writes(SPARROW, text)).await
}

/// What is counted in the group of sparrow.
async fn takes_part(bridge: &TestBridge, telegram: &Telegram) {
    let now = bridge.now();
    for update in [
        telegram.writes_in_group(SPARROW, now, None),
        telegram.writes_in_group(WREN, now, Some(SPARROW)),
        telegram.writes_in_group(SPARROW, now, Some(WREN)),
        telegram.reacts(SPARROW, now, false),
    ] {
        assert_eq!(hears(bridge, telegram, &update).await, "", "nothing is said where others read");
    }
}

/// What the clinic asks for comes into the member's chat, and is accepted there.
async fn accepts(telling: &Telling, telegram: &Telegram, ehr: &Ehr) {
    let asked = write(&ehr.base, task(&ehr.patient, "Walk half an hour")).await;
    look_later(&telling.bridge).await;
    let before = telegram.said_to(SPARROW).len();
    telling.tell().await;
    telling.tell().await;
    let told = telegram.said_to(SPARROW);
    assert_eq!(told.len(), before + 1, "told once");
    assert!(told[before].contains("Walk half an hour") && told[before].contains("“accept” or “decline”"), "{told:?}");
    // What is said at the moment of the telling may not have been read before.
    telling.bridge.clock.advance(jiff::SignedDuration::from_mins(1));
    let answer = says(&telling.bridge, telegram, "accept").await;
    assert!(answer.contains("You want to do it: Walk half an hour"), "{answer}");
    telling.bridge.deliver_in_time().await;
    let url = format!("{}/Task/{}", ehr.base, asked["id"].as_str().unwrap());
    assert_eq!(http::call(Method::GET, &url, None, None).await.json["status"], "accepted");
}

async fn the_telegram_story(database: Database) {
    let (telegram, ehr) = (Telegram::open(), Ehr::sandbox().await);
    let text = config_text(&database, &ehr.base, "127.0.0.1:0");
    let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
    let text = text + &telegram.settings(&database, "forum") + "most = \"full\"\n[clinics.riverside.way_back]\n";
    let portal = Portal::open_with(database, &text, Postbox::open()).await;
    let bridge = &portal.bridge;

    let hello = says(bridge, &telegram, "/start").await;
    assert!(hello.contains("a program, no therapist"), "{hello}");
    assert!(says(bridge, &telegram, "yes").await.starts_with("Welcome."));
    says(bridge, &telegram, "check in").await;
    assert!(says(bridge, &telegram, "4").await.contains("Shall I keep what you note, for you alone?"));
    assert!(says(bridge, &telegram, "keep it").await.contains("Noted, for you alone."));

    let last = || telegram.said_to(SPARROW).pop().unwrap();
    let mut browser = signs_in(&portal, "forum", &SPARROW.to_string(), last).await;
    connects(&portal, &mut browser, &ehr.patient).await;
    says(bridge, &telegram, "check in").await;
    assert!(says(bridge, &telegram, "5").await.contains("your clinic will see it"));
    takes_part(bridge, &telegram).await;
    bridge.until("2026-11-23T12:00:00Z").await;
    bridge.deliver_in_time().await;
    let charted = ehr.observations().await;
    let of = |code: &'_ str| charted.iter().find(|it| it["code"]["coding"][0]["code"] == code).unwrap();
    assert_eq!((charted.len(), of("mood-rating")["valueQuantity"]["value"].as_i64()), (2, Some(5)), "{charted:#?}");
    let week = of("community-activity-summary");
    assert_valid(week).await;
    let expected =
        [("active-days", 1), ("posts", 1), ("replies-given", 1), ("replies-received", 1), ("reactions-given", 1)];
    assert_eq!(counts(week)[1..6], expected);
    assert!(!json!(charted).to_string().contains("Nobody else's business"), "counted, never quoted");

    let person = member(bridge, &SPARROW.to_string()).await;
    let wishes = Wishes { grade: Grade::Full, ..any_time() };
    bridge.set(&person, Change { told: Some(wishes), ..Change::default() }).await;
    let telling = Telling::before(portal.bridge);
    accepts(&telling, &telegram, &ehr).await;

    let bridge = &telling.bridge;
    assert!(says(bridge, &telegram, "Stop everything!").await.contains("Everything is stopped."));
    says(bridge, &telegram, "check in").await;
    says(bridge, &telegram, "1").await;
    takes_part(bridge, &telegram).await;
    bridge.until("2026-12-01T00:00:00Z").await;
    bridge.deliver_in_time().await;
    assert_eq!(ehr.observations().await.len(), 2, "nothing arrives after consent was taken back");
    for (method, with) in telegram.calls() {
        assert_eq!(judged(&format!("telegram-{method}"), &with).await.unwrap_or_default(), Value::Null, "{method}");
    }
    assert_eq!(audit::wrong(bridge).await, [""; 0]);
}
