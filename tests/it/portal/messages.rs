//! How a member is told something: what leaves the house, and for whom.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::on_both_databases;
use crate::support::bridge::config_text;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::portal::{PORTAL, Portal};
use crate::support::postbox::{Postbox, SECRET};
use crate::support::smtp::{MailServer, MuteServer, in_time};

on_both_databases! {
    async fn a_platform_can_check_who_sends(database) {
        let ehr = Ehr::sandbox().await;
        let portal = Portal::open(database, &ehr.base).await;
        portal.bridge.person("sparrow", &ehr.patient).await;
        portal.link(&mut portal.browser(), "sparrow").await;
        let letter = portal.postbox.letters().pop().unwrap();
        // As the specification says it, and not as the bridge does it.
        let key = BASE64.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
        let signed = format!("{}.{}.{}", letter.header("webhook-id"), letter.header("webhook-timestamp"), letter.raw);
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
        assert_eq!(letter.header("webhook-signature"), format!("v1,{}", BASE64.encode(signature)));
        assert_eq!(letter.header("webhook-timestamp"), portal.bridge.now().as_second().to_string());
        assert_eq!(letter.header("content-type"), "application/json");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_is_what_its_schema_says() {
    let ehr = Ehr::sandbox().await;
    let portal = Portal::open(Database::sqlite(), &ehr.base).await;
    portal.bridge.person("sparrow", &ehr.patient).await;
    portal.link(&mut portal.browser(), "sparrow").await;
    let schema = serde_json::from_str(include_str!("../../../schemas/messages/sign-in-link.v1.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let letter = portal.postbox.letters().pop().unwrap();
    validator.validate(&letter.json).unwrap();
}

async fn by_mail(database: Database, ehr: &Ehr, port: u16) -> Portal {
    let text = config_text(&database, &ehr.base, "127.0.0.1:0");
    let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
    let text = format!(
        "{text}[communities.forum.messages]\nmethod = \"mail\"\nserver = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n\
         from = \"The forum <noreply@forum.example>\"\n"
    );
    Portal::open_with(database, &text, Postbox::open()).await
}

on_both_databases! {
    async fn a_member_signs_in_by_mail(database) {
        let (ehr, server) = (Ehr::sandbox().await, MailServer::start(false).await);
        let portal = by_mail(database, &ehr, server.port).await;
        portal.bridge.person("sparrow@forum.example", &ehr.patient).await;
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        browser.post("/sign-in", &[("community", "forum"), ("handle", "sparrow@forum.example")]).await;
        portal.send_links().await;
        let mails = server.mails();
        assert_eq!(mails.len(), 1);
        for part in [
            "MAIL FROM:<noreply@forum.example>",
            "RCPT TO:<sparrow@forum.example>",
            "Subject: Your link to sign in",
            "Auto-Submitted: auto-generated",
            "Date: Fri, 20 Nov 2026 12:00:00 +0000",
        ] {
            assert!(mails[0].contains(part), "{part}: {}", mails[0]);
        }
        let link = mails[0].split_whitespace().find_map(|word| word.strip_prefix(PORTAL)).unwrap();
        assert_eq!(browser.get(link).await.status, 200);
        assert_eq!(browser.post(link, &[]).await.location(), "/sharing");
    }
}

on_both_databases! {
    async fn a_mail_that_is_refused_is_tried_again_as_long_as_its_link_is_good(database) {
        let (ehr, server) = (Ehr::sandbox().await, MailServer::start(true).await);
        let portal = by_mail(database, &ehr, server.port).await;
        portal.bridge.person("sparrow@forum.example", &ehr.patient).await;
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        browser.post("/sign-in", &[("community", "forum"), ("handle", "sparrow@forum.example")]).await;
        assert!(portal.sender.send_one().await.unwrap());
        assert!(!portal.sender.send_one().await.unwrap(), "not again at once");
        portal.bridge.clock.advance(jiff::SignedDuration::from_secs(30));
        assert!(portal.sender.send_one().await.unwrap());
        portal.bridge.clock.advance(jiff::SignedDuration::from_mins(10));
        assert!(!portal.sender.send_one().await.unwrap(), "its time is over");
        assert_eq!(server.mails().len(), 0);
    }
}

on_both_databases! {
    async fn a_mail_server_that_says_nothing_is_left_alone_and_the_link_is_tried_again(database) {
        let (ehr, silent) = (Ehr::sandbox().await, MuteServer::start());
        let portal = by_mail(database, &ehr, silent.port).await;
        portal.bridge.person("sparrow@forum.example", &ehr.patient).await;
        let mut browser = portal.browser();
        browser.get("/sign-in").await;
        browser.post("/sign-in", &[("community", "forum"), ("handle", "sparrow@forum.example")]).await;
        for _ in 0..2 {
            in_time(portal.send_links()).await;
            assert_eq!(silent.came(), 1, "it is waited for once, and not for ever");
            portal.bridge.clock.advance(jiff::SignedDuration::from_secs(30));
        }
    }
}
