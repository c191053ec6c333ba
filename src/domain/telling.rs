//! How members are told, outside of the portal, that there is something for them in it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::ids::CommunityId;

/// How much is said outside of the portal, from the least to the most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// That there is a message, and nothing about it.
    #[default]
    Notice,
    /// What kind of message it is, and of which clinic.
    Summary,
    /// The message itself.
    Full,
}

/// What messages of clinics are about, as far as members tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Something to do.
    Recommendation,
    /// Something to read.
    Message,
    /// A visit.
    Appointment,
    /// Something to fill in.
    Questionnaire,
}

/// A way to a member outside of the portal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Channel {
    /// The browsers that the member named.
    Push,
    /// Their community: mail, or a private message of its platform.
    Community(CommunityId),
}

/// A text did not name a channel.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected push, or community: and the name of a community")]
pub struct UnknownChannel;

/// A time of the day in which a member is told nothing, by their own clock. From 22:00 until 8:00 spans midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quiet {
    /// Its first minute.
    pub from: Time,
    /// The first minute after it.
    pub until: Time,
}

/// What a member wishes of how they are told. Personal: its `Debug` does not tell.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wishes {
    /// The most that is said outside of the portal.
    pub grade: Grade,
    /// When nothing is said.
    pub quiet: Option<Quiet>,
    /// At which time of the day everything is told at once; `None`: each as it comes.
    pub daily: Option<Time>,
    /// What they are told nothing about: they find it in the portal.
    pub silent: BTreeSet<Subject>,
    /// Which channels are tried, the first one first. Those that it does not name come after it.
    pub order: Vec<Channel>,
    /// Which channels are not used.
    pub unused: BTreeSet<Channel>,
}

/// A channel that was closed, because nobody is reached by it any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Which.
    pub channel: Channel,
    /// When.
    pub at: Timestamp,
    /// Whether the member was told by another channel.
    pub said: bool,
}

impl Grade {
    /// Every grade, the least first.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Summary, Self::Full];

    /// The word used in forms and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Summary => "summary",
            Self::Full => "full",
        }
    }

    /// The grade with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grade| grade.as_str() == name)
    }
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 4] = [Self::Recommendation, Self::Message, Self::Appointment, Self::Questionnaire];

    /// The word used in forms and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recommendation => "recommendation",
            Self::Message => "message",
            Self::Appointment => "appointment",
            Self::Questionnaire => "questionnaire",
        }
    }
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            grade: Grade::Notice,
            quiet: Some(Quiet::NIGHT),
            daily: None,
            silent: BTreeSet::new(),
            order: Vec::new(),
            unused: BTreeSet::new(),
        }
    }
}

impl Wishes {
    /// When something is told that came at `since` and has not been told by `now`: at once, or when the time has come at
    /// which everything is told, and never while it is quiet where the member's clock stands.
    #[must_use]
    pub fn due(&self, since: Timestamp, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let daily = self.daily.and_then(|time| shown(since, time, zone).next());
        let at = daily.map_or(now, |daily| daily.max(now));
        let is_quiet = |at: Timestamp| self.quiet.is_some_and(|quiet| quiet.covers(zone.to_datetime(at).time()));
        match self.quiet {
            Some(quiet) if is_quiet(at) => shown(at, quiet.until, zone).find(|end| !is_quiet(*end)).unwrap_or(at),
            _ => at,
        }
    }

    /// Those of some channels that are used, in the order in which they are tried.
    #[must_use]
    pub fn in_order(&self, mut channels: Vec<Channel>) -> Vec<Channel> {
        channels.retain(|channel| !self.unused.contains(channel));
        let place = |channel: &Channel| self.order.iter().position(|named| named == channel).unwrap_or(usize::MAX);
        channels.sort_by_key(|channel| (place(channel), channel.clone()));
        channels
    }
}

impl Quiet {
    /// The night.
    pub const NIGHT: Self = Self { from: Time::constant(22, 0, 0, 0), until: Time::constant(8, 0, 0, 0) };

    /// Whether it is quiet at a time of the day.
    #[must_use]
    pub fn covers(self, time: Time) -> bool {
        let Self { from, until } = self;
        if from <= until { (from..until).contains(&time) } else { time >= from || time < until }
    }
}

/// The instants, from `after` on, at which clocks show a time of the day in the next days. A time that clocks leave out when
/// they are put forward comes as much later as they are; one that they show twice comes twice.
fn shown(after: Timestamp, time: Time, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
    let first = zone.to_datetime(after).date();
    let days = (0..=3).filter_map(move |days: i64| first.checked_add(days.days()).ok());
    let shown = days.flat_map(move |day| {
        let shown = zone.to_ambiguous_zoned(day.to_datetime(time));
        [shown.clone().compatible(), shown.later()]
    });
    shown.flatten().map(|at| at.timestamp()).filter(move |at| *at >= after)
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push => f.write_str("push"),
            Self::Community(community) => write!(f, "community:{community}"),
        }
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        match text.strip_prefix("community:") {
            Some(community) => community.parse().map(Self::Community).map_err(|_| UnknownChannel),
            None if text == "push" => Ok(Self::Push),
            None => Err(UnknownChannel),
        }
    }
}

