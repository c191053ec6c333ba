//! How often platforms may call, and with how much: nobody starves anybody else.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::database::Database;
use crate::support::discourse::Discourse;
use crate::support::http::Got;
use crate::support::server::moment;

/// How many calls somebody begins who wants to keep everybody else out.
const MANY: usize = 64;

/// A bridge with two communities, each with a forum of its own, and these limits.
struct Two {
    bridge: TestBridge,
    forum: Discourse,
    other: Discourse,
}

impl Two {
    async fn open(database: Database, limits: &str) -> Self {
        let (forum, other) = (Discourse::open(), Discourse::open());
        let text = config_text(&database, "http://127.0.0.1:9/fhir", "127.0.0.1:0")
            + "[communities.other]\nname = \"Another forum\"\n"
            + &forum.settings(&database, "forum")
            + &other.settings(&database, "other")
            + &format!("[limits]\n{limits}\n");
        Self { bridge: TestBridge::start_with(database, &text).await, forum, other }
    }

    async fn calls(&self, whose: &Discourse, community: &str) -> Got {
        whose.bring(&self.bridge, community, "ping", &json!({"ping": "OK"})).await
    }

    /// Somebody without the secret begins to call in the name of the forum, and never says all of it.
    async fn trickles(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.bridge.api.trim_start_matches("http://")).await.unwrap();
        let head = "POST /connectors/forum/ HTTP/1.1\r\nhost: bridge\r\nx-discourse-event-signature: sha256=00\r\n\
                    content-type: application/json\r\ncontent-length: 100000\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

on_both_databases! {
    async fn a_platform_that_calls_too_often_is_told_when_to_come_again(database) {
        let two = Two::open(database, "platform_calls_per_second = 2").await;
        for _ in 0..2 {
            assert_eq!(two.calls(&two.forum, "forum").await.status, 200);
        }
        let refused = two.calls(&two.forum, "forum").await;
        assert_eq!((refused.status, refused.retry_after, &refused.json["title"]), (429, Some(1), &json!("There is too much at once")));
        assert_eq!(two.calls(&two.other, "other").await.status, 200, "each community is counted for itself");
        two.bridge.clock.advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(two.calls(&two.forum, "forum").await.status, 200);
    }
}

on_both_databases! {
    async fn whoever_never_ends_what_they_say_keeps_no_other_community_out(database) {
        let two = Two::open(database, "platform_body_seconds = 600").await;
        let mut open = Vec::new();
        for _ in 0..MANY {
            open.push(two.trickles().await);
        }
        let mut refused = two.calls(&two.forum, "forum").await;
        while refused.status == 200 {
            moment().await;
            refused = two.calls(&two.forum, "forum").await;
        }
        assert_eq!((refused.status, refused.retry_after), (429, Some(1)));
        assert_eq!(two.calls(&two.other, "other").await.status, 200);
        drop(open);
        while two.calls(&two.forum, "forum").await.status != 200 {
            moment().await;
        }
    }
}

on_both_databases! {
    async fn what_does_not_come_in_time_is_not_waited_for(database) {
        let two = Two::open(database, "platform_body_seconds = 1").await;
        let mut answer = vec![0; 12];
        two.trickles().await.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), "HTTP/1.1 408");
    }
}
