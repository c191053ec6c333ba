//! Members who write to their community by mail, through a mail server and the program that an operator's server would call.

use jiff::SignedDuration;
use mostik::domain::telling::Wishes;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::audit;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::concerns::{Keepers, watched};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, observations};
use crate::support::http;
use crate::support::mailhost::{Door, Mail, SECRET};
use crate::support::postbox::Postbox;
use crate::support::receiver::{PORTAL, Receiver, Telling, any_time};
use crate::support::recommendations::said;
use crate::support::smtp::MailServer;
use crate::support::story::linked;

struct Forum {
    bridge: TestBridge,
    ehr: Ehr,
    door: Door,
    sparrow: Receiver,
}

impl Forum {
    async fn open(database: Database) -> Option<Self> {
        Self::open_with(database, "").await
    }

    /// With more in the settings.
    async fn open_with(database: Database, more: &str) -> Option<Self> {
        let (door, sparrow) = (Door::open().await?, Receiver::open().await?);
        let ehr = Ehr::sandbox().await;
        let text = config_text(&database, &ehr.base, "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        let text = text + &door.settings(&database, "forum", sparrow.mail_port) + more;
        let bridge = TestBridge::start_with(database, &text).await;
        door.leads_to(&bridge, "forum").await;
        Some(Self { bridge, ehr, door, sparrow })
    }

    /// What sparrow is answered who writes, as their own server signs it.
    async fn write(&self, text: &str) -> Value {
        let written = self.door.write(&self.sparrow, signed(text)).await;
        assert_eq!(written, 250);
        self.sparrow.last().await
    }

    async fn answers(&self) -> usize {
        self.sparrow.seen().await.len()
    }
}

fn signed(text: &str) -> Mail<'_> {
    Mail { text, signed_by: Some("forum.example"), ..Mail::default() }
}

fn text(mail: &Value) -> &str {
    mail["text"].as_str().unwrap()
}

on_both_databases! {
    async fn somebody_joins_shares_a_mood_and_stops_everything_by_mail(database) {
        let Some(forum) = Forum::open(database).await else { return };
        let hello = forum.write("Dear helper,\n\nhello").await;
        assert!(text(&hello).contains("a program, no therapist") && text(&hello).contains("in the first line"), "{hello}");
        assert_eq!(forum.bridge.database.count("members").await, 0);
        let welcome = forum.write("Yes\n\nBest,\nSparrow").await;
        assert!(text(&welcome).starts_with("Welcome."), "{welcome}");

        let address = forum.sparrow.address.clone();
        let sparrow = linked(&forum.bridge, "forum", &address, &forum.ehr.patient).await;
        forum.bridge.grant(&sparrow, &["mood"]).await;
        forum.write("mood").await;
        let noted = forum.write("4").await;
        assert!(text(&noted).contains("your clinic will see it"), "{noted}");
        forum.bridge.deliver().await;
        assert_eq!(observations(&forum.ehr.base, &forum.ehr.patient).await.len(), 1);

        let html = Mail { html: true, ..signed("stop everything") };
        assert_eq!(forum.door.write(&forum.sparrow, html).await, 250);
        let stopped = forum.sparrow.last().await;
        assert!(text(&stopped).contains("Everything is stopped."), "{stopped}");
        for words in ["mood", "2"] {
            forum.write(words).await;
        }
        forum.bridge.deliver().await;
        assert_eq!(observations(&forum.ehr.base, &forum.ehr.patient).await.len(), 1, "nothing more arrives");
        assert_eq!(audit::wrong(&forum.bridge).await, [""; 0]);
    }
}

on_both_databases! {
    async fn an_answer_belongs_to_what_it_answers_and_says_nothing_outside(database) {
        let Some(forum) = Forum::open(database).await else { return };
        let hello = forum.write("hi").await;
        let headers = &hello["headers"];
        assert_eq!((&headers["auto-submitted"], &headers["subject"]), (&json!("auto-replied"), &json!("An answer to you")));
        let own = headers["in-reply-to"].as_str().unwrap();
        assert!(own.starts_with('<') && headers["references"].as_str().unwrap().ends_with(own), "{headers}");
        assert_eq!((&hello["sender"], headers["date"].as_str()), (&json!(forum.door.address), Some("Fri, 20 Nov 2026 12:00:00 +0000")));
        let again = forum.write("who are you").await;
        let references = again["headers"]["references"].as_str().unwrap();
        assert!(references.contains(hello["message_id"].as_str().unwrap()), "the whole talk is one: {references}");
    }
}

