//! What all files of apps have in common: what a line of one says, what can be wrong with it, and the walls that keep any
//! file, however large or hostile, from taking more memory than was meant for it.
//!
//! # Bounds
//! A file is read as a stream. At one time there are in memory, at most:
//! - of a table, one record of 1 MiB, and what tells entries of the same time apart: below 64 MiB at [`rows::MOST_ROWS`];
//! - of an archive, its table of contents ([`archive::MOST_CONTENTS`] bytes, 65 535 files), and nothing unpacked but what
//!   a stream needs;
//! - of Apple Health, one element of 1 MiB, half a million stretches of sleep (12 MiB) and a count of steps for each day;
//! - of Health Connect, the same, and who wrote what: the names of 256 devices and apps, 200 000 nights, and as many
//!   changes of what wrote the heart rates (below 32 MiB); its database is unpacked onto the disk
//!   ([`archive::MOST_UNPACKED`]), never into memory;
//! - of a Daylio backup, which is one piece of JSON, all of it: 32 MiB, and what that is taken apart into (below 160 MiB,
//!   were it nothing but pointers to activities); and of what its entries point to, no more is copied for one of them than
//!   [`MOST_TAGS`] names, 64 KiB together;
//! - of a FHIR Bundle, which is one, too, 64 MiB, each of its resources once more, so twice that, and what one of them of
//!   256 KiB is taken apart into (below 32 MiB).

pub mod archive;
pub mod fault;
pub mod frame;
pub mod number;
pub mod rows;
pub mod scratch;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

pub use self::fault::{About, BadLine, FileError};
use super::event::{CLOCK_SKEW, Entry, Event, Refusal, Says, Subject, Version};
use crate::domain::category::Category;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::domain::moment::Moment;
use crate::domain::reading::Measure;

/// The most tags of one line or entry. In 64 KiB there is room for thirty thousand of one letter, and each takes some fifty
/// times as much memory as that.
pub const MOST_TAGS: usize = 500;

/// What one line, entry or record of a file says. Personal: its `Debug` shows how much it is.
pub enum Said {
    /// These readings, or that they are gone.
    Items(Vec<Item>),
    /// A part of a sum that is told when all of it is known: a stretch of a night, some of a day's steps.
    Part,
    /// Such a sum. It is no line of its own.
    Sum(Vec<Item>),
    /// These readings, beside something that the bridge does not take.
    Partly(Vec<Item>),
    /// Nothing that the bridge takes.
    Nothing,
    /// What is not taken, for this reason or because it is nothing that the bridge takes, and still wants a human's eye.
    Heard(Box<Item>, Option<BadLine>),
    /// A mood by a name that nobody said the meaning of.
    UnknownMood(BadLine, String),
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Items(items) => write!(f, "{} items", items.len()),
            Self::Part => f.write_str("a part of a sum"),
            Self::Sum(items) => write!(f, "{} sums", items.len()),
            Self::Partly(items) => write!(f, "{} items, and something else", items.len()),
            Self::Nothing => f.write_str("nothing"),
            Self::Heard(item, _) => write!(f, "something that is heard only, at {}", item.place),
            Self::UnknownMood(bad, _) => write!(f, "an unknown mood at {}", bad.place),
        }
    }
}

/// One line of a file, or what is wrong with it.
pub type Line = Result<Said, BadLine>;

/// Takes line after line, and says when it wants no more.
pub type Sink<'a> = dyn FnMut(Line) -> ControlFlow<()> + 'a;

/// Hands all lines over, until they end or nobody wants more.
pub fn pour(lines: impl IntoIterator<Item = Line>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    lines.into_iter().try_for_each(sink)
}

/// One reading as an event, and where in the file it stood.
#[derive(Debug)]
pub struct Item {
    /// Which line, entry or record.
    pub place: u64,
    /// Under which consent it falls.
    pub category: Category,
    /// What becomes of it.
    pub event: Event,
}

impl Item {
    /// The same, to be heard and not to be taken: see [`Event::flaw`].
    #[must_use]
    pub fn only_heard(mut self, why: Option<BadLine>) -> Said {
        let expected = why.as_ref().map_or("what is taken from a file", |bad| bad.expected);
        self.event.flaw = Some(Box::new(Refusal::invalid("/", expected)));
        Said::Heard(Box::new(self), why)
    }
}

/// Whose file it is, and what it takes to place it in time.
#[derive(Clone, Debug)]
pub struct Whose {
    /// Whose.
    pub member: MemberId,
    /// Where the member's clock stood, where the file does not say.
    pub days: Days,
    /// What has not come yet is no reading.
    pub now: Timestamp,
}

impl Whose {
    /// A reading that keeps its name: `id` within everything that this app wrote for the member.
    #[must_use]
    pub fn reading(&self, app: &str, place: u64, id: String, moment: Moment, measure: Measure) -> Item {
        let category = measure.category();
        let says = Says::Reading(Entry { moment, measure, labels: BTreeSet::new() }, Version::Current);
        Item { place, category, event: self.event(app, id, says) }
    }

    /// A part of an entry as it reads now: a reading, or that there is none (any more).
    #[must_use]
    pub fn part(
        &self,
        app: &str,
        (place, key): (u64, &str),
        category: Category,
        moment: Moment,
        measure: Option<Measure>,
    ) -> Item {
        let id = format!("{key}/{}", category.as_str());
        match measure {
            Some(measure) => self.reading(app, place, id, moment, measure),
            None => self.gone(app, place, id, category),
        }
    }

    /// The word that there is no such reading (any more).
    #[must_use]
    pub fn gone(&self, app: &str, place: u64, id: String, category: Category) -> Item {
        Item { place, category, event: self.event(app, format!("{id}/gone"), Says::Retraction(id)) }
    }

    fn event(&self, app: &str, id: String, says: Says) -> Event {
        let source = format!("{app}/{}", self.member);
        Event { source, id, subject: Subject::Member(self.member), says, flaw: None }
    }

    /// The wall time where the file says it was, or else where the member's clock stood. `None` where that cannot be.
    #[must_use]
    pub fn moment(&self, shown: DateTime, offset: Option<Offset>) -> Option<Moment> {
        match offset {
            Some(offset) => offset.to_timestamp(shown).ok().map(|at| Moment::new(at, offset)),
            None => self.days.instant_of(shown).map(|at| self.days.moment(at)),
        }
    }

    /// Whether a time has not come yet, as far as clocks can be trusted.
    #[must_use]
    pub fn is_to_come(&self, at: Timestamp) -> bool {
        at > self.now.checked_add(CLOCK_SKEW).unwrap_or(self.now)
    }
}

/// Without the control characters that a FHIR string cannot hold (R4, datatypes, string).
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
