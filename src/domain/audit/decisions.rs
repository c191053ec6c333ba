//! The decisions of one transaction, gathered: one entry for each member and clinic, however many items there are.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{About, Chain, Decision, Entry, Event, Permitted, Stage};
use crate::domain::grant::Purpose;
use crate::domain::ids::{ClinicId, GrantId, MemberId};

/// What was decided so far.
#[derive(Debug)]
pub struct Decisions {
    stage: Stage,
    by_chain: BTreeMap<Chain, Decision>,
}

impl Decisions {
    /// Nothing yet.
    #[must_use]
    pub const fn at(stage: Stage) -> Self {
        Self { stage, by_chain: BTreeMap::new() }
    }

    /// An item may go to a clinic under a version of a consent.
    pub fn permit(
        &mut self,
        (clinic, member): (&ClinicId, MemberId),
        (grant, version): (GrantId, i32),
        about: About,
        identifier: String,
    ) {
        let permitted = &mut self.between(clinic, member).permitted;
        let same = |at: &&mut Permitted| (at.grant, at.version, &at.about) == (grant, version, &about);
        match permitted.iter_mut().find(same) {
            Some(found) => found.items.push(identifier),
            None => permitted.push(Permitted { grant, version, about, items: vec![identifier] }),
        }
    }

    /// An item may not go to a clinic.
    pub fn deny(&mut self, clinic: &ClinicId, member: MemberId, reason: &str) {
        *self.between(clinic, member).denied.entry(reason.to_owned()).or_default() += 1;
    }

    /// What is to be written.
    pub fn entries(self, at: Timestamp) -> impl Iterator<Item = Entry> {
        self.by_chain.into_iter().map(move |(chain, decision)| Entry::new(chain, at, Event::Decision(decision)))
    }

    fn between(&mut self, clinic: &ClinicId, member: MemberId) -> &mut Decision {
        self.by_chain.entry(Chain::between(clinic, member)).or_insert_with(|| Decision {
            stage: self.stage,
            purpose: Purpose::Treatment,
            permitted: Vec::new(),
            denied: BTreeMap::new(),
        })
    }
}
