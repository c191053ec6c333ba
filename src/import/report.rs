//! What an import did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Kind;
use crate::domain::category::Category;
use crate::inbound::files::BadLine;

/// What an import did, counted in readings.
#[derive(Debug, Default)]
pub struct Report {
    /// What kind of file it was.
    pub kind: Option<Kind>,
    /// Whether it was an archive: then it has entries, and no lines that anybody sees.
    pub is_archive: bool,
    /// Lines, entries or records read.
    pub lines: u64,
    /// Those of them that say nothing which the bridge takes.
    pub passed_over: u64,
    /// Those of which only a part is taken, because the rest is of a kind that the bridge does not take.
    pub partly: u64,
    /// Readings taken, by category.
    pub accepted: BTreeMap<Category, u64>,
    /// Readings that were imported before and read differently now, by category: brought up to date.
    pub corrected: BTreeMap<Category, u64>,
    /// Readings that were imported before and are gone from their lines, by category: retracted.
    pub retracted: BTreeMap<Category, u64>,
    /// Readings that were there before.
    pub duplicates: u64,
    /// Readings that no clinic may see, by category: not stored.
    pub withheld: BTreeMap<Category, u64>,
    /// Readings that are gone from their lines and stay at a clinic that may not be told: no consent covers them any more.
    pub left: u64,
    /// Lines with a reading that was retracted before: it does not come back.
    pub retracted_lines: Listed<u64>,
    /// Lines that cannot be read.
    pub bad_lines: Listed<BadLine>,
    /// The names of moods that nobody said the meaning of: their lines are among the bad ones.
    pub unknown_moods: MoodNames,
    /// There is no such member.
    pub unknown_member: bool,
    /// Whether an answer is among them after which whoever gave it is to be told where help is, whatever became of it.
    pub wants_help: bool,
}

impl Report {
    /// What a place in the file is called.
    #[must_use]
    pub const fn place(&self) -> &'static str {
        match self.kind {
            Some(kind) => kind.place(self.is_archive),
            None => "line",
        }
    }

    /// What several of them are called.
    #[must_use]
    pub fn places(&self) -> &'static str {
        match self.place() {
            "record" => "records",
            "entry" => "entries",
            _ => "lines",
        }
    }
}

/// The first few of many, and how many they are: a file may have a million faults.
#[derive(Debug)]
pub struct Listed<T> {
    /// The first ones.
    pub first: Vec<T>,
    /// All of them.
    pub count: u64,
}

impl<T> Listed<T> {
    /// How many are remembered one by one.
    const MOST: usize = 1000;

    pub(super) fn add(&mut self, one: T) {
        self.count += 1;
        if self.first.len() < Self::MOST {
            self.first.push(one);
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { first: Vec::new(), count: 0 }
    }
}

/// Names of moods, in the member's own words: its `Debug` shows how many there are.
#[derive(Default)]
pub struct MoodNames(pub BTreeSet<String>);

impl MoodNames {
    /// The most that are named one by one, and the longest, in bytes. Nobody has more; a file that has is no diary.
    const MOST: (usize, usize) = (50, 200);

    pub(super) fn add(&mut self, name: &str) {
        if self.0.len() < Self::MOST.0 && name.len() <= Self::MOST.1 {
            self.0.insert(name.to_owned());
        }
    }
}

impl fmt::Debug for MoodNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} names", self.0.len())
    }
}
