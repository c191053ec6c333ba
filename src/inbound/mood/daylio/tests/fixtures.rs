//! The files under `tests/fixtures/daylio`, read whole.

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/daylio/", $name)).as_slice()
    };
}

fn mapping(toml: &[u8]) -> MoodScale {
    MoodScale::from_toml(std::str::from_utf8(toml).unwrap()).unwrap()
}

fn levels(entries: &[DiaryEntry], scale: &MoodScale) -> Vec<Option<u8>> {
    entries.iter().map(|entry| scale.level(&entry.mood)).collect()
}

#[test]
fn the_published_sample_is_read_with_its_mapping() {
    let entries = entries(read_all(fixture!("daylio_2021_8col.csv")));
    let scale = mapping(fixture!("daylio_2021_moods.toml"));
    assert_eq!(
        entries.iter().map(|entry| entry.at).collect::<Vec<_>>(),
        [date(2021, 9, 28).at(22, 0, 0, 0), date(2021, 9, 27).at(23, 0, 0, 0), date(2021, 9, 26).at(23, 0, 0, 0),]
    );
    assert_eq!(entries[0].mood, "sad");
    assert_eq!(entries[2].tags, ["alcohol", "vegetarian day", "clean", "movies / tv", "bad sleep"]);
    assert_eq!(levels(&entries, &scale), [Some(2), Some(3), Some(3)]);
}

#[test]
fn the_demo_diary_covers_thirty_days_and_needs_its_mapping() {
    let entries = entries(read_all(fixture!("demo_8col.csv")));
    let mut days: Vec<_> = entries.iter().map(|entry| entry.at.date()).collect();
    days.dedup();
    assert_eq!(days.len(), 30);
    assert_eq!((days[0], days[29]), (date(2026, 11, 15), date(2026, 10, 17)));
    assert!(entries.len() > 30, "some days have two entries");
    assert!(entries.iter().any(|entry| entry.note.as_ref().is_some_and(|note| note.contains('\n'))));
    let unknown = levels(&entries, &MoodScale::default()).iter().filter(|level| level.is_none()).count();
    assert!(unknown > 0, "without the mapping some moods are unknown");
    assert!(levels(&entries, &mapping(fixture!("demo_moods.toml"))).iter().all(Option::is_some));
}

#[test]
fn the_oldest_form_has_the_year_apart_and_the_day_in_either_order() {
    let entries = entries(read_all(fixture!("english_year_7col.csv")));
    assert_eq!(
        entries.iter().map(|entry| entry.at).collect::<Vec<_>>(),
        [date(2018, 9, 28).at(20, 30, 0, 0), date(2018, 2, 28).at(0, 5, 0, 0), date(2016, 2, 29).at(12, 30, 0, 0),]
    );
    assert_eq!(entries[2].note.as_deref(), Some("A day that comes every four years."));
    assert_eq!(entries[2].note_title, None);
}

#[test]
fn the_form_of_2019_has_a_full_date_and_no_title() {
    let entries = entries(read_all(fixture!("english_full_date_7col.csv")));
    assert_eq!(entries[0].at, date(2020, 5, 30).at(18, 50, 0, 0));
    assert_eq!(entries[0].note.as_deref(), Some("Picnic\nat the lake"));
    assert_eq!(entries[1].at, date(2020, 5, 30).at(7, 45, 0, 0));
}

#[test]
fn the_newest_form_has_scales() {
    let entries = entries(read_all(fixture!("english_scales_9col.csv")));
    assert_eq!(entries[0].at, date(2026, 4, 12).at(21, 5, 0, 0));
    assert_eq!(entries[0].scales.as_deref(), Some("Sleep Quality:\u{a0}8/10 points | Sleep Time:\u{a0}7:30"));
    assert_eq!(entries[0].note.as_deref(), Some("Never mind the rain.\n\nWe went anyway."));
    assert_eq!((entries[0].occurrence, entries[1].occurrence), (0, 1));
    assert_eq!((entries[1].scales.as_deref(), entries[1].tags.len()), (None, 0));
    assert_eq!(entries[2].at, date(2026, 4, 11).at(0, 15, 0, 0));
    assert_eq!(entries[2].note_title.as_deref(), Some("Up again"));
}

#[test]
fn a_german_export_needs_no_mapping() {
    let entries = entries(read_all(fixture!("german_8col.csv")));
    assert_eq!(levels(&entries, &MoodScale::default()), [Some(5), Some(4), Some(3), Some(2), Some(1)]);
    assert_eq!(entries[0].at, date(2026, 3, 1).at(20, 30, 0, 0));
    assert_eq!(entries[0].tags, ["Familie", "schöner Tag"]);
}

#[test]
fn a_russian_export_is_read_with_its_mapping() {
    let entries = entries(read_all(fixture!("russian_year_7col.csv")));
    assert_eq!(
        entries.iter().map(|entry| entry.at).collect::<Vec<_>>(),
        [date(2018, 9, 28).at(20, 30, 0, 0), date(2018, 5, 9).at(9, 15, 0, 0), date(2018, 1, 1).at(0, 10, 0, 0),]
    );
    assert_eq!(levels(&entries, &mapping(fixture!("russian_moods.toml"))), [Some(4), Some(5), Some(2)]);
}

#[test]
fn bad_lines_are_named_and_the_good_ones_between_them_are_read() {
    let items = read_all(fixture!("bad_lines_8col.csv"));
    assert_eq!(
        places(&items),
        [
            bad(3, Column::FullDate),
            bad(4, Column::FullDate),
            bad(5, Column::Time),
            bad(6, Column::Time),
            bad(7, Column::Mood),
            (8, None),
            (9, None),
            (12, None),
            bad(13, Column::Time),
        ]
    );
    let good: Vec<_> = items.iter().filter_map(|item| item.as_ref().ok()).map(|entry| entry.line).collect();
    assert_eq!(good, [2, 10, 14]);
}
