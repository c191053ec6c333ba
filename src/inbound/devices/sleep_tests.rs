use jiff::tz::TimeZone;

use super::*;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::inbound::event::{Entry, Says};

/// Of each reading: what, how much, from when until when, and by which device.
fn told(stretches: &[(u16, Stage, &str, &str)]) -> Vec<String> {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    let whose = Whose { member: MemberId(uuid::Uuid::nil()), days, now: "2026-11-20T12:00:00Z".parse().unwrap() };
    let mut nights = Nights::default();
    for (device, stage, start, end) in stretches {
        let at = |text: &str| format!("2026-11-{text}:00Z").parse().unwrap();
        assert!(nights.add(*device, *stage, (at(start), at(end)), Modality::Sensed));
    }
    let said = |item: Item| match item.event.says {
        Says::Reading(Entry { moment, measure: Measure::Measurement(it), .. }, _) => {
            let shown = |moment: crate::domain::moment::Moment| moment.to_rfc3339()[8..16].to_owned();
            let start = shown(it.start.unwrap());
            format!("{} {} {start} {} {}", it.of.as_str(), it.value, shown(moment), it.device.unwrap())
        }
        _ => panic!("no sleep"),
    };
    nights.items("x", &whose, |device| Some(format!("device {device}"))).map(said).collect()
}

#[test]
fn a_night_is_the_sum_of_its_stages_and_what_overlaps_counts_once() {
    use Stage::{Awake, Deep, InBed, Light, Rem};
    assert_eq!(
        told(&[
            (0, InBed, "14T21:30", "15T06:00"),
            (0, Light, "14T22:00", "14T23:00"),
            (0, Deep, "14T23:00", "15T00:30"),
            (0, Deep, "15T00:00", "15T00:30"),
            (0, Awake, "15T00:30", "15T00:45"),
            (0, Rem, "15T00:45", "15T01:15"),
            (0, Awake, "15T05:30", "15T06:00"),
        ]),
        [
            "sleep-duration 180 14T23:00 15T02:15 device 0",
            "deep-sleep 90 14T23:00 15T02:15 device 0",
            "light-sleep 60 14T23:00 15T02:15 device 0",
            "rem-sleep 30 14T23:00 15T02:15 device 0",
            "awakenings 1 14T23:00 15T02:15 device 0",
            "time-in-bed 510 14T22:30 15T07:00 device 0",
        ]
    );
}

#[test]
fn of_several_devices_the_one_counts_that_knows_stages_and_then_the_one_that_saw_most() {
    use Stage::{Asleep, InBed, Light};
    let found = told(&[
        (0, InBed, "14T21:00", "15T06:00"),
        (1, Asleep, "14T21:00", "15T05:00"),
        (2, Light, "14T22:00", "15T04:00"),
        (3, Light, "14T22:00", "15T05:00"),
    ]);
    assert_eq!(found[0], "sleep-duration 420 14T23:00 15T06:00 device 3");
    assert_eq!(found.last().unwrap(), "time-in-bed 540 14T22:00 15T07:00 device 0");
    assert_eq!(found.len(), 6, "{found:?}");
}

#[test]
fn two_hours_part_a_nap_from_a_night_in_whatever_order_they_come() {
    use Stage::Asleep;
    let night =
        [(0, Asleep, "14T22:00", "15T05:00"), (0, Asleep, "15T13:00", "15T13:30"), (0, Asleep, "14T21:00", "14T21:30")];
    let found = told(&night);
    assert_eq!(
        found,
        ["sleep-duration 450 14T22:00 15T06:00 device 0", "sleep-duration 30 15T14:00 15T14:30 device 0"]
    );
    let mut turned = night;
    turned.reverse();
    assert_eq!(told(&turned), found);
    let twice: Vec<_> = night.iter().chain(&night).copied().collect();
    assert_eq!(told(&twice), found, "nothing counts twice");
}

#[test]
fn what_is_no_night_is_none() {
    use Stage::{Asleep, Awake};
    assert_eq!(
        told(&[
            (0, Asleep, "10T00:00", "12T00:00"),
            (0, Asleep, "10T05:00", "10T05:00"),
            (0, Awake, "10T05:00", "10T06:00")
        ]),
        Vec::<String>::new()
    );
    let long: Vec<_> =
        (0..30).map(|hour| (hour, format!("{:02}T{:02}:00", 10 + hour * 2 / 24, hour * 2 % 24))).collect();
    let long: Vec<_> = long
        .iter()
        .map(|(hour, start)| {
            (*hour, start.clone(), format!("{:02}T{:02}:00", 10 + (hour * 2 + 1) / 24, (hour * 2 + 1) % 24))
        })
        .collect();
    let long: Vec<_> = long.iter().map(|(_, start, end)| (0, Asleep, start.as_str(), end.as_str())).collect();
    assert_eq!(told(&long).len(), 2, "no night is longer than a day and a half");
}
