use jiff::tz::TimeZone;

use super::*;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::inbound::event::{Entry, Says};

fn whose() -> Whose {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    Whose { member: MemberId(uuid::Uuid::nil()), days, now: "2026-11-20T12:00:00Z".parse().unwrap() }
}

fn told(walked: &[(u16, &str, &str, f64)]) -> Vec<String> {
    let whose = whose();
    let mut counted = Steps::default();
    for (device, start, end, steps) in walked {
        let (start, end) = (start.parse().unwrap(), end.parse().unwrap());
        let kind = Some(format!("device {device}"));
        let walked = Walked { device: *device, start, end, steps: *steps, modality: Modality::Sensed, kind };
        assert!(counted.add(walked, &whose));
    }
    let said = |item: Item| match item.event.says {
        Says::Reading(Entry { moment, measure: Measure::Measurement(it), .. }, _) => {
            let start = it.start.unwrap().to_rfc3339();
            format!("{} {start} {} {} {}", item.event.id, moment.to_rfc3339(), it.value, it.device.unwrap())
        }
        _ => panic!("no steps"),
    };
    counted.items("x", &whose).map(said).collect()
}

#[test]
fn of_each_day_the_device_counts_that_counted_most() {
    let found = told(&[
        (0, "2026-11-15T08:00:00Z", "2026-11-15T08:10:00Z", 1200.0),
        (1, "2026-11-15T08:00:00Z", "2026-11-15T08:10:00Z", 1500.4),
        (1, "2026-11-15T19:00:00Z", "2026-11-15T19:10:00Z", 500.0),
        (0, "2026-11-16T08:00:00Z", "2026-11-16T08:10:00Z", 900.0),
        (1, "2026-11-16T08:00:00Z", "2026-11-16T08:10:00Z", 100.0),
    ]);
    assert_eq!(
        found,
        [
            "steps/2026-11-15 2026-11-15T09:00:00+01:00 2026-11-15T20:10:00+01:00 2000 device 1",
            "steps/2026-11-16 2026-11-16T09:00:00+01:00 2026-11-16T09:10:00+01:00 900 device 0",
        ]
    );
}

#[test]
fn a_day_is_one_as_the_member_lived_it() {
    let found = told(&[
        (0, "2026-11-15T22:50:00Z", "2026-11-15T23:10:00Z", 10.0),
        (0, "2026-11-15T23:05:00Z", "2026-11-15T23:10:00Z", 5.0),
    ]);
    assert_eq!(
        found,
        [
            "steps/2026-11-15 2026-11-15T23:50:00+01:00 2026-11-15T23:59:59+01:00 10 device 0",
            "steps/2026-11-16 2026-11-16T00:05:00+01:00 2026-11-16T00:10:00+01:00 5 device 0",
        ],
        "midnight in Berlin parts them"
    );
}
