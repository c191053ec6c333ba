//! Everything of one member, table by table: deleted for good.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, QueryBuilder};
use uuid::Uuid;

use super::pool::Pools;
use super::{ROWS_PER_STATEMENT, Store, StoreError, Tx, on};
use crate::domain::ids::{ClinicId, MemberId};

/// Every table with rows of members, in the order in which they are locked everywhere; `members` itself comes last. A
/// test fails when the schema has one that stands neither here nor in [`KEPT_TABLES`].
pub const MEMBER_TABLES: [&str; 38] = [
    "events",
    "lanes",
    "outbox",
    "handles",
    "links",
    "former_links",
    "join_codes",
    "launches",
    "link_attempts",
    "member_tokens",
    "grants",
    "ledger",
    "patient_tokens",
    "member_settings",
    "readings",
    "unsummarised",
    "summaries",
    "pages",
    "upkeep",
    "consent_records",
    "sessions",
    "identities",
    "agreements",
    "questionnaire_drafts",
    "chat_drafts",
    "talks",
    "concern_tellings",
    "concerns",
    "warnings",
    "recommendations",
    "recommendation_answers",
    "tellings",
    "push_subscriptions",
    "way_back",
    "subscriptions",
    "news",
    "bookings",
    "calendar_feeds",
];

/// Tables that name members and are kept when they are erased, each with the reason.
pub const KEPT_TABLES: [(&str, &str); 3] = [
    ("erasures", "that they were erased, and the certificate; nothing personal but the opaque id"),
    ("audit_entries", "a chain that nobody can cut out of unnoticed; what is personal there opens no more"),
    ("audit_heads", "how far these chains go"),
];

/// What one clinic was sent of a member, and what is still open with it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sent {
    /// Resources that stand in its EHR.
    pub written: i64,
    /// Items that a desk still has something to do with.
    pub open: i64,
}

impl Tx {
    /// Makes this transaction the only one that has to do with a member at all, until it ends, and returns their wrapped
    /// key. `None`: there is no such member, or no longer.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn lock_member_for_good(&mut self, member: MemberId) -> Result<Option<Vec<u8>>, StoreError> {
        const SQLITE: &str = "SELECT sealed_key FROM members WHERE member_id = $1";
        const POSTGRES: &str = "SELECT sealed_key FROM members WHERE member_id = $1 FOR UPDATE";
        let sql = self.pick(SQLITE, POSTGRES);
        Ok(on!(self, conn => sqlx::query_scalar(sql).bind(member.0).fetch_optional(conn).await?))
    }

    /// Deletes everything of a member, their key included. Returns how many rows there were in each table that had some.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn wipe_member(&mut self, member: MemberId) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        let mut counts = BTreeMap::new();
        for table in MEMBER_TABLES.into_iter().chain(["members"]) {
            let sql = format!("DELETE FROM {table} WHERE member_id = $1");
            let rows =
                on!(self, conn => sqlx::query(AssertSqlSafe(sql)).bind(member.0).execute(conn).await?.rows_affected());
            if rows > 0 {
                counts.insert(table, rows);
            }
        }
        Ok(counts)
    }

    /// What each clinic was sent of a member, and what is still open with it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sent_of(&mut self, member: MemberId) -> Result<BTreeMap<ClinicId, Sent>, StoreError> {
        const WRITTEN: &str = "SELECT clinic_id, COUNT(*) FROM ledger WHERE member_id = $1 GROUP BY clinic_id";
        // What the lane's mark says is withdrawn may not have been swept yet.
        const OPEN: &str = "SELECT o.clinic_id, COUNT(*) FROM outbox o JOIN lanes l ON l.clinic_id = o.clinic_id \
             AND l.member_id = o.member_id WHERE o.member_id = $1 AND (o.state IN ('sending', 'unknown') \
             OR (o.state IN ('ready', 'retry') AND o.seq > l.withdrawn_through)) GROUP BY o.clinic_id";
        let mut sent: BTreeMap<ClinicId, Sent> = BTreeMap::new();
        let written: Vec<(String, i64)> =
            on!(self, conn => sqlx::query_as(WRITTEN).bind(member.0).fetch_all(conn).await?);
        for (clinic, count) in written {
            sent.entry(super::clinic_id(clinic)?).or_default().written = count;
        }
        let open: Vec<(String, i64)> = on!(self, conn => sqlx::query_as(OPEN).bind(member.0).fetch_all(conn).await?);
        for (clinic, count) in open {
            sent.entry(super::clinic_id(clinic)?).or_default().open = count;
        }
        Ok(sent)
    }

    /// Those of some members who are there.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn members_among(&mut self, members: &[MemberId]) -> Result<Vec<MemberId>, StoreError> {
        let mut found = Vec::new();
        for chunk in members.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<(Uuid,)> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new("SELECT member_id FROM members WHERE member_id IN (");
                let mut list = query.separated(", ");
                for member in chunk {
                    list.push_bind(member.0);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(|(member,)| MemberId(member)));
        }
        Ok(found)
    }
}

impl Store {
    /// Gets rid of what deleted rows leave behind in SQLite's log. (In its file, what is deleted is overwritten:
    /// `secure_delete`.) Whoever reads meanwhile keeps it there for a while longer; so nothing depends on it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn truncate_log(&self) -> Result<(), StoreError> {
        if let Pools::Sqlite { backfill, .. } = &self.pools {
            backfill.truncate().await?;
        }
        Ok(())
    }
}
