//! The archive of everything that the bridge has of a member.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use mostik::consent::notice::Notice;
use mostik::consent::receipt::verify;
use mostik::domain::language::Language;
use mostik::domain::settings::Change;
use mostik::export::{self, ExportError, TABLES};
use mostik::store::{KEPT_TABLES, MEMBER_TABLES};
use serde_json::json;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, mood, note};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient};
use crate::support::validate::assert_valid;
use crate::support::zip::Files;

/// The pieces of an archive, as they come.
async fn pieces(bridge: &TestBridge, person: &Person, language: Option<Language>) -> Vec<Vec<u8>> {
    let mut coming = export::export(&bridge.bridge, person.id, language).await.unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = coming.recv().await {
        pieces.push(piece.unwrap());
    }
    pieces
}

pub async fn files(bridge: &TestBridge, person: &Person) -> Files {
    Files::of(&pieces(bridge, person, None).await.concat())
}

/// A member about whom there is something in every room of the archive, and another one beside them.
async fn two_members(bridge: &TestBridge, ehr: &Ehr) -> (Person, Person) {
    let sparrow = bridge.person("sparrow", &ehr.patient).await;
    let wren = bridge.person("wren-the-other", &create_patient(&ehr.base).await).await;
    for person in [&sparrow, &wren] {
        let terms = json!({"categories": {"mood": "every-entry", "note": "every-entry"},
            "practitioner": {"id": "dr-7", "display": format!("Dr {}", person.handle)}, "notice": {"version": 1, "language": "ru"}});
        bridge.share_by(person, terms).await;
        bridge.send(&mood(&format!("sent-{}", person.handle), &person.handle, 4)).await;
    }
    bridge.deliver().await;
    bridge.send(&json!([note("waits", "sparrow", TOLD), note("theirs", "wren-the-other", "the other's note")])).await;
    bridge.set(&sparrow, Change { language: Some(Language::Ru), ..Change::default() }).await;
    (sparrow, wren)
}

const TOLD: &str = "a \"long\" night, — и утро";

on_both_databases! {
    async fn an_archive_holds_everything_of_one_member_and_nothing_of_another(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let (sparrow, wren) = two_members(&bridge, &ehr).await;
        let files = files(&bridge, &sparrow).await;
        let profile = files.json("profile/profile.json");
        assert_eq!(profile["member"], sparrow.id.to_string());
        assert_eq!(profile["communities"], json!([{"community": "forum", "handle": "sparrow"}]));
        assert_eq!((&profile["clinics"][0]["clinic"], &profile["clinics"][0]["patient"]), (&json!("riverside"), &json!(ehr.patient)));
        assert_eq!(files.json("profile/settings.json")["language"], "ru");
        assert_eq!(files.json("profile/sign-ins.json")["programs"].as_array().unwrap().len(), 1);
        assert!(files.text("readings/readings.csv").starts_with('\u{feff}'), "or Cyrillic is none in a spreadsheet");
        let readings = files.rows("readings/readings.csv");
        let said: Vec<_> = readings.iter().map(|row| (&*row["category"], &*row["value"], &*row["best"], &*row["text"])).collect();
        assert!(said.contains(&("mood", "4", "5", "")) && said.contains(&("note", "", "", TOLD)), "{said:?}");
        assert_eq!(readings[0]["when"], "2026-11-20T11:00:00+01:00", "as they lived it");
        let consents = files.json("consents/consents.json");
        assert_eq!(consents["versions"][0]["practitioner"]["display"], "Dr sparrow");
        assert_eq!((&consents["changes"][0]["change"], &consents["changes"][0]["through"]), (&json!("given"), &json!("api")));
        assert_eq!(files.text(&format!("consents/{}", consents["changes"][0]["text"].as_str().unwrap())), Notice::current(Language::Ru).text);
        for words in ["версия 1: действует", "Адресовано: Dr sparrow", "Заметки своими словами: каждая запись"] {
            assert!(files.text("consents/consents.txt").contains(words), "{words}");
        }
        let deliveries = files.rows("deliveries/deliveries.csv");
        let of = |category: &str| deliveries.iter().find(|row| row["category"] == category).unwrap();
        assert_eq!((&*of("mood")["state"], &*of("note")["state"]), ("confirmed", "ready"));
        assert!(!of("mood")["ehr_id"].is_empty() && of("note")["ehr_id"].is_empty());
        assert_eq!(of("mood")["measured_at"], "2026-11-20T10:00:00Z");
        assert_eq!(files.rows("deliveries/entries.csv").len(), 2);
        let waiting = files.json("deliveries/waiting.json");
        assert_eq!((waiting["entry"].as_array().unwrap().len(), &waiting["entry"][0]["resource"]["valueString"]), (1, &json!(TOLD)));
        for others in ["wren-the-other", "the other's note", &wren.id.to_string(), &sparrow.token] {
            assert!(!files.everything().contains(others), "{others}");
        }
    }
}

