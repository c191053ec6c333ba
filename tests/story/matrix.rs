//! A member on Matrix, on a homeserver that nobody here wrote: from the first message to the last.

use jiff::SignedDuration;
use mostik::domain::settings::Change;
use mostik::domain::telling::{Grade, Wishes};
use reqwest::Method;
use serde_json::json;

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::TestBridge;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::portal::{Browser, PORTAL, Portal};
use crate::support::postbox::Postbox;
use crate::support::receiver::{Telling, any_time};
use crate::support::recommendations::{look_later, task, write};
use crate::support::story::{connects, counts, member};
use crate::support::synapse::{BOT, Synapse, User, free_port, on_matrix};
use crate::support::validate::assert_valid;

/// A room of the community in which what happens is counted, of whoever agreed to it.
async fn lounge(heron: &User<'_>) -> String {
    heron.make(json!({"preset": "public_chat", "name": "The lounge"})).await
}

/// Signs in by the link that comes into the member's own room.
async fn sign_in(portal: &Portal, sparrow: &User<'_>, room: &str) -> Browser {
    let (mut browser, before) = (portal.browser(), sparrow.heard(room).await.len());
    browser.get("/sign-in").await;
    let asked = browser.post("/sign-in", &[("community", "forum"), ("handle", &sparrow.id)]).await;
    assert_eq!((asked.status, asked.location()), (303, "/sign-in/sent"), "{}", asked.body);
    portal.send_links().await;
    let told = sparrow.hears(room, before + 1).await.pop().unwrap();
    let link = told.split_whitespace().find_map(|word| word.strip_prefix(PORTAL)).unwrap();
    assert_eq!(browser.get(link).await.status, 200);
    assert_eq!(browser.post(link, &[]).await.status, 303);
    browser
}

/// A day passes, with everything that was written until now.
async fn a_day_passes(bridge: &TestBridge, sparrow: &User<'_>, room: &str) {
    // What the homeserver brings comes in its order: with this answer everything before is known.
    sparrow.talk(room, "menu").await;
    bridge.clock.advance(SignedDuration::from_hours(24));
}

/// A weekend in the lounge: what is counted of sparrow, and what is not.
async fn takes_part(bridge: &TestBridge, sparrow: &User<'_>, heron: &User<'_>, room: &str, lounge: &str) {
    let first = sparrow.say(lounge, "my secret sorrow").await;
    heron.reply(lounge, &first, "a secret answer").await;
    a_day_passes(bridge, sparrow, room).await;
    let theirs = heron.say(lounge, "how are you all?").await;
    sparrow.reply(lounge, &theirs, "a secret reply").await;
    sparrow.react(lounge, &theirs).await;
    heron.react(lounge, &first).await;
    let regretted = sparrow.say(lounge, "said too much").await;
    a_day_passes(bridge, sparrow, room).await;
    sparrow.redact(lounge, &regretted).await;
    sparrow.talk(room, "menu").await;
}

/// What the clinic asks for comes into the member's own room, and is accepted there.
async fn accepts(telling: &Telling, ehr: &Ehr, sparrow: &User<'_>, room: &str) {
    let asked = write(&ehr.base, task(&ehr.patient, "Walk half an hour")).await;
    look_later(&telling.bridge).await;
    let before = sparrow.heard(room).await.len();
    telling.tell().await;
    telling.tell().await;
    let heard = sparrow.hears(room, before + 1).await;
    assert_eq!(heard.len(), before + 1, "told once");
    let told = heard.last().unwrap();
    assert!(told.contains("Walk half an hour") && told.contains("“accept” or “decline”"), "{told}");
    // What is said at the moment of the telling may not have been read before.
    telling.bridge.clock.advance(SignedDuration::from_mins(1));
    let answer = sparrow.talk(room, "accept").await;
    assert!(answer.contains("You want to do it: Walk half an hour"), "{answer}");
    telling.bridge.deliver_in_time().await;
    let url = format!("{}/Task/{}", ehr.base, asked["id"].as_str().unwrap());
    assert_eq!(http::call(Method::GET, &url, None, None).await.json["status"], "accepted");
}

