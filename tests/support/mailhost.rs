//! The mail server of a community, which hands what comes to an address to the bridge by `deploy/mail-to-bridge.sh`, and somebody who
//! writes to it: `tests/tools/mailhost.py`. What they are answered comes to their [`Receiver`].

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::TestBridge;
use super::database::Database;
use super::http;
use super::parts::part;
use super::receiver::Receiver;

/// What the server shows.
pub const SECRET: &str = "agreed-on-with-the-mail-server";

/// An address of the community.
#[derive(Debug)]
pub struct Door {
    base: String,
    id: String,
    /// To which members write.
    pub address: String,
    written: AtomicU32,
}

/// What somebody writes.
#[derive(Clone, Copy, Default)]
pub struct Mail<'a> {
    pub text: &'a str,
    /// Whether as HTML alone, as some programs do.
    pub html: bool,
    /// More fields.
    pub fields: &'a [(&'a str, &'a str)],
    /// Whose signature it has.
    pub signed_by: Option<&'a str>,
    /// Its id, if not one of its own.
    pub id: Option<&'a str>,
}

impl Door {
    pub async fn open() -> Option<Self> {
        let base = part("MOSTIK_TEST_RECEIVER", "a mail server")?;
        let got = http::call(Method::POST, &format!("{base}/door"), None, Some(&json!({}))).await.json;
        let text = |name: &str| got[name].as_str().unwrap().to_owned();
        Some(Self { base, id: text("id"), address: text("address"), written: AtomicU32::new(0) })
    }

    /// The settings of a community whose members write to it.
    pub fn settings(&self, database: &Database, community: &str, mail_port: u64) -> String {
        let secret = database.secret_file("mail-secret", SECRET);
        format!(
            "[communities.{community}.connector]\nplatform = \"mail\"\nsecret_file = {secret:?}\nauthserv_id = \"mx.forum.example\"\n\
             [communities.{community}.messages]\nmethod = \"mail\"\nserver = \"127.0.0.1\"\nport = {mail_port}\n\
             security = \"none\"\nfrom = \"The forum <{}>\"\n",
            self.address
        )
    }

    /// From now on its mail goes to a bridge.
    pub async fn leads_to(&self, bridge: &TestBridge, community: &str) {
        let header = bridge.database.secret_file("mail-header", &format!("Authorization: Bearer {SECRET}\n"));
        let to = json!({"url": format!("{}/connectors/{community}/", bridge.api), "header": header});
        http::call(Method::POST, &format!("{}/door/{}", self.base, self.id), None, Some(&to)).await;
    }

    /// Somebody writes a mail, in answer to what came last. Returns what the server says: 250, it was taken.
    pub async fn write(&self, whose: &Receiver, mail: Mail<'_>) -> u64 {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let own = format!("<{}.{number}@forum.example>", self.id);
        let before = whose.seen().await.into_iter().rfind(|it| it["by"] == "mail" && it["status"] == 250);
        let before = before.map(|it| json!({"id": it["message_id"], "text": it["text"]}));
        let fields: Value = mail.fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let asked = json!({
            "from": format!("Sparrow <{}>", whose.address.to_uppercase()), "to": self.address, "text": mail.text,
            "html": mail.html, "fields": fields, "signed_by": mail.signed_by, "before": before,
            "id": mail.id.unwrap_or(&own),
        });
        let got = http::call(Method::POST, &format!("{}/write", self.base), None, Some(&asked)).await;
        got.json["status"].as_u64().unwrap_or_else(|| panic!("{:?}", got.json))
    }
}
