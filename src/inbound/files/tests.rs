//! Every parser of a file, given whatever there is: each comes to an end, and a damaged line takes no other one with it.

use std::io::{Cursor, Read, Write};

use jiff::tz::TimeZone;
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::archive::Archive;
use super::*;
use crate::inbound::devices::apple_health::AppleHealth;
use crate::inbound::mood::bearable::Bearable;
use crate::inbound::mood::emoods::Emoods;
use crate::inbound::observations::Observations;
use crate::inbound::table::{Columns, Table};

const BEARABLE: &str = "date,weekday,time of day,category,rating/amount,detail,notes\n";
const EMOODS: &str = "ID,DATE (YYYY-MM-DD),IRRITABILITY,ANXIETY,DEPRESSED,ELEVATED,SLEEP,NOTE\n";
const COLUMNS: &str = "[time]\ncolumn = \"a\"\n[[reading]]\ncolumn = \"b\"\nas = \"mood\"\nworst = 1\nbest = 5\n";

fn whose() -> Whose {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    Whose { member: MemberId(uuid::Uuid::nil()), days, now: "2026-11-20T12:00:00Z".parse().unwrap() }
}

fn good(lines: impl Iterator<Item = Line>) -> usize {
    lines.filter(|line| matches!(line, Ok(Said::Items(_)))).count()
}

/// How many lines each parser found in this, under its own header and without one.
fn all(bytes: &[u8]) -> Vec<usize> {
    let (whose, columns) = (whose(), Columns::from_toml(COLUMNS).unwrap());
    let mut found = Vec::new();
    for (header, with) in
        [(BEARABLE, 0), (EMOODS, 1), ("a,b\n", 2), ("<HealthData>", 3), ("{\"resourceType\": \"Bundle\", ", 4)]
    {
        for file in [[header.as_bytes(), bytes].concat(), bytes.to_vec()] {
            let file = file.as_slice();
            found.push(match with {
                0 => Bearable::new(file, &whose).map_or(0, Iterator::count),
                1 => Emoods::new(file, &whose).map_or(0, Iterator::count),
                2 => Table::new(file, &columns, &whose).map_or(0, Iterator::count),
                3 => AppleHealth::new(file, &whose).map_or(0, Iterator::count),
                _ => Observations::new(file, &whose).map_or(0, Iterator::count),
            });
        }
    }
    found
}

fn zipped(content: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("export.xml", SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_stands_in_a_file_its_reading_ends(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(all(&bytes).into_iter().all(|count| count <= bytes.len() + 2));
    }

    #[test]
    fn whatever_text_stands_in_a_file_its_reading_ends(text in "[\\-0-9:;, \"'\n|a-zA-Zäß<>/&={}\\[\\]]{0,600}") {
        prop_assert!(all(text.as_bytes()).into_iter().all(|count| count <= text.len() + 2));
    }

    #[test]
    fn a_damaged_line_takes_no_other_one_with_it(junk in "[^\"\n\r]{0,80}") {
        let whose = whose();
        let row = "22nd Sep 2020,x,03:00,Mood,6,,\n";
        let file = format!("{BEARABLE}{row}{junk}\n{row}");
        prop_assert!(good(Bearable::new(file.as_bytes(), &whose).unwrap()) >= 2);
        let row = "1,2026-02-28,1,2,3,4,9.5,\n";
        let file = format!("{EMOODS}{row}{junk}\n{row}");
        prop_assert!(good(Emoods::new(file.as_bytes(), &whose).unwrap()) >= 2);
    }

    #[test]
    fn a_damaged_archive_is_opened_or_refused(at in 0_usize..150, byte in any::<u8>(), cut in 0_usize..300) {
        let mut file = zipped(b"<HealthData></HealthData>");
        if let Some(place) = file.get_mut(at) {
            *place = byte;
        }
        file.truncate(file.len().saturating_sub(cut.saturating_sub(200)));
        if let Ok(mut archive) = Archive::open(Cursor::new(file)) {
            for place in archive.ending_in("xml") {
                if let Ok(file) = archive.read(place) {
                    let _ = file.take(1 << 20).read_to_end(&mut Vec::new());
                }
            }
        }
    }
}
