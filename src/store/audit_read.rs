//! Reading the audit log, in portions: nothing here holds more than one.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::audit::{ChainKey, key_of, to_mac};
use super::{ROWS_PER_STATEMENT, StoreError, Tx, named, on, padded};
use crate::domain::audit::Chain;
use crate::domain::delivery::Operation;
use crate::domain::ids::{ClinicId, MemberId};
use crate::vault::Mac;

/// An entry as it stands in the database, true or not.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct AuditRow {
    /// The chain's member, or nil.
    pub member_id: Uuid,
    /// The chain's clinic, or nothing.
    pub clinic_id: String,
    /// Its place on the chain.
    pub seq: i64,
    /// When it happened, in microseconds.
    pub at: i64,
    /// Its word.
    pub kind: String,
    /// What happened.
    pub body: String,
    /// Its sealed part.
    pub sealed_body: Option<Vec<u8>>,
    /// Its MAC.
    pub mac: Vec<u8>,
}

/// How far a chain is said to go, true or not.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct AuditHead {
    /// The chain's member, or nil.
    pub member_id: Uuid,
    /// The chain's clinic, or nothing.
    pub clinic_id: String,
    /// The place of its last entry.
    #[sqlx(rename = "head_seq")]
    pub seq: i64,
    /// The MAC of its last entry.
    #[sqlx(rename = "head_last_mac")]
    pub last_mac: Vec<u8>,
    /// When that was written.
    #[sqlx(rename = "head_changed_at")]
    pub changed_at: i64,
    /// The head's own MAC.
    #[sqlx(rename = "head_mac")]
    pub mac: Vec<u8>,
}

/// An entry, and what its chain's head says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeadedRow {
    /// The entry.
    pub entry: AuditRow,
    /// The head, if there is one.
    pub head: Option<AuditHead>,
}

#[derive(sqlx::FromRow)]
struct Joined {
    #[sqlx(flatten)]
    entry: AuditRow,
    head_seq: Option<i64>,
    head_last_mac: Option<Vec<u8>>,
    head_changed_at: Option<i64>,
    head_mac: Option<Vec<u8>>,
}

/// Where an entry stands.
pub type AuditPlace = (ChainKey, i64);

/// Which entries are asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditScope {
    /// About this member only.
    pub member: Option<MemberId>,
    /// About this clinic only.
    pub clinic: Option<ClinicId>,
    /// Not before this.
    pub since: Option<Timestamp>,
}

const ENTRY: &str = "SELECT e.member_id, e.clinic_id, e.seq, e.at, e.kind, e.body, e.sealed_body, e.mac";
const HEAD: &str = "h.seq AS head_seq, h.last_mac AS head_last_mac, h.changed_at AS head_changed_at, h.mac AS head_mac";

