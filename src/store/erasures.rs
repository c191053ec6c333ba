//! Erasures: what members asked for, and what is left of those who were erased.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::error::changed;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, instant, named, on};
use crate::domain::consented::Method;
use crate::domain::ids::{ErasureId, MemberId};
use crate::vault::Index;

/// Where an erasure stands: `requested → upstream → erased`, or `cancelled` while it is only requested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErasureState {
    /// Asked for; the grace is not over.
    Requested,
    /// Begun: consent is ended, and what clinics are still told is waited for.
    Upstream,
    /// Done.
    Erased,
    /// Called off by the member.
    Cancelled,
}

/// An erasure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Erasure {
    /// Which.
    pub id: ErasureId,
    /// Of whom.
    pub member: MemberId,
    /// Where it stands.
    pub state: ErasureState,
    /// Whether clinics are asked to mark what they were sent as entered in error.
    pub ask_clinics: bool,
    /// Through what it was asked for; `None` where only the list outside the database knows of it.
    pub method: Option<Method>,
    /// Keyed index of the secret under which the certificate is had.
    pub certificate_index: Index,
    /// That secret, sealed with the member's key; `None` once they are erased.
    pub sealed_secret: Option<Vec<u8>>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it is looked at next: at first, the end of the grace.
    pub due_at: Timestamp,
    /// How long clinics are waited for.
    pub upstream_until: Option<Timestamp>,
    /// When it was done, or called off.
    pub ended_at: Option<Timestamp>,
    /// What was erased: a JWS, or JSON where nothing could sign.
    pub certificate: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    erasure_id: Uuid,
    member_id: Uuid,
    state: String,
    ask_clinics: bool,
    method: Option<String>,
    certificate_index: Vec<u8>,
    sealed_secret: Option<Vec<u8>>,
    requested_at: i64,
    due_at: i64,
    upstream_until: Option<i64>,
    ended_at: Option<i64>,
    certificate: Option<String>,
}

const COLUMNS: &str = "SELECT erasure_id, member_id, state, ask_clinics, method, certificate_index, sealed_secret, \
                       requested_at, due_at, upstream_until, ended_at, certificate FROM erasures WHERE ";

impl ErasureState {
    const ALL: [Self; 4] = [Self::Requested, Self::Upstream, Self::Erased, Self::Cancelled];

    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Upstream => "upstream",
            Self::Erased => "erased",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl Tx {
    /// Adds an erasure.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of the same member is under way.
    pub async fn insert_erasure(&mut self, erasure: &Erasure) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO erasures (erasure_id, member_id, state, ask_clinics, method, certificate_index, \
             sealed_secret, requested_at, due_at, upstream_until, ended_at, certificate) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        on!(self, conn => sqlx::query(SQL)
            .bind(erasure.id.0)
            .bind(erasure.member.0)
            .bind(erasure.state.as_str())
            .bind(erasure.ask_clinics)
            .bind(erasure.method.map(Method::as_str))
            .bind(&erasure.certificate_index[..])
            .bind(&erasure.sealed_secret)
            .bind(erasure.requested_at.as_microsecond())
            .bind(erasure.due_at.as_microsecond())
            .bind(erasure.upstream_until.map(Timestamp::as_microsecond))
            .bind(erasure.ended_at.map(Timestamp::as_microsecond))
            .bind(&erasure.certificate)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Writes what became of an erasure. The caller holds the member, or is the only one who writes.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when there is none with its id.
    pub async fn update_erasure(&mut self, erasure: &Erasure) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE erasures SET state = $2, sealed_secret = $3, due_at = $4, upstream_until = $5, \
             ended_at = $6, certificate = $7 WHERE erasure_id = $1";
        changed(
            1,
            on!(self, conn => sqlx::query(SQL)
                .bind(erasure.id.0)
                .bind(erasure.state.as_str())
                .bind(&erasure.sealed_secret)
                .bind(erasure.due_at.as_microsecond())
                .bind(erasure.upstream_until.map(Timestamp::as_microsecond))
                .bind(erasure.ended_at.map(Timestamp::as_microsecond))
                .bind(&erasure.certificate)
                .execute(conn)
                .await?
                .rows_affected()),
        )
    }

    /// Writes an erasure as it is known from outside of this database, whether the database knows it or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_erasure(&mut self, erasure: &Erasure) -> Result<(), StoreError> {
        match self.update_erasure(erasure).await {
            Err(StoreError::RowCount { .. }) => self.insert_erasure(erasure).await,
            other => other,
        }
    }

