//! A business number of WhatsApp.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http::{self, Got};
use crate::support::portal::Portal;
use crate::support::postbox::Postbox;
use crate::support::receiver::{PORTAL, Telling, any_time};
use crate::support::recommendations::said;
use crate::support::whatsapp::{APP_SECRET, VERIFY_TOKEN, WhatsApp, bring, judged, post, sign, status, webhook};

const SPARROW: &str = "DE.4915112345678";
const WREN: &str = "DE.4915112345679";

struct Number {
    bridge: TestBridge,
    ehr: Ehr,
    whatsapp: WhatsApp,
}

impl Number {
    async fn open(database: Database) -> Self {
        let (ehr, whatsapp) = (Ehr::sandbox().await, WhatsApp::open());
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        let text = text + &whatsapp.settings(&database, "forum");
        Self { bridge: TestBridge::start_with(database, &text).await, ehr, whatsapp }
    }

    async fn bring(&self, body: &Value) {
        let got = bring(&self.bridge, "forum", body).await;
        assert_eq!((got.status, got.json), (200, json!({})), "{body}");
    }

    /// What somebody is answered who writes.
    async fn write(&self, user: &str, text: &str) -> Value {
        self.bring(&self.whatsapp.writes(user, text)).await;
        self.whatsapp.sent().pop().unwrap()
    }

    async fn press(&self, user: &str, value: &str, how: &str) -> Value {
        self.bring(&self.whatsapp.presses(user, value, how)).await;
        self.whatsapp.sent().pop().unwrap()
    }

    fn said(&self) -> usize {
        self.whatsapp.sent().len()
    }
}

/// What Meta is answered that sets up a webhook: the status, the kind, and the words.
async fn sets_up(url: &str, query: &str) -> (u16, String, String) {
    let response = http::client().get(format!("{url}?{query}")).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), kind, response.text().await.unwrap())
}

fn text(message: &Value) -> &str {
    message["text"]["body"].as_str().or(message["interactive"]["body"]["text"].as_str()).unwrap()
}

/// The values of what can be pressed, whichever kind it is.
fn values(message: &Value) -> Vec<&str> {
    let action = &message["interactive"]["action"];
    let buttons = action["buttons"].as_array().into_iter().flatten().map(|button| &button["reply"]);
    let rows = action["sections"][0]["rows"].as_array().into_iter().flatten();
    buttons.chain(rows).map(|it| it["id"].as_str().unwrap()).collect()
}

/// What can be pressed that stands for this.
fn button<'a>(message: &'a Value, name: &str) -> &'a str {
    values(message).into_iter().find(|value| value.split('.').next() == Some(name)).unwrap()
}

on_both_databases! {
    async fn somebody_joins_with_a_button_and_checks_in_with_rows_of_a_list(database) {
        let number = Number::open(database).await;
        let hello = number.write(SPARROW, "hello").await;
        assert!(text(&hello).contains("a program, no therapist"), "{hello}");
        assert_eq!((&hello["recipient"], number.bridge.database.count("members").await), (&json!(SPARROW), 0));
        let welcome = number.press(SPARROW, button(&hello, "yes"), "list_reply").await;
        assert!(text(&welcome).starts_with("Welcome."), "{welcome}");
        let asked = number.press(SPARROW, button(&welcome, "check-in"), "list_reply").await;
        assert_eq!(asked["interactive"]["type"], "list", "five numbers are more than buttons");
        let noted = number.press(SPARROW, button(&asked, "4"), "list_reply").await;
        assert!(text(&noted).contains("Shall I keep what you note"), "{noted}");
        let kept = number.press(SPARROW, button(&noted, "keep"), "button_reply").await;
        assert!(text(&kept).contains("Noted, for you alone."), "{kept}");
        for message in number.whatsapp.sent() {
            assert_eq!(judged("whatsapp-send", &message).await.unwrap_or(json!({})), json!({}), "{message}");
        }
        assert_eq!((number.bridge.database.count("readings").await, audit::wrong(&number.bridge).await), (1, Vec::new()));
    }
}

on_both_databases! {
    async fn what_meta_brings_again_is_done_once_and_answered_when_the_answer_was_not_taken(database) {
        let number = Number::open(database).await;
        number.write(SPARROW, "yes").await;
        number.write(SPARROW, "mood").await;
        let mood = number.whatsapp.writes(SPARROW, "3");
        number.whatsapp.will_refuse(500, 131_000);
        assert_eq!(bring(&number.bridge, "forum", &mood).await.status, 503, "Meta brings it again");
        number.bring(&mood).await;
        number.write(SPARROW, "keep it").await;
        number.bring(&mood).await;
        let sent = number.whatsapp.sent();
        assert_eq!((sent.len(), number.bridge.database.count("readings").await), (5, 1), "{sent:?}");
    }
}

