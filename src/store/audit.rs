//! Writing the audit log: what a transaction has to say is gathered while it runs, and written when it commits.
//!
//! So every entry stands or falls with what it tells of, the chains are locked last of all and for the shortest time,
//! and a transaction takes three statements for its entries, however many there are.

use std::collections::{BTreeMap, HashMap};

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::error::changed;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, on, padded};
use crate::domain::audit::{Chain, ChainBegun, ChainTampered, Entry, Event, hex};
use crate::vault::{AuditKey, Covered, Mac, NO_MAC};

/// The columns in which a chain stands.
pub type ChainKey = (Uuid, String);

/// How far a chain goes.
#[derive(Clone, Copy)]
struct Head {
    seq: i64,
    last: Mac,
    changed_at: i64,
    /// The head's own MAC.
    mac: Mac,
}

type HeadRow = (Uuid, String, i64, Vec<u8>, i64, Vec<u8>);

/// An entry as it is stored.
struct Row {
    chain: ChainKey,
    seq: i64,
    at: i64,
    kind: &'static str,
    body: String,
    sealed: Option<Vec<u8>>,
    mac: Mac,
}

/// What one transaction adds.
struct Batch {
    key: AuditKey,
    heads: HashMap<ChainKey, Head>,
    rows: Vec<Row>,
}

impl Tx {
    /// Notes something for the audit log. It is written when the transaction commits, and never if it does not.
    pub fn record(&mut self, chain: Chain, at: jiff::Timestamp, event: Event) {
        self.record_entry(Entry::new(chain, at, event));
    }

    /// The same, with a part that is sealed ([`Entry::sealed_row`]).
    pub fn record_entry(&mut self, entry: Entry) {
        self.pending.push(entry);
    }

    /// The wrapped audit key of this database, if it has one yet.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_key(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT sealed_key FROM data_keys WHERE name = 'audit'";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).fetch_optional(conn).await?))
    }

    /// Stores the wrapped audit key, unless another process was first. Returns whether it was stored.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert_audit_key(&mut self, sealed_key: &[u8]) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO data_keys (name, sealed_key) VALUES ('audit', $1) ON CONFLICT DO NOTHING";
        let stored = on!(self, conn => sqlx::query(SQL).bind(sealed_key).execute(conn).await?.rows_affected());
        Ok(stored == 1)
    }

    /// Writes what was noted.
    pub(super) async fn write_audit(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let key = self.audit_key.get().cloned().ok_or(StoreError::NoAuditKey)?;
        let mut by_chain: BTreeMap<ChainKey, Vec<Entry>> = BTreeMap::new();
        for entry in std::mem::take(&mut self.pending) {
            by_chain.entry(key_of(&entry.chain)).or_default().push(entry);
        }
        // The house comes last, for everybody: what is found on other chains is written there.
        let for_house = by_chain.remove(&house());
        let mut wanted: Vec<ChainKey> = by_chain.keys().cloned().collect();
        wanted.extend(for_house.is_some().then(house));
        let mut batch = Batch { key, heads: self.lock_heads(&wanted).await?, rows: Vec::new() };
        let mut found: Vec<Entry> = Vec::new();
        for (chain, entries) in by_chain {
            found.extend(batch.append(&chain, entries)?);
        }
        found.extend(for_house.into_iter().flatten());
        if !found.is_empty() {
            if !batch.heads.contains_key(&house()) {
                batch.heads.extend(self.lock_heads(&[house()]).await?);
            }
            if let Some(of_itself) = batch.append(&house(), found)? {
                batch.append(&house(), vec![of_itself])?;
            }
        }
        self.insert_entries(&batch.rows).await?;
        self.update_heads(&batch).await
    }

    /// Locks chains until the transaction ends, in the given order, and says how far they go. One that is not there yet
    /// begins.
    async fn lock_heads(&mut self, chains: &[ChainKey]) -> Result<HashMap<ChainKey, Head>, StoreError> {
        let mut heads = HashMap::with_capacity(chains.len());
        for chunk in chains.chunks(ROWS_PER_STATEMENT) {
            let places: Vec<(i64, &ChainKey)> = (0..).zip(chunk).collect();
            let rows: Vec<HeadRow> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO audit_heads (member_id, clinic_id, seq, last_mac, changed_at, mac) \
                     SELECT column1, column2, 0, ",
                );
                query.push_bind(&NO_MAC[..]).push(", 0, ").push_bind(&NO_MAC[..]);
                query.push(" FROM (SELECT DISTINCT * FROM (");
                query.push_values(padded(&places), |mut row, (place, (member, clinic))| {
                    row.push_bind(*member).push_bind(clinic).push_bind(*place);
                });
                // Written as it is: that locks it, and says how far it goes, in one statement and in this order.
                query.push(
                    ") AS wanted) AS chains WHERE true ORDER BY column3 ON CONFLICT (member_id, clinic_id) \
                     DO UPDATE SET seq = audit_heads.seq \
                     RETURNING member_id, clinic_id, seq, last_mac, changed_at, mac",
                );
                query.build_query_as().fetch_all(conn).await?
            });
            for (member, clinic, seq, last, changed_at, mac) in rows {
                heads.insert((member, clinic), Head { seq, last: to_mac(last)?, changed_at, mac: to_mac(mac)? });
            }
        }
        Ok(heads)
    }

    async fn insert_entries(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for chunk in rows.chunks(ROWS_PER_STATEMENT) {
            let inserted = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "INSERT INTO audit_entries (member_id, clinic_id, seq, at, kind, body, sealed_body, mac) ",
                );
                query.push_values(padded(chunk), |mut values, row| {
                    values
                        .push_bind(row.chain.0)
                        .push_bind(&row.chain.1)
                        .push_bind(row.seq)
                        .push_bind(row.at)
                        .push_bind(row.kind)
                        .push_bind(&row.body)
                        .push_bind(&row.sealed)
                        .push_bind(&row.mac[..]);
                });
                // The last row stands there several times: how many are new is counted instead.
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(conn).await?.rows_affected()
            });
            changed(chunk.len() as u64, inserted)?;
        }
        Ok(())
    }

    async fn update_heads(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let heads: Vec<(&ChainKey, &Head)> = batch.heads.iter().collect();
        for chunk in heads.chunks(ROWS_PER_STATEMENT) {
            let updated = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("WITH head AS (");
                query.push_values(padded(chunk), |mut row, (chain, head)| {
                    row.push_bind(chain.0)
                        .push_bind(&chain.1)
                        .push_bind(head.seq)
                        .push_bind(head.last.to_vec())
                        .push_bind(head.changed_at)
                        .push_bind(head.mac.to_vec());
                });
                query.push(
                    ") UPDATE audit_heads SET (seq, last_mac, changed_at, mac) = (SELECT column3, column4, column5, column6 \
                     FROM head WHERE column1 = audit_heads.member_id AND column2 = audit_heads.clinic_id LIMIT 1) \
                     WHERE (member_id, clinic_id) IN (SELECT column1, column2 FROM head)",
                );
                query.build().execute(conn).await?.rows_affected()
            });
            changed(chunk.len() as u64, updated)?;
        }
        Ok(())
    }
}

