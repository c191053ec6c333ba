//! A thousand words put through every personal field there is, by the API and the command line, and looked for where
//! nobody may ever find them: in the files of the database, its backups, and all that is logged.

use std::collections::BTreeMap;
use std::process::Command;

use mostik::delivery::smart_auth::patient::TokenSet;
use mostik::domain::settings::Change;
use mostik::domain::zone::Zone;
use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::booking;
use crate::support::bridge::{Person, TestBridge, forum};
use crate::support::cells::Column;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::launch;
use crate::support::log::Log;
use crate::support::own::BROWSER_KEYS;
use crate::support::search::{hexadecimal, in_database, times};
use crate::vault::columns::{Holds, known};
use crate::vault::erasing::{AT_ONCE, request};

/// How each of them begins.
pub(crate) const CANARY: &str = "kanarienvogel-7q-";

/// The same, where it may be found: it shows that the search finds.
pub(crate) const CONTROL: &str = "kontrollvogel-7q-";

const MEMBERS: usize = 100;

/// The fields that each member fills with a word of its own; the token set has two.
const FIELDS: [&str; 9] = ["handle", "patient", "label", "note", "tag", "other-tag", "event", "source", "visit"];

/// A time zone in which few people live.
const ZONE: &str = "Pacific/Chatham";

pub(crate) fn canary(field: &str, of: usize) -> String {
    format!("{CANARY}{field}-{of}")
}

/// A member who has filled every field.
async fn member(bridge: &TestBridge, of: usize) -> Person {
    let person = bridge.person(&canary("handle", of), &canary("patient", of)).await;
    bridge.grant(&person, &["mood", "note", "tags"]).await;
    bridge.set(&person, Change { zone: Some(Zone::named(ZONE).unwrap()), ..Change::default() }).await;
    let tokens = TokenSet {
        access: canary("access-token", of).into(),
        refresh: Some(canary("refresh-token", of).into()),
        scope: canary("scope", of),
        issuer: canary("issuer", of),
        ..launch::some_tokens(bridge)
    };
    launch::store(bridge, person.id, &tokens).await;
    let [point, auth] = BROWSER_KEYS;
    bridge.subscribe(&person, &format!("https://push.example/{}", canary("browser", of)), point, auth).await;
    booking::put(bridge, &person, &canary("visit", of)).await;
    person
}

fn events(of: usize) -> Value {
    let event = |kind: &str, data: Value| {
        json!({
            "specversion": "1.0", "id": format!("{}-{kind}", canary("event", of)), "source": format!("/{}", canary("source", of)),
            "type": format!("mostik.{kind}.v1"), "time": "2026-11-20T11:00:00+01:00", "subject": canary("handle", of), "data": data,
        })
    };
    let rating = json!({"rating": {"value": 3, "worst": 1, "best": 5}, "label": canary("label", of)});
    let tags = json!({"tags": [canary("tag", of), canary("other-tag", of)]});
    json!([event("mood", rating), event("note", json!({"text": canary("note", of)})), event("tags", tags)])
}

/// Runs the program as an operator does. What it says must not hold a canary either.
async fn mostik(bridge: &TestBridge, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.arg("--config").arg(bridge.database.folder.path().join("mostik.toml")).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(times(CANARY, said.as_bytes()), 0, "{arguments:?}");
    assert!(output.status.success(), "{arguments:?}: {said}");
    output.stdout.iter().map(|byte| char::from(*byte)).collect::<String>().trim().to_owned()
}

