//! Two hundred tokens of members, looked for where nobody may ever find them: the database, the logs, and what is shown
//! to people.

use jiff::SignedDuration;
use mostik::delivery::smart_auth::patient::TokenSet;
use serde_json::json;

use crate::linking::patient_token::sent;
use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text, riverside};
use crate::support::desk::{Desk, Fault};
use crate::support::launch;
use crate::support::log::Log;
use crate::support::search::{in_database, times};

const MEMBERS: usize = 50;

/// How each of them begins.
const CANARY: &str = "canary-of-a-token";

/// The same, where it may be found: it shows that the search finds.
const CONTROL: &str = "canary-of-control";

/// A member's token: which one, of the launch (0) or of a renewal (1).
fn canary(kind: &str, of: usize, round: usize) -> String {
    format!("{CANARY}-{kind}-{of}-{round}")
}

on_both_databases! {
    async fn two_hundred_tokens_are_nowhere_to_be_read(database) {
        let log = Log::listen();
        tracing::info!(CONTROL);
        let desk = Desk::before("http://127.0.0.1:9");
        let text = config_text(&database, &desk.base, "127.0.0.1:0");
        let bridge = TestBridge::start_with(database, &text).await;
        let auth = launch::process(&bridge, &desk.base, "launch-public", false);
        let mut shown = vec![CONTROL.to_owned()];
        for of in 0..MEMBERS {
            let member = bridge.person(&format!("bird-{of}"), &format!("patient-{of}")).await.id;
            let launched = TokenSet {
                access: canary("access", of, 0).into(),
                refresh: Some(canary("refresh", of, 0).into()),
                scope: launch::SCOPES.to_owned(),
                issuer: desk.issuer(),
                issued_at: bridge.now(),
                expires_at: bridge.now() + SignedDuration::from_secs(20),
            };
            launch::store(&bridge, member, &launched).await;
            shown.push(format!("{launched:?} {:?}", auth.token(member).await.unwrap()));
            bridge.clock.advance(SignedDuration::from_secs(20));
            // Answers that hold tokens and are none, and a server that repeats what it was sent.
            let unreadable = json!({"access_token": canary("access", of, 1), "refresh_token": canary("refresh", of, 1)});
            let talkative = json!({"error": "invalid_request", "error_description": canary("refresh", of, 0)});
            for (status, body) in [(200, unreadable), (200, json!(canary("access", of, 1))), (400, talkative)] {
                desk.do_this(Fault::Say(status, body));
                let error = auth.token(member).await.unwrap_err();
                shown.push(format!("{error} {error:?} {:?}", auth.state(member)));
                bridge.clock.advance(SignedDuration::from_secs(11));
            }
            desk.do_this(Fault::Say(200, json!({
                "access_token": canary("access", of, 1), "refresh_token": canary("refresh", of, 1),
                "token_type": "bearer", "expires_in": 300,
            })));
            let token = auth.token(member).await.unwrap();
            assert_eq!(sent(&token), format!("Bearer {}", canary("access", of, 1)));
            shown.push(format!("{token:?} {:?} {:?} {auth:?}", token.header(), auth.state(member)));
            if of == 0 {
                let mut tx = bridge.bridge.store.begin().await.unwrap();
                shown.push(format!("{:?}", tx.patient_tokens(&riverside(), member).await.unwrap()));
                let index = bridge.bridge.keyring.index().index("api-key", &[b"control"]);
                let forum = crate::support::bridge::forum();
                tx.insert_api_key(CONTROL, index, &forum, "events:write", bridge.now()).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        assert_eq!(desk.asked(), 4 * MEMBERS, "each of them was sent or received");
        let log = log.bytes();
        assert_eq!((times(CANARY, &log), times(CONTROL, &log) > 0), (0, true), "in {} bytes of logs", log.len());
        let shown = shown.concat();
        assert_eq!((times(CANARY, shown.as_bytes()), times(CONTROL, shown.as_bytes())), (0, 1));
        let [found, control] = in_database(&bridge.database, [CANARY, CONTROL]).await;
        assert_eq!(found, 0, "in the database");
        assert!(control > 0, "the files of the database were looked at");
    }
}
