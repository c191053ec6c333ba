//! Files of other apps than Daylio, as an operator imports them: recognized by what is in them, taken once, and refused in
//! words where they are no such thing.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};
use zip::ZipWriter;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;

use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::outbox::items;

pub struct Case {
    pub bridge: TestBridge,
    pub member: Person,
    pub config: PathBuf,
}

pub async fn ready(categories: &[&str]) -> Case {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, categories).await;
    let config = bridge.database.folder.path().join("mostik.toml");
    // A consent given by the test's clock must be in force by the real one too.
    std::fs::write(&config, config_text(&bridge.database, &ehr.base, "127.0.0.1:0")).unwrap();
    Case { bridge, member, config }
}

impl Case {
    fn path(&self, name: &str) -> PathBuf {
        self.bridge.database.folder.path().join(name)
    }

    /// Imports a file with this content; its name says nothing.
    pub fn import(&self, content: &[u8], more: &[&str]) -> (Output, String) {
        let file = self.path("a-file");
        std::fs::write(&file, content).unwrap();
        self.import_file(&[file.to_str().unwrap()], more)
    }

    fn import_file(&self, what: &[&str], more: &[&str]) -> (Output, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_mostik"))
            .args(["--config", self.config.to_str().unwrap(), "import"])
            .args(what)
            .args(["--member", &self.member.id.to_string(), "--zone", "Europe/Berlin"])
            .args(more)
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output, said)
    }

    pub fn takes(&self, content: &[u8], more: &[&str]) -> String {
        let (output, said) = self.import(content, more);
        assert!(output.status.success(), "{said}");
        said
    }

    pub fn refuses(&self, content: &[u8]) -> String {
        let (output, said) = self.import(content, &[]);
        assert!(!output.status.success(), "{said}");
        said
    }

    /// Rehearses, imports, and imports again: what is taken is taken once.
    async fn taken_once(&self, content: &[u8], readings: usize, more: &[&str]) -> String {
        let would = self.takes(content, &[&["--dry-run"], more].concat());
        assert!(would.contains("would be taken"), "{would}");
        assert_eq!(self.bridge.traces(&self.member).await, 0, "a rehearsal stores nothing");
        let did = self.takes(content, more);
        let traces = self.bridge.traces(&self.member).await;
        assert!(traces > 0, "{did}");
        let again = self.takes(content, more);
        assert!(again.contains(&format!("{readings} were imported before")), "{again}");
        assert!(!again.contains("differently"), "{again}");
        assert_eq!(self.bridge.traces(&self.member).await, traces);
        did
    }
}

pub fn record(kind: &str, unit: &str, start: &str, end: &str, value: &str) -> String {
    format!(
        "<Record type=\"HK{kind}\" sourceName=\"kanarienvogel phone\" unit=\"{unit}\" startDate=\"2026-11-{start}:00 +0100\" \
         endDate=\"2026-11-{end}:00 +0100\" value=\"{value}\"/>\n"
    )
}

pub fn apple_export() -> Vec<u8> {
    let sleep = |start: &str, end: &str, stage: &str| {
        record("CategoryTypeIdentifierSleepAnalysis", "", start, end, &format!("HKCategoryValueSleepAnalysis{stage}"))
    };
    let body = [
        record("QuantityTypeIdentifierHeartRate", "count/min", "15 08:00", "15 08:00", "72"),
        record("QuantityTypeIdentifierHeartRateVariabilitySDNN", "ms", "15 03:00", "15 03:01", "47.5"),
        record("QuantityTypeIdentifierStepCount", "count", "15 09:00", "15 09:10", "800"),
        record("QuantityTypeIdentifierBodyMass", "kg", "15 09:00", "15 09:10", "70"),
        sleep("14 23:00", "15 01:00", "AsleepCore"),
        sleep("15 01:00", "15 02:00", "AsleepDeep"),
    ];
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData ANY>\n]>\n\
         <HealthData locale=\"de_DE\">\n{}</HealthData>\n",
        body.concat()
    )
    .into_bytes()
}

pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A database as Health Connect makes it, with what is said in SQL beside.
pub async fn health_connect(case: &Case, more: &str) -> Vec<u8> {
    health_connect_at(&case.path("health.db"), more).await
}

