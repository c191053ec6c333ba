//! One page about a member for whoever treats them: what was noted in the last weeks, how finely it may be told, and what
//! the member wants to talk about.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Span};
use serde::{Deserialize, Serialize};

use super::category::{Category, Detail};
use super::decimal::Decimal;
use super::ids::{MemberId, ReadingId};
use super::language::Language;
use super::matter::Fact;
use super::moment::Moment;
use super::questionnaire::{Answer, Instrument};
use super::recommendation::{RecommendationKind, RecommendationState};
use super::statistics::Spread;
use super::summary::{Scale, TagCount};

/// How many weeks a page shows: the one that it is about, and those before, to compare with.
pub const WEEKS: u8 = 4;

/// What a clinic wants of pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageRules {
    /// When they are made.
    pub page: PageWhen,
    /// In which language.
    #[serde(default)]
    pub language: Language,
    /// Whether a PDF comes along with the text.
    #[serde(default = "yes")]
    pub pdf: bool,
    /// Whether it goes as a report as well, to an EHR that takes reports.
    #[serde(default)]
    pub report: bool,
    /// How many hours before a visit that is booked one is made, whenever others are; 0 for never.
    #[serde(default = "a_day")]
    before_visit_hours: u8,
    /// As what a page goes that is put right.
    #[serde(default)]
    pub corrections: Corrections,
}

const fn yes() -> bool {
    true
}

const fn a_day() -> u8 {
    24
}

impl PageRules {
    /// How long before a visit a page is made; `None`: none is.
    #[must_use]
    pub fn before_visit(self) -> Option<SignedDuration> {
        let hours = self.before_visit_hours;
        (hours > 0).then(|| SignedDuration::from_hours(i64::from(hours)))
    }
}

/// When pages are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageWhen {
    /// When a week is over in which something was noted, and whenever somebody asks.
    Weekly,
    /// When the clinic or the member asks.
    OnRequest,
}

/// As what a page goes that is put right.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corrections {
    /// As the document that it was: that is brought up to date.
    #[default]
    Update,
    /// As another document, which says whose place it takes.
    Replace,
}

/// A page. Personal: its `Debug` does not tell.
#[derive(Clone, PartialEq, Serialize)]
pub struct Page {
    /// Whom it is about.
    pub member: MemberId,
    /// The first days of the weeks that it shows, the oldest first; it is about the last one.
    pub weeks: Vec<Date>,
    /// Its first instant.
    pub start: Moment,
    /// Its last second: where the last of the weeks was not over, that of a day in it.
    pub last: Moment,
    /// What was counted and measured: the moods first, then as [`super::measurement::Measured`] has it.
    pub rows: Vec<Row>,
    /// The tags that were used most in the last week.
    pub tags: Vec<TagCount>,
    /// The questionnaires that were filled in.
    pub scores: Vec<Scored>,
    /// Those of which there are totals on it, as far as each may be told by itself. They add nothing to what it says.
    #[serde(skip)]
    pub results: Vec<ReadingId>,
    /// What the member wants to talk about, and when they wrote it down.
    pub agenda: Option<(Moment, String)>,
    /// What the clinic recommended of late, and what became of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recommended: Vec<Recommended>,
    /// What the consent is under which it goes.
    pub scope: Scope,
    /// What it tells, category by category: each must be covered when it goes.
    pub parts: Vec<Fact>,
    /// Whether devices measured some of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_measured: bool,
    /// Whether anything was noted in the week that it is about.
    pub has_news: bool,
}

/// One scale, week by week.
#[derive(Clone, PartialEq, Serialize)]
pub struct Row {
    /// The scale.
    pub scale: Scale,
    /// Each of the weeks; `None` where nothing was noted.
    pub weeks: Vec<Option<Week>>,
    /// The mean of each day of these weeks, to draw it; empty where no more than weeks may be told.
    pub days: Vec<Option<Decimal>>,
    /// Whether the last week is told once it is over: no more than weeks may be told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

/// What numbers amount to in a week.
#[derive(Clone, PartialEq, Serialize)]
pub struct Week {
    /// How many days it has.
    pub days: u32,
    /// On how many of them nothing was noted.
    pub days_missing: u32,
    /// How many entries there are.
    pub entries: u32,
    /// What they amount to.
    pub spread: Spread,
}

/// A questionnaire that was filled in.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Scored {
    /// Which.
    pub instrument: Instrument,
    /// Its newest total; `None` where no form was complete.
    #[serde(flatten)]
    pub newest: Option<Total>,
    /// When the newest form was filled in, if that is not complete, and so has no total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<Date>,
    /// What was answered to the question about death and self-harm in the forms that stand here, and in the last one in which
    /// it was above zero; the newest first. Nothing where it was zero in each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub self_harm: Vec<(Answer, Date)>,
}

