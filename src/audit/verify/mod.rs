//! Verifying: is every entry as it was written, in its place, and is none missing?
//!
//! The chains are walked in portions, in one snapshot of the database, so that a bridge may go on writing meanwhile. What
//! a chain cannot know of itself is known elsewhere: how far it goes in its head, that it exists in the chain of the
//! house, and that the database was not put back as a whole in the checkpoint file. What the log says of consents is
//! compared with the consents themselves.

mod consents;
mod finding;
mod walk;

pub use finding::{Finding, Place, Wrong};

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::audit::{Chain, CheckpointWritten, hex};
use crate::domain::ids::{GrantId, MemberId};
use crate::store::{AuditPlace, ChainKey, Store, StoreError, StoredGrant, Tx, key_of};
use walk::Walk;

/// How many entries are read at once.
const PORTION: i64 = 1000;

/// What verifying found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// How many entries there are.
    pub entries: u64,
    /// On how many chains.
    pub chains: u64,
    /// How much is wrong.
    pub found: u64,
    /// What is wrong, the first of it.
    pub findings: Vec<Finding>,
    /// What the log says of checkpoint files: the last line of each.
    pub noted: BTreeMap<Uuid, CheckpointWritten>,
}

/// Walks along every chain. `passed` is told how many entries were passed.
///
/// # Errors
/// [`StoreError`] when the log cannot be read: that says nothing about it.
pub async fn verify(store: &Store, mut passed: impl FnMut(u64)) -> Result<Verdict, StoreError> {
    let mut walk = Walk::new(store.audit_key().ok_or(StoreError::NoAuditKey)?);
    let mut tx = store.snapshot().await?;
    let mut after: Option<AuditPlace> = None;
    loop {
        let rows = tx.audit_headed(after.as_ref(), PORTION).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.entry.place());
        for row in rows {
            walk.pass(row);
        }
        look_for_chains(&mut tx, &mut walk).await?;
        look_at_consents(&mut tx, &mut walk).await?;
        passed(walk.entries);
    }
    walk.end_of_chain();
    look_at_consents(&mut tx, &mut walk).await?;
    for found in tx.grants_without_chain(PORTION).await? {
        let chain = (found.member_id, found.clinic_id);
        walk.find(Place::Consent(chain, GrantId(found.grant_id), found.version), Wrong::Unknown);
    }
    for head in tx.audit_bare_heads(PORTION).await? {
        let at = Place::Entry(head.chain(), 1);
        walk.find(at, Wrong::CutOff(head.seq));
    }
    if tx.audit_macs(&[(key_of(&Chain::HOUSE), 1)]).await?.is_empty() {
        walk.find(Place::Log, Wrong::NoBeginning);
    }
    let Walk { entries, chains, found, findings, noted, .. } = walk;
    Ok(Verdict { entries, chains, found, findings, noted })
}

/// Whether the chains that began are there, and are the same.
async fn look_for_chains(tx: &mut Tx, walk: &mut Walk) -> Result<(), StoreError> {
    let begun: Vec<(ChainKey, String)> = std::mem::take(&mut walk.begun);
    let places: Vec<AuditPlace> = begun.iter().map(|(chain, _)| (chain.clone(), 1)).collect();
    let macs = tx.audit_macs(&places).await?;
    for ((chain, first), place) in begun.into_iter().zip(places) {
        if macs.get(&place).is_none_or(|mac| hex(mac) != first) {
            walk.find(Place::Chain(chain), Wrong::ChainGone);
        }
    }
    Ok(())
}

/// Whether consents are in the database as the log says.
async fn look_at_consents(tx: &mut Tx, walk: &mut Walk) -> Result<(), StoreError> {
    let told = std::mem::take(&mut walk.told);
    let chains: Vec<ChainKey> = told.iter().map(|(chain, _)| chain.clone()).collect();
    let members: BTreeSet<MemberId> = chains.iter().map(|(member, _)| MemberId(*member)).collect();
    let members: Vec<MemberId> = members.into_iter().collect();
    let there: BTreeSet<MemberId> = tx.members_among(&members).await?.into_iter().collect();
    let mut stored: BTreeMap<ChainKey, Vec<StoredGrant>> = BTreeMap::new();
    for grant in tx.stored_grants(&chains).await? {
        stored.entry((grant.member_id, grant.clinic_id.clone())).or_default().push(grant);
    }
    for (chain, told) in told {
        let found = stored.remove(&chain).unwrap_or_default();
        for (at, wrong) in told.compare(&chain, &found, there.contains(&MemberId(chain.0))) {
            walk.find(at, wrong);
        }
    }
    Ok(())
}
