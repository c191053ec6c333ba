//! How fast an export of Apple Health is read and taken, and in how much memory: quick-xml alone on the same file, the
//! bridge's own reading of it, and the import with everything that follows, into both databases.
//!
//! `MOSTIK_BENCH_MB=1024 cargo bench --bench import`; 256 MB if nobody says so. The file is made anew each time, in the
//! folder for temporary files, and looks as exports do: nine of ten records are samples of the heart, of steps and of
//! what is passed over.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that cannot go on ends, and tells a terminal what it found"
)]

mod support;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mostik::domain::day::Days;
use mostik::domain::settings::Change;
use mostik::import::{self, Diary};
use mostik::inbound::devices::apple_health::AppleHealth;
use mostik::inbound::files::Whose;
use mostik::inbound::mood::daylio::MoodScale;
use quick_xml::Reader;
use quick_xml::events::Event;
use support::tests::bridge::TestBridge;
use support::tests::database::Database;
use tempfile::NamedTempFile;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BUFFER: usize = 1 << 18;

fn main() {
    let megabytes = std::env::var("MOSTIK_BENCH_MB").map_or(256, |text| text.parse().unwrap());
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let file = export(megabytes << 20);
    let length = file.as_file().metadata().unwrap().len();
    println!("\nAn export of Apple Health of {} MB", length >> 20);
    measure("quick-xml alone", length, || quick_xml_alone(file.path()));
    measure("read by the bridge", length, || read(file.path()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for keeps in [false, true] {
        for database in runtime.block_on(Database::all()) {
            let kind = if database.is_sqlite() { "SQLite" } else { "PostgreSQL" };
            let what = if keeps { "imported and kept" } else { "imported, none may see it" };
            let test = runtime.block_on(TestBridge::start(database, "http://127.0.0.1:9"));
            measure(&format!("{what}, {kind}"), length, || runtime.block_on(take(&test, file.path(), keeps)));
        }
    }
}

fn measure(what: &str, bytes: u64, work: impl FnOnce() -> u64) {
    let start = Instant::now();
    let found = work();
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let speed = bytes as f64 / seconds / f64::from(1 << 20);
    println!("  {what:<40} {seconds:>8.2} s  {speed:>8.1} MB/s  {found:>9} found  {:>7.1} MiB at most", peak());
}

fn quick_xml_alone(path: &Path) -> u64 {
    let mut reader = Reader::from_reader(BufReader::with_capacity(BUFFER, File::open(path).unwrap()));
    let (mut buffer, mut found) = (Vec::new(), 0);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).unwrap() {
            Event::Eof => return found,
            Event::Empty(_) => found += 1,
            _ => {}
        }
    }
}

fn days() -> Days {
    Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap())
}

fn read(path: &Path) -> u64 {
    let whose = Whose {
        member: mostik::domain::ids::MemberId(uuid::Uuid::nil()),
        days: days(),
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
    };
    let file = BufReader::with_capacity(BUFFER, File::open(path).unwrap());
    AppleHealth::new(file, &whose).unwrap().flatten().count() as u64
}

async fn take(test: &TestBridge, path: &Path, keeps: bool) -> u64 {
    let member = test.unlinked_person("sparrow").await;
    test.set(&member, Change { keep: Some(keeps), ..Change::default() }).await;
    let diary = Diary::new(member.id, days(), MoodScale::default());
    let report = import::file(&test.bridge, &diary, File::open(path).unwrap()).await.unwrap();
    assert!(report.bad_lines.is_empty());
    report.accepted.values().chain(report.withheld.values()).sum()
}

/// An export of about this many bytes.
fn export(bytes: usize) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    let mut out = BufWriter::with_capacity(BUFFER, file.as_file_mut());
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData ANY>\n]>\n";
    writeln!(out, "{head}<HealthData locale=\"en_US\">").unwrap();
    let start: Timestamp = "2016-01-01T08:00:00Z".parse().unwrap();
    let (mut written, mut number, mut line) = (0, 0, String::new());
    while written < bytes {
        line.clear();
        record(&mut line, start, number);
        out.write_all(line.as_bytes()).unwrap();
        written += line.len();
        number += 1;
    }
    out.write_all(b"</HealthData>\n").unwrap();
    drop(out);
    file
}

fn record(line: &mut String, start: Timestamp, number: i64) {
    let device = "&lt;&lt;HKDevice: 0x6000031a4f00&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, \
                  hardware:Watch6,1, software:10.3&gt;";
    let at = |seconds: i64| {
        let at = start.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        at.strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
    };
    let minute = number * 60;
    let (kind, unit, value, seconds) = match number % 20 {
        0..10 => ("QuantityTypeIdentifierHeartRate", "count/min", (55 + number % 60).to_string(), 0),
        10..14 => ("QuantityTypeIdentifierStepCount", "count", (10 + number % 400).to_string(), 50),
        14 => ("CategoryTypeIdentifierSleepAnalysis", "", "HKCategoryValueSleepAnalysisAsleepCore".to_owned(), 900),
        _ => ("QuantityTypeIdentifierActiveEnergyBurned", "kcal", format!("0.{}", 1 + number % 50), 50),
    };
    let (start, end) = (at(minute), at(minute + seconds));
    writeln!(
        line,
        " <Record type=\"HK{kind}\" sourceName=\"Watch\" sourceVersion=\"10.3\" device=\"{device}\" unit=\"{unit}\" \
         creationDate=\"{end}\" startDate=\"{start}\" endDate=\"{end}\" value=\"{value}\"/>"
    )
    .unwrap();
}

/// The most that this process has had in memory so far (`/proc/self/status`).
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
