//! Mood names and their levels.

use super::super::scale::DEFAULTS;
use super::*;

fn refused(toml: &str) -> String {
    MoodScale::from_toml(toml).unwrap_err().to_string()
}

#[test]
fn the_names_of_the_app_have_levels_without_a_mapping() {
    let scale = MoodScale::default();
    let moods = ["awful", "bad", "meh", "good", "rad"];
    assert_eq!(moods.map(|mood| scale.level(mood)), [Some(1), Some(2), Some(3), Some(4), Some(5)]);
    assert_eq!(scale.level("così così"), Some(3));
}

#[test]
fn no_default_name_means_two_levels() {
    let scale = MoodScale::default();
    for (language, names) in DEFAULTS {
        for (name, level) in names.iter().zip(1..) {
            assert_eq!(scale.level(name), Some(level), "{language}: {name}");
        }
    }
}

#[test]
fn a_name_is_known_in_any_case_and_with_spaces_around_it() {
    let scale = MoodScale::from_toml("[moods]\n\" Спокойно \" = 4").unwrap();
    assert_eq!([" RAD", "rad ", "СПОКОЙНО"].map(|mood| scale.level(mood)), [Some(5), Some(5), Some(4)]);
}

#[test]
fn an_unknown_mood_has_no_level_and_its_line_says_what_to_do() {
    assert_eq!(MoodScale::default().level("average"), None);
    assert_eq!(MoodScale::default().level(""), None);
    let bad = BadLine::unknown_mood(7);
    assert_eq!(bad.to_string(), "line 7, column mood: expected a mood from the mapping file (levels 1 to 5)");
}

#[test]
fn a_mapping_extends_the_defaults_and_overrides_them() {
    let scale = MoodScale::from_toml("[moods]\n\"average\" = 3\n\"Bad\" = 1").unwrap();
    assert_eq!(["average", "bad", "rad"].map(|mood| scale.level(mood)), [Some(3), Some(1), Some(5)]);
}

#[test]
fn a_scale_does_not_show_the_members_names() {
    let scale = MoodScale::from_toml("[moods]\n\"secret\" = 3").unwrap();
    assert_eq!(format!("{scale:?}"), "MoodScale { names: 16, .. }");
}

#[test]
fn a_level_is_a_whole_number_from_one_to_five() {
    for level in ["0", "6", "-1", "3.0", "\"3\"", "true", "[3]", "9223372036854775807", "2026-11-15"] {
        let message = refused(&format!("[moods]\n\"average\" = {level}"));
        assert_eq!(message, "mood mapping, mood \"average\": expected a whole number from 1 (worst) to 5 (best)");
    }
}

#[test]
fn a_mood_that_stands_twice_is_refused_even_in_another_case() {
    let message = refused("[moods]\n\"Sad\" = 2\n\"sad \" = 1");
    assert_eq!(message, "mood mapping, mood \"sad\": expected each mood once (upper and lower case are the same)");
    assert!(refused("[moods]\nsad = 2\nsad = 1").starts_with("mood mapping, line 3: duplicate key"));
}

#[test]
fn other_keys_are_refused_by_name() {
    assert_eq!(
        refused("[moods]\nsad = 2\n[mods]"),
        "mood mapping: unknown key \"mods\"; expected only the table [moods]"
    );
}

#[test]
fn a_mapping_without_moods_or_names_is_refused() {
    for toml in ["", "moods = 3", "# nothing"] {
        assert_eq!(MoodScale::from_toml(toml), Err(MappingError::NoMoods), "{toml:?}");
    }
    assert_eq!(MoodScale::from_toml("[moods]\n\" \" = 3"), Err(MappingError::NoName));
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    assert!(refused("[moods]\nsad = 2\nhappy is five\n").starts_with("mood mapping, line 3: "));
    assert!(refused("[moods").starts_with("mood mapping, line 1: "));
}