impl Tx {
    /// How many entries there should be.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_size(&mut self) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT CAST(COALESCE(SUM(seq), 0) AS BIGINT) FROM audit_heads";
        let size: i64 = on!(self, conn => sqlx::query_scalar(SQL).fetch_one(conn).await?);
        Ok(u64::try_from(size).unwrap_or(0))
    }

    /// Entries after a place, chain by chain, each with the head of its chain.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_headed(&mut self, after: Option<&AuditPlace>, limit: i64) -> Result<Vec<HeadedRow>, StoreError> {
        let rows: Vec<Joined> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(ENTRY);
            query.push(", ").push(HEAD).push(
                " FROM audit_entries e LEFT JOIN audit_heads h \
                 ON h.member_id = e.member_id AND h.clinic_id = e.clinic_id",
            );
            if let Some(((member, clinic), seq)) = after {
                query.push(" WHERE (e.member_id, e.clinic_id, e.seq) > (").push_bind(*member);
                query.push(", ").push_bind(clinic).push(", ").push_bind(*seq).push(")");
            }
            query.push(" ORDER BY e.member_id, e.clinic_id, e.seq LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(rows.into_iter().map(HeadedRow::from).collect())
    }

    /// Heads of chains of which there is no entry.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_bare_heads(&mut self, limit: i64) -> Result<Vec<AuditHead>, StoreError> {
        Ok(on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT h.member_id, h.clinic_id, ");
            query.push(HEAD).push(
                " FROM audit_heads h WHERE NOT EXISTS (SELECT 1 FROM audit_entries e WHERE e.member_id = h.member_id \
                 AND e.clinic_id = h.clinic_id) ORDER BY h.member_id, h.clinic_id LIMIT ",
            );
            query.push_bind(limit).build_query_as().fetch_all(conn).await?
        }))
    }

    /// Heads after a chain that were written at or after `since`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_heads(
        &mut self,
        after: Option<&ChainKey>,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<AuditHead>, StoreError> {
        Ok(on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new("SELECT h.member_id, h.clinic_id, ");
            query.push(HEAD).push(" FROM audit_heads h WHERE h.changed_at >= ").push_bind(since.as_microsecond());
            if let Some((member, clinic)) = after {
                query.push(" AND (h.member_id, h.clinic_id) > (").push_bind(*member);
                query.push(", ").push_bind(clinic).push(")");
            }
            query.push(" ORDER BY h.member_id, h.clinic_id LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        }))
    }

    /// The MACs of the entries at some places, as far as they are there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_macs(&mut self, places: &[AuditPlace]) -> Result<HashMap<AuditPlace, Mac>, StoreError> {
        let mut found = HashMap::with_capacity(places.len());
        for chunk in places.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<(Uuid, String, i64, Vec<u8>)> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "SELECT e.member_id, e.clinic_id, e.seq, e.mac FROM (",
                );
                query.push_values(padded(chunk), |mut row, ((member, clinic), seq)| {
                    row.push_bind(*member).push_bind(clinic).push_bind(*seq);
                });
                query.push(
                    ") AS place CROSS JOIN audit_entries e WHERE e.member_id = place.column1 AND e.clinic_id = place.column2 \
                     AND e.seq = place.column3",
                );
                query.build_query_as().fetch_all(conn).await?
            });
            for (member, clinic, seq, mac) in rows {
                // One that is no MAC is none that was asked for.
                if let Ok(mac) = to_mac(mac) {
                    found.insert(((member, clinic), seq), mac);
                }
            }
        }
        Ok(found)
    }

    /// Entries of one chain after a place on it, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_chain(
        &mut self,
        chain: &Chain,
        after: i64,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let (member, clinic) = key_of(chain);
        Ok(on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(ENTRY);
            query.push(" FROM audit_entries e WHERE e.member_id = ").push_bind(member);
            query.push(" AND e.clinic_id = ").push_bind(&clinic).push(" AND e.seq > ").push_bind(after);
            query.push(" AND e.at >= ").push_bind(since.as_microsecond());
            query.push(" ORDER BY e.seq LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        }))
    }

    /// Entries of one kind on one chain before a place on it, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_of_kind(
        &mut self,
        chain: &Chain,
        kind: &str,
        before: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let (member, clinic) = key_of(chain);
        Ok(on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(ENTRY);
            query.push(" FROM audit_entries e WHERE e.member_id = ").push_bind(member);
            query.push(" AND e.clinic_id = ").push_bind(&clinic).push(" AND e.kind = ").push_bind(kind);
            query.push(" AND e.seq < ").push_bind(before).push(" ORDER BY e.seq DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        }))
    }

    /// Entries after a place, chain by chain.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_entries(
        &mut self,
        scope: &AuditScope,
        after: Option<&AuditPlace>,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        Ok(on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(ENTRY);
            query.push(" FROM audit_entries e WHERE e.seq > 0");
            if let Some(member) = scope.member {
                query.push(" AND e.member_id = ").push_bind(member.0);
            }
            if let Some(clinic) = &scope.clinic {
                query.push(" AND e.clinic_id = ").push_bind(clinic.as_str());
            }
            if let Some(since) = scope.since {
                query.push(" AND e.at >= ").push_bind(since.as_microsecond());
            }
            if let Some(((member, clinic), seq)) = after {
                query.push(" AND (e.member_id, e.clinic_id, e.seq) > (").push_bind(*member);
                query.push(", ").push_bind(clinic).push(", ").push_bind(*seq).push(")");
            }
            query.push(" ORDER BY e.member_id, e.clinic_id, e.seq LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        }))
    }
}

/// Where a page of disclosures ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditCursor {
    /// When its last entry was written, in microseconds.
    pub at: i64,
    /// To which clinic.
    pub clinic: String,
    /// Its place on the chain.
    pub seq: i64,
}

impl Tx {
    /// What clinics have received about a member, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_disclosures(
        &mut self,
        member: MemberId,
        before: Option<&AuditCursor>,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        Ok(on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(ENTRY);
            query.push(" FROM audit_entries e WHERE e.kind = 'disclosure' AND e.member_id = ").push_bind(member.0);
            if let Some(AuditCursor { at, clinic, seq }) = before {
                query.push(" AND (e.at, e.clinic_id, e.seq) < (").push_bind(*at);
                query.push(", ").push_bind(clinic).push(", ").push_bind(*seq).push(")");
            }
            query.push(" ORDER BY e.at DESC, e.clinic_id DESC, e.seq DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        }))
    }

    /// What clinics' staff did with a member's visits, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn audit_of_staff(&mut self, member: MemberId, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        Ok(on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(ENTRY);
            query.push(" FROM audit_entries e WHERE e.kind IN ('staff-saw', 'staff-decided') AND e.member_id = ");
            query.push_bind(member.0).push(" ORDER BY e.at DESC, e.seq DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        }))
    }

    /// What a member's clinics last confirmed of some resources, by the value of the identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_confirmed(
        &mut self,
        member: MemberId,
        identifiers: &[String],
    ) -> Result<HashMap<String, Operation>, StoreError> {
        let mut newest = HashMap::new();
        for chunk in identifiers.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<(String, String)> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(
                    "SELECT identifier, operation FROM outbox WHERE state = 'confirmed' AND member_id = ",
                );
                query.push_bind(member.0).push(" AND identifier IN (");
                let mut list = query.separated(", ");
                for identifier in chunk {
                    list.push_bind(identifier);
                }
                query.push(") ORDER BY seq");
                query.build_query_as().fetch_all(conn).await?
            });
            for (identifier, operation) in rows {
                newest.insert(identifier, named(Operation::from_name(&operation), "an operation it should not")?);
            }
        }
        Ok(newest)
    }
}

