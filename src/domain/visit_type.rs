//! What a clinic offers to members: kinds of visits, as its operator set them up.

use std::collections::BTreeSet;

use serde::Deserialize;

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

/// The longest before a visit that anybody is reminded of it, in minutes: a week.
pub const EARLIEST_REMINDER: u16 = 7 * 24 * 60;

/// The most often that members are reminded of a visit.
const MOST_REMINDERS: usize = 5;

/// How long before a visit members are reminded of it where nobody says otherwise, in minutes: a day, and an hour.
#[must_use]
pub fn usual_reminders() -> BTreeSet<u16> {
    [24 * 60, 60].into()
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
        if !(1..=60).contains(&self.hold_minutes) {
            return Err(("hold_minutes", "a number of minutes from 1 to 60"));
        }
        if !(1..=366).contains(&self.ahead_days) {
            return Err(("ahead_days", "a number of days from 1 to 366"));
        }
        let is_reminder = |minutes: &u16| (5..=EARLIEST_REMINDER).contains(minutes);
        if self.remind_minutes.len() > MOST_REMINDERS || !self.remind_minutes.iter().all(is_reminder) {
            return Err(("remind_minutes", "at most five numbers of minutes from 5 to 10080, or none"));
        }
        Ok(())
    }
}
