//! Two hundred tokens of members, looked for where nobody may ever find them: the database, the logs, and what is shown
//! to people.

use std::path::Path;

use jiff::SignedDuration;
use mostik::delivery::smart_auth::patient::TokenSet;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::patient_token::sent;
use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text, riverside};
use crate::support::database::Database;
use crate::support::desk::{Desk, Fault};
use crate::support::{launch, log};

const MEMBERS: usize = 50;

/// How each of them begins.
const CANARY: &str = "canary-of-a-token";

/// The same, where it may be found: it shows that the search finds.
const CONTROL: &str = "canary-of-control";

/// A member's token: which one, of the launch (0) or of a renewal (1).
fn canary(kind: &str, of: usize, round: usize) -> String {
    format!("{CANARY}-{kind}-{of}-{round}")
}

fn times(needle: &str, hay: &[u8]) -> usize {
    let needle = needle.as_bytes();
    let begins = |at: &usize| hay[*at..].starts_with(needle);
    (0..hay.len()).filter(|at| hay[*at] == needle[0]).filter(begins).count()
}

/// How often the words are in the files of a folder: (needle, control).
fn in_files(folder: &Path) -> (usize, usize) {
    let mut found = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Files come and go below a running database.
        let Ok(bytes) = (if path.is_dir() { Ok(Vec::new()) } else { std::fs::read(&path) }) else { continue };
        found.0 += times(CANARY, &bytes);
        found.1 += times(CONTROL, &bytes);
        if path.is_dir() {
            let below = in_files(&path);
            found = (found.0 + below.0, found.1 + below.1);
        }
    }
    found
}

/// How often the words are in the files of this database, its log of changes included.
async fn in_database(database: &Database) -> (usize, usize) {
    if database.url.starts_with("sqlite") {
        return in_files(database.folder.path());
    }
    let mut server = PgConnection::connect(&database.url).await.unwrap();
    sqlx::query("CHECKPOINT").execute(&mut server).await.unwrap();
    let folder: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&mut server).await.unwrap();
    let own: i64 = sqlx::query_scalar("SELECT oid::bigint FROM pg_database WHERE datname = current_database()")
        .fetch_one(&mut server)
        .await
        .unwrap();
    let (tables, changes) =
        (in_files(&Path::new(&folder).join(format!("base/{own}"))), in_files(&Path::new(&folder).join("pg_wal")));
    (tables.0 + changes.0, tables.1.min(changes.1))
}

on_both_databases! {
    async fn two_hundred_tokens_are_nowhere_to_be_read(database) {
        let log = log::capture();
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
        let log = log.text().into_bytes();
        assert_eq!((times(CANARY, &log), times(CONTROL, &log)), (0, 1), "in {} bytes of logs", log.len());
        let shown = shown.concat();
        assert_eq!((times(CANARY, shown.as_bytes()), times(CONTROL, shown.as_bytes())), (0, 1));
        let (found, control) = in_database(&bridge.database).await;
        assert_eq!(found, 0, "in the database");
        assert!(control > 0, "the files of the database were looked at");
    }
}
