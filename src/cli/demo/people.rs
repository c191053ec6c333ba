//! What people do in a story: they say something to the bridge's account in their community, and hear its answer.

use anyhow::Context;
use aws_lc_rs::hmac;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::house::House;
use super::platform::Platform;
use crate::domain::ids::{ClinicId, CommunityId};
use crate::enrolment::credentials::{TALKS_WRITE, create_api_key, create_member_token};
use crate::enrolment::join::{handle_index, link};

/// What the forum signs its webhooks with.
pub const HOOK_SECRET: &str = "a secret of the demo";

/// The bot's token.
pub const BOT_TOKEN: &str = "1:demo";

/// What Telegram shows with each Update.
pub const UPDATE_SECRET: &str = "of-the-demo";

/// The account of whoever talks with the bot.
const PERSON: i64 = 4101;

/// How somebody talks with the bridge.
pub enum Way<'a> {
    /// In an app, whose server has this key.
    App(String),
    /// By private messages of a forum.
    Forum(&'a Platform),
    /// With a bot.
    Group,
}

/// Somebody, known to their community by a name.
pub struct Person<'a> {
    house: &'a House,
    way: Way<'a>,
    handle: &'static str,
    said: i64,
}

impl<'a> Person<'a> {
    /// Somebody who has said nothing yet.
    pub fn new(house: &'a House, way: Way<'a>) -> Self {
        let handle = if matches!(way, Way::Group) { "4101" } else { "wren" };
        Self { house, way, handle, said: 0 }
    }

    /// The key of the app's server.
    pub async fn app_key(house: &House) -> anyhow::Result<String> {
        let bridge = &house.bridge;
        let mut tx = bridge.store.begin().await?;
        let key = create_api_key(&mut tx, &bridge.keyring, &"forum".parse()?, TALKS_WRITE, bridge.clock.now()).await?;
        tx.commit().await?;
        Ok(key.secret)
    }

    /// They say something; both are printed. Returns the answer.
    pub async fn says(&mut self, text: &str) -> anyhow::Result<String> {
        self.said += 1;
        let answer = match &self.way {
            Way::App(key) => self.in_app(key, text).await?,
            Way::Forum(platform) => self.in_forum(platform, text).await?,
            Way::Group => self.to_bot(text).await?,
        };
        println!("     they:   {text}");
        for (place, line) in answer.lines().filter(|line| !line.is_empty()).enumerate() {
            println!("     {} {line}", if place == 0 { "bridge:" } else { "       " });
        }
        Ok(answer)
    }

    async fn in_app(&self, key: &str, text: &str) -> anyhow::Result<String> {
        let said = json!({"id": self.said.to_string(), "handle": self.handle, "said": text});
        let url = self.house.api("/v1/talk")?;
        let answer = self.house.caller.ask(Method::POST, url, Some(key), Some(("application/json", &said))).await?;
        text_of(&answer)
    }

    async fn in_forum(&self, platform: &Platform, text: &str) -> anyhow::Result<String> {
        let post = json!({"post": {
            "id": self.said, "username": self.handle, "created_at": self.house.bridge.clock.now().to_string(), "post_number": self.said,
            "post_type": 1, "topic_id": 1, "topic_archetype": "private_message", "raw": text,
        }});
        let body = post.to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, HOOK_SECRET.as_bytes());
        let signature = format!("sha256={}", hex::encode(hmac::sign(&key, body.as_bytes())));
        let headers = [("X-Discourse-Event", "post_created"), ("X-Discourse-Event-Signature", &signature)];
        self.house.caller.bring(self.house.api("/connectors/forum/")?, &headers, body).await?;
        let said = platform.said();
        let answer = said.last().and_then(|it| it.get("raw")).and_then(Value::as_str);
        Ok(answer.context("the bridge did not answer")?.to_owned())
    }

    async fn to_bot(&self, text: &str) -> anyhow::Result<String> {
        let update = json!({"update_id": self.said, "message": {
            "message_id": self.said, "date": self.house.bridge.clock.now().as_second(), "text": text,
            "from": {"id": PERSON, "is_bot": false, "language_code": "en"}, "chat": {"id": PERSON, "type": "private"},
        }});
        let headers = [("X-Telegram-Bot-Api-Secret-Token", UPDATE_SECRET)];
        let url = self.house.api("/connectors/forum/")?;
        text_of(&self.house.caller.bring(url, &headers, update.to_string()).await?)
    }

    /// The clinic confirms who they are, and they decide what it sees, as they do in the portal. Returns their Patient's id.
    pub async fn shares(&self, categories: &Value) -> anyhow::Result<String> {
        let (bridge, house) = (&self.house.bridge, self.house);
        let (community, clinic): (CommunityId, ClinicId) = ("forum".parse()?, "riverside".parse()?);
        let (keyring, now) = (&bridge.keyring, bridge.clock.now());
        let mut tx = bridge.store.begin().await?;
        let found = tx.member_by_handle(&community, handle_index(keyring, &community, self.handle)).await?;
        let (member, ..) = found.context("they did not join")?;
        let patient = house.create_patient("Robin Example").await?;
        link(&mut tx, keyring, member, &clinic, &patient, "demo", now).await?;
        let token = create_member_token(&mut tx, keyring, member, SignedDuration::from_hours(1), now).await?;
        tx.commit().await?;
        let asked = json!({"clinic": "riverside", "terms": {"categories": categories}});
        let body = Some(("application/json", &asked));
        house.caller.ask(Method::POST, house.api("/v1/grants")?, Some(&token), body).await?;
        Ok(patient)
    }
}

fn text_of(answer: &Value) -> anyhow::Result<String> {
    Ok(answer.get("text").and_then(Value::as_str).context("the bridge did not answer")?.to_owned())
}