impl AuditRow {
    /// On which chain it was written; `None` for one that nobody writes on.
    #[must_use]
    pub fn written_on(&self) -> Option<Chain> {
        let clinic = if self.clinic_id.is_empty() { None } else { Some(self.clinic_id.parse().ok()?) };
        Some(Chain { member: Some(MemberId(self.member_id)).filter(|member| !member.0.is_nil()), clinic })
    }

    /// The columns in which its chain stands.
    #[must_use]
    pub fn chain(&self) -> ChainKey {
        (self.member_id, self.clinic_id.clone())
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> AuditPlace {
        ((self.member_id, self.clinic_id.clone()), self.seq)
    }
}

impl AuditHead {
    /// Which chain's it is.
    #[must_use]
    pub fn chain(&self) -> ChainKey {
        (self.member_id, self.clinic_id.clone())
    }
}

impl From<Joined> for HeadedRow {
    fn from(joined: Joined) -> Self {
        let Joined { entry, head_seq, head_last_mac, head_changed_at, head_mac } = joined;
        let head = match (head_seq, head_last_mac, head_changed_at, head_mac) {
            (Some(seq), Some(last_mac), Some(changed_at), Some(mac)) => Some(AuditHead {
                member_id: entry.member_id,
                clinic_id: entry.clinic_id.clone(),
                seq,
                last_mac,
                changed_at,
                mac,
            }),
            _ => None,
        };
        Self { entry, head }
    }
}
