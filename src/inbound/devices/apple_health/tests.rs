//! Exports as Apple writes them, and files that look like one.

use std::fmt::Write as _;
use std::io::Cursor;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::domain::reading::Measure;
use crate::inbound::event::{Entry, Says};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!-- HealthKit Export Version: 14 -->\n\
                    <!ELEMENT HealthData (ExportDate,Me,(Record|Correlation)*)>\n<!ATTLIST HealthData\n  locale CDATA #REQUIRED\n>\n]>\n\
                    <HealthData locale=\"en_US\">\n <ExportDate value=\"2026-11-20 10:00:00 +0100\"/>\n";

fn whose() -> Whose {
    let days = Days::new(std::iter::empty(), TimeZone::get("America/New_York").unwrap());
    Whose { member: MemberId(uuid::Uuid::nil()), days, now: "2026-11-20T12:00:00Z".parse().unwrap() }
}

fn record(kind: &str, unit: &str, start: &str, end: &str, value: &str) -> String {
    let device = "&lt;&lt;HKDevice: 0x1&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch&gt;";
    format!(
        " <Record type=\"HK{kind}\" sourceName=\"Anna’s Watch\" device=\"{device}\" unit=\"{unit}\" \
         startDate=\"2026-11-{start}:00 +0100\" endDate=\"2026-11-{end}:00 +0100\" value=\"{value}\"/>\n"
    )
}

fn read(body: &str) -> Vec<Line> {
    read_all(format!("{HEAD}{body}</HealthData>").as_bytes())
}

fn read_all(file: &[u8]) -> Vec<Line> {
    let whose = whose();
    AppleHealth::new(Cursor::new(file), &whose).unwrap().collect()
}

fn said(lines: &[Line]) -> Vec<String> {
    let items = lines.iter().flat_map(|line| match line {
        Ok(Said::Items(items) | Said::Sum(items)) => items.as_slice(),
        _ => &[],
    });
    let said = |item: &Item| match &item.event.says {
        Says::Reading(Entry { moment, measure: Measure::Measurement(it), .. }, _) => {
            let device = it.device.as_deref().unwrap_or("no device");
            format!("{} {} {} {:?} {device}", it.of.as_str(), it.value, moment.to_rfc3339(), it.modality)
        }
        _ => panic!("no measurement"),
    };
    items.map(said).collect()
}

fn faults(lines: &[Line]) -> Vec<(u64, bool)> {
    lines.iter().filter_map(|line| line.as_ref().err()).map(|bad| (bad.place, bad.ends_reading)).collect()
}

#[test]
fn each_kind_of_record_is_read_with_the_clock_of_the_member() {
    let body = [
        record("QuantityTypeIdentifierHeartRate", "count/min", "15 08:00", "15 08:00", "72"),
        record("QuantityTypeIdentifierRestingHeartRate", "count/min", "15 00:00", "15 20:00", "58"),
        record("QuantityTypeIdentifierHeartRateVariabilitySDNN", "ms", "15 03:00", "15 03:01", "47.1234567890123456"),
        record("CategoryTypeIdentifierMindfulSession", "", "15 07:00", "15 07:12", "HKCategoryValueNotApplicable"),
        record("QuantityTypeIdentifierBodyMass", "kg", "15 07:00", "15 07:00", "70"),
        record("QuantityTypeIdentifierStepCount", "count", "15 09:00", "15 09:10", "800"),
        record(
            "CategoryTypeIdentifierSleepAnalysis",
            "",
            "15 01:00",
            "15 05:00",
            "HKCategoryValueSleepAnalysisAsleepCore",
        ),
    ]
    .concat();
    let lines = read(&body);
    assert_eq!(
        said(&lines),
        [
            "heart-rate 72 2026-11-15T02:00:00-05:00 Sensed Apple Watch",
            "resting-heart-rate 58 2026-11-15T14:00:00-05:00 Sensed Apple Watch",
            "hrv-sdnn 47.1234567890123456 2026-11-14T21:01:00-05:00 Sensed Apple Watch",
            "mindful-session 12 2026-11-15T01:12:00-05:00 Sensed Apple Watch",
            "sleep-duration 240 2026-11-14T23:00:00-05:00 Sensed Apple Watch",
            "deep-sleep 0 2026-11-14T23:00:00-05:00 Sensed Apple Watch",
            "light-sleep 240 2026-11-14T23:00:00-05:00 Sensed Apple Watch",
            "rem-sleep 0 2026-11-14T23:00:00-05:00 Sensed Apple Watch",
            "awakenings 0 2026-11-14T23:00:00-05:00 Sensed Apple Watch",
            "steps 800 2026-11-15T03:10:00-05:00 Sensed Apple Watch",
        ]
    );
    assert!(matches!(lines[4], Ok(Said::Nothing)), "weight is passed over");
    assert!(!format!("{:?}", said(&lines)).contains("Anna"), "a name of a device goes nowhere");
}

#[test]
fn what_was_written_by_hand_says_so() {
    let body = record("QuantityTypeIdentifierHeartRate", "count/min", "15 08:00", "15 08:00", "72").replace(
        "/>",
        "><MetadataEntry key=\"Other\" value=\"1\"/><MetadataEntry key=\"HKWasUserEntered\" value=\"1\"/></Record>",
    );
    assert!(said(&read(&body))[0].contains("SelfReported"));
}