on_both_databases! {
    async fn a_mail_that_comes_again_is_done_once_and_answered_under_the_same_id(database) {
        let Some(forum) = Forum::open(database).await else { return };
        for words in ["yes", "mood"] {
            forum.write(words).await;
        }
        let mood = Mail { id: Some("<mood@forum.example>"), ..signed("3") };
        forum.sparrow.will_answer(json!({"mail": [451]})).await;
        assert_eq!(forum.door.write(&forum.sparrow, mood).await, 451, "the server tries it again");
        for _ in 0..2 {
            assert_eq!(forum.door.write(&forum.sparrow, mood).await, 250);
        }
        forum.write("keep it").await;
        let taken: Vec<Value> = forum.sparrow.seen().await.into_iter().filter(|it| it["status"] == 250).collect();
        assert_eq!((taken.len(), &taken[2]["message_id"]), (5, &taken[3]["message_id"]));
        assert_eq!(forum.bridge.database.count("readings").await, 1);
    }
}

on_both_databases! {
    async fn whoever_writes_of_danger_below_a_number_is_told_where_help_is_each_time_the_mail_comes(database) {
        let people = Postbox::open();
        let watch = watched(&database, &people, "PT15M").replace("escalate_after", "phrases = true\nescalate_after");
        let Some(forum) = Forum::open_with(database, &watch).await else { return };
        for words in ["yes", "mood"] {
            forum.write(words).await;
        }
        let mood = Mail { id: Some("<mood@forum.example>"), ..signed("3\n\nI wish I was dead.\n\nSparrow") };
        forum.sparrow.will_answer(json!({"mail": [451]})).await;
        assert_eq!(forum.door.write(&forum.sparrow, mood).await, 451, "the server tries it again");
        for _ in 0..2 {
            assert_eq!(forum.door.write(&forum.sparrow, mood).await, 250);
            let noted = forum.sparrow.last().await;
            assert!(text(&noted).contains("Shall I keep what you note"), "what was understood is done: {noted}");
            assert!(text(&noted).contains("are told that somebody should get in touch with you"), "{noted}");
            assert!(text(&noted).contains("call 112 now") && text(&noted).contains("Find a Helpline"), "{noted}");
        }
        let open = Keepers::of(&forum.bridge).await.open().await;
        assert_eq!((open.len(), &open[0]["phrase"]), (1, &json!("i wish i was dead")));
        let other = forum.write("menu\n\nIt was a long day.").await;
        assert!(!text(&other).contains("Find a Helpline") && !text(&other).contains("are told"), "{other}");
    }
}

on_both_databases! {
    async fn nobody_is_believed_to_be_who_they_say_and_nobody_is_answered_who_did_not_write(database) {
        let Some(forum) = Forum::open(database).await else { return };
        let claim = "mx.forum.example; dmarc=pass header.from=forum.example";
        for mail in [
            Mail { signed_by: None, ..signed("yes") },
            Mail { signed_by: Some("evil.example"), ..signed("yes") },
            Mail { signed_by: None, fields: &[("Authentication-Results", claim)], ..signed("yes") },
        ] {
            assert_eq!(forum.door.write(&forum.sparrow, mail).await, 250, "whoever wrote it learns nothing");
        }
        assert_eq!((forum.answers().await, forum.bridge.database.count("members").await), (0, 0));
    }
}

/// A mail that sparrow wrote, as the server hands it over: it found sparrow's signature good, which covers these fields.
fn handed(to: &str, date: &str, covers: &str) -> String {
    format!(
        "Authentication-Results: mx.forum.example; dkim=pass header.d=member.example\r\n\
         DKIM-Signature: v=1; a=rsa-sha256; d=member.example; s=s1; h={covers}; bh=a; b=c\r\n\
         From: Sparrow <sparrow@member.example>\r\nTo: {to}\r\nDate: {date} 11:00:00 +0000\r\nSubject: Re: lunch\r\n\r\nYes\r\n"
    )
}

