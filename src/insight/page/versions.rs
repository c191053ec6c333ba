//! As which document a page goes that says something new: the one that stands there, brought up to date, or another one in its
//! place, for an EHR that lets nobody change what it has.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::page::Corrections;
use crate::mapping::to_fhir::page_version;
use crate::store::Version;

/// The most documents that follow one another; the last of them is brought up to date.
const MOST: usize = 20;

/// The documents as which a page was told, or would be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Versions {
    /// Those that were told, the first one first.
    pub told: Vec<Uuid>,
    /// The newest that was told; of a page that was not told, the first.
    pub newest: Uuid,
    /// The one as which it goes if it says something new.
    pub next: Uuid,
    /// The one whose place that takes.
    pub replaces: Option<Uuid>,
}

impl Versions {
    /// The identifiers of the documents that there may be of a page.
    #[must_use]
    pub fn names(page: Uuid) -> Vec<Uuid> {
        (0..MOST).map(|place| page_version(page, place)).collect()
    }

    /// Sees which there are. What certainly did not get to the EHR is no other document: what is newer goes instead.
    #[must_use]
    pub fn of(page: Uuid, corrections: Corrections, versions: &HashMap<String, Version>) -> Self {
        let names = Self::names(page);
        let version = |name: &Uuid| versions.get(&name.to_string());
        let told: Vec<Uuid> = names.iter().copied().filter(|name| version(name).is_some()).collect();
        let newest = told.last().copied().unwrap_or(page);
        let stands = version(&newest).is_some_and(|newest| !newest.is_unsent);
        let follows = |name: &&Uuid| corrections == Corrections::Replace && stands && **name != newest;
        let after = names.iter().skip_while(|name| **name != newest).find(follows);
        let next = after.copied().unwrap_or(newest);
        let replaces = told.iter().rev().copied().find(|name| *name != next);
        Self { told, newest, next, replaces }
    }
}
