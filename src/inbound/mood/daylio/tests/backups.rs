//! Backups: ZIP, base64, JSON, each layer as it should be and as it should not.

use std::io::{Cursor, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::Offset;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::inbound::files::FileError;
use crate::inbound::files::archive::Archive;

fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let packed = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("assets/photos/1", packed).unwrap();
    zip.write_all(b"not looked at").unwrap();
    zip.start_file(name, packed).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

fn backup(content: &Value) -> Vec<u8> {
    // Broken into lines, as some encoders do.
    let base64 = STANDARD.encode(content.to_string());
    let lines: Vec<&str> = base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    zip("backup.daylio", lines.join("\n").as_bytes())
}

fn entry() -> Value {
    json!({"id": 1, "year": 2026, "month": 10, "day": 15, "hour": 20, "minute": 30, "datetime": 1_794_771_047_764_i64,
        "timeZoneOffset": 3_600_000, "mood": 7, "note_title": " At last ", "note": "One<br>two &amp; three",
        "tags": [2, 9, 1], "assets": []})
}

fn diary(entries: &[Value]) -> Value {
    json!({
        "version": 15, "isReminderOn": true, "prefs": [{"key": "x"}], "dayEntries": entries,
        "customMoods": [
            {"id": 1, "custom_name": "", "mood_group_id": 1, "predefined_name_id": 1},
            {"id": 5, "custom_name": "", "mood_group_id": 5, "predefined_name_id": 5},
            {"id": 7, "custom_name": " heavy ", "mood_group_id": 4, "predefined_name_id": -1},
            {"id": 8, "custom_name": "beyond", "mood_group_id": 6, "predefined_name_id": -1},
        ],
        "tags": [{"id": 1, "name": "walk"}, {"id": 2, "name": " slept badly "}, {"id": 3, "name": " "}],
    })
}

fn read(entries: &[Value]) -> Vec<Item> {
    open(&backup(&diary(entries))).unwrap().collect()
}

/// As an import opens it.
fn open(file: &[u8]) -> Result<DaylioBackup, FileError> {
    let mut archive = Archive::open(Cursor::new(file))?;
    let place = archive.ending_in(BACKUP).first().copied().ok_or_else(|| FileError::expected("a backup"))?;
    Ok(DaylioBackup::new(archive.read(place)?)?)
}

fn with(name: &str, value: Value) -> Value {
    let mut entry = entry();
    entry[name] = value;
    entry
}

#[test]
fn an_entry_says_which_level_its_mood_is_and_where_the_clock_stood() {
    let expected = DiaryEntry {
        line: 1,
        at: date(2026, 11, 15).at(20, 30, 0, 0),
        offset: Some(Offset::from_hours(1).unwrap()),
        occurrence: 0,
        mood: "heavy".into(),
        level: Some(2),
        tags: vec!["slept badly".into(), "walk".into()],
        note_title: Some("At last".into()),
        note: Some("One\ntwo & three".into()),
        scales: None,
    };
    let found = entries(read(&[entry(), with("mood", json!(1)), with("mood", json!(5))]));
    assert!(found[0] == expected);
    let rest: Vec<_> = found[1..].iter().map(|it| (it.mood.as_str(), it.level, it.occurrence)).collect();
    assert_eq!(rest, [("rad", Some(5), 1), ("awful", Some(1), 2)]);
}

#[test]
fn an_entry_of_an_older_backup_may_lack_what_came_later() {
    let bare = json!({"year": 2019, "month": 0, "day": 1, "hour": 0, "minute": 5, "mood": 1, "note": null});
    let found = entries(read(&[bare]));
    assert_eq!((found[0].at, found[0].offset), (date(2019, 1, 1).at(0, 5, 0, 0), None));
    assert!(found[0].note.is_none() && found[0].note_title.is_none() && found[0].tags.is_empty());
}

#[test]
fn what_is_wrong_with_an_entry_is_said_of_that_entry_alone() {
    let items = read(&[
        with("month", json!(12)),
        with("day", json!(31)),
        with("year", json!(1_000_000)),
        with("hour", json!(24)),
        with("minute", json!(-1)),
        with("timeZoneOffset", json!(54_000_001)),
        with("mood", json!(8)),
        with("mood", json!(99)),
        with("note", json!("x".repeat(MAX_FIELD_BYTES + 1))),
        entry(),
    ]);
    let (date, time, mood) = (Column::FullDate, Column::Time, Column::Mood);
    let expected = [(1, date), (2, date), (3, date), (4, time), (5, time), (6, time), (7, mood), (8, mood)];
    let expected = expected.into_iter().chain([(9, Column::Note)]).map(|(line, column)| bad(line, column));
    assert_eq!(places(&items), expected.collect::<Vec<_>>());
    assert!(items[9].is_ok());
}

#[test]
fn whatever_else_is_in_the_archive_it_is_no_backup() {
    let mut cut = backup(&diary(&[entry()]));
    cut.truncate(cut.len() / 2);
    let mut other_shape = diary(&[entry()]);
    other_shape["dayEntries"] = json!({"a": 1});
    for file in [
        b"".to_vec(),
        b"PK\x03\x04".to_vec(),
        cut,
        zip("health_connect_export.db", b"x"),
        zip("backup.daylio", b"!"),
        zip("backup.daylio", STANDARD.encode("[1").as_bytes()),
        backup(&json!([])),
        backup(&json!({})),
        backup(&other_shape),
        backup(&diary(&[json!({"year": 2026})])),
        backup(&diary(&[with("mood", json!("sad"))])),
    ] {
        assert!(matches!(open(&file), Err(FileError::Unknown(_))));
    }
}

#[test]
fn a_small_file_that_grows_without_end_is_not_unpacked_to_its_end() {
    let bomb = zip("backup.daylio", &vec![b'A'; 48 << 20]);
    assert!(bomb.len() < 100_000, "it is a bomb");
    assert!(matches!(open(&bomb), Err(FileError::TooMuch(_))));
}
