//! Concerns about members, still sealed, and who is to be told of them. Whoever changes both takes the tellings first.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::{StoreError, Tx, community_id, instant, named, on};
use crate::domain::concern::{ConcernState, Level};
use crate::domain::ids::{CommunityId, ConcernId, MemberId};
use crate::vault::Index;

/// A concern that is raised.
#[derive(Clone, Debug)]
pub struct NewConcern<'a> {
    /// Its id.
    pub id: ConcernId,
    /// Whose people are told.
    pub community: &'a CommunityId,
    /// About whom.
    pub member: MemberId,
    /// Keyed index of the entry that raises it.
    pub entry: Index,
    /// What is sealed of it.
    pub sealed: &'a [u8],
    /// When the second level is told, if nobody acknowledges it before.
    pub escalate_at: Timestamp,
}

/// A concern as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConcernRow {
    /// Its id.
    pub id: ConcernId,
    /// Whose people are told.
    pub community: CommunityId,
    /// About whom.
    pub member: MemberId,
    /// What is sealed of it.
    pub sealed: Vec<u8>,
    /// Where it stands.
    pub state: ConcernState,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When somebody was told first.
    pub told_at: Option<Timestamp>,
    /// When nobody had acknowledged it in time.
    pub escalated_at: Option<Timestamp>,
    /// When somebody began to look after it.
    pub acknowledged_at: Option<Timestamp>,
    /// When they were done.
    pub closed_at: Option<Timestamp>,
}

/// What opens the sealed values of a concern, and the name under which the community knows its member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedNames {
    /// The member's wrapped key.
    pub key: Vec<u8>,
    /// The sealed handle, if they still have one in that community.
    pub handle: Option<Vec<u8>>,
}

/// Somebody who is to be told of a concern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Telling {
    /// Of which.
    pub concern: ConcernId,
    /// Who.
    pub level: Level,
    /// How often it was tried in vain since they were told last.
    pub attempts: i32,
    /// How often they were told.
    pub told: i32,
}

/// How many concerns of a community are not closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenConcerns {
    /// Whose.
    pub community: CommunityId,
    /// Where they stand.
    pub state: ConcernState,
    /// How many.
    pub count: i64,
    /// When the oldest was raised.
    pub oldest: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    concern_id: Uuid,
    community_id: String,
    member_id: Uuid,
    sealed_concern: Vec<u8>,
    state: String,
    raised_at: i64,
    told_at: Option<i64>,
    escalated_at: Option<i64>,
    acknowledged_at: Option<i64>,
    closed_at: Option<i64>,
}

/// The columns of a concern, from which everything before a condition is made.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT concern_id, community_id, member_id, sealed_concern, state, raised_at, told_at, escalated_at, \
             acknowledged_at, closed_at FROM concerns WHERE ",
            $rest
        )
    };
}

impl Tx {
    /// Stores a concern, and that the first level is to be told at once. `false`: one about this entry was raised before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_concern(&mut self, concern: &NewConcern<'_>, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO concerns (concern_id, community_id, member_id, entry_index, sealed_concern, state, \
                           raised_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        const TELLING: &str =
            "INSERT INTO concern_tellings (concern_id, member_id, level, due_at) VALUES ($1, $2, $3, $4)";
        let (id, member) = (concern.id.0, concern.member.0);
        let stored = on!(self, conn => sqlx::query(SQL)
            .bind(id)
            .bind(concern.community.as_str())
            .bind(member)
            .bind(&concern.entry[..])
            .bind(concern.sealed)
            .bind(ConcernState::Raised.as_str())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        if stored == 0 {
            return Ok(false);
        }
        for (level, due_at) in [(Level::First, now), (Level::Second, concern.escalate_at)] {
            let (level, due_at) = (level.number(), due_at.as_microsecond());
            let done = on!(self, conn => sqlx::query(TELLING).bind(id).bind(member).bind(level).bind(due_at).execute(conn).await?.rows_affected());
            changed(1, done)?;
        }
        Ok(true)
    }