impl TryFrom<String> for Channel {
    type Error = UnknownChannel;

    fn try_from(text: String) -> Result<Self, UnknownChannel> {
        text.parse()
    }
}

impl From<Channel> for String {
    fn from(channel: Channel) -> Self {
        channel.to_string()
    }
}

impl fmt::Debug for Wishes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wishes(..)")
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn due(wishes: &Wishes, now: &str) -> String {
        wishes.due(at(now), at(now), &berlin()).to_string()
    }

    fn quiet(from: Time, until: Time) -> Wishes {
        Wishes { quiet: Some(Quiet { from, until }), ..Wishes::default() }
    }

    #[test]
    fn nobody_is_woken_at_night_by_their_own_clock() {
        let night = Wishes::default();
        assert_eq!(due(&night, "2026-11-20T12:00:00Z"), "2026-11-20T12:00:00Z");
        assert_eq!(due(&night, "2026-11-20T20:59:59Z"), "2026-11-20T20:59:59Z");
        assert_eq!(due(&night, "2026-11-20T21:00:00Z"), "2026-11-21T07:00:00Z", "22:00 in Berlin");
        assert_eq!(due(&night, "2026-11-21T06:59:59Z"), "2026-11-21T07:00:00Z");
        assert_eq!(due(&night, "2026-11-21T07:00:00Z"), "2026-11-21T07:00:00Z");
        let never = Wishes { quiet: None, ..night };
        assert_eq!(due(&never, "2026-11-20T23:00:00Z"), "2026-11-20T23:00:00Z");
    }

    #[test]
    fn a_night_in_which_clocks_change_ends_by_the_clock() {
        let night = Wishes::default();
        assert_eq!(due(&night, "2026-03-28T22:00:00Z"), "2026-03-29T06:00:00Z", "put forward: an hour less of sleep");
        assert_eq!(due(&night, "2026-10-24T22:00:00Z"), "2026-10-25T07:00:00Z", "put back: an hour more");
        let until_half_past_two = quiet(time(22, 0, 0, 0), time(2, 30, 0, 0));
        assert_eq!(due(&until_half_past_two, "2026-03-29T00:45:00Z"), "2026-03-29T01:30:00Z", "there is no 2:30");
        assert_eq!(due(&until_half_past_two, "2026-10-25T00:10:00Z"), "2026-10-25T00:30:00Z", "the first 2:30");
        assert_eq!(due(&until_half_past_two, "2026-10-25T01:10:00Z"), "2026-10-25T01:30:00Z", "and the second");
    }

    #[test]
    fn once_a_day_is_the_next_time_that_clocks_show_it() {
        let evening = Wishes { daily: Some(time(18, 0, 0, 0)), ..Wishes::default() };
        assert_eq!(due(&evening, "2026-11-20T12:00:00Z"), "2026-11-20T17:00:00Z");
        assert_eq!(due(&evening, "2026-11-20T17:00:01Z"), "2026-11-21T17:00:00Z");
        let late = evening.due(at("2026-11-20T12:00:00Z"), at("2026-11-20T19:00:00Z"), &berlin());
        assert_eq!(late, at("2026-11-20T19:00:00Z"), "what is late does not wait for another day");
        let night = Wishes { daily: Some(time(23, 0, 0, 0)), ..evening };
        assert_eq!(due(&night, "2026-11-20T12:00:00Z"), "2026-11-21T07:00:00Z", "never at night");
    }

    #[test]
    fn channels_stand_in_the_order_that_was_wished() {
        let channel = |name: &str| name.parse::<Channel>().unwrap();
        let all = || vec![channel("community:chat"), channel("community:forum"), channel("push")];
        let names = |wishes: &Wishes| wishes.in_order(all()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&Wishes::default()), ["push", "community:chat", "community:forum"]);
        let wishes = Wishes { order: vec![channel("community:forum")], ..Wishes::default() };
        assert_eq!(names(&wishes), ["community:forum", "push", "community:chat"]);
        let without = Wishes { unused: [channel("push")].into(), ..wishes };
        assert_eq!(names(&without), ["community:forum", "community:chat"]);
        for bad in ["", "mail", "community:", "community:Big", "push:1"] {
            assert_eq!(bad.parse::<Channel>(), Err(UnknownChannel), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_due_is_never_in_the_past_nor_in_quiet_hours_nor_far_off(
            minutes in 0..2 * 366 * 24 * 60i64, from in 0..24 * 60i64, until in 0..24 * 60i64,
        ) {
            let clock = |minutes: i64| time(i8::try_from(minutes / 60).unwrap(), i8::try_from(minutes % 60).unwrap(), 0, 0);
            let now = at("2026-01-01T00:00:00Z") + minutes.minutes();
            let wishes = quiet(clock(from), clock(until));
            let due = wishes.due(now, now, &berlin());
            prop_assert!(due >= now && due <= now + 49.hours());
            prop_assert!(!wishes.quiet.unwrap().covers(berlin().to_datetime(due).time()));
            prop_assert_eq!(wishes.due(now, due, &berlin()), due, "and then it goes");
        }
    }
}