/// The same where there is no bridge.
pub async fn health_connect_at(file: &Path, more: &str) -> Vec<u8> {
    std::fs::remove_file(file).ok();
    let mut database = SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", file.display())).await.unwrap();
    // Sunday, 2026-11-15, 08:00 in Berlin.
    let morning = 1_794_726_000_000_i64;
    let (hour, minute) = (3_600_000_i64, 60_000_i64);
    let night = morning - 9 * hour;
    let sql = format!(
        "CREATE TABLE application_info_table (row_id INTEGER PRIMARY KEY, package_name TEXT);
         CREATE TABLE steps_record_table (row_id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB, app_info_id INTEGER,
           start_time INTEGER, end_time INTEGER, start_zone_offset INTEGER, end_zone_offset INTEGER, count INTEGER);
         CREATE TABLE sleep_session_record_table (row_id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB, app_info_id INTEGER,
           start_time INTEGER, end_time INTEGER, start_zone_offset INTEGER, end_zone_offset INTEGER, title TEXT, notes TEXT);
         CREATE TABLE sleep_stages_table (parent_key INTEGER NOT NULL, stage_start_time INTEGER NOT NULL,
           stage_end_time INTEGER NOT NULL, stage_type INTEGER NOT NULL);
         CREATE TABLE heart_rate_record_series_table (parent_key INTEGER, epoch_millis INTEGER, beats_per_minute INTEGER);
         CREATE TABLE heart_rate_variability_rmssd_record_table (row_id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB,
           app_info_id INTEGER, time INTEGER, zone_offset INTEGER, heart_rate_variability_millis REAL);
         CREATE TABLE mindfulness_session_record_table (row_id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB, app_info_id INTEGER,
           start_time INTEGER, end_time INTEGER, start_zone_offset INTEGER, end_zone_offset INTEGER, type INTEGER, title TEXT);
         INSERT INTO steps_record_table VALUES
           (1, randomblob(16), 1, {morning}, {morning} + {minute}, 3600, 3600, 700),
           (2, randomblob(16), 2, {morning}, {morning} + {minute}, 3600, 3600, 900);
         INSERT INTO sleep_session_record_table VALUES
           (7, randomblob(16), 1, {night}, {night} + 8 * {hour}, 3600, 3600, 'kanarienvogel', NULL);
         INSERT INTO sleep_stages_table VALUES (7, {night}, {night} + {hour}, 4), (7, {night} + {hour}, {night} + 2 * {hour}, 5),
           (7, {night} + 2 * {hour}, {night} + 2 * {hour} + {minute}, 1), (7, {night} + 3 * {hour}, {night} + 8 * {hour}, 6);
         INSERT INTO heart_rate_record_series_table VALUES (1, {morning}, 61), (1, {morning} + {minute}, 62);
         INSERT INTO heart_rate_variability_rmssd_record_table VALUES (1, x'000102030405060708090a0b0c0d0e0f', 1, {morning}, 3600, 40.25);
         INSERT INTO mindfulness_session_record_table VALUES (1, randomblob(16), 1, {morning}, {morning} + 10 * {minute}, 3600, 3600, 1, 'x');
         {more}"
    );
    database.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    database.close().await.unwrap();
    zipped(&[("health_connect_export.db", &std::fs::read(file).unwrap())])
}

pub const BEARABLE: &str = "date,date formatted,weekday,time of day,category,rating/amount,detail,notes\n\
    \"15th Nov 2026\",\"2026-11-15\",\"Sunday\",\"08:30\",\"Mood\",\"6\",\"Meh\",\"slept badly\"\n\
    \"15th Nov 2026\",\"2026-11-15\",\"Sunday\",\"am\",\"Symptom\",\"1\",\"Headache (Mild)\",\"\"\n\
    \"15th Nov 2026\",\"2026-11-15\",\"Sunday\",\"\",\"Sleep\",\"6:45\",\"\",\"\"\n";

