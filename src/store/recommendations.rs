//! What clinics have for members, still sealed.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::error::changed;
use super::{StoreError, Tx, clinic_id, instant, named, on};
use crate::domain::ids::{ClinicId, MemberId, RecommendationId};
use crate::domain::recommendation::{RecommendationKind, RecommendationState};
use crate::vault::Index;

/// Something for a member, of which everything can be read but what it says.
#[derive(Clone, Debug)]
pub struct SealedRecommendation {
    /// For whom.
    pub member: MemberId,
    /// Which.
    pub id: RecommendationId,
    /// From which clinic.
    pub clinic: ClinicId,
    /// As what it stands in the EHR.
    pub kind: RecommendationKind,
    /// What became of it.
    pub state: RecommendationState,
    /// What it says, sealed with the member's key; `None` once it was retracted.
    pub sealed: Option<Vec<u8>>,
    /// The version that was taken.
    pub version: EhrVersion,
    /// When that came in.
    pub received_at: Timestamp,
    /// When anything about it last changed here.
    pub updated_at: Timestamp,
}

/// A version of a resource, as its EHR tells it apart.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct EhrVersion {
    /// What the EHR calls it, if it does.
    pub id: Option<String>,
    /// When it was made, by the EHR's clock.
    pub updated_at: Option<Timestamp>,
}

/// Under what a resource of an EHR is found again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceIndexes {
    /// Its own keyed index.
    pub own: Index,
    /// That of what it asks to do.
    pub focus: Option<Index>,
}

#[derive(sqlx::FromRow)]
struct Row {
    member_id: Uuid,
    recommendation_id: Uuid,
    clinic_id: String,
    ehr_version: Option<String>,
    ehr_updated_at: Option<i64>,
    kind: String,
    state: String,
    sealed_recommendation: Option<Vec<u8>>,
    received_at: i64,
    updated_at: i64,
}

/// The columns of [`Row`].
macro_rules! row {
    () => {
        "SELECT r.member_id, r.recommendation_id, r.clinic_id, r.ehr_version, r.ehr_updated_at, r.kind, r.state, \
         r.sealed_recommendation, r.received_at, r.updated_at FROM recommendations r "
    };
}

/// What a Task asks to do is not told beside it, as long as the Task stands.
macro_rules! told {
    () => {
        "NOT EXISTS (SELECT 1 FROM recommendations t WHERE t.member_id = r.member_id AND t.clinic_id = r.clinic_id \
         AND t.focus_index = r.resource_index AND t.state <> 'retracted')"
    };
}

impl Tx {
    /// Keeps something for a member, in the place of its earlier version.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_recommendation(
        &mut self,
        row: &SealedRecommendation,
        indexes: ResourceIndexes,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO recommendations (member_id, recommendation_id, clinic_id, resource_index, \
             focus_index, ehr_version, ehr_updated_at, kind, state, sealed_recommendation, received_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (member_id, recommendation_id) DO UPDATE SET focus_index = excluded.focus_index, \
             ehr_version = excluded.ehr_version, ehr_updated_at = excluded.ehr_updated_at, kind = excluded.kind, \
             state = excluded.state, sealed_recommendation = excluded.sealed_recommendation, \
             received_at = excluded.received_at, updated_at = excluded.updated_at";
        on!(self, conn => sqlx::query(SQL)
            .bind(row.member.0)
            .bind(row.id.0)
            .bind(row.clinic.as_str())
            .bind(&indexes.own[..])
            .bind(indexes.focus.as_ref().map(|focus| &focus[..]))
            .bind(&row.version.id)
            .bind(row.version.updated_at.map(Timestamp::as_microsecond))
            .bind(row.kind.as_str())
            .bind(row.state.as_str())
            .bind(&row.sealed)
            .bind(row.received_at.as_microsecond())
            .bind(row.updated_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Something for a member.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recommendation(
        &mut self,
        member: MemberId,
        id: RecommendationId,
    ) -> Result<Option<SealedRecommendation>, StoreError> {
        const SQL: &str = concat!(row!(), "WHERE r.member_id = $1 AND r.recommendation_id = $2");
        let row: Option<Row> =
            on!(self, conn => sqlx::query_as(SQL).bind(member.0).bind(id.0).fetch_optional(conn).await?);
        row.map(read).transpose()
    }

    /// What clinics have for a member, the newest first: at most so many, after that one if it is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recommendations(
        &mut self,
        member: MemberId,
        after: Option<(Timestamp, RecommendationId)>,
        limit: i64,
    ) -> Result<Vec<SealedRecommendation>, StoreError> {
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(concat!(row!(), "WHERE ", told!(), " AND r.member_id = "));
            query.push_bind(member.0);
            if let Some((at, id)) = after {
                query.push(" AND (r.received_at, r.recommendation_id) < (").push_bind(at.as_microsecond());
                query.push(", ").push_bind(id.0).push(")");
            }
            query.push(" ORDER BY r.received_at DESC, r.recommendation_id DESC LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(read).collect()
    }

    /// What was made of a resource of a clinic's EHR, whoever it is for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recommendations_of_resource(
        &mut self,
        clinic: &ClinicId,
        resource: Index,
    ) -> Result<Vec<SealedRecommendation>, StoreError> {
        const SQL: &str = concat!(
            row!(),
            "WHERE r.clinic_id = $1 AND r.resource_index = $2 ORDER BY r.member_id, r.recommendation_id"
        );
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL)
            .bind(clinic.as_str())
            .bind(&resource[..])
            .fetch_all(conn)
            .await?);
        rows.into_iter().map(read).collect()
    }

