//! What a clinic offers to members: kinds of visits, as its operator set them up, and the terms that its own staff may change.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::booking::Way;
use super::group::GroupRules;
use super::helpline::Words;
use super::ids::{VisitTypeId, is_fhir_id};

/// A kind of visit that a clinic offers.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitType {
    /// Its name in addresses and in the database: it stays the same.
    pub id: VisitTypeId,
    /// What members know it as.
    pub title: Words,
    /// How long it takes, in minutes.
    pub minutes: u16,
    /// What service it is (R4 4.0.1, `CodeSystem` service-type).
    pub service_type: Option<String>,
    /// Of which kind (R4 4.0.1, `CodeSystem` service-category).
    pub service_category: Option<String>,
    /// The Schedules in the EHR whose Slots are offered, by their ids.
    #[serde(default)]
    pub schedules: Vec<String>,
    /// In which way it is booked, if not as the EHR says itself.
    pub way: Option<Way>,
    /// Whether members can ask for it.
    #[serde(rename = "offered", default = "yes")]
    pub is_offered: bool,
    /// How long a time is kept for a member who chose it, in minutes.
    #[serde(default = "ten")]
    pub hold_minutes: u16,
    /// How far ahead times are offered, in days.
    #[serde(default = "four_weeks")]
    pub ahead_days: u16,
    /// How long before its beginning a time is offered no more, in hours.
    #[serde(default = "two")]
    pub notice_hours: u16,
    /// How long before it members are reminded of it who do not say so themselves, in minutes.
    #[serde(default = "usual_reminders")]
    pub remind_minutes: BTreeSet<u16>,
    /// Whether these are group sessions, and how they are. They are not asked for: the clinic's people say when one is.
    pub group: Option<GroupRules>,
}

/// On what terms a kind of visit is offered: what a clinic's own staff may change of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VisitTerms {
    /// Whether members can ask for it.
    pub is_offered: bool,
    /// How long before its beginning a time is offered no more, in hours.
    pub notice_hours: u16,
    /// How far ahead times are offered, in days.
    pub ahead_days: u16,
    /// How long a time is kept for a member who chose it, in minutes.
    pub hold_minutes: u16,
}

/// How many hours before its beginning a time may be offered no more: two weeks at most.
pub const NOTICE_HOURS: RangeInclusive<u16> = 0..=336;

/// How many days ahead times may be offered.
pub const AHEAD_DAYS: RangeInclusive<u16> = 1..=366;

/// For how many minutes a time may be kept for whoever chose it.
pub const HOLD_MINUTES: RangeInclusive<u16> = 1..=60;

impl VisitTerms {
    /// Whether any time can be offered at all: notice ends before the days do.
    #[must_use]
    pub const fn leave_time(&self) -> bool {
        (self.notice_hours as u32) < 24 * self.ahead_days as u32
    }
}

/// The longest before a visit that anybody is reminded of it, in minutes: a week.
pub const EARLIEST_REMINDER: u16 = 7 * 24 * 60;

/// The most often that members are reminded of a visit.
const MOST_REMINDERS: usize = 5;

/// How long before a visit members are reminded of it where nobody says otherwise, in minutes: a day, and an hour.
#[must_use]
pub fn usual_reminders() -> BTreeSet<u16> {
    [24 * 60, 60].into()
}

const fn yes() -> bool {
    true
}

const fn ten() -> u16 {
    10
}

const fn four_weeks() -> u16 {
    28
}

const fn two() -> u16 {
    2
}

impl VisitType {
    /// Whether a member can ask for it by themselves.
    #[must_use]
    pub const fn can_be_asked_for(&self) -> bool {
        self.group.is_none()
    }

    /// On what terms it is offered.
    #[must_use]
    pub const fn terms(&self) -> VisitTerms {
        VisitTerms {
            is_offered: self.is_offered,
            notice_hours: self.notice_hours,
            ahead_days: self.ahead_days,
            hold_minutes: self.hold_minutes,
        }
    }

    /// The same on other terms.
    #[must_use]
    pub fn on(self, terms: VisitTerms) -> Self {
        let VisitTerms { is_offered, notice_hours, ahead_days, hold_minutes } = terms;
        Self { is_offered, hold_minutes, ahead_days, notice_hours, ..self }
    }

