//! What members set for themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::day::Days;
use super::language::Language;
use super::questionnaire::Instrument;
use super::telling::{Channel, Closed, Wishes};
use super::zone::Zone;

/// How often a member's zone can change before the oldest change is forgotten.
const MOST_CHANGES: usize = 40;

/// How many of their own moods a member can say the meaning of.
const MOST_MOODS: usize = 200;

/// A member's settings. Personal: their `Debug` does not tell.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// In which language the member is spoken to; `None` until they chose one.
    #[serde(default)]
    pub language: Option<Language>,
    /// Where their clock stands; `None` until they said so.
    #[serde(default)]
    pub zone: Option<Zone>,
    /// Where it stood before, oldest first.
    #[serde(default)]
    earlier: Vec<Stay>,
    /// By which clock their days were counted of which clinics were told before they said where theirs stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counted_by: Option<Zone>,
    /// Whether their own view keeps what they noted down, even when no clinic may see it.
    #[serde(default)]
    pub keep: bool,
    /// What they call their moods in an app of their own, each name with its level from 1 (worst) to 5 (best).
    #[serde(default)]
    pub moods: BTreeMap<String, u8>,
    /// Questionnaires that they left out when they were asked, each with the day from which on they are asked again.
    #[serde(default)]
    pub left_out: BTreeMap<Instrument, Date>,
    /// Questionnaires of which they were told that they are due, each with the day on which that was last.
    #[serde(default)]
    pub reminded: BTreeMap<Instrument, Date>,
    /// How they are told that there is something for them.
    #[serde(default)]
    pub told: Wishes,
    /// When they are reminded of their visits.
    #[serde(default)]
    pub reminders: Reminders,
    /// Ways to them that lead nowhere any more.
    #[serde(default)]
    pub closed: Vec<Closed>,
}

/// When a member is reminded of their visits. Personal: its `Debug` does not tell.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reminders {
    /// As the clinic says.
    #[default]
    Usual,
    /// So many minutes before each; never, if there are none.
    Before(BTreeSet<u16>),
}

/// A zone in which a member's clock stood until they moved.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Stay {
    zone: Zone,
    until: Timestamp,
    /// Whether their days were only counted by it, because they had not said where they are.
    #[serde(default)]
    assumed: bool,
}

/// What a member changes; `None` stays as it is.
#[derive(Clone, PartialEq, Default)]
pub struct Change {
    /// Their language.
    pub language: Option<Language>,
    /// Where their clock stands from now on.
    pub zone: Option<Zone>,
    /// By which clock their days are counted of which a clinic is told, while they have not said where theirs stands.
    pub counted_by: Option<Zone>,
    /// Whether their own view keeps what no clinic may see.
    pub keep: Option<bool>,
    /// What more of their moods mean.
    pub moods: BTreeMap<String, u8>,
    /// A questionnaire that they leave out, and until when.
    pub left_out: Option<(Instrument, Date)>,
    /// All questionnaires of which they were told that they are due, as [`Settings::reminded`] has them.
    pub reminded: Option<BTreeMap<Instrument, Date>>,
    /// How they are told that there is something for them.
    pub told: Option<Wishes>,
    /// When they are reminded of their visits.
    pub reminders: Option<Reminders>,
    /// A way to them that leads nowhere any more.
    pub closed: Option<Closed>,
    /// A way to them that is to be tried again.
    pub opened: Option<Channel>,
    /// The ways about which they were told that they lead nowhere any more.
    pub said: Vec<Channel>,
}

