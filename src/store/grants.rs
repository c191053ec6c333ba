//! Grants: versions are added, never rewritten; only their state changes.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::error::changed;
use super::lanes::LaneKey;
use super::{StoreError, Tx, clinic_id, instant, named, on, padded};
use crate::domain::grant::{Grant, GrantState};
use crate::domain::ids::{ClinicId, GrantId, MemberId};

type Row = (Uuid, Uuid, i32, String, String, String, i64, Option<i64>);

const COLUMNS: &str = "SELECT member_id, grant_id, version, clinic_id, state, terms, created_at, ended_at FROM grants";

/// Whatever changes a grant has its member's readings looked at: what it covered may have to be forgotten, what waited may
/// have to be told. And what the clinic has for them may be looked for, or no longer.
const AT_ONCE: Timestamp = Timestamp::UNIX_EPOCH;

impl Tx {
    /// Adds a version of a grant.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when that version is there already.
    pub async fn insert_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO grants (member_id, grant_id, version, clinic_id, state, terms, created_at, ended_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let terms =
            serde_json::to_string(&grant.terms).map_err(|_| StoreError::Corrupt("terms that cannot be written"))?;
        self.look_after(&[(grant.member, AT_ONCE)]).await?;
        self.look_for_news(&LaneKey { clinic: grant.clinic.clone(), member: grant.member }, AT_ONCE).await?;
        on!(self, conn => sqlx::query(SQL)
            .bind(grant.member.0)
            .bind(grant.id.0)
            .bind(grant.version)
            .bind(grant.clinic.as_str())
            .bind(grant.state.as_str())
            .bind(&terms)
            .bind(grant.created_at.as_microsecond())
            .bind(grant.ended_at.map(Timestamp::as_microsecond))
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Writes a grant's changed state.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when it is no longer in the state it was `from`: somebody else was faster.
    pub async fn update_grant_state(&mut self, grant: &Grant, from: GrantState) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE grants SET state = $4, ended_at = $5 \
                           WHERE member_id = $1 AND grant_id = $2 AND version = $3 AND state = $6";
        self.look_after(&[(grant.member, AT_ONCE)]).await?;
        self.look_for_news(&LaneKey { clinic: grant.clinic.clone(), member: grant.member }, AT_ONCE).await?;
        changed(
            1,
            on!(self, conn => sqlx::query(SQL)
                .bind(grant.member.0)
                .bind(grant.id.0)
                .bind(grant.version)
                .bind(grant.state.as_str())
                .bind(grant.ended_at.map(Timestamp::as_microsecond))
                .bind(from.as_str())
                .execute(conn)
                .await?
                .rows_affected()),
        )
    }

    /// Notes that the time of a living version is over. `false`: that was noted before.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_expiry(&mut self, grant: &Grant, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE grants SET expired_at = $4 WHERE member_id = $1 AND grant_id = $2 AND version = $3 \
                           AND state IN ('active', 'paused') AND expired_at IS NULL";
        let noted = on!(self, conn => sqlx::query(SQL)
            .bind(grant.member.0)
            .bind(grant.id.0)
            .bind(grant.version)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(noted == 1)
    }

    /// The living grants of some members, whom the caller holds ([`Tx::hold_members`]). A grant that cannot be read is
    /// left out: what it says permits nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn living_grants(&mut self, members: &[MemberId]) -> Result<Vec<Grant>, StoreError> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push(" WHERE state IN ('active', 'paused') AND member_id IN (");
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(rows.into_iter().filter_map(readable).collect())
    }

    /// The grants of some members that have ended: what permits telling how they stand, and nothing else. The newest
    /// version of each; one that cannot be read is left out.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn ended_grants(&mut self, members: &[MemberId]) -> Result<Vec<Grant>, StoreError> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push(" WHERE state IN ('superseded', 'revoked') AND NOT EXISTS (SELECT 1 FROM grants later \
                 WHERE later.member_id = grants.member_id AND later.grant_id = grants.grant_id \
                 AND later.version > grants.version) AND member_id IN (");
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        Ok(rows.into_iter().filter_map(readable).collect())
    }

    /// Every version of every grant of a member, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant_history(&mut self, member: MemberId) -> Result<Vec<Grant>, StoreError> {
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push(" WHERE member_id = ").push_bind(member.0).push(" ORDER BY created_at, grant_id, version");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(read).collect()
    }

    /// One version of a grant towards a clinic, whoever gave it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant_at(
        &mut self,
        clinic: &ClinicId,
        grant: GrantId,
        version: i32,
    ) -> Result<Option<Grant>, StoreError> {
        let row: Option<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push(" WHERE clinic_id = ").push_bind(clinic.as_str()).push(" AND grant_id = ").push_bind(grant.0);
            query.push(" AND version = ").push_bind(version);
            query.build_query_as().fetch_optional(conn).await?
        });
        row.map(read).transpose()
    }

    /// The newest version of one grant of a member.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_grant(&mut self, member: MemberId, grant: GrantId) -> Result<Option<Grant>, StoreError> {
        let row: Option<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push(" WHERE member_id = ").push_bind(member.0).push(" AND grant_id = ").push_bind(grant.0);
            query.push(" ORDER BY version DESC LIMIT 1");
            query.build_query_as().fetch_optional(conn).await?
        });
        row.map(read).transpose()
    }
}

fn readable(row: Row) -> Option<Grant> {
    let id = row.1;
    read(row).inspect_err(|error| tracing::error!(grant_id = %id, %error, "a grant cannot be read")).ok()
}

fn read((member, id, version, clinic, state, terms, created_at, ended_at): Row) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: GrantId(id),
        version,
        member: MemberId(member),
        clinic: clinic_id(clinic)?,
        state: named(GrantState::from_name(&state), "a grant state it should not")?,
        terms: serde_json::from_str(&terms).map_err(|_| StoreError::Corrupt("terms of a grant it should not"))?,
        created_at: instant(created_at)?,
        ended_at: ended_at.map(instant).transpose()?,
    })
}
