//! Files that nobody would write, and files that anybody could.

use std::io;

use jiff::ToSpan;
use proptest::prelude::*;

use super::*;
use crate::inbound::files::frame::Framer;

/// Gives out a few bytes at a time, so that every state of the reader meets the end of a chunk.
struct Trickle<'b>(&'b [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let few = buffer.len().min(3);
        self.0.read(&mut buffer[..few])
    }
}

/// Gives out its bytes and then fails.
struct Breaking<'b>(&'b [u8], io::ErrorKind);

impl Read for Breaking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(self.1.into()) } else { self.0.read(buffer) }
    }
}

fn note_row(note_length: usize) -> String {
    format!("2026-11-15,x,x,20:30,good,,,\"{}\"\n", "n".repeat(note_length))
}

#[test]
fn a_field_over_its_limit_is_a_bad_line_and_the_next_is_read() {
    let items = read_text(TITLED, &[note_row(MAX_FIELD_BYTES), note_row(MAX_FIELD_BYTES + 1), note_row(1)].concat());
    assert_eq!(places(&items), [bad(3, Column::Note)]);
    assert_eq!(items.len(), 3);
}

#[test]
fn a_record_over_its_limit_ends_the_reading() {
    let items = read_text(TITLED, &[note_row(1), note_row(MAX_RECORD_BYTES), note_row(1)].concat());
    assert_eq!(places(&items), [(3, None)]);
    assert_eq!(items.len(), 2);
    let message = items[1].as_ref().unwrap_err().to_string();
    assert!(message.contains("at most 1 MiB") && message.ends_with("nothing after it was read"), "{message}");
}

#[test]
fn a_quote_left_open_does_not_read_the_rest_of_an_endless_file() {
    let endless = TITLED.as_bytes().chain("2026-11-15,x,x,20:30,good,,,\"".as_bytes()).chain(io::repeat(b'n'));
    assert_eq!(places(&read_all(endless)), [(2, None)]);
    for byte in *b"n,\"" {
        assert!(matches!(DaylioReader::new(io::repeat(byte)), Err(DaylioError::UnknownHeader)));
    }
}

#[test]
fn an_endless_file_ends_at_the_limit_of_records() {
    let rows = b"x\n".repeat(MAX_RECORDS as usize + 2);
    let mut reader = DaylioReader::new(TITLED.as_bytes().chain(rows.as_slice())).unwrap();
    assert!(reader.by_ref().take(MAX_RECORDS as usize).all(|item| item.is_err_and(|bad| !bad.ends_reading)));
    let last = reader.next().unwrap().unwrap_err();
    assert!(last.ends_reading && last.expected.contains(&MAX_RECORDS.to_string()), "{last}");
    assert!(reader.next().is_none());
}

#[test]
fn a_file_that_stops_being_readable_says_so_and_ends() {
    let file = format!("{TITLED}{}", note_row(1));
    let items = read_all(Breaking(file.as_bytes(), io::ErrorKind::UnexpectedEof));
    assert!(items[0].is_ok());
    let bad = items[1].as_ref().unwrap_err();
    assert!(bad.ends_reading && bad.line == 3 && items.len() == 2, "{bad}");
    assert!(matches!(DaylioReader::new(Breaking(b"full_date", io::ErrorKind::Other)), Err(DaylioError::Read(_))));
}

#[test]
fn an_interrupted_read_is_tried_again() {
    struct Interrupted<'b>(&'b [u8], bool);
    impl Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                Err(io::ErrorKind::Interrupted.into())
            } else {
                Trickle(self.0).read(buffer).inspect(|n| self.0 = &self.0[*n..])
            }
        }
    }
    let file = format!("{TITLED}{}", note_row(9));
    assert_eq!(entries(read_all(Interrupted(file.as_bytes(), false))).len(), 1);
}

/// Bytes that mean something to the parser, and some that mean nothing to anybody.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop::sample::select(b"\",\n\r|<&;:.- 0123456789apm".to_vec());
    prop::collection::vec(prop_oneof![4 => telling, 1 => any::<u8>()], 0..600)
}

/// A record that is right but for some noise in some of its fields, so that the noise gets past the first look.
fn noisy_row() -> impl Strategy<Value = Vec<u8>> {
    let field = |right: &'static str| {
        let inside = prop::sample::select(b"|<>&;/:.- 0123456789apmbr#x\xE9\xC3\xA9".to_vec());
        prop_oneof![3 => Just(right.as_bytes().to_vec()), 1 => prop::collection::vec(inside, 0..12)]
    };
    let right = ["2026-11-15", "28 May", "x", "8:30 pm", "good", "a | b", "", "<br>&amp;"];
    right.map(field).prop_map(|fields| [fields.join(b",".as_slice()), b"\n".to_vec()].concat())
}