on_both_databases! {
    async fn a_member_shares_for_a_while_what_they_say_and_do_on_matrix_and_stops(database) {
        let Some(synapse) = Synapse::start(free_port()).await else { return };
        let (sparrow, heron) = (synapse.user("sparrow").await, synapse.user("heron").await);
        let lounge = lounge(&heron).await;
        sparrow.join(&lounge).await;
        let ehr = Ehr::sandbox().await;
        let text = on_matrix(&database, &ehr.base, &synapse, &format!("counted = [{lounge:?}]"));
        let text = text.replace("[communities.forum.messages]\n", "[communities.forum.messages]\nmost = \"full\"\n");
        let text = format!("{text}[clinics.riverside.way_back]\n");
        let portal = Portal::open_with(database, &text, Postbox::open()).await;
        heron.invite(&lounge, BOT).await;
        sparrow.sees(&lounge, BOT, "join").await;

        let room = sparrow.open().await;
        sparrow.sees(&room, BOT, "join").await;
        let hello = sparrow.talk(&room, "hi").await;
        assert!(hello.contains("a program, no therapist") && hello.contains("You can say: Yes"), "{hello}");
        assert!(sparrow.talk(&room, "yes").await.starts_with("Welcome."));
        assert!(sparrow.talk(&room, "check in").await.contains("How are you"));
        assert!(sparrow.talk(&room, "4").await.contains("Shall I keep what you note, for you alone?"));
        assert!(sparrow.talk(&room, "keep it").await.contains("Noted, for you alone."));

        let mut browser = sign_in(&portal, &sparrow, &room).await;
        connects(&portal, &mut browser, &ehr.patient).await;
        sparrow.talk(&room, "check in").await;
        assert!(sparrow.talk(&room, "5").await.contains("your clinic will see it"));
        takes_part(&portal.bridge, &sparrow, &heron, &room, &lounge).await;
        portal.bridge.until("2026-11-23T12:00:00Z").await;
        portal.bridge.deliver_in_time().await;
        let charted = ehr.observations().await;
        let of = |code: &'_ str| charted.iter().find(|it| it["code"]["coding"][0]["code"] == code).unwrap();
        assert_eq!((charted.len(), of("mood-rating")["valueQuantity"]["value"].as_i64()), (2, Some(5)), "{charted:#?}");
        let week = of("community-activity-summary");
        assert_valid(week).await;
        let expected = [
            ("active-days", 2), ("posts", 1), ("replies-given", 1), ("replies-received", 1), ("reactions-given", 1),
            ("reactions-received", 1),
        ];
        assert_eq!(counts(week)[1..7], expected);
        assert!(!json!(charted).to_string().contains("secret"), "counted, never quoted");

        let member = member(&portal.bridge, &sparrow.id).await;
        portal.bridge.set(&member, Change { told: Some(Wishes { grade: Grade::Full, ..any_time() }), ..Change::default() }).await;
        let telling = Telling::before(portal.bridge);
        accepts(&telling, &ehr, &sparrow, &room).await;

        assert!(sparrow.talk(&room, "Stop everything!").await.contains("Everything is stopped."));
        sparrow.talk(&room, "check in").await;
        sparrow.talk(&room, "1").await;
        sparrow.say(&lounge, "and on").await;
        telling.bridge.until("2026-12-01T00:00:00Z").await;
        telling.bridge.deliver_in_time().await;
        assert_eq!(ehr.observations().await.len(), 2, "nothing arrives after consent was taken back");
        assert!(heron.heard(&lounge).await.is_empty(), "nothing is said where others read");
        assert_eq!(audit::wrong(&telling.bridge).await, [""; 0]);
    }
}