on_both_databases! {
    async fn a_yes_that_somebody_wrote_to_somebody_else_does_not_become_one_to_the_bridge(database) {
        let (server, own) = (MailServer::start(false).await, "helper@forum.example");
        let secret = database.secret_file("mail-secret", SECRET);
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0") + &format!(
            "[communities.forum.connector]\nplatform = \"mail\"\nsecret_file = {secret:?}\nauthserv_id = \"mx.forum.example\"\n\
             [communities.forum.messages]\nmethod = \"mail\"\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
             from = \"The forum <{own}>\"\n", server.port
        );
        let bridge = TestBridge::start_with(database, &text).await;
        let hands = async |mail: String| {
            let request = http::client().post(format!("{}/connectors/forum/", bridge.api)).bearer_auth(SECRET);
            let status = request.header("content-type", "message/rfc822").body(mail).send().await.unwrap().status().as_u16();
            (status, bridge.database.count("members").await, server.mails().len())
        };
        let (today, all) = ("Fri, 20 Nov 2026", "From:To:Subject:Date");
        for mail in [
            handed("wren@evil.example", today, all),
            // What wren put above it or in its place was not signed.
            handed(&format!("{own}\r\nTo: wren@evil.example"), today, all),
            handed(own, today, "From:Subject:Date"),
            handed(own, "Fri, 13 Nov 2026", all),
            handed(own, today, "From:To:Subject"),
        ] {
            assert_eq!(hands(mail.clone()).await, (200, 0, 0), "{mail}");
        }
        assert_eq!(hands(handed(&format!("wren@evil.example, The forum <{own}>"), today, all)).await, (200, 1, 1));
    }
}

on_both_databases! {
    async fn nothing_here_talks_with_a_machine(database) {
        let Some(forum) = Forum::open(database).await else { return };
        for field in [("Auto-Submitted", "auto-replied"), ("Precedence", "bulk"), ("List-Id", "<list.forum.example>")] {
            assert_eq!(forum.door.write(&forum.sparrow, Mail { fields: &[field], ..signed("yes") }).await, 250);
        }
        // Even what it wrote itself.
        let mut own = forum.sparrow.clone();
        own.address.clone_from(&forum.door.address);
        assert_eq!(forum.door.write(&own, signed("yes")).await, 250);
        assert_eq!((forum.answers().await, forum.bridge.database.count("members").await), (0, 0));
    }
}

on_both_databases! {
    async fn only_the_mail_server_hands_mail_over(database) {
        let Some(forum) = Forum::open(database).await else { return };
        let url = format!("{}/connectors/forum/", forum.bridge.api);
        let ask = |method: Method, url: String, credential: Option<&'static str>| async move {
            http::call(method, &url, credential, Some(&json!("From: a@b.example"))).await.status
        };
        for credential in [None, Some(""), Some("agreed-on-with-the-mail-serveR")] {
            assert_eq!(ask(Method::POST, url.clone(), credential).await, 401, "{credential:?}");
        }
        assert_eq!(ask(Method::POST, url.clone(), Some(SECRET)).await, 200);
        assert_eq!(ask(Method::PUT, url.clone(), Some(SECRET)).await, 404);
        assert_eq!(ask(Method::POST, format!("{url}more"), Some(SECRET)).await, 404);
    }
}

on_both_databases! {
    async fn news_comes_from_the_same_address_and_can_be_answered(database) {
        let Some(Forum { bridge, door, sparrow: receiver, .. }) = Forum::open(database).await else { return };
        let telling = Telling::before(bridge);
        let wishes: Wishes = any_time();
        let sparrow = telling.member(&receiver.address, "notice", wishes).await;
        telling.comes(&sparrow, &said("Walk half an hour")).await;
        telling.tell().await;
        let told = receiver.last().await;
        assert!(text(&told).contains("/messages") && !text(&told).contains("Walk"), "{told}");
        assert_eq!((&told["sender"], &told["headers"]["auto-submitted"]), (&json!(door.address), &json!("auto-generated")));
        telling.bridge.clock.advance(SignedDuration::from_mins(5));
        assert_eq!(door.write(&receiver, signed("who are you")).await, 250);
        let answer = receiver.last().await;
        assert_eq!(answer["headers"]["auto-submitted"], "auto-replied");
        assert!(answer["headers"]["references"].as_str().unwrap().contains(told["message_id"].as_str().unwrap()));
    }
}