#[test]
fn a_record_within_a_correlation_is_read_where_it_stands_by_itself() {
    let one = record("QuantityTypeIdentifierHeartRate", "count/min", "15 08:00", "15 08:00", "72");
    let long = one.replace("/>", "></Record>");
    for within in [&one, &long] {
        let body = format!("<Correlation type=\"x\" sourceName=\"y\">{within}</Correlation>{one}");
        assert_eq!(said(&read(&body)).len(), 1);
    }
}

#[test]
fn a_faulty_record_is_named_and_the_others_are_read() {
    let good = record("QuantityTypeIdentifierHeartRate", "count/min", "15 08:00", "15 08:00", "72");
    let body = [
        good.replace("72", "seventy"),
        good.replace("72", "-1"),
        good.replace("72", "99999"),
        good.replace("count/min", "Hz"),
        good.replace("2026-11-15 08:00:00 +0100\" value", "2026-11-14 08:00:00 +0100\" value"),
        good.replace("2026-11-15", "2036-11-15"),
        good.replace("sourceName=\"Anna’s Watch\"", "sourceName=\"&all;\""),
        good.replace("Anna", &"x".repeat(5000)),
        good.replace("startDate", "began"),
        record("CategoryTypeIdentifierSleepAnalysis", "", "15 01:00", "15 05:00", "HKCategoryValueSleepAnalysisFlying"),
        good.clone(),
    ]
    .concat();
    let lines = read(&body);
    assert_eq!(faults(&lines), (1..=10).map(|place| (place, false)).collect::<Vec<_>>());
    assert_eq!(said(&lines).len(), 1);
}

#[test]
fn no_entity_of_a_document_type_becomes_anything() {
    let mut bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE HealthData [\n<!ENTITY lol0 \"lol\">\n".to_owned();
    for level in 1..20 {
        let name = format!("&lol{};", level - 1).repeat(10);
        writeln!(bomb, "<!ENTITY lol{level} \"{name}\">").unwrap();
    }
    let record = record("QuantityTypeIdentifierHeartRate", "count/min", "15 08:00", "15 08:00", "&lol19;");
    let external = "<!ENTITY file SYSTEM \"file:///etc/passwd\">]>\n<HealthData>&lol19;&file;";
    let lines = read_all(format!("{bomb}{external}{record}</HealthData>").as_bytes());
    assert_eq!((said(&lines).len(), faults(&lines)), (0, vec![(1, false)]));
}

#[test]
fn nothing_grows_without_end_in_memory() {
    let long = format!("<!--{}-->", "x".repeat(2 << 20));
    let deep = "<a>".repeat(100_000);
    let good = record("QuantityTypeIdentifierHeartRate", "count/min", "15 08:00", "15 08:00", "72");
    for body in [long, deep, format!("<Record type=\"{}", "x".repeat(2 << 20))] {
        let lines = read_all(format!("{HEAD}{good}{body}{good}</HealthData>").as_bytes());
        assert_eq!(faults(&lines), [(1, true)], "what stands before it counts");
        assert_eq!(said(&lines).len(), 1);
        let why = lines.iter().find_map(|line| line.as_ref().err()).unwrap().expected;
        assert!(why.contains("at most"), "{why}");
    }
    let sources: String = (0..300).map(|number| good.replace("Anna", &format!("{number}"))).collect();
    assert_eq!(faults(&read(&sources)).len(), 300 - 256);
}

#[test]
fn a_file_that_is_cut_off_says_so_and_what_was_whole_counts() {
    let whole = format!("{HEAD}{}", record("QuantityTypeIdentifierStepCount", "count", "15 09:00", "15 09:10", "800"));
    let lines = read_all(whole.as_bytes());
    assert_eq!((faults(&lines), said(&lines).len()), (vec![(1, true)], 1));
    let lines = read_all(format!("{whole} <Record type=\"HKQ").as_bytes());
    assert_eq!((faults(&lines), said(&lines).len()), (vec![(1, true)], 1));
    let mut bytes = whole.into_bytes();
    bytes.extend(b"<Record type=\"\xff\xfe\"/></HealthData>");
    let lines = read_all(&bytes);
    assert_eq!((faults(&lines).len(), said(&lines).len()), (1, 1), "{lines:?}");
}

#[test]
fn other_files_are_none() {
    let whose = whose();
    for file in
        ["", "<html>", "<?xml version=\"1.0\"?><ClinicalDocument/>", "no xml", "<HealthData/>x", "</HealthData>"]
    {
        assert!(AppleHealth::new(Cursor::new(file), &whose).is_err(), "{file:?}");
    }
    assert!(is_likely(HEAD.as_bytes()) && !is_likely(b"<html>") && !is_likely(b"year,date <HealthData"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_stands_in_it_the_reading_ends(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let whose = whose();
        let mut file = HEAD.as_bytes().to_vec();
        file.extend(&bytes);
        prop_assert!(AppleHealth::new(Cursor::new(file), &whose).unwrap().count() <= bytes.len() + 2);
    }

    #[test]
    fn valid_records_survive_whatever_stands_between_them(junk in "(<[a-z]{1,5} x=\"[a-z&;]{0,9}\"/>|<!--[a-z ]{0,9}-->|[a-z ]{0,20}){0,9}") {
        let good = record("QuantityTypeIdentifierHeartRate", "count/min", "15 08:00", "15 08:00", "72");
        prop_assert_eq!(said(&read(&format!("{good}{junk}{good}"))).len(), 2);
    }
}
