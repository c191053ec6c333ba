//! Tests of the whole room: by the fixtures, by small files written in the test, and by files nobody would write.

use std::io::Read;

use jiff::civil::{DateTime, date};

use super::*;

mod backups;
mod fixtures;
mod hostile;
mod moods;
mod notes;
mod records;
mod times;

const NEWEST: &str = "full_date,date,weekday,time,mood,activities,scales,note_title,note\n";
const TITLED: &str = "full_date,date,weekday,time,mood,activities,note_title,note\n";
const OLDEST: &str = "year,date,weekday,time,mood,activities,note\n";

type Item = Result<DiaryEntry, BadLine>;

/// All items, or the first thousand of a reader that does not end.
fn read_all(input: impl Read) -> Vec<Item> {
    DaylioReader::new(input).unwrap().take(1000).collect()
}

fn read_text(header: &str, rows: &str) -> Vec<Item> {
    read_all(format!("{header}{rows}").as_bytes())
}

/// The only item of a file with one record.
fn read_one(header: &str, row: &str) -> Item {
    let mut items = read_text(header, row);
    assert_eq!(items.len(), 1);
    items.remove(0)
}

/// The wall time of an 8-column record with this date and time.
fn wall_time(full_date: &str, time: &str) -> Result<DateTime, BadLine> {
    read_one(TITLED, &format!("{full_date},x,x,\"{time}\",good,\"\",\"\",\"\"\n")).map(|entry| entry.at)
}

/// The wall time of a record of the oldest form with this year and day.
fn old_wall_time(year: &str, day: &str) -> Result<DateTime, BadLine> {
    read_one(OLDEST, &format!("{year},\"{day}\",x,20:30,good,\"\",\"\"\n")).map(|entry| entry.at)
}

fn bad(line: u64, column: Column) -> (u64, Option<Column>) {
    (line, Some(column))
}

fn places(items: &[Item]) -> Vec<(u64, Option<Column>)> {
    items.iter().filter_map(|item| item.as_ref().err()).map(|bad| (bad.line, bad.column)).collect()
}

fn entries(items: Vec<Item>) -> Vec<DiaryEntry> {
    items.into_iter().map(Result::unwrap).collect()
}