impl Batch {
    /// Puts entries at the end of their chain. Returns what the house has to know of the chain: that it begins, or that
    /// somebody changed how far it goes. Such a chain goes on, because work must; but the change stays known, although
    /// the head is in order again.
    fn append(&mut self, chain: &ChainKey, entries: Vec<Entry>) -> Result<Option<Entry>, StoreError> {
        let before = *self.heads.get(chain).ok_or(StoreError::Corrupt("no chain that was just locked"))?;
        let (mut head, mut first) = (before, None);
        for Entry { chain: on, at, event, sealed } in entries {
            let body = event.to_json().map_err(|_| StoreError::Corrupt("an entry that cannot be written"))?;
            let (micros, kind, seq) = (at.as_microsecond(), event.kind(), head.seq + 1);
            let mac = self.key.entry(&Covered {
                member: chain.0,
                clinic: &chain.1,
                seq,
                before: &head.last,
                at: micros,
                kind,
                body: &body,
                sealed: sealed.as_deref(),
            });
            self.rows.push(Row { chain: chain.clone(), seq, at: micros, kind, body, sealed, mac });
            head = Head { seq, last: mac, changed_at: head.changed_at.max(micros), mac: NO_MAC };
            head.mac = self.head_mac(chain, &head);
            first.get_or_insert((on, at, mac));
        }
        self.heads.insert(chain.clone(), head);
        Ok(first.and_then(|(on, at, mac)| self.word_about(chain, &before, on, &mac, at)))
    }

    /// What the house has to know of a chain that stood at `before` when something was added to it.
    fn word_about(
        &self,
        chain: &ChainKey,
        before: &Head,
        Chain { member, clinic }: Chain,
        first: &Mac,
        at: jiff::Timestamp,
    ) -> Option<Entry> {
        let is_new = before.seq == 0 && before.last == NO_MAC;
        let event = if is_new && *chain == house() {
            return None;
        } else if is_new {
            Event::ChainBegun(ChainBegun { member, clinic, first: hex(first) })
        } else if before.mac != self.head_mac(chain, before) {
            tracing::error!("the audit log was tampered with: run `mostik audit verify`");
            Event::ChainTampered(ChainTampered { member, clinic, seq: before.seq })
        } else {
            return None;
        };
        Some(Entry::new(Chain::HOUSE, at, event))
    }

    fn head_mac(&self, (member, clinic): &ChainKey, head: &Head) -> Mac {
        self.key.head(*member, clinic, head.seq, &head.last, head.changed_at)
    }
}

/// The chain of the house.
fn house() -> ChainKey {
    key_of(&Chain::HOUSE)
}

/// How a chain is stored.
#[must_use]
pub fn key_of(chain: &Chain) -> ChainKey {
    let clinic = chain.clinic.as_ref().map_or("", |clinic| clinic.as_str());
    (chain.member.map_or(Uuid::nil(), |member| member.0), clinic.to_owned())
}

/// A MAC in a column.
pub(super) fn to_mac(bytes: Vec<u8>) -> Result<Mac, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("a MAC of another length"))
}
