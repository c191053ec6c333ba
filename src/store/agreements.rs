//! Which rules of their communities members agreed to, and of which they were told.

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, Tx, community_id, instant, on};
use crate::domain::ids::{CommunityId, MemberId};

/// How a member stands to the rules of a community.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AgreementRow {
    /// The version that they agreed to last, and when.
    pub agreed: Option<(String, Timestamp)>,
    /// The version of which they were told last.
    pub told: Option<String>,
    /// What they said when they were told.
    pub told_key: Option<Uuid>,
}

type Row = (Option<String>, Option<i64>, Option<String>, Option<Uuid>);

impl Tx {
    /// How a member stands to the rules of a community.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agreement(&mut self, member: MemberId, community: &CommunityId) -> Result<AgreementRow, StoreError> {
        const SQL: &str = "SELECT agreed_version, agreed_at, told_version, told_key FROM agreements \
                           WHERE member_id = $1 AND community_id = $2";
        let row: Option<Row> = on!(self, conn => sqlx::query_as(SQL)
            .bind(member.0)
            .bind(community.as_str())
            .fetch_optional(conn)
            .await?);
        let Some((version, at, told, told_key)) = row else { return Ok(AgreementRow::default()) };
        Ok(AgreementRow { agreed: version.zip(at.map(instant).transpose()?), told, told_key })
    }

    /// Notes that a member agreed to a version: so they know of it, too.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_agreed(
        &mut self,
        member: MemberId,
        community: &CommunityId,
        version: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO agreements (member_id, community_id, agreed_version, agreed_at, told_version) \
             VALUES ($1, $2, $3, $4, $3) ON CONFLICT (member_id, community_id) DO UPDATE SET \
             agreed_version = excluded.agreed_version, agreed_at = excluded.agreed_at, told_version = excluded.told_version";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(community.as_str())
            .bind(version)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Notes that a member was told of a version, and in answer to what.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_told_of_rules(
        &mut self,
        member: MemberId,
        community: &CommunityId,
        version: &str,
        key: Option<Uuid>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO agreements (member_id, community_id, told_version, told_key) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (member_id, community_id) DO UPDATE SET \
             told_version = excluded.told_version, told_key = excluded.told_key";
        on!(self, conn => sqlx::query(SQL)
            .bind(member.0)
            .bind(community.as_str())
            .bind(version)
            .bind(key)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// What a member agreed to, by community: which version, and when.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agreements_of(
        &mut self,
        member: MemberId,
    ) -> Result<Vec<(CommunityId, String, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT community_id, agreed_version, agreed_at FROM agreements \
                           WHERE member_id = $1 AND agreed_at IS NOT NULL ORDER BY community_id";
        let rows: Vec<(String, String, i64)> =
            on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter().map(|(community, version, at)| Ok((community_id(community)?, version, instant(at)?))).collect()
    }
}