on_both_databases! {
    async fn whoever_cannot_be_answered_keeps_nobody_waiting(database) {
        let number = Number::open(database).await;
        for (status, code) in [(400, 131_026), (400, 131_047), (400, 131_051), (400, 100)] {
            number.whatsapp.will_refuse(status, code);
            number.bring(&number.whatsapp.writes(SPARROW, "hi")).await;
        }
        for (status, code) in [(429, 130_429), (400, 131_056), (401, 190), (503, 131_016)] {
            number.whatsapp.will_refuse(status, code);
            let got = bring(&number.bridge, "forum", &number.whatsapp.writes(SPARROW, "hi")).await;
            assert_eq!(got.status, 503, "{code}");
        }
        assert_eq!(number.said(), 0);
    }
}

on_both_databases! {
    async fn a_webhook_is_set_up_by_whoever_knows_the_token(database) {
        let number = Number::open(database).await;
        let url = format!("{}/connectors/forum/", number.bridge.api);
        let good = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY_TOKEN}");
        assert_eq!(sets_up(&url, &good).await, (200, "text/plain; charset=utf-8".to_owned(), "1158201444".to_owned()));
        for (query, status) in [
            (good.replace(VERIFY_TOKEN, "another"), 401),
            (good.replace("subscribe", "unsubscribe"), 401),
            (format!("{good}&hub.verify_token=another"), 401),
            (String::new(), 401),
            (good.replace("1158201444", "%3Cscript%3E"), 400),
            (good.replace("1158201444", ""), 400),
        ] {
            assert_eq!(sets_up(&url, &query).await.0, status, "{query}");
        }
    }
}

on_both_databases! {
    async fn only_what_meta_signed_is_read(database) {
        let number = Number::open(database).await;
        let url = format!("{}/connectors/forum/", number.bridge.api);
        let body = number.whatsapp.writes(SPARROW, "yes").to_string();
        let good = sign(&body);
        for signature in [None, Some(""), Some("sha256="), Some(&good[..good.len() - 2]), Some(&good.replace("sha256", "sha1"))] {
            // Of what is not even signed, no body is waited for.
            assert_eq!(post(&url, signature, body.clone()).await.status, 401, "{signature:?}");
        }
        assert_eq!(post(&url, Some(&good), format!("{body} ")).await.status, 401, "signed was something else");
        assert_eq!((number.said(), number.bridge.database.count("members").await), (0, 0));
        let got: Got = post(&url, Some(&sign("{}")), "{}".to_owned()).await;
        assert_eq!((got.status, &got.json["detail"]), (400, &json!("expected a webhook of WhatsApp")));
        assert_eq!(post(&format!("{url}more"), Some(&good), body).await.status, 404);
    }
}

on_both_databases! {
    async fn what_stands_below_a_picture_is_heard_and_a_picture_alone_is_answered(database) {
        let number = Number::open(database).await;
        number.write(SPARROW, "yes").await;
        let image = json!({"id": "24", "mime_type": "image/jpeg", "sha256": "x"});
        let mut captioned = image.clone();
        captioned["caption"] = json!("mood");
        for (what, answer) in [(captioned, "How are you?"), (image, "did not understand")] {
            number.bring(&number.whatsapp.sends(SPARROW, "image", &what)).await;
            let said = number.whatsapp.sent().pop().unwrap();
            assert!(text(&said).contains(answer), "{said}");
        }
    }
}

