//! What is said in rooms of communities: what is due, what was said. What it is about, only its id knows.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{ROWS_PER_STATEMENT, StoreError, Tx, community_id, on};
use crate::domain::ids::CommunityId;

/// Something that is due to be said in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueAnnouncement {
    /// The same however often it is tried.
    pub id: Uuid,
    /// In which community.
    pub community: CommunityId,
    /// How often it was tried in vain.
    pub attempts: i32,
    /// When it is seen again: whoever has it in hand says so when they are done.
    pub again_at: Timestamp,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnnouncementFate {
    /// It was said.
    Said(Timestamp),
    /// It was tried in vain so often, and is tried again then; or never.
    Again(i32, Option<Timestamp>),
    /// There is nothing to be said any more.
    Over,
}

impl Tx {
    /// Notes that these are to be said in a community, now. Those that are known stay as they are.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert_announcements(
        &mut self,
        all: &[(Uuid, CommunityId)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for chunk in all.chunks(ROWS_PER_STATEMENT) {
            on!(self, conn: Db => {
                let head = "INSERT INTO announcements (announcement_id, community_id, attempts, due_at, created_at) ";
                let mut query = QueryBuilder::<Db>::new(head);
                query.push_values(chunk, |mut row, (id, community)| {
                    row.push_bind(*id).push_bind(community.as_str()).push("0");
                    row.push_bind(now.as_microsecond()).push_bind(now.as_microsecond());
                });
                query.push(" ON CONFLICT DO NOTHING").build().execute(conn).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// Which of these are known.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn announcements_among(&mut self, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        let mut found = Vec::new();
        for chunk in ids.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<(Uuid,)> = on!(self, conn: Db => {
                let head = "SELECT announcement_id FROM announcements WHERE announcement_id IN (";
                let mut query = QueryBuilder::<Db>::new(head);
                let mut list = query.separated(", ");
                for id in chunk {
                    list.push_bind(*id);
                }
                query.push(")");
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows.into_iter().map(|(id,)| id));
        }
        Ok(found)
    }

    /// Takes one up that is due, so that nobody else does before `again_at`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_announcement(
        &mut self,
        again_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<DueAnnouncement>, StoreError> {
        const SQLITE: &str = "UPDATE announcements SET due_at = $1 WHERE announcement_id IN \
            (SELECT announcement_id FROM announcements WHERE due_at <= $2 ORDER BY due_at LIMIT 1) \
            RETURNING announcement_id, community_id, attempts";
        const POSTGRES: &str = "UPDATE announcements SET due_at = $1 WHERE announcement_id IN \
            (SELECT announcement_id FROM announcements WHERE due_at <= $2 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) \
            RETURNING announcement_id, community_id, attempts";
        let sql = self.pick(SQLITE, POSTGRES);
        let row: Option<(Uuid, String, i32)> = on!(self, conn => sqlx::query_as(sql)
            .bind(again_at.as_microsecond())
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await?);
        row.map(|(id, community, attempts)| {
            Ok(DueAnnouncement { id, community: community_id(community)?, attempts, again_at })
        })
        .transpose()
    }

    /// Writes down what became of one that was taken up. `false`: somebody else has taken it up since.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn settle_announcement(
        &mut self,
        due: &DueAnnouncement,
        fate: AnnouncementFate,
    ) -> Result<bool, StoreError> {
        const OVER: &str = "DELETE FROM announcements WHERE announcement_id = $1 AND due_at = $2";
        const SETTLE: &str = "UPDATE announcements SET attempts = $3, due_at = $4, said_at = $5 \
                              WHERE announcement_id = $1 AND due_at = $2";
        let (attempts, due_at, said_at) = match fate {
            AnnouncementFate::Said(at) => (due.attempts, None, Some(at)),
            AnnouncementFate::Again(attempts, at) => (attempts, at, None),
            AnnouncementFate::Over => {
                let done = on!(self, conn => sqlx::query(OVER)
                    .bind(due.id)
                    .bind(due.again_at.as_microsecond())
                    .execute(conn)
                    .await?
                    .rows_affected());
                return Ok(done == 1);
            }
        };
        let done = on!(self, conn => sqlx::query(SETTLE)
            .bind(due.id)
            .bind(due.again_at.as_microsecond())
            .bind(attempts)
            .bind(due_at.map(Timestamp::as_microsecond))
            .bind(said_at.map(Timestamp::as_microsecond))
            .execute(conn)
            .await?
            .rows_affected());
        Ok(done == 1)
    }

    /// Forgets what was noted before an instant.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_announcements(&mut self, before: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM announcements WHERE created_at < $1";
        on!(self, conn => sqlx::query(SQL).bind(before.as_microsecond()).execute(conn).await?.rows_affected());
        Ok(())
    }
}
