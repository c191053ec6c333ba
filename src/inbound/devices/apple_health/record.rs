//! One `Record` of the export.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::events::attributes::Attribute;

use crate::domain::decimal::Decimal;
use crate::domain::measurement::{Measured, Measurement, Modality};
use crate::domain::reading::Measure;
use crate::inbound::devices::sleep::Stage;
use crate::inbound::files::number::{decimal, minutes};
use crate::inbound::files::{About, BadLine, Item, Whose, plain};

/// The longest value of an attribute that is taken, in bytes.
const LONGEST_VALUE: usize = 4096;

/// The longest name of a device, in characters, as of a measurement.
const LONGEST_DEVICE: usize = 100;

/// The longest time over which one number may have been measured.
const LONGEST_PERIOD: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Which of the records that are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A number, its unit as Apple writes it.
    Number(Measured, &'static str),
    Steps,
    Mindful,
    Sleep,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        match name {
            "HKQuantityTypeIdentifierHeartRate" => Some(Self::Number(Measured::HeartRate, "count/min")),
            "HKQuantityTypeIdentifierRestingHeartRate" => Some(Self::Number(Measured::RestingHeartRate, "count/min")),
            "HKQuantityTypeIdentifierHeartRateVariabilitySDNN" => Some(Self::Number(Measured::HrvSdnn, "ms")),
            "HKQuantityTypeIdentifierStepCount" => Some(Self::Steps),
            "HKCategoryTypeIdentifierMindfulSession" => Some(Self::Mindful),
            "HKCategoryTypeIdentifierSleepAnalysis" => Some(Self::Sleep),
            _ => None,
        }
    }
}

/// A record as it is written. Personal.
pub struct Record {
    /// Which record of the file.
    pub place: u64,
    kind: Kind,
    /// Which device or app, by the name that its owner gave it.
    pub source: String,
    /// What kind of device.
    pub device: Option<String>,
    unit: String,
    value: String,
    /// From when on.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    by_hand: bool,
}

/// What a record says.
pub enum Read {
    /// A reading of its own.
    Reading(Reading),
    /// So many steps.
    Walked(f64),
    /// A stretch of a night.
    Slept(Stage),
}

/// A number that stands by itself.
pub struct Reading {
    of: Measured,
    value: Decimal,
}

impl Record {
    /// Reads the attributes; `None` for a record that is not taken.
    pub fn read(element: &BytesStart<'_>, place: u64) -> Result<Option<Self>, BadLine> {
        let mut attributes = element.attributes();
        let attributes = attributes.with_checks(false);
        let (mut kind, mut source, mut device, mut unit, mut value) = (None, None, None, None, None);
        let (mut start, mut end) = (None, None);
        for attribute in attributes {
            let attribute = attribute.map_err(|_| BadLine::record(place, "attributes as Apple writes them"))?;
            let known = match attribute.key.0 {
                "type" => {
                    let Some(found) = Kind::of(&attribute.value) else { return Ok(None) };
                    kind = Some(found);
                    continue;
                }
                "sourceName" => &mut source,
                "device" => &mut device,
                "unit" => &mut unit,
                "value" => &mut value,
                "startDate" => &mut start,
                "endDate" => &mut end,
                _ => continue,
            };
            *known = Some(text(&attribute, place)?);
        }
        let missing = |expected| BadLine::record(place, expected);
        let when = |text: Option<String>| {
            let text = text.ok_or(missing("a startDate and an endDate"))?;
            let bad = BadLine { about: About::Time, ..missing("times such as 2026-11-15 20:30:00 +0100") };
            instant(&text).ok_or(bad)
        };
        let (start, end) = (when(start)?, when(end)?);
        if end < start || end.duration_since(start) > LONGEST_PERIOD {
            return Err(BadLine { about: About::Time, ..missing("an end after its start, by 31 days at most") });
        }
        Ok(Some(Self {
            place,
            kind: kind.ok_or(missing("a type"))?,
            source: source.ok_or(missing("a sourceName"))?,
            device: device.as_deref().and_then(kind_of_device),
            unit: unit.unwrap_or_default(),
            value: value.unwrap_or_default(),
            start,
            end,
            by_hand: false,
        }))
    }

    /// Reads what is said about it.
    pub fn add(&mut self, metadata: &BytesStart<'_>) {
        let attribute = |name| metadata.try_get_attribute(name).ok().flatten().map(|found| found.value);
        if attribute("key").is_some_and(|key| key == "HKWasUserEntered") {
            self.by_hand = attribute("value").is_some_and(|value| value == "1");
        }
    }

    /// Who says so.
    pub const fn modality(&self) -> Modality {
        if self.by_hand { Modality::SelfReported } else { Modality::Sensed }
    }

    /// What it says.
    pub fn read_as(&self, whose: &Whose) -> Result<Read, BadLine> {
        if whose.is_to_come(self.end) {
            return Err(BadLine::to_come(self.place));
        }
        match self.kind {
            Kind::Number(of, unit) => Ok(Read::Reading(Reading { of, value: self.number(of, unit)? })),
            Kind::Steps => Ok(Read::Walked(self.number(Measured::Steps, "count")?.approximate())),
            Kind::Mindful => {
                let value = minutes(self.end.duration_since(self.start).as_secs());
                let value = value.ok_or(BadLine::record(self.place, "a session that ends"))?;
                Ok(Read::Reading(Reading { of: Measured::MindfulSession, value }))
            }
            Kind::Sleep => self.stage().map(Read::Slept),
        }
    }