/// A total of a questionnaire.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// How much.
    pub total: u8,
    /// When.
    pub on: Date,
    /// The total before it, and when that was.
    pub before: Option<(u8, Date)>,
}

/// Something that the clinic recommended.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Recommended {
    /// As what it stands in the clinic's EHR.
    pub kind: RecommendationKind,
    /// How it begins.
    pub what: String,
    /// When it came to the member.
    pub on: Date,
    /// What became of it.
    pub state: RecommendationState,
    /// Since when.
    pub since: Date,
    /// Whether there is something to do.
    pub is_actionable: bool,
    /// What the member answered that the clinic's EHR took in no form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<Untold>,
}

/// An answer that a clinic's EHR took in no form.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Untold {
    /// Its word.
    pub answer: &'static str,
    /// What they wrote, if anything.
    pub text: Option<String>,
    /// When.
    pub on: Date,
}

/// A consent, as a page says it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// What it covers, and how finely.
    pub categories: Vec<(Category, Detail)>,
    /// Since when what was noted counts.
    pub since: Option<Date>,
    /// The last day on which it is in force.
    pub until: Date,
}

impl Row {
    /// The last week.
    #[must_use]
    pub fn now(&self) -> Option<&Week> {
        self.weeks.last()?.as_ref()
    }

    /// The week before it.
    #[must_use]
    pub fn before(&self) -> Option<&Week> {
        self.weeks.iter().rev().nth(1)?.as_ref()
    }

    /// Whether this is the week that is told once it is over.
    #[must_use]
    pub const fn waits_for(&self, place: usize) -> bool {
        self.waits && place + 1 == self.weeks.len()
    }
}

impl Page {
    /// Whether some of a week may be told, even if nothing was noted in it.
    #[must_use]
    pub fn is_covered(&self, place: usize) -> bool {
        let next = self.weeks.get(place).and_then(|first| first.checked_add(Span::new().days(7)).ok());
        next.is_some_and(|next| self.scope.since.is_none_or(|since| since < next))
    }

    /// Whether all of the week before the last one may be told, even if nothing was noted in it.
    #[must_use]
    pub fn tells_week_before(&self) -> bool {
        let before = self.weeks.iter().rev().nth(1);
        before.is_some_and(|first| self.scope.since.is_none_or(|since| since <= *first))
    }

    /// The last day that it speaks of, if the last of the weeks was not over.
    #[must_use]
    pub fn up_to(&self) -> Option<Date> {
        let end = self.weeks.last()?.checked_add(Span::new().days(6)).ok()?;
        Some(self.last.shown().date()).filter(|day| *day < end)
    }

    /// How many days of a week it speaks of.
    #[must_use]
    pub fn days_of(&self, place: usize) -> i32 {
        let first = self.weeks.get(place).filter(|_| place + 1 == self.weeks.len());
        first.zip(self.up_to()).map_or(7, |(first, last)| (last - *first).get_days() + 1)
    }

    /// What is shared and has its place on a page, and of which there is nothing to show.
    pub fn silent(&self) -> impl Iterator<Item = Category> {
        let has_a_place = |of: &Category| match of {
            Category::Mood
            | Category::Tags
            | Category::Sleep
            | Category::Activity
            | Category::Heart
            | Category::Questionnaires => true,
            Category::Note | Category::Agenda | Category::Community => false,
        };
        let is_told = |of: &Category| self.parts.iter().any(|part| part.category == *of);
        self.scope.categories.iter().map(|(of, _)| *of).filter(move |of| has_a_place(of) && !is_told(of))
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page(..)")
    }
}