    /// Those of some erasures that are done, as far as this database knows.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn erased_among(&mut self, erasures: &[ErasureId]) -> Result<BTreeSet<ErasureId>, StoreError> {
        let mut done = BTreeSet::new();
        for chunk in erasures.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<(Uuid,)> = on!(self, conn: Db => {
                let mut query =
                    QueryBuilder::<Db>::new("SELECT erasure_id FROM erasures WHERE state = 'erased' AND erasure_id IN (");
                let mut list = query.separated(", ");
                for erasure in chunk {
                    list.push_bind(erasure.0);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            done.extend(rows.into_iter().map(|(id,)| ErasureId(id)));
        }
        Ok(done)
    }

    /// The erasure of a member that is under way.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn living_erasure(&mut self, member: MemberId) -> Result<Option<Erasure>, StoreError> {
        let row: Option<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push("state IN ('requested', 'upstream') AND member_id = ").push_bind(member.0);
            query.build_query_as().fetch_optional(conn).await?
        });
        row.map(read).transpose()
    }

    /// An erasure by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erasure(&mut self, id: ErasureId) -> Result<Option<Erasure>, StoreError> {
        let row: Option<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push("erasure_id = ").push_bind(id.0);
            query.build_query_as().fetch_optional(conn).await?
        });
        row.map(read).transpose()
    }

    /// An erasure by the keyed index of the secret under which its certificate is had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erasure_by_certificate(&mut self, index: Index) -> Result<Option<Erasure>, StoreError> {
        let row: Option<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push("certificate_index = ").push_bind(index.to_vec());
            query.build_query_as().fetch_optional(conn).await?
        });
        row.map(read).transpose()
    }

    /// The erasure under way that is to be looked at first, if the time for it has come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_erasure(&mut self, now: Timestamp) -> Result<Option<Erasure>, StoreError> {
        let row: Option<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push("state IN ('requested', 'upstream') AND due_at <= ").push_bind(now.as_microsecond());
            query.push(" ORDER BY due_at, erasure_id LIMIT 1");
            query.build_query_as().fetch_optional(conn).await?
        });
        row.map(read).transpose()
    }

    /// Every erasure that was asked for since `since`, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erasures_since(&mut self, since: Timestamp) -> Result<Vec<Erasure>, StoreError> {
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push("requested_at >= ").push_bind(since.as_microsecond()).push(" ORDER BY requested_at DESC");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(read).collect()
    }

    /// The erasures that were done at or after `since`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erased_since(&mut self, since: Timestamp) -> Result<Vec<Erasure>, StoreError> {
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push("state = 'erased' AND ended_at >= ").push_bind(since.as_microsecond()).push(" ORDER BY ended_at");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(read).collect()
    }
}

fn read(row: Row) -> Result<Erasure, StoreError> {
    Ok(Erasure {
        id: ErasureId(row.erasure_id),
        member: MemberId(row.member_id),
        state: named(ErasureState::from_name(&row.state), "a state of an erasure it should not")?,
        ask_clinics: row.ask_clinics,
        method: row.method.map(|name| named(Method::from_name(&name), "a method it should not")).transpose()?,
        certificate_index: super::events::to_index(row.certificate_index)?,
        sealed_secret: row.sealed_secret,
        requested_at: instant(row.requested_at)?,
        due_at: instant(row.due_at)?,
        upstream_until: row.upstream_until.map(instant).transpose()?,
        ended_at: row.ended_at.map(instant).transpose()?,
        certificate: row.certificate,
    })
}