impl Settings {
    /// The settings after a change at the instant `now`.
    ///
    /// The first zone that a member names counts for all of their past, unless a clinic was told of days of it already:
    /// nobody had asked them before. A later one, or one after such days, counts from `now` on; the days before stay what
    /// they were, so that what was lived stands in one of them, once.
    #[must_use]
    pub fn with(mut self, change: Change, now: Timestamp) -> Self {
        self.language = change.language.or(self.language);
        self.keep = change.keep.unwrap_or(self.keep);
        self.moods.extend(change.moods);
        self.left_out.extend(change.left_out);
        self.reminded = change.reminded.unwrap_or(self.reminded);
        self.told = change.told.unwrap_or(self.told);
        self.reminders = change.reminders.unwrap_or(self.reminders);
        let of = |closed: &Closed, channel: Option<&Channel>| Some(&closed.channel) == channel;
        self.closed.retain(|closed| !of(closed, change.opened.as_ref()));
        if let Some(anew) = change.closed {
            self.closed.retain(|closed| !of(closed, Some(&anew.channel)));
            self.closed.push(anew);
        }
        self.closed.iter_mut().for_each(|closed| closed.said |= change.said.contains(&closed.channel));
        while self.moods.len() > MOST_MOODS {
            self.moods.pop_first();
        }
        if !self.has_clock() {
            self.counted_by = change.counted_by;
        }
        if let Some(zone) = change.zone {
            self.move_to(zone, now);
        }
        self
    }

    fn move_to(&mut self, zone: Zone, now: Timestamp) {
        let assumed = self.zone.is_none();
        let old = self.zone.replace(zone).or_else(|| self.counted_by.take());
        if let Some(old) = old.filter(|old| Some(old) != self.zone.as_ref()) {
            self.earlier.push(Stay { zone: old, until: now, assumed });
            let surplus = self.earlier.len().saturating_sub(MOST_CHANGES);
            self.earlier.drain(..surplus);
        }
    }

    /// Whether it is settled by which clock their days are counted.
    #[must_use]
    pub const fn has_clock(&self) -> bool {
        self.zone.is_some() || self.counted_by.is_some()
    }

    /// How the member's time falls into days; `default` is where the clock of those stands who never said.
    #[must_use]
    pub fn days(&self, default: &Zone) -> Days {
        let zone = self.zone.as_ref().or(self.counted_by.as_ref()).unwrap_or(default);
        let earlier = self.earlier.iter().map(|stay| (stay.zone.rules().clone(), stay.until));
        let days = Days::new(earlier, zone.rules().clone());
        if self.earlier.first().is_some_and(|stay| stay.assumed) { days.of_an_assumed_clock() } else { days }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(..)")
    }
}

impl fmt::Debug for Reminders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reminders(..)")
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change(..)")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    #[test]
    fn days_of_which_a_clinic_was_told_stay_what_they_were_when_the_first_zone_is_named() {
        let (berlin, at) = (zone("Europe/Berlin"), |text: &str| text.parse::<Timestamp>().unwrap());
        let counted = |zone: Zone| Change { counted_by: Some(zone), ..Change::default() };
        let told = Settings::default().with(counted(Zone::default()), at("2026-11-19T00:00:00Z"));
        let told = told.with(counted(berlin.clone()), at("2026-11-20T00:00:00Z"));
        let evening = at("2026-11-18T23:30:00Z");
        assert_eq!(told.days(&berlin).day_of(evening), date(2026, 11, 18), "whatever the usual clock is now");
        let named = Change { zone: Some(berlin.clone()), ..Change::default() };
        let named =
            told.with(named, at("2026-11-20T12:00:00Z")).with(counted(Zone::default()), at("2026-11-21T12:00:00Z"));
        let days = named.days(&Zone::default());
        assert_eq!(days.day_of(evening), date(2026, 11, 18));
        assert_eq!(days.day_of(at("2026-11-20T23:30:00Z")), date(2026, 11, 21), "by their own clock from then on");
        let noon = days.instant_of(date(2026, 11, 18).at(13, 0, 0, 0)).unwrap();
        assert_eq!(noon, at("2026-11-18T12:00:00Z"), "what their own clock showed then is read by it");
        let text = serde_json::to_string(&named).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), named);
        let moved =
            named.with(Change { zone: Some(zone("Asia/Tokyo")), ..Change::default() }, at("2026-11-22T12:00:00Z"));
        let noon = moved.days(&Zone::default()).instant_of(date(2026, 11, 18).at(13, 0, 0, 0)).unwrap();
        assert_eq!(noon, at("2026-11-18T12:00:00Z"), "they lived in Berlin then, not in Tokyo");
    }
}