on_both_databases! {
    async fn what_is_no_word_and_what_others_read_is_not_answered(database) {
        let number = Number::open(database).await;
        let reaction = number.whatsapp.sends(SPARROW, "reaction", &json!({"message_id": "wamid.1", "emoji": "👍"}));
        let mut group = number.whatsapp.writes(SPARROW, "yes");
        group["entry"][0]["changes"][0]["value"]["messages"][0]["group_id"] = json!("Y2FwaV9ncm91");
        let mut other = number.whatsapp.writes(SPARROW, "yes");
        other["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!("1");
        let mut nameless = number.whatsapp.writes(SPARROW, "yes");
        nameless["entry"][0]["changes"][0]["value"]["contacts"][0].as_object_mut().unwrap().remove("user_id");
        nameless["entry"][0]["changes"][0]["value"]["messages"][0].as_object_mut().unwrap().remove("from_user_id");
        for body in [reaction, group, other, nameless, status(SPARROW, "read", None), status(SPARROW, "failed", Some(131_026))] {
            number.bring(&body).await;
        }
        assert_eq!((number.said(), number.bridge.database.count("members").await), (0, 0));
    }
}

on_both_databases! {
    async fn news_is_an_approved_message_with_the_link_whenever_it_is(database) {
        let Number { bridge, whatsapp, .. } = Number::open(database).await;
        let telling = Telling::before(bridge);
        let sparrow = telling.member(SPARROW, "notice", any_time()).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        whatsapp.will_refuse(429, 130_429);
        telling.tell().await;
        telling.bridge.clock.advance(SignedDuration::from_hours(1));
        telling.tell().await;
        let sent = whatsapp.sent();
        assert_eq!((sent.len(), telling.open_tellings().await), (1, 0), "{sent:?}");
        let template = &sent[0]["template"];
        assert_eq!((&template["name"], &template["language"]["code"]), (&json!("something_new"), &json!("en_US")));
        let link = template["components"][0]["parameters"][0]["text"].as_str().unwrap();
        assert!(link.starts_with(PORTAL) && link.ends_with("/messages") && !sent[0].to_string().contains("Walk"), "{link}");
        assert_eq!(judged("whatsapp-send", &sent[0]).await.unwrap_or(json!({})), json!({}));
        // Of what is said too often to one person, WhatsApp says by its code alone that it may come later: in a minute.
        telling.comes(&sparrow, &said("Go to bed")).await;
        whatsapp.will_refuse(400, 131_056);
        telling.tell().await;
        telling.bridge.clock.advance(SignedDuration::from_secs(59));
        telling.tell().await;
        assert_eq!((whatsapp.sent().len(), telling.open_tellings().await), (1, 1));
        telling.bridge.clock.advance(SignedDuration::from_secs(1));
        telling.tell().await;
        assert_eq!((whatsapp.sent().len(), telling.open_tellings().await), (2, 0));
        // Whoever is not there any more is not written to again.
        let wren = telling.member(WREN, "notice", any_time()).await;
        telling.comes(&wren, &said("Walk")).await;
        whatsapp.will_refuse(400, 131_026);
        telling.tell().await;
        telling.comes(&wren, &said("Sleep")).await;
        telling.tell().await;
        assert_eq!(whatsapp.sent().len(), 2);
    }
}

on_both_databases! {
    async fn the_link_to_sign_in_comes_in_an_approved_message(database) {
        let Number { bridge, whatsapp, ehr } = Number::open(database).await;
        bridge.person(SPARROW, &ehr.patient).await;
        let portal = Portal::before(bridge, Postbox::open());
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        browser.post("/sign-in", &[("community", "forum"), ("handle", SPARROW)]).await;
        portal.send_links().await;
        let sent = whatsapp.sent().pop().unwrap();
        let link = sent["template"]["components"][0]["parameters"][0]["text"].as_str().unwrap();
        let link = link.strip_prefix(PORTAL).unwrap();
        browser.get(link).await;
        assert_eq!(browser.post(link, &[]).await.location(), "/sharing");
    }
}

#[actix_web::test]
async fn every_shape_is_one_that_whatsapp_has() {
    let whatsapp = WhatsApp::open();
    for (body, kind, words) in [
        (whatsapp.writes(SPARROW, "hi"), "Message", json!("hi")),
        (whatsapp.presses(SPARROW, "yes.1", "button_reply"), "CallbackButton", json!("yes.1")),
        (whatsapp.presses(SPARROW, "yes.1", "list_reply"), "CallbackSelection", json!("yes.1")),
        (
            whatsapp.sends(SPARROW, "button", &json!({"payload": "Stop", "text": "Stop"})),
            "CallbackButton",
            json!("Stop"),
        ),
        (whatsapp.sends(SPARROW, "reaction", &json!({"message_id": "wamid.1", "emoji": "👍"})), "Message", Value::Null),
        (status(SPARROW, "read", None), "MessageStatus", Value::Null),
        (status(SPARROW, "failed", Some(131_026)), "MessageStatus", Value::Null),
    ] {
        let Some(read) = judged("whatsapp-webhook", &body).await else { return };
        assert_eq!(read, json!({"kind": kind, "of": SPARROW, "said": words}), "{body}");
    }
    let body = whatsapp.writes(SPARROW, "hi").to_string();
    let signed = json!({"secret": APP_SECRET, "body": body, "signature": sign(&body)});
    assert_eq!(judged("whatsapp-signature", &signed).await, Some(json!({})));
    let nobody = webhook(&json!({"messages": [{"id": "wamid.1", "type": "text", "text": {"body": "hi"}}]}));
    assert!(
        judged("whatsapp-webhook", &nobody).await.is_some_and(|it| it["wrong"].is_object()),
        "the judge knows what there is"
    );
}