on_both_databases! {
    async fn what_clinics_received_and_who_did_what_is_told(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let (sparrow, _) = two_members(&bridge, &ehr).await;
        let files = files(&bridge, &sparrow).await;
        let arrived = files.rows("disclosures/disclosures.csv");
        let told = arrived.iter().find(|row| row["category"] == "mood").unwrap();
        assert_eq!((&*told["clinic"], &*told["measured_at"], &*told["version"], &*told["stands_there"]), ("riverside", "2026-11-20T10:00:00Z", "1", "recorded"));
        let log = files.rows("disclosures/log.csv");
        let kinds: BTreeSet<&str> = log.iter().map(|row| &*row["what"]).collect();
        for kind in ["member-joined", "linked", "consent-granted", "decision", "disclosure", "data-exported"] {
            assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
        }
    }
}

on_both_databases! {
    async fn receipts_in_an_archive_are_genuine_by_the_keys_in_it(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&sparrow, &["mood"]).await;
        bridge.change_grant(&sparrow, &grant, "revoke").await;
        let files = files(&bridge, &sparrow).await;
        let keys = serde_json::from_value(files.json("receipts/keys.jwks.json")).unwrap();
        let receipts: Vec<_> = files.0.iter().filter(|(name, _)| name.contains(".jws")).collect();
        let did: BTreeSet<String> = receipts.iter().map(|(_, signed)| verify(signed, &keys).unwrap().events.pop().unwrap().event_type).collect();
        assert_eq!(did, ["given", "revoked"].map(str::to_owned).into());
        assert!(receipts.iter().any(|(name, _)| name.starts_with("receipts/2026-11-20-given-")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_fhir_in_an_archive_is_valid_and_speaks_of_one_patient() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let (sparrow, _) = two_members(&bridge, &ehr).await;
    let files = files(&bridge, &sparrow).await;
    let readings = files.json("readings/fhir-bundle.json");
    let entries = readings["entry"].as_array().unwrap();
    assert_eq!(entries.len(), 3, "a Patient and two readings");
    let patient = format!("urn:uuid:{}", sparrow.id);
    assert_eq!((&entries[0]["resource"]["resourceType"], &entries[0]["fullUrl"]), (&json!("Patient"), &json!(patient)));
    for entry in &entries[1..] {
        let resource = &entry["resource"];
        assert_eq!(
            (&resource["subject"]["reference"], &resource["performer"][0]["reference"]),
            (&json!(patient), &json!(patient))
        );
        assert!(resource["contained"].is_null(), "nobody passed it on");
        assert!(!resource.to_string().contains(&ehr.patient), "nobody learns here who they are at a clinic");
    }
    assert!(entries.iter().any(|entry| entry["resource"]["valueString"] == TOLD));
    assert_valid(&readings).await;
    let consents = files.json("consents/fhir-consents.json");
    assert_eq!(consents["entry"][0]["resource"]["resourceType"], "Consent");
    assert_eq!(consents["entry"][0]["resource"]["patient"]["reference"], format!("Patient/{}", ehr.patient));
    assert_valid(&consents["entry"][0]["resource"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_is_explained_in_the_language_of_the_member() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let (sparrow, wren) = two_members(&bridge, &ehr).await;
    let in_english = Files::of(&pieces(&bridge, &sparrow, Some(Language::En)).await.concat());
    assert!(in_english.text("README.txt").starts_with("This archive"), "the language that they read now");
    let in_russian = files(&bridge, &sparrow).await;
    assert!(in_russian.text("README.txt").starts_with("В этом архиве"), "else the one they set");
    assert!(files(&bridge, &wren).await.text("README.txt").starts_with("This archive"), "else the first");
    for files in [in_english, in_russian] {
        for name in files.0.keys().filter(|name| !name.ends_with("README.txt")) {
            let (room, file) = name.split_once('/').unwrap();
            let readme = files.text(&format!("{room}/README.txt"));
            let is_one_of_many = (file.contains(".jws") && readme.contains("….jws"))
                || (file.starts_with("text-") && readme.contains("text-….txt"));
            assert!(is_one_of_many || readme.contains(file), "{name} is not explained");
            assert!(files.text("README.txt").contains(room), "{room} is not explained");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_that_names_members_is_in_the_archive_or_left_out_for_a_reason() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let (sparrow, _) = two_members(&bridge, &ehr).await;
    let files = files(&bridge, &sparrow).await;
    let told: BTreeSet<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    let there: BTreeSet<&str> =
        MEMBER_TABLES.into_iter().chain(KEPT_TABLES.map(|(table, _)| table)).chain(["members"]).collect();
    assert_eq!(told, there);
    for (table, place) in TABLES.iter().filter(|(_, place)| !place.starts_with('(')) {
        assert!(files.0.contains_key(*place), "{table} should be told of in {place}");
    }
}

on_both_databases! {
    async fn what_was_withdrawn_in_one_stroke_is_told_as_withdrawn_and_has_no_content(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&sparrow, &["note"]).await;
        bridge.send(&note("1", "sparrow", "a secret")).await;
        bridge.change_grant(&sparrow, &grant, "revoke").await;
        let files = files(&bridge, &sparrow).await;
        let deliveries = files.rows("deliveries/deliveries.csv");
        let note = deliveries.iter().find(|row| row["category"] == "note").unwrap();
        assert_eq!((&*note["state"], &*note["reason"]), ("withdrawn", "consent-revoked"));
        assert!(!files.text("deliveries/waiting.json").contains("a secret"));
    }
}

on_both_databases! {
    async fn a_large_archive_comes_in_small_pieces(database) {
        const EVENTS: usize = 20_000;
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.unlinked_person("sparrow").await;
        let (index, member) = if bridge.database.is_sqlite() {
            ("randomblob(32)", format!("x'{}'", sparrow.id.0.simple()))
        } else {
            ("sha256(number::text::bytea)", format!("'{}'", sparrow.id))
        };
        bridge.database.run(&format!(
            "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {EVENTS}) \
             INSERT INTO events (community_id, event_index, member_id, body_index, category, received_at) \
             SELECT 'forum', {index}, {member}, {index}, 'mood', number FROM numbers"
        )).await;
        let pieces = pieces(&bridge, &sparrow, None).await;
        assert!(pieces.iter().all(|piece| piece.len() < 128 * 1024), "nothing is gathered");
        let files = Files::of(&pieces.concat());
        let mut received: Vec<String> =
            files.rows("deliveries/entries.csv").into_iter().map(|mut row| row.remove("received_at").unwrap()).collect();
        received.sort();
        received.dedup();
        assert_eq!(received.len(), EVENTS, "each once, over all pages");
    }
}

on_both_databases! {
    async fn many_readings_come_page_by_page_each_once(database) {
        const READINGS: usize = 1200;
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let sparrow = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&sparrow, &["mood"]).await;
        for batch in 0..READINGS / 100 {
            let events: Vec<_> = (0..100).map(|number| mood(&format!("{batch}-{number}"), "sparrow", 3)).collect();
            assert!(bridge.send(&json!(events)).await.status < 300);
        }
        let files = files(&bridge, &sparrow).await;
        let ids: BTreeSet<String> = files.rows("readings/readings.csv").into_iter().map(|mut row| row.remove("reading").unwrap()).collect();
        assert_eq!(ids.len(), READINGS, "each once, over all pages");
        assert_eq!(files.json("readings/fhir-bundle.json")["entry"].as_array().unwrap().len(), READINGS + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_cannot_be_made_whole_ends_with_an_error() {
    let bridge = TestBridge::start(Database::sqlite(), "http://127.0.0.1:9").await;
    let sparrow = bridge.unlinked_person("sparrow").await;
    bridge.database.run("ALTER TABLE events RENAME TO gone").await;
    let mut coming = export::export(&bridge.bridge, sparrow.id, None).await.unwrap();
    let mut last = None;
    while let Some(piece) = coming.recv().await {
        last = Some(piece);
    }
    assert!(matches!(last, Some(Err(ExportError::Store(_)))), "{last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_writes_an_archive_for_a_member() {
    let bridge = TestBridge::start(Database::sqlite(), "http://127.0.0.1:9").await;
    let sparrow = bridge.unlinked_person("sparrow").await;
    let file = bridge.database.folder.path().join("sparrow.zip");
    let run = |member: String| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
        command.arg("--config").arg(bridge.database.folder.path().join("mostik.toml"));
        command.args(["member", "export", "--member", &member]).arg(&file);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let unknown = run(uuid::Uuid::nil().to_string()).await.unwrap();
    assert!(!unknown.status.success() && !file.exists(), "nothing half is left");
    let written = run(sparrow.id.to_string()).await.unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let files = Files::of(&std::fs::read(&file).unwrap());
    assert_eq!(files.json("profile/profile.json")["communities"][0]["handle"], "sparrow");
    assert!(!run(sparrow.id.to_string()).await.unwrap().status.success(), "and never overwritten");
}
