//! Headers, fields and lines.

use super::*;

#[test]
fn an_entry_is_read_as_the_member_wrote_it() {
    let row = "2026-11-15,15 November,Sunday,8:30 pm, so-so ,\" walk |tea| | \",\" At last \",\"One<br>two\"\n";
    let entry = read_one(TITLED, row).unwrap();
    let expected = DiaryEntry {
        line: 2,
        at: date(2026, 11, 15).at(20, 30, 0, 0),
        offset: None,
        occurrence: 0,
        mood: "so-so".into(),
        level: None,
        tags: vec!["walk".into(), "tea".into()],
        note_title: Some("At last".into()),
        note: Some("One\ntwo".into()),
        scales: None,
    };
    assert!(entry == expected);
}

#[test]
fn a_header_may_have_a_byte_order_mark_quotes_and_capitals() {
    let header = "\u{feff}\"Full_Date\",Date,weekday, time ,Mood,activities,note_title,note\r\n";
    assert!(read_one(header, "2026-11-15,x,x,20:30,good,,,\r\n").is_ok());
}

#[test]
fn an_empty_file_is_refused_as_empty() {
    for text in ["", "\n\r\n  \n", "\u{feff}", "\u{feff}\n"] {
        assert!(matches!(DaylioReader::new(text.as_bytes()), Err(DaylioError::Empty)), "{text:?}");
    }
}

#[test]
fn an_unknown_header_is_refused_and_the_known_ones_are_listed() {
    let files = ["date,mood\n", "2021-10-16,16 October,Saturday,18:43,good,\"\",\"\"\n", "full_date\n", "\"open\n"];
    for file in files {
        let error = DaylioReader::new(file.as_bytes()).err().unwrap();
        assert!(matches!(error, DaylioError::UnknownHeader), "{file:?}");
        for header in [NEWEST, TITLED, OLDEST, "full_date,date,weekday,time,mood,activities,note"] {
            assert!(error.to_string().contains(header.trim()), "{error}");
        }
        assert!(!error.to_string().contains("Saturday"));
    }
}

#[test]
fn a_header_that_is_not_utf8_is_refused_as_such() {
    let utf16: Vec<u8> = TITLED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_mark = [b"\xFF\xFE".as_slice(), &utf16].concat();
    assert!(matches!(DaylioReader::new(with_mark.as_slice()), Err(DaylioError::NotUtf8)));
}

#[test]
fn a_file_of_a_header_alone_has_no_entries() {
    assert!(read_text(TITLED, "").is_empty());
}

#[test]
fn a_line_number_is_where_the_record_starts_whatever_the_line_ends() {
    let rows =
        ["2026-11-15,x,x,20:30,good,,,\"a|b|c\"", "2026-11-14,x,x,20:30,good,,,", "", "2026-11-13,x,x,20:30,good,,,"];
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("{}{end}{}", TITLED.trim(), rows.join(end)).replace('|', end);
        let lines: Vec<_> = entries(read_all(text.as_bytes())).iter().map(|entry| entry.line).collect();
        assert_eq!(lines, [2, 5, 7], "{end:?}");
    }
}

#[test]
fn quotes_commas_and_line_ends_inside_quotes_belong_to_the_text() {
    let entry = read_one(TITLED, "2026-11-15,x,x,20:30,good,,,\"She said \"\"yes, now\"\"\nand left\"").unwrap();
    assert_eq!(entry.note.as_deref(), Some("She said \"yes, now\"\nand left"));
}

#[test]
fn a_quote_inside_an_unquoted_field_is_text() {
    assert_eq!(read_one(TITLED, "2026-11-15,x,x,20:30,so \"so\",,,\n").unwrap().mood, "so \"so\"");
}

#[test]
fn a_record_with_too_few_or_too_many_fields_is_a_bad_line() {
    let items = read_text(TITLED, "2026-11-15,x,x,20:30,good,,\n2026-11-15,x,x,20:30,good,,,,\n");
    assert_eq!(places(&items), [(2, None), (3, None)]);
    assert_eq!(items[0].as_ref().unwrap_err().to_string(), "line 2: expected 8 fields, as in the header");
}

#[test]
fn an_undoubled_quote_is_a_bad_line_and_cannot_join_two_entries() {
    let rows = "2026-11-15,x,x,20:30,good,,,\"he said \"no\" twice\"\n2026-11-14,x,x,20:30,good,,,\n";
    let items = read_text(TITLED, rows);
    assert_eq!(places(&items), [(2, None)]);
    assert_eq!(items[1].as_ref().unwrap().line, 3);
}

#[test]
fn a_quote_left_open_is_a_bad_line_at_the_record_that_opened_it() {
    let items = read_text(TITLED, "2026-11-15,x,x,20:30,good,,,\n2026-11-14,x,x,20:30,good,,,\"open\n2026-11-13\n");
    assert_eq!(places(&items), [(3, None)]);
    assert!(items[1].as_ref().unwrap_err().to_string().contains("a closing quote"));
}

#[test]
fn invalid_utf8_names_its_column_and_the_next_line_is_read() {
    let mut file = TITLED.as_bytes().to_vec();
    file.extend(
        b"2026-11-15,x,x,20:30,good,,,\"caf\xE9\"\n2026-11-14,x,m\xE4rz,20:30,good,,,\n2026-11-13,x,x,20:30,good,,,\n",
    );
    let items = read_all(file.as_slice());
    assert_eq!(places(&items), [bad(2, Column::Note), bad(3, Column::Weekday)]);
    assert!(items[2].is_ok());
}

#[test]
fn a_mood_must_have_a_name() {
    let bad = read_one(TITLED, "2026-11-15,x,x,20:30,  ,,,\n").unwrap_err();
    assert_eq!(bad.to_string(), "line 2, column mood: expected the name of a mood");
}

#[test]
fn entries_of_the_same_minute_are_numbered_and_a_mended_line_renumbers_nobody() {
    let row = |mood: &str| format!("2026-11-15,x,x,20:30,{mood},,,\n");
    let other = "2026-11-15,x,x,20:31,good,,,\n";
    let occurrences = |items: &[Item]| -> Vec<_> {
        items.iter().filter_map(|item| item.as_ref().ok()).map(|entry| (entry.line, entry.occurrence)).collect()
    };
    let broken = read_text(TITLED, &[&row("good"), other, &row(""), &row("bad")].map(str::to_owned).concat());
    let mended = read_text(TITLED, &[&row("good"), other, &row("meh"), &row("bad")].map(str::to_owned).concat());
    assert_eq!(occurrences(&broken), [(2, 0), (3, 0), (5, 2)]);
    assert_eq!(occurrences(&mended), [(2, 0), (3, 0), (4, 1), (5, 2)]);
}

#[test]
fn neither_an_entry_nor_a_bad_line_shows_what_was_written() {
    let items = read_text(TITLED, "2026-11-14,x,x,20:30,secret,secret,secret,secret\nsecret,x,x,secret,secret,,,\n");
    let entry = items[0].as_ref().unwrap();
    let bad = items[1].as_ref().unwrap_err();
    let shown = format!("{entry:?} {bad:?} {bad}");
    assert!(shown.contains("line: 2") && shown.contains("line 3, column full_date"), "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("2026-11-14"), "{shown}");
}
