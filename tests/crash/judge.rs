//! The verdict, by the EHR's own store: each entry once, in its newest version; nothing else; nothing after a revocation.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use mostik::domain::delivery::DeliveryState;
use mostik::sandbox::Sandbox;
use mostik::store::LaneKey;
use serde_json::Value;

use super::traffic::{Consent, Entry, Member, Traffic};
use crate::support::bridge::riverside;
use crate::support::ehr::identifier;
use crate::support::server::Server;

/// A send that began before consent was taken back may arrive so much later: it begins at most 1 s after the decision,
/// and takes at most the `timeout_seconds` of the test's configuration. One more for a machine that is busy.
const MAY_STILL_ARRIVE: SignedDuration = SignedDuration::from_secs(3);

/// What was found, for people to read.
#[derive(Debug, Default)]
pub struct Found {
    /// Resources in the EHR.
    pub resources: usize,
    /// Entries that stand there in a later version than the first.
    pub corrected: usize,
    /// Entries that were retracted, there or not.
    pub retracted: usize,
    /// Entries of members who took their consent back; so many of them arrived; so many of these were under way then.
    pub ended: usize,
    pub ended_arrived: usize,
    pub ended_late: usize,
}

/// The EHR has what was said and may be known, each entry exactly once, and nothing else.
pub async fn judge(server: &Server, ehr: &Sandbox, traffic: &[&Traffic]) -> Found {
    let resources = ehr.resources("Observation");
    let identifiers: BTreeSet<String> = resources.iter().map(identifier).collect();
    assert_eq!(identifiers.len(), resources.len(), "two resources with one identifier");
    let mut charted: BTreeMap<&str, Charted<'_>> = BTreeMap::new();
    for resource in &resources {
        let patient = resource["subject"]["reference"].as_str().unwrap().trim_start_matches("Patient/");
        let at = resource["effectiveDateTime"].as_str().unwrap().parse().unwrap();
        let before = charted.entry(patient).or_default().insert(at, resource);
        assert!(before.is_none(), "an entry of {patient} stands there twice");
    }
    let mut found = Found { resources: resources.len(), ..Found::default() };
    for member in traffic.iter().flat_map(|traffic| &traffic.members) {
        let mut charted = charted.remove(member.patient.as_str()).unwrap_or_default();
        match &member.consent {
            Consent::None => {}
            Consent::Given => all_of(member, &mut charted, &mut found),
            Consent::Ends { ended, .. } => what_was_in_time(member, ended.unwrap(), &mut charted, &mut found),
        }
        assert!(charted.is_empty(), "{} said nothing of it: {charted:?}", member.handle);
    }
    assert!(charted.is_empty(), "about nobody: {charted:?}");
    assert_eq!(ledger(server, traffic).await, identifiers, "what the bridge believes to be there");
    for state in [DeliveryState::Dead, DeliveryState::Rejected, DeliveryState::Held] {
        assert_eq!(server.count(state).await, 0, "{}", state.as_str());
    }
    assert!(found.resources > 0);
    found
}

/// By the second at which it was lived.
type Charted<'a> = BTreeMap<Timestamp, &'a Value>;

fn all_of(member: &Member, charted: &mut Charted<'_>, found: &mut Found) {
    for entry in &member.entries {
        let resource = charted.remove(&entry.at);
        if entry.is_retracted {
            let is_gone = resource.is_none_or(|resource| resource["status"] == "entered-in-error");
            assert!(is_gone, "{} retracted {}: {resource:?}", member.handle, entry.id);
            found.retracted += 1;
            continue;
        }
        let resource = resource.unwrap_or_else(|| panic!("{} said {}, and it is lost", member.handle, entry.id));
        assert_ne!(resource["status"], "entered-in-error", "{} {}", member.handle, entry.id);
        assert_eq!(rating(resource), entry.ratings.last().copied(), "{} {} is old", member.handle, entry.id);
        found.corrected += usize::from(entry.ratings.len() > 1);
    }
}

fn what_was_in_time(member: &Member, ended: Timestamp, charted: &mut Charted<'_>, found: &mut Found) {
    let told = |entry: &Entry, resource| rating(resource).is_some_and(|rating| entry.ratings.contains(&rating));
    found.ended += member.entries.len();
    let mut late = 0;
    for entry in &member.entries {
        let Some(resource) = charted.remove(&entry.at) else { continue };
        assert!(told(entry, resource), "{} never said that: {resource}", member.handle);
        let came: Timestamp = resource["meta"]["lastUpdated"].as_str().unwrap().parse().unwrap();
        assert!(came < ended + MAY_STILL_ARRIVE, "{} ended at {ended}: {resource}", member.handle);
        late += usize::from(came > ended);
        found.ended_arrived += 1;
    }
    // A lane's items go one after the other: no more than one was under way when consent was taken back.
    assert!(late <= 1, "{} ended at {ended}, and {late} came later", member.handle);
    found.ended_late += late;
}

fn rating(resource: &Value) -> Option<i64> {
    resource["valueQuantity"]["value"].as_i64()
}

async fn ledger(server: &Server, traffic: &[&Traffic]) -> BTreeSet<String> {
    let mut tx = server.bridge.store.read().await.unwrap();
    let mut identifiers = BTreeSet::new();
    for member in traffic.iter().flat_map(|traffic| &traffic.members) {
        let lane = LaneKey { clinic: riverside(), member: member.id };
        identifiers.extend(tx.ledger(&lane).await.unwrap().into_iter().map(|entry| entry.identifier));
    }
    identifiers
}
