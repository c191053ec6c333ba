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
}

/// What a member changes; `None` stays as it is.
#[derive(Clone, PartialEq, Default)]
pub struct Change {
    /// Their language.
    pub language: Option<Language>,
    /// Where their clock stands from now on.
    pub zone: Option<Zone>,
    /// Whether their own view keeps what no clinic may see.
    pub keep: Option<bool>,
    /// What more of their moods mean.
    pub moods: BTreeMap<String, u8>,
    /// A questionnaire that they leave out, and until when.
    pub left_out: Option<(Instrument, Date)>,
    /// Questionnaires of which they are told on a day that they are due.
    pub reminded: BTreeMap<Instrument, Date>,
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
    /// The first zone that a member names counts for all of their past: nobody had asked them before. A later one counts
    /// from `now` on; the days before stay what they were.
    #[must_use]
    pub fn with(mut self, change: Change, now: Timestamp) -> Self {
        self.language = change.language.or(self.language);
        self.keep = change.keep.unwrap_or(self.keep);
        self.moods.extend(change.moods);
        self.left_out.extend(change.left_out);
        self.reminded.extend(change.reminded);
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
        if let Some(zone) = change.zone
            && let Some(old) = self.zone.replace(zone)
            && Some(&old) != self.zone.as_ref()
        {
            self.earlier.push(Stay { zone: old, until: now });
            let surplus = self.earlier.len().saturating_sub(MOST_CHANGES);
            self.earlier.drain(..surplus);
        }
        self
    }

    /// How the member's time falls into days; `default` is where the clock of those stands who never said.
    #[must_use]
    pub fn days(&self, default: &Zone) -> Days {
        let zone = self.zone.as_ref().unwrap_or(default);
        Days::new(self.earlier.iter().map(|stay| (stay.zone.rules().clone(), stay.until)), zone.rules().clone())
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