/// What an operator enrols and imports: by the command line.
async fn by_the_command_line(bridge: &TestBridge) {
    let id = mostik(bridge, &["member", "add", "--community", "forum", "--handle", &canary("handle", MEMBERS)]).await;
    let patient = canary("patient", MEMBERS);
    mostik(bridge, &["member", "link", "--member", &id, "--clinic", "riverside", "--patient", &patient]).await;
    let line = |day: usize| {
        let words: Vec<String> = ["activity", "title", "diary"].iter().map(|field| canary(field, day)).collect();
        format!(
            "2026-11-{day:02},{day} November,Sunday,8:30 pm,good,\"{}\",\"{}\",\"{}\"",
            words[0], words[1], words[2]
        )
    };
    let header = "full_date,date,weekday,time,mood,activities,note_title,note";
    let lines: Vec<String> = (1..20).map(line).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("diary.csv");
    std::fs::write(&file, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
    let token = mostik(bridge, &["member", "token", "--member", &id]).await;
    let person = Person { id: id.parse().unwrap(), handle: canary("handle", MEMBERS), token };
    bridge.grant(&person, &["mood", "note", "tags"]).await;
    let file = file.to_str().unwrap();
    mostik(bridge, &["import", "daylio", file, "--member", &id, "--zone", "Europe/Berlin"]).await;
}

/// A dump as text, as an operator may make one.
pub(crate) fn dump(database: &Database) -> Vec<u8> {
    let (program, arguments) = match database.direct.strip_prefix("sqlite:") {
        Some(file) => ("sqlite3", vec![file, ".dump"]),
        None => ("pg_dump", vec![database.direct.as_str()]),
    };
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

on_both_databases! {
    async fn a_thousand_canaries_are_nowhere_to_be_found(database) {
        let log = Log::listen();
        tracing::info!(CONTROL);
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        // What an EHR says when it refuses something may quote it.
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        let refused = Fault::always(FaultKind::Status { code: 422, retry_after: None }).on("POST", "Observation");
        faults.switch_on(Fault { times: Some(5), ..refused });
        for of in 0..MEMBERS {
            let person = member(&bridge, of).await;
            let sent = bridge.send(&events(of)).await;
            assert!((200..300).contains(&sent.status), "{:?}", sent.json);
            if of < MEMBERS / 2 {
                bridge.deliver().await;
            }
            if of % 10 == 0 {
                request(&bridge, &person, mostik::erasure::Wish { at_once: of % 20 == 0, ..AT_ONCE }).await;
            }
        }
        by_the_command_line(&bridge).await;
        bridge.chores().await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let index = bridge.bridge.keyring.index().index("api-key", &[b"control"]);
        tx.insert_api_key(CONTROL, index, &forum(), "events:write", bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(MEMBERS * (FIELDS.len() + 2) >= 1000, "a thousand");

        let logged = log.bytes();
        assert_eq!(times(CANARY, &logged), 0, "in {} bytes of logs", logged.len());
        assert_eq!((times(ZONE, &logged), times(CONTROL, &logged) > 0), (0, true));
        let [found, control] = in_database(&bridge.database, [CANARY, CONTROL]).await;
        assert!((found, control > 0) == (0, true), "in the files of the database: {found}, control {control}");
        let backup = std::fs::read(bridge.database.back_up("backup").await).unwrap();
        assert_eq!(times(CANARY, &backup), 0, "in a backup");
        let dump = dump(&bridge.database);
        assert!(times(CANARY, &dump) == 0 && times(ZONE, &dump) == 0 && times(CONTROL, &dump) > 0, "in a dump");
        let mut filled: BTreeMap<(String, String), usize> = BTreeMap::new();
        for cell in bridge.database.cells().await.into_iter().filter(|cell| !cell.value.is_empty()) {
            let column = Column { table: cell.table.clone(), name: cell.column.clone(), is_bytes: true, is_text: false };
            let Some(holds) = known(&column) else { continue };
            assert!(holds.allows(&cell.value), "{}.{} holds no {holds:?}", cell.table, cell.column);
            assert_eq!(times(CANARY, &cell.value), 0, "{}.{}", cell.table, cell.column);
            *filled.entry((cell.table, cell.column)).or_default() += usize::from(holds == Holds::Sealed);
        }
        let sealed = ["handles.sealed_handle", "links.sealed_patient", "outbox.sealed_payload", "outbox.sealed_answer",
            "patient_tokens.sealed_tokens", "member_settings.sealed_settings", "erasures.sealed_secret",
            "push_subscriptions.sealed_subscription", "bookings.sealed_booking"];
        for name in sealed {
            let (table, column) = name.split_once('.').unwrap();
            assert!(filled.get(&(table.to_owned(), column.to_owned())).is_some_and(|count| *count > 0), "{name} is empty");
        }
    }
}

#[test]
fn a_word_is_found_in_whatever_form() {
    use base64::Engine;
    let word = CANARY;
    let hex = hexadecimal(word);
    for text in [format!("a {word}b"), hex.clone(), hex.to_uppercase()] {
        assert_eq!(times(word, text.as_bytes()), 1, "{text}");
    }
    for lead in ["", "1", "12", "123"] {
        assert_eq!(
            times(word, base64::engine::general_purpose::STANDARD.encode(format!("{lead}{word}xyz")).as_bytes()),
            1,
            "{lead}"
        );
    }
    assert_eq!(times(word, b"kanarienvogel and nothing else"), 0);
}