    /// A concern as it stands now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn concern(&mut self, concern: ConcernId) -> Result<Option<ConcernRow>, StoreError> {
        const SQL: &str = select!("concern_id = $1");
        let row: Option<Row> = on!(self, conn => sqlx::query_as(SQL).bind(concern.0).fetch_optional(conn).await?);
        row.map(Row::read).transpose()
    }

    /// Where the concern about this entry stands that a community's people look after, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn concern_about(
        &mut self,
        community: &CommunityId,
        member: MemberId,
        entry: Index,
    ) -> Result<Option<ConcernState>, StoreError> {
        const SQL: &str = "SELECT state FROM concerns WHERE member_id = $1 AND community_id = $2 AND entry_index = $3";
        let state: Option<String> = on!(self, conn => sqlx::query_scalar(SQL)
            .bind(member.0)
            .bind(community.as_str())
            .bind(&entry[..])
            .fetch_optional(conn)
            .await?);
        state.map(|state| named(ConcernState::from_name(&state), "a state it should not")).transpose()
    }

    /// A concern, which nobody else changes until the transaction ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_concern(&mut self, concern: ConcernId) -> Result<Option<ConcernRow>, StoreError> {
        let sql = self.pick(select!("concern_id = $1"), select!("concern_id = $1 FOR NO KEY UPDATE"));
        let row: Option<Row> = on!(self, conn => sqlx::query_as(sql).bind(concern.0).fetch_optional(conn).await?);
        row.map(Row::read).transpose()
    }

    /// Up to `limit` concerns, of a community or of all: those that are not closed, the oldest first; or all, the newest
    /// first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn concerns(
        &mut self,
        community: Option<&CommunityId>,
        closed_too: bool,
        limit: i64,
    ) -> Result<Vec<ConcernRow>, StoreError> {
        const OPEN: &str =
            select!("closed_at IS NULL AND ($1 = '' OR community_id = $1) ORDER BY raised_at, concern_id LIMIT $2");
        const ALL: &str = select!("($1 = '' OR community_id = $1) ORDER BY raised_at DESC, concern_id LIMIT $2");
        let (sql, community) =
            (if closed_too { ALL } else { OPEN }, community.map_or("", |community| community.as_str()));
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(sql).bind(community).bind(limit).fetch_all(conn).await?);
        rows.into_iter().map(Row::read).collect()
    }

    /// Every concern about a member, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn concerns_about(&mut self, member: MemberId) -> Result<Vec<ConcernRow>, StoreError> {
        const SQL: &str = select!("member_id = $1 ORDER BY raised_at, concern_id");
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter().map(Row::read).collect()
    }

    /// What opens the sealed values of a concern.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn concern_names(
        &mut self,
        community: &CommunityId,
        member: MemberId,
    ) -> Result<Option<SealedNames>, StoreError> {
        const SQL: &str = "SELECT members.sealed_key, (SELECT sealed_handle FROM handles WHERE community_id = $2 \
                           AND handles.member_id = members.member_id ORDER BY handle_index LIMIT 1) \
                           FROM members WHERE members.member_id = $1";
        let row: Option<(Vec<u8>, Option<Vec<u8>>)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(member.0)
            .bind(community.as_str())
            .fetch_optional(conn)
            .await?);
        Ok(row.map(|(key, handle)| SealedNames { key, handle }))
    }

    /// The communities that know a member.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn communities_of(&mut self, member: MemberId) -> Result<Vec<CommunityId>, StoreError> {
        const SQL: &str = "SELECT DISTINCT community_id FROM handles WHERE member_id = $1 ORDER BY community_id";
        let rows: Vec<(String,)> = on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter().map(|(community,)| community_id(community)).collect()
    }

    /// Writes where a concern stands now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update_concern(&mut self, concern: &ConcernRow) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE concerns SET sealed_concern = $2, state = $3, told_at = $4, escalated_at = $5, \
                           acknowledged_at = $6, closed_at = $7 WHERE concern_id = $1";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(concern.id.0)
            .bind(&concern.sealed)
            .bind(concern.state.as_str())
            .bind(concern.told_at.map(Timestamp::as_microsecond))
            .bind(concern.escalated_at.map(Timestamp::as_microsecond))
            .bind(concern.acknowledged_at.map(Timestamp::as_microsecond))
            .bind(concern.closed_at.map(Timestamp::as_microsecond))
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }

    /// Takes up somebody who is to be told; others see it again at `again_at`, should it not be done by then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_telling(&mut self, again_at: Timestamp, now: Timestamp) -> Result<Option<Telling>, StoreError> {
        const SQLITE: &str = "UPDATE concern_tellings SET due_at = $1 WHERE (concern_id, level) IN \
            (SELECT concern_id, level FROM concern_tellings WHERE due_at <= $2 ORDER BY due_at LIMIT 1) \
            RETURNING concern_id, level, attempts, told";
        const POSTGRES: &str = "UPDATE concern_tellings SET due_at = $1 WHERE (concern_id, level) IN \
            (SELECT concern_id, level FROM concern_tellings WHERE due_at <= $2 ORDER BY due_at LIMIT 1 \
            FOR UPDATE SKIP LOCKED) RETURNING concern_id, level, attempts, told";
        let sql = self.pick(SQLITE, POSTGRES);
        let row: Option<(Uuid, i32, i32, i32)> = on!(self, conn => sqlx::query_as(sql)
            .bind(again_at.as_microsecond())
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await?);
        row.map(|(concern, level, attempts, told)| {
            let level = named(Level::from_number(level), "a level it should not")?;
            Ok(Telling { concern: ConcernId(concern), level, attempts, told })
        })
        .transpose()
    }

    /// Writes how a telling went: how often it was tried in vain, how often they were told, and when they are to be told
    /// again. `false`: nobody is to be told any more.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn update_telling(&mut self, telling: &Telling, due_at: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE concern_tellings SET attempts = $3, told = $4, due_at = $5 \
                           WHERE concern_id = $1 AND level = $2";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(telling.concern.0)
            .bind(telling.level.number())
            .bind(telling.attempts)
            .bind(telling.told)
            .bind(due_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(done == 1)
    }

    /// Has those of a level told at once who were to be told later.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn hurry_telling(&mut self, concern: ConcernId, level: Level, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE concern_tellings SET due_at = $3 WHERE concern_id = $1 AND level = $2 AND due_at > $3 \
                           AND told = 0";
        on!(self, conn => sqlx::query(SQL)
            .bind(concern.0)
            .bind(level.number())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Nobody of this level, or of any, is to be told of a concern any more.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_tellings(&mut self, concern: ConcernId, level: Option<Level>) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM concern_tellings WHERE concern_id = $1 AND ($2 = 0 OR level = $2)";
        let level = level.map_or(0, Level::number);
        on!(self, conn => sqlx::query(SQL).bind(concern.0).bind(level).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// How many concerns are not closed, by community and state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_concerns(&mut self) -> Result<Vec<OpenConcerns>, StoreError> {
        const SQL: &str = "SELECT community_id, state, COUNT(*), MIN(raised_at) FROM concerns WHERE closed_at IS NULL \
                           GROUP BY community_id, state ORDER BY community_id, MIN(raised_at)";
        let rows: Vec<(String, String, i64, i64)> = on!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(community, state, count, oldest)| {
                let state = named(ConcernState::from_name(&state), "a state it should not")?;
                Ok(OpenConcerns { community: community_id(community)?, state, count, oldest: instant(oldest)? })
            })
            .collect()
    }

    /// Forgets up to `limit` concerns that were closed before an instant. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_closed_concerns(&mut self, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
        const SQLITE: &str = "DELETE FROM concerns WHERE concern_id IN \
             (SELECT concern_id FROM concerns WHERE closed_at < $1 LIMIT $2)";
        const POSTGRES: &str = "DELETE FROM concerns WHERE concern_id IN \
             (SELECT concern_id FROM concerns WHERE closed_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
        let (sql, before) = (self.pick(SQLITE, POSTGRES), before.as_microsecond());
        Ok(on!(self, conn => sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected()))
    }
}

impl Row {
    fn read(self) -> Result<ConcernRow, StoreError> {
        Ok(ConcernRow {
            id: ConcernId(self.concern_id),
            community: community_id(self.community_id)?,
            member: MemberId(self.member_id),
            sealed: self.sealed_concern,
            state: named(ConcernState::from_name(&self.state), "a state it should not")?,
            raised_at: instant(self.raised_at)?,
            told_at: self.told_at.map(instant).transpose()?,
            escalated_at: self.escalated_at.map(instant).transpose()?,
            acknowledged_at: self.acknowledged_at.map(instant).transpose()?,
            closed_at: self.closed_at.map(instant).transpose()?,
        })
    }
}
