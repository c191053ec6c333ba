//! Walks along the chains, entry by entry, and keeps nothing of those it has passed.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::consents::Told;
use super::finding::{Finding, Place, Wrong};
use crate::domain::audit::{Chain, ChainBegun, ChainTampered, CheckpointWritten, Event};
use crate::store::{AuditHead, AuditRow, ChainKey, HeadedRow, key_of};
use crate::vault::{AuditKey, Covered, Mac, NO_MAC};

/// How many findings are kept word for word; the others are counted.
const KEPT: usize = 100;

/// A walk so far.
pub struct Walk {
    key: AuditKey,
    current: Option<Current>,
    /// Chains that the house says have begun, with the MAC of their first entry, not yet looked for.
    pub begun: Vec<(ChainKey, String)>,
    /// What chains said of consents that were walked to their end, not yet looked for.
    pub told: Vec<(ChainKey, Told)>,
    /// The newest note of each checkpoint file.
    pub noted: BTreeMap<Uuid, CheckpointWritten>,
    /// What was found first.
    pub findings: Vec<Finding>,
    /// How much was found.
    pub found: u64,
    /// How many entries were passed.
    pub entries: u64,
    /// How many chains.
    pub chains: u64,
}

/// The chain under the walker's feet.
struct Current {
    chain: ChainKey,
    /// The place of the entry that should come next.
    next: i64,
    /// The MAC of the last one, if it is known for sure.
    last: Option<Mac>,
    head: Option<AuditHead>,
    told: Told,
}

impl Walk {
    pub const fn new(key: AuditKey) -> Self {
        Self {
            key,
            current: None,
            begun: Vec::new(),
            told: Vec::new(),
            noted: BTreeMap::new(),
            findings: Vec::new(),
            found: 0,
            entries: 0,
            chains: 0,
        }
    }

    pub fn find(&mut self, at: Place, wrong: Wrong) {
        self.found += 1;
        if self.findings.len() < KEPT {
            self.findings.push(Finding { at, wrong });
        }
    }

    /// The next entry, in the order of the chains.
    pub fn pass(&mut self, HeadedRow { entry, head }: HeadedRow) {
        let (chain, seq) = entry.place();
        if self.current.as_ref().is_none_or(|current| current.chain != chain) {
            self.end_of_chain();
            self.chains += 1;
            self.current =
                Some(Current { chain: chain.clone(), next: 1, last: Some(NO_MAC), head, told: Told::default() });
        }
        let Some(current) = &mut self.current else { return };
        self.entries += 1;
        let expected = current.next;
        if seq > expected {
            current.last = None;
        }
        let is_genuine = seq >= expected
            && current.last.is_none_or(|before| self.key.entry(&covered(&entry, &before))[..] == entry.mac[..]);
        current.next = seq.saturating_add(1);
        current.last = entry.mac.as_slice().try_into().ok();
        if is_genuine
            && entry.kind.starts_with("consent-")
            && let Some(event) = Event::from_json(&entry.body)
        {
            current.told.hear(&event);
        }
        if seq > expected {
            self.find(Place::Entry(chain.clone(), expected), Wrong::Missing(seq - 1));
        }
        if !is_genuine {
            self.find(Place::Entry(chain, seq), Wrong::Altered);
        } else if chain == key_of(&Chain::HOUSE) {
            self.listen(&entry);
        }
    }

    /// The end of the chain that was walked last.
    pub fn end_of_chain(&mut self) {
        let Some(Current { chain, next, last, head, told }) = self.current.take() else { return };
        if !chain.0.is_nil() && !chain.1.is_empty() {
            self.told.push((chain.clone(), told));
        }
        let Some(head) = head else {
            return self.find(Place::Chain(chain), Wrong::NoHead);
        };
        let is_genuine =
            head.last_mac.as_slice().try_into().is_ok_and(|last| {
                self.key.head(chain.0, &chain.1, head.seq, last, head.changed_at)[..] == head.mac[..]
            });
        if !is_genuine {
            self.find(Place::Chain(chain), Wrong::HeadAltered);
        } else if head.seq >= next {
            self.find(Place::Entry(chain, next), Wrong::CutOff(head.seq));
        } else if head.seq < next - 1 || last.is_some_and(|last| last[..] != head.last_mac[..]) {
            self.find(Place::Chain(chain), Wrong::BeyondHead);
        }
    }

    /// What the house says about the log itself.
    fn listen(&mut self, entry: &AuditRow) {
        let event = Event::from_json(&entry.body);
        if (entry.seq == 1) != matches!(event, Some(Event::LogBegun)) {
            self.find(Place::Log, Wrong::NoBeginning);
        }
        match event {
            Some(Event::ChainBegun(ChainBegun { member, clinic, first })) => {
                self.begun.push((key_of(&Chain { member, clinic }), first));
            }
            Some(Event::ChainTampered(ChainTampered { member, clinic, seq })) => {
                self.find(Place::Entry(key_of(&Chain { member, clinic }), seq), Wrong::TamperedBefore);
            }
            Some(Event::CheckpointWritten(note)) => {
                self.noted.insert(note.file, note);
            }
            _ => {}
        }
    }
}

fn covered<'a>(entry: &'a AuditRow, before: &'a Mac) -> Covered<'a> {
    Covered {
        member: entry.member_id,
        clinic: &entry.clinic_id,
        seq: entry.seq,
        before,
        at: entry.at,
        kind: &entry.kind,
        body: &entry.body,
        sealed: entry.sealed_body.as_deref(),
    }
}
