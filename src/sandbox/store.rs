//! What the sandbox holds: every version of every resource, in memory, in the order of arrival.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::json::{instant, nodes};

/// All resources. Nothing is ever removed, so a position stays valid for as long as the store lives.
#[derive(Debug, Default)]
pub struct Store {
    folders: BTreeMap<&'static str, Folder>,
    journal: Option<Vec<(&'static str, usize)>>,
    /// When Appointments that are held are held no longer, by their ids.
    holds: BTreeSet<(Timestamp, String)>,
}

#[derive(Debug, Default)]
struct Folder {
    records: Vec<Record>,
    by_id: HashMap<String, usize>,
    /// Keyed by the identifier's value alone, so that a search with or without a system finds its few candidates
    /// without a walk through the folder.
    by_identifier: HashMap<String, Vec<usize>>,
}

/// One resource with its history.
#[derive(Debug)]
pub struct Record {
    /// The id the sandbox gave it.
    pub id: String,
    versions: Vec<Version>,
}

/// One version of a resource.
#[derive(Debug)]
pub struct Version {
    /// Counted from 1.
    pub number: usize,
    /// When it came.
    pub at: Timestamp,
    /// The resource with `id` and `meta` filled in, or nothing for a deletion.
    pub resource: Option<Value>,
}

impl Record {
    /// The newest version, which may be a deletion. Nothing for a record whose creation was rolled back.
    #[must_use]
    pub fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The newest version with its resource, unless that is deleted.
    #[must_use]
    pub fn current(&self) -> Option<(&Version, &Value)> {
        let version = self.latest()?;
        Some((version, version.resource.as_ref()?))
    }

    /// Version `number`.
    #[must_use]
    pub fn version(&self, number: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.number.to_string() == number)
    }
}

impl Store {
    /// The records of a type, oldest first, with their positions.
    pub fn records(&self, kind: &str) -> impl Iterator<Item = (usize, &Record)> {
        self.folders.get(kind).into_iter().flat_map(|folder| folder.records.iter().enumerate())
    }

    /// The record at a position.
    #[must_use]
    pub fn at(&self, kind: &str, position: usize) -> Option<&Record> {
        self.folders.get(kind)?.records.get(position)
    }

    /// The position of an id.
    #[must_use]
    pub fn position(&self, kind: &str, id: &str) -> Option<usize> {
        self.folders.get(kind)?.by_id.get(id).copied()
    }

    /// Whether there is such a resource, and it is not deleted.
    #[must_use]
    pub fn holds(&self, kind: &str, id: &str) -> bool {
        let record = self.position(kind, id).and_then(|position| self.at(kind, position));
        record.is_some_and(|record| record.current().is_some())
    }

    /// The positions of the records that have, or once had, an identifier with this value.
    #[must_use]
    pub fn with_identifier(&self, kind: &str, value: &str) -> &[usize] {
        let positions = self.folders.get(kind).and_then(|folder| folder.by_identifier.get(value));
        positions.map_or(&[], Vec::as_slice)
    }

    /// Stores the first version of a new resource.
    pub fn create(&mut self, kind: &'static str, id: String, at: Timestamp, resource: Value) -> usize {
        let folder = self.folders.entry(kind).or_default();
        let position = folder.records.len();
        folder.by_id.insert(id.clone(), position);
        folder.records.push(Record { id, versions: Vec::new() });
        self.append(kind, position, at, Some(resource));
        position
    }

    /// Stores the next version of a resource; nothing for a deletion.
    pub fn append(&mut self, kind: &'static str, position: usize, at: Timestamp, resource: Option<Value>) {
        let Some(folder) = self.folders.get_mut(kind) else { return };
        if let Some(record) = folder.records.get_mut(position) {
            let number = record.versions.len() + 1;
            let resource = resource.map(|resource| stamped(resource, &record.id, number, at));
            record.versions.push(Version { number, at, resource });
        }
        folder.index(position);
        if let Some(journal) = &mut self.journal {
            journal.push((kind, position));
        }
    }

    /// From `end` on, this Appointment is held no longer.
    pub fn hold_until(&mut self, end: Timestamp, id: String) {
        self.holds.insert((end, id));
    }

    /// Takes the next Appointment whose hold has ended by now.
    pub fn next_hold(&mut self, now: Timestamp) -> Option<(Timestamp, String)> {
        let is_over = self.holds.first().is_some_and(|(end, _)| *end <= now);
        is_over.then(|| self.holds.pop_first()).flatten()
    }

    /// From here on every write can be taken back with [`Store::rollback`].
    pub fn begin(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// Keeps what was written since [`Store::begin`].
    pub fn commit(&mut self) {
        self.journal = None;
    }

    /// Takes back what was written since [`Store::begin`].
    pub fn rollback(&mut self) {
        for (kind, position) in self.journal.take().unwrap_or_default().into_iter().rev() {
            // A record without any version stays behind, under an id that nobody was ever told.
            let record = self.folders.get_mut(kind).and_then(|folder| folder.records.get_mut(position));
            record.and_then(|record| record.versions.pop());
        }
    }
}

impl Folder {
    /// Adds what the newest version is called. What older ones were called stays: the index proposes candidates,
    /// some of them twice, and the search looks at each.
    fn index(&mut self, position: usize) {
        let Some((_, resource)) = self.records.get(position).and_then(Record::current) else { return };
        for value in nodes(resource, "identifier.value").into_iter().filter_map(Value::as_str) {
            let positions = self.by_identifier.entry(value.to_owned()).or_default();
            if positions.last() != Some(&position) {
                positions.push(position);
            }
        }
    }
}

/// The resource with the id and the version that the server gives it; the rest of its `meta` stays.
fn stamped(resource: Value, id: &str, number: usize, at: Timestamp) -> Value {
    let Value::Object(mut resource) = resource else { return resource };
    let mut meta = match resource.remove("meta") {
        Some(Value::Object(meta)) => meta,
        _ => Map::new(),
    };
    meta.insert("versionId".to_owned(), json!(number.to_string()));
    meta.insert("lastUpdated".to_owned(), json!(instant(at)));
    resource.insert("id".to_owned(), json!(id));
    resource.insert("meta".to_owned(), Value::Object(meta));
    Value::Object(resource)
}