    /// What is kept for a member that asks to do what stands in a resource of the clinic's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recommendations_about(
        &mut self,
        member: MemberId,
        clinic: &ClinicId,
        resource: Index,
    ) -> Result<Vec<SealedRecommendation>, StoreError> {
        const SQL: &str = concat!(
            row!(),
            "WHERE r.member_id = $1 AND r.clinic_id = $2 AND r.focus_index = $3 AND r.state <> 'retracted' \
             ORDER BY r.recommendation_id"
        );
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL)
            .bind(member.0)
            .bind(clinic.as_str())
            .bind(&resource[..])
            .fetch_all(conn)
            .await?);
        rows.into_iter().map(read).collect()
    }

    /// What came in and its member was told nothing of, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn undelivered_recommendations(&mut self, limit: i64) -> Result<Vec<SealedRecommendation>, StoreError> {
        const SQL: &str = concat!(
            row!(),
            "WHERE r.state = 'received' AND ",
            told!(),
            " ORDER BY r.received_at, r.member_id LIMIT $1"
        );
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL).bind(limit).fetch_all(conn).await?);
        rows.into_iter().map(read).collect()
    }

    /// Something for a member stands elsewhere now. What was retracted keeps nothing of what it said.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when it does not stand where it stood.
    pub async fn set_recommendation_state(
        &mut self,
        row: &SealedRecommendation,
        to: RecommendationState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE recommendations SET state = $4, updated_at = $5, sealed_recommendation = \
             CASE WHEN $4 = 'retracted' THEN NULL ELSE sealed_recommendation END \
             WHERE member_id = $1 AND recommendation_id = $2 AND state = $3";
        let updated = on!(self, conn => sqlx::query(SQL)
            .bind(row.member.0)
            .bind(row.id.0)
            .bind(row.state.as_str())
            .bind(to.as_str())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, updated)
    }

    /// Notes which version of something was taken last.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when there is no such row.
    pub async fn set_recommendation_version(&mut self, row: &SealedRecommendation) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE recommendations SET ehr_version = $3, ehr_updated_at = $4 \
                           WHERE member_id = $1 AND recommendation_id = $2";
        let updated = on!(self, conn => sqlx::query(SQL)
            .bind(row.member.0)
            .bind(row.id.0)
            .bind(&row.version.id)
            .bind(row.version.updated_at.map(Timestamp::as_microsecond))
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, updated)
    }

    /// Forgets everything that a clinic has for a member, and their answers. Returns how much it was.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_recommendations(&mut self, member: MemberId, clinic: &ClinicId) -> Result<u64, StoreError> {
        const ANSWERS: &str = "DELETE FROM recommendation_answers WHERE member_id = $1 AND recommendation_id IN \
             (SELECT recommendation_id FROM recommendations WHERE member_id = $1 AND clinic_id = $2)";
        const SQL: &str = "DELETE FROM recommendations WHERE member_id = $1 AND clinic_id = $2";
        let mut forgotten = 0;
        for sql in [ANSWERS, SQL] {
            forgotten = on!(self, conn => sqlx::query(sql)
                .bind(member.0)
                .bind(clinic.as_str())
                .execute(conn)
                .await?
                .rows_affected());
        }
        Ok(forgotten)
    }
}

fn read(row: Row) -> Result<SealedRecommendation, StoreError> {
    Ok(SealedRecommendation {
        member: MemberId(row.member_id),
        id: RecommendationId(row.recommendation_id),
        clinic: clinic_id(row.clinic_id)?,
        kind: named(RecommendationKind::from_name(&row.kind), "a kind of recommendation it should not")?,
        state: named(RecommendationState::from_name(&row.state), "a state of a recommendation it should not")?,
        sealed: row.sealed_recommendation,
        version: EhrVersion { id: row.ehr_version, updated_at: row.ehr_updated_at.map(instant).transpose()? },
        received_at: instant(row.received_at)?,
        updated_at: instant(row.updated_at)?,
    })
}