    /// From when on times are offered now, and until before when.
    #[must_use]
    pub fn span(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let after = |hours: i64| now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MAX);
        (after(i64::from(self.notice_hours)), after(24 * i64::from(self.ahead_days)))
    }

    /// Whether a time that begins then is among those that are offered now.
    #[must_use]
    pub fn reaches(&self, start: Timestamp, now: Timestamp) -> bool {
        let (from, until) = self.span(now);
        now < start && from <= start && start < until
    }

    /// What is wrong with it: the setting, and what it must be.
    ///
    /// # Errors
    /// These two.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let is_code = |code: &Option<String>| {
            code.as_ref().is_none_or(|code| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        if [&self.title.en, &self.title.ru].iter().any(|title| title.trim().is_empty() || title.len() > 200) {
            return Err(("title", "a name in each language, of at most 200 letters"));
        }
        if !(5..=480).contains(&self.minutes) {
            return Err(("minutes", "a number of minutes from 5 to 480"));
        }
        if !is_code(&self.service_type) || !is_code(&self.service_category) {
            return Err(("service_type and service_category", "codes of letters and digits"));
        }
        if !self.schedules.iter().all(|id| is_fhir_id(id)) {
            return Err(("schedules", "ids of FHIR Schedules"));
        }
        if self.way == Some(Way::Slots) && self.schedules.is_empty() {
            return Err(("schedules", "at least one id of a Schedule, because way = \"slots\""));
        }
        if self.way == Some(Way::Operations) && !self.schedules.is_empty() {
            return Err(("schedules", "none, because way = \"operations\": the EHR proposes times itself"));
        }
        if let Some(group) = &self.group {
            group.check()?;
            if self.way.is_some() || !self.schedules.is_empty() {
                return Err((
                    "way and schedules",
                    "neither, because it has a group: its sessions are made in the staff view",
                ));
            }
        }
        if !HOLD_MINUTES.contains(&self.hold_minutes) {
            return Err(("hold_minutes", "a number of minutes from 1 to 60"));
        }
        if !AHEAD_DAYS.contains(&self.ahead_days) {
            return Err(("ahead_days", "a number of days from 1 to 366"));
        }
        if !NOTICE_HOURS.contains(&self.notice_hours) || !self.terms().leave_time() {
            return Err(("notice_hours", "a number of hours from 0 to 336, and less than ahead_days"));
        }
        let is_reminder = |minutes: &u16| (5..=EARLIEST_REMINDER).contains(minutes);
        if self.remind_minutes.len() > MOST_REMINDERS || !self.remind_minutes.iter().all(is_reminder) {
            return Err(("remind_minutes", "at most five numbers of minutes from 5 to 10080, or none"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_begins_after_the_notice_and_ends_with_the_days() {
        let words = || Words { en: "A first talk".to_owned(), ru: "Первый разговор".to_owned() };
        let text =
            serde_json::json!({"id": "first-talk", "title": {"en": words().en, "ru": words().ru}, "minutes": 50});
        let usual: VisitType = serde_json::from_value(text).unwrap();
        assert!(usual.is_offered && usual.check().is_ok(), "unless somebody says otherwise");
        let terms = VisitTerms { is_offered: false, notice_hours: 48, ahead_days: 7, hold_minutes: 5 };
        let visit = usual.clone().on(terms);
        assert_eq!((visit.terms(), &visit.title), (terms, &usual.title));
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (start, is_offered) in [
            ("2026-11-22T11:59:59Z", false),
            ("2026-11-22T12:00:00Z", true),
            ("2026-11-27T11:59:59Z", true),
            ("2026-11-27T12:00:00Z", false),
        ] {
            assert_eq!(visit.reaches(start.parse().unwrap(), now), is_offered, "{start}");
        }
        let at_once = usual.clone().on(VisitTerms { notice_hours: 0, ..terms });
        assert!(!at_once.reaches(now, now), "what has begun is not offered");
        for (notice_hours, ahead_days) in [(337, 366), (24, 1), (48, 1)] {
            let wrong = usual.clone().on(VisitTerms { notice_hours, ahead_days, ..terms });
            assert_eq!(wrong.check().unwrap_err().0, "notice_hours");
        }
    }
}