pub const EMOODS: &str = "ID,DATE (YYYY-MM-DD),IRRITABILITY,ANXIETY,DEPRESSED,ELEVATED,SLEEP,PSYCHOTIC SYMPTOMS,NOTE,THERAPY,\
    MENSTRUAL CYCLE,WEIGHT\n1,2026-11-15,1,2,3,1,7.5,0,a quiet day,0,0,0.0\n2,2026-11-16,0,0,0,0,0.0,0,,0,0,0.0\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_apple_health_is_taken_once_from_its_archive_or_without_it() {
    let case = ready(&["sleep", "activity", "heart"]).await;
    let plain = apple_export();
    let did = case.taken_once(&plain, 8, &[]).await;
    assert!(did.contains("apple-health: 6 records read") && did.contains("1 of them say nothing"), "{did}");
    let cda = b"<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>".as_slice();
    // Its name is in the language of the phone.
    let packed =
        zipped(&[("apple_health_export/export_cda.xml", cda), ("apple_health_export/Exportieren.xml", &plain)]);
    assert!(case.takes(&packed, &[]).contains("8 were imported before"));
    let longer = String::from_utf8(plain).unwrap().replace("\"800\"", "\"900\"");
    let said = case.takes(longer.as_bytes(), &["--dry-run"]);
    assert!(said.contains("1 were imported before, read differently now"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_connect_is_read_from_its_database_and_nothing_of_it_stays() {
    let case = ready(&["sleep", "activity", "heart"]).await;
    let export = health_connect(&case, "").await;
    let did = case.taken_once(&export, 10, &[]).await;
    assert!(did.contains("health-connect: 11 records read"), "{did}");
    std::fs::remove_file(case.path("health.db")).unwrap();
    std::fs::remove_file(case.path("a-file")).unwrap();
    let left: Vec<PathBuf> =
        std::fs::read_dir(case.path("imports")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_as_it_should_be_is_not_asked() {
    let case = ready(&["sleep", "activity", "heart"]).await;
    for (sql, expected) in [
        ("DROP TABLE steps_record_table", "no table steps_record_table"),
        ("ALTER TABLE steps_record_table DROP COLUMN count", "steps_record_table"),
        ("ALTER TABLE steps_record_table ADD COLUMN x AS (zeroblob(1000000000))", "steps_record_table"),
        (
            "DROP TABLE sleep_stages_table; CREATE VIEW sleep_stages_table AS SELECT 1 AS parent_key, 2 AS stage_start_time, \
          3 AS stage_end_time, 4 AS stage_type",
            "sleep_stages_table",
        ),
        (
            "DROP TABLE mindfulness_session_record_table; CREATE VIRTUAL TABLE mindfulness_session_record_table USING fts5(uuid)",
            "mindfulness_session_record_table",
        ),
    ] {
        let said = case.refuses(&health_connect(&case, sql).await);
        assert!(said.contains(expected), "{sql}: {said}");
    }
    let odd = "UPDATE steps_record_table SET count = 'many' WHERE row_id = 1;
               UPDATE heart_rate_record_series_table SET beats_per_minute = zeroblob(100000) WHERE epoch_millis % 7 < 100;
               DROP TABLE heart_rate_variability_rmssd_record_table";
    let (output, said) = case.import(&health_connect(&case, odd).await, &[]);
    assert!(!output.status.success() && said.contains("expected a number") && said.contains("activity"), "{said}");
    let half = health_connect(&case, "").await;
    let database = std::fs::read(case.path("health.db")).unwrap();
    for cut in
        [&half[..half.len() / 2], &zipped(&[("x.db", &database[..9000])]), &zipped(&[("x.db", b"SQLite format 3\0")])]
    {
        case.refuses(cut);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bearable_and_emoods_are_known_by_their_tables() {
    let case = ready(&["mood", "note", "tags", "sleep"]).await;
    let did = case.taken_once(BEARABLE.as_bytes(), 4, &[]).await;
    assert!(did.contains("bearable: 3 lines read"), "{did}");
    let case = ready(&["mood", "note", "tags", "sleep"]).await;
    let did = case.taken_once(EMOODS.as_bytes(), 4, &[]).await;
    assert!(did.contains("emoods: 2 lines read"), "{did}");
    let packed = zipped(&[("settings.json", b"{}"), ("entry.csv", EMOODS.as_bytes())]);
    assert!(case.takes(&packed, &[]).contains("4 were imported before"));
    let changed = EMOODS.replace("1,2,3,1,7.5", "1,2,4,1,7.5").replace("a quiet day", "");
    let said = case.takes(changed.as_bytes(), &["--dry-run"]);
    assert!(said.contains("1 were imported before, read differently now") && said.contains("1 are gone"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_table_is_read_with_a_file_that_says_which_column_is_what() {
    let case = ready(&["mood", "sleep"]).await;
    let columns = case.path("columns.toml");
    let text = "delimiter = \";\"\n[time]\ncolumn = \"Wann\"\nformat = \"%d.%m.%Y %H:%M\"\n[[reading]]\ncolumn = \"Stimmung\"\n\
                as = \"mood\"\nworst = 1\nbest = 10\n[[reading]]\ncolumn = \"Schlaf\"\nas = \"sleep-duration\"\nunit = \"h\"\n";
    std::fs::write(&columns, text).unwrap();
    let table = "Wann;Stimmung;Schlaf\n15.11.2026 20:30;7;8.5\n16.11.2026 20:30;6;\n";
    let did = case.taken_once(table.as_bytes(), 3, &["--columns", columns.to_str().unwrap()]).await;
    assert!(did.contains("table: 2 lines read"), "{did}");
    std::fs::write(&columns, text.replace("Stimmung", "Laune")).unwrap();
    let (output, said) = case.import(table.as_bytes(), &["--columns", columns.to_str().unwrap()]);
    assert!(!output.status.success() && said.contains("no column \"Laune\""), "{said}");
    std::fs::write(&columns, "[time]\n").unwrap();
    let (output, said) = case.import(table.as_bytes(), &["--columns", columns.to_str().unwrap()]);
    assert!(!output.status.success() && said.contains("columns file"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_ehr_gave_out_comes_in_again() {
    let case = ready(&["heart"]).await;
    let observation = r#"{"resourceType": "Observation", "id": "1", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}, "effectiveDateTime": "2026-11-15T08:00:00+01:00",
        "valueQuantity": {"value": 61, "system": "http://unitsofmeasure.org", "code": "/min"}}"#;
    let bundle = format!(
        "{{\"resourceType\": \"Bundle\", \"type\": \"collection\", \"entry\": [{{\"resource\": {observation}}}]}}"
    );
    let did = case.taken_once(bundle.as_bytes(), 1, &[]).await;
    assert!(did.contains("fhir: 1 entries read"), "{did}");
    let gone = bundle.replace("final", "entered-in-error");
    assert!(case.takes(gone.as_bytes(), &["--dry-run"]).contains("1 are gone"), "it is taken back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_questionnaire_that_was_filled_in_elsewhere_comes_in_with_what_was_answered_and_no_other_total() {
    let case = ready(&["questionnaires"]).await;
    let example = include_str!("../../../schemas/fhir/us-core/QuestionnaireResponse-phq-9-example.json");
    let did = case.taken_once(example.as_bytes(), 1, &[]).await;
    assert!(did.contains("fhir: 1 entries read"), "{did}");
    let told = items(&case.bridge, &case.member).await.into_iter().filter_map(|item| item.body);
    let told: Vec<serde_json::Value> = told.collect();
    assert_eq!(told.len(), 13, "the form, ten answers, the panel and the total");
    let total = &told[12];
    assert_eq!(
        (&total["code"]["coding"][0]["code"], &total["valueQuantity"]["value"]),
        (&"44261-6".into(), &12.into())
    );
    let (output, said) = case.import(example.replace("valueDecimal\": 12", "valueDecimal\": 13").as_bytes(), &[]);
    assert!(
        !output.status.success() && said.contains("entry 1: expected the sum of the answers as its total"),
        "{said}"
    );
    let (output, said) = case.import(example.replace("44253-3", "x").as_bytes(), &[]);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("entry 1: expected answers to the form's own questions, and no others"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_which_kind_it_must_be_is_held_to_it() {
    let case = ready(&["mood"]).await;
    let file = case.path("b.csv");
    std::fs::write(&file, BEARABLE).unwrap();
    let file = file.to_str().unwrap();
    let (output, said) = case.import_file(&["daylio", file], &[]);
    assert!(!output.status.success() && said.contains("full_date,date,weekday,time,mood"), "{said}");
    let (output, said) = case.import_file(&["bearable", file], &[]);
    assert!(output.status.success(), "{said}");
    let (output, said) = case.import_file(&["tarot", file], &[]);
    assert!(!output.status.success() && said.contains("apple-health"), "{said}");
    let packed = case.path("p");
    std::fs::write(&packed, zipped(&[("entry.csv", EMOODS.as_bytes())])).unwrap();
    let (output, said) = case.import_file(&["apple-health", packed.to_str().unwrap()], &[]);
    assert!(!output.status.success() && said.contains("one of emoods"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_files_are_refused_in_words_and_leave_nothing() {
    let case = ready(&["heart", "mood"]).await;
    let locked = {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("export.xml", SimpleFileOptions::default().with_deprecated_encryption(b"secret").unwrap())
            .unwrap();
        zip.write_all(&apple_export()).unwrap();
        zip.finish().unwrap().into_inner()
    };
    assert!(case.refuses(&locked).contains("password"));
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(BEARABLE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert!(case.refuses(&utf16).contains("UTF-8"));
    assert!(case.refuses(b"full_date,date,weekday,time,mood,activities,note_title,n\xf6te\n").contains("UTF-8"));
    // A table of contents that speaks of more files than there is memory for.
    let mut many = b"PK\x03\x04".to_vec();
    many.extend(b"PK\x06\x06");
    many.extend(44_u64.to_le_bytes());
    many.extend([0; 12]);
    many.extend(u64::MAX.to_le_bytes().repeat(2));
    many.extend([0; 16]);
    many.extend(b"PK\x06\x07\0\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0");
    many.extend(b"PK\x05\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    assert!(case.refuses(&many).contains("65535 files"));
    let mut crowd = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..2000 {
        crowd.start_file(format!("{number}{}", "x".repeat(6000)), SimpleFileOptions::default()).unwrap();
    }
    assert!(case.refuses(&crowd.finish().unwrap().into_inner()).contains("more files"));
    assert_eq!(case.bridge.traces(&case.member).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bomb_ends_where_it_grows_and_a_path_leads_nowhere() {
    let case = ready(&["heart"]).await;
    let start = apple_export();
    let start = start.strip_suffix(b"</HealthData>\n").unwrap();
    let bomb =
        [start, &format!("<x y=\"{}\"/>", "a".repeat(20_000)).repeat(3000).into_bytes(), b"</HealthData>"].concat();
    let packed = zipped(&[("export.xml", &bomb)]);
    assert!(bomb.len() / packed.len() > 250, "it is a bomb");
    let (output, said) = case.import(&packed, &[]);
    assert!(!output.status.success() && said.contains("grow beyond measure"), "{said}");
    let case = ready(&["heart"]).await;
    let parent = case.bridge.database.folder.path().parent().unwrap().join("mostik-escaped.xml");
    let escape = zipped(&[("../mostik-escaped.xml", &apple_export()), ("/tmp/mostik-escaped.xml", b"x")]);
    case.takes(&escape, &[]);
    assert!(!parent.exists() && !PathBuf::from("/tmp/mostik-escaped.xml").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_personal_is_said_on_the_terminal() {
    let case = ready(&["heart"]).await;
    let export = String::from_utf8(apple_export()).unwrap().replace("\"72\"", "\"kanarienvogel\"");
    let (_, said) = case.import(export.as_bytes(), &[]);
    assert!(said.contains("record 1: expected") && !said.contains("kanarienvogel"), "{said}");
    let columns = case.path("columns.toml");
    std::fs::write(&columns, "[time]\ncolumn = \"at\"\n[[reading]]\ncolumn = \"m\"\nas = \"steps\"\n").unwrap();
    let (_, said) = case.import(b"at,m\n2026-11-15,kanarienvogel\n", &["--columns", columns.to_str().unwrap()]);
    assert!(said.contains("line 2, column m: expected") && !said.contains("kanarienvogel"), "{said}");
}