    fn number(&self, of: Measured, unit: &'static str) -> Result<Decimal, BadLine> {
        let bad = |expected| BadLine { about: About::Value, ..BadLine::record(self.place, expected) };
        if self.unit != unit {
            return Err(bad("the unit that Apple writes: count/min, ms or count"));
        }
        let value = decimal(&self.value).filter(|value| (0.0..=f64::from(of.most())).contains(&value.approximate()));
        value.ok_or(bad("a number that can be measured"))
    }

    /// The values of `HKCategoryValueSleepAnalysis`: until iOS 16 there was one kind of sleep.
    fn stage(&self) -> Result<Stage, BadLine> {
        match self.value.strip_prefix("HKCategoryValueSleepAnalysis") {
            Some("InBed") => Ok(Stage::InBed),
            Some("Asleep" | "AsleepUnspecified") => Ok(Stage::Asleep),
            Some("AsleepCore") => Ok(Stage::Light),
            Some("AsleepDeep") => Ok(Stage::Deep),
            Some("AsleepREM") => Ok(Stage::Rem),
            Some("Awake") => Ok(Stage::Awake),
            _ => Err(BadLine { about: About::Value, ..BadLine::record(self.place, "a stage of sleep that is known") }),
        }
    }
}

impl Reading {
    /// As an event. A sample is never changed, so that all of it makes its name.
    pub fn item(self, app: &str, record: &Record, whose: &Whose) -> Item {
        let Self { of, value } = self;
        let (start, end) = (record.start, record.end);
        let id = format!("{}/{start}/{end}/{}/{}", of.as_str(), record.source, value.as_str());
        let measurement = Measurement {
            of,
            value,
            start: (start < end).then(|| whose.days.moment(start)),
            modality: record.modality(),
            device: record.device.clone(),
        };
        whose.reading(app, record.place, id, whose.days.moment(end), Measure::Measurement(measurement))
    }
}

/// The text of an attribute. Only the five entities of XML are known, and none becomes more than one character.
fn text(attribute: &Attribute<'_>, place: u64) -> Result<String, BadLine> {
    if attribute.value.len() > LONGEST_VALUE {
        return Err(BadLine::record(place, "attributes of at most 4096 bytes"));
    }
    let text = attribute.normalized_value(XmlVersion::Implicit1_0);
    text.map(std::borrow::Cow::into_owned).map_err(|_| BadLine::record(place, "no entities but those of XML itself"))
}

/// `2026-11-15 20:30:00 +0100`.
fn instant(text: &str) -> Option<Timestamp> {
    let number = |range| text.get(range).filter(|part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()));
    let short = |range| number(range)?.parse::<i8>().ok();
    let shape = [(4, "-"), (7, "-"), (10, " "), (13, ":"), (16, ":"), (19, " ")];
    if text.len() != 25 || shape.iter().any(|(at, sign)| text.get(*at..at + 1) != Some(sign)) {
        return None;
    }
    let date = Date::new(number(0..4)?.parse().ok()?, short(5..7)?, short(8..10)?).ok()?;
    let time = Time::new(short(11..13)?, short(14..16)?, short(17..19)?.min(59), 0).ok()?;
    let ahead = (i32::from(short(21..23)?) * 60 + i32::from(short(23..25)?)) * 60;
    let offset = match text.get(20..21)? {
        "+" => ahead,
        "-" => -ahead,
        _ => return None,
    };
    let is_likely = (1970..=2100).contains(&date.year()) && ahead <= 14 * 3600;
    Offset::from_seconds(offset).ok().filter(|_| is_likely)?.to_timestamp(date.to_datetime(time)).ok()
}

/// `<<HKDevice: 0x282a45810>, name:Apple Watch, manufacturer:Apple, model:Watch, …>`: what kind of thing it is.
fn kind_of_device(text: &str) -> Option<String> {
    let name = text.split(", ").find_map(|part| part.strip_prefix("name:"))?;
    let name: String = plain(name.trim_end_matches('>')).chars().take(LONGEST_DEVICE).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_apple_writes_them_and_in_no_other_way() {
        let said = |text| instant(text).map(|at| at.to_string());
        assert_eq!(said("2018-09-10 02:28:55 -0700").as_deref(), Some("2018-09-10T09:28:55Z"));
        assert_eq!(said("2026-11-15 20:30:00 +0530").as_deref(), Some("2026-11-15T15:00:00Z"));
        for bad in [
            "",
            "2018-09-10",
            "2018-09-10T02:28:55 -0700",
            "2018-13-10 02:28:55 -0700",
            "2018-09-10 02:28:55 ~0700",
            "2018-09-10 02:28:55 -1500",
            "0018-09-10 02:28:55 -0700",
            "2018-09-1é 02:28:55 -070",
        ] {
            assert_eq!(said(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_device_is_known_by_its_kind() {
        let text = "<<HKDevice: 0x282a45810>, name:Apple Watch, manufacturer:Apple, model:Watch, hardware:Watch2,4>";
        assert_eq!(kind_of_device(text).as_deref(), Some("Apple Watch"));
        assert_eq!(kind_of_device("<<HKDevice: 0x1>, name:>"), None);
        assert_eq!(kind_of_device("something"), None);
    }
}