fn header() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![NEWEST, TITLED, OLDEST, "full_date,date,weekday,time,mood,activities,note\n", ""])
}

fn text() -> impl Strategy<Value = String> {
    "[ a-zA-Zäöéяї😀,\"\n;:/()!?.-]{0,40}".prop_map(|text| text.trim().to_owned())
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    text().prop_map(|text| Some(text).filter(|text| !text.is_empty()))
}

fn entry() -> impl Strategy<Value = DiaryEntry> {
    let minutes = date(1970, 1, 1).at(0, 0, 0, 0);
    let at = prop_oneof![0..4_i64, 0..68_000_000_i64].prop_map(move |minute| minutes + minute.minutes());
    let mood = text().prop_filter("a mood has a name", |mood| !mood.is_empty());
    let tag = text().prop_filter("a tag is not empty", |tag| !tag.is_empty());
    (at, mood, prop::collection::vec(tag, 0..4), some_text(), some_text(), some_text()).prop_map(
        |(at, mood, tags, note_title, note, scales)| DiaryEntry {
            line: 0,
            at,
            offset: None,
            occurrence: 0,
            mood,
            level: None,
            tags,
            note_title,
            note,
            scales,
        },
    )
}

/// Writes a diary as the newest form, and fills in the line and the occurrence that each entry must come back with.
fn write(diary: &mut [DiaryEntry], twelve_hours: bool) -> Vec<u8> {
    let mut file = b"\xEF\xBB\xBF".to_vec();
    file.extend(NEWEST.as_bytes());
    for index in 0..diary.len() {
        let earlier = diary[..index].iter().filter(|entry| entry.at == diary[index].at).count();
        let entry = &mut diary[index];
        entry.line = 1 + String::from_utf8_lossy(&file).matches('\n').count() as u64;
        entry.occurrence = u32::try_from(earlier).unwrap();
        let time = if twelve_hours { "%-I:%M\u{202f}%p" } else { "%H:%M" };
        let day = entry.at.strftime("%Y-%m-%d").to_string();
        let time = entry.at.strftime(time).to_string();
        let [title, note, scales] =
            [&entry.note_title, &entry.note, &entry.scales].map(|text| text.clone().unwrap_or_default());
        let row = [day, "x".into(), "x".into(), time, entry.mood.clone(), entry.tags.join(" | "), scales, title, note];
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Necessary).from_writer(&mut file);
        writer.write_record(&row).unwrap();
    }
    file
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic_or_go_on_for_ever(
        header in header(), rows in prop::collection::vec(noisy_row(), 0..4), noise in noise(),
    ) {
        for body in [[rows.concat(), noise].concat(), rows.concat()] {
            if let Ok(reader) = DaylioReader::new([header.as_bytes(), &body].concat().as_slice()) {
                prop_assert!(reader.take(2000).count() <= body.len() + 1);
            }
        }
    }

    #[test]
    fn records_are_cut_where_the_csv_crate_cuts_them(mut noise in noise()) {
        noise.truncate(40);
        let mut framer = Framer::new(Trickle(&noise));
        let mut cut = Vec::new();
        while let Some(frame) = framer.next().unwrap() {
            if frame.fault.is_some() {
                return Ok(());
            }
            cut.push(frame.fields);
        }
        let whole = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(noise.as_slice());
        let whole: Vec<_> = whole.into_byte_records().map(|record| record.unwrap().len()).collect();
        // The framer passes over lines of nothing but spaces; to the csv crate they are records of one field.
        let wide = |records: Vec<usize>| -> Vec<_> { records.into_iter().filter(|fields| *fields > 1).collect() };
        prop_assert_eq!(wide(cut), wide(whole));
    }

    #[test]
    fn the_size_of_the_chunks_makes_no_difference(header in header(), noise in noise()) {
        let file = [header.as_bytes(), &noise].concat();
        let whole = DaylioReader::new(file.as_slice()).map(Iterator::collect::<Vec<_>>);
        let trickled = DaylioReader::new(Trickle(&file)).map(Iterator::collect::<Vec<_>>);
        match (whole, trickled) {
            (Ok(whole), Ok(trickled)) => prop_assert!(whole == trickled),
            (whole, trickled) => prop_assert_eq!(whole.is_ok(), trickled.is_ok()),
        }
    }

    #[test]
    fn a_written_diary_is_read_back_as_it_was(mut diary in prop::collection::vec(entry(), 0..12), twelve_hours: bool) {
        let file = write(&mut diary, twelve_hours);
        let read = entries(read_all(Trickle(&file)));
        prop_assert!(read == diary);
    }
}
