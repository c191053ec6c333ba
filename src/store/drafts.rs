//! Questionnaires that members have not finished, still sealed.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{StoreError, Tx, community_id, on};
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::questionnaire::Instrument;

/// The tables that they are in, begun in the portal and in chats, each with what tells a row from the others.
const TABLES: [(&str, &str); 2] =
    [("questionnaire_drafts", "member_id, instrument"), ("chat_drafts", "member_id, community_id, instrument")];

/// What a member has answered so far.
pub struct DraftRow {
    /// In the chat of which community; nothing in the portal.
    pub chat: Option<CommunityId>,
    /// To which instrument, by its name.
    pub instrument: String,
    /// The answers, sealed.
    pub sealed: Vec<u8>,
}

impl Tx {
    /// What a member has answered so far, wherever they did: first in the portal, then in the chats.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drafts(&mut self, member: MemberId) -> Result<Vec<DraftRow>, StoreError> {
        const SQL: &str = "SELECT '', instrument, sealed_draft FROM questionnaire_drafts WHERE member_id = $1 \
             UNION ALL SELECT community_id, instrument, sealed_draft FROM chat_drafts WHERE member_id = $1 ORDER BY 1, 2";
        let rows: Vec<(String, String, Vec<u8>)> =
            on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        let read = |(chat, instrument, sealed): (String, String, Vec<u8>)| {
            let chat = if chat.is_empty() { None } else { Some(community_id(chat)?) };
            Ok(DraftRow { chat, instrument, sealed })
        };
        rows.into_iter().map(read).collect()
    }

    /// Writes what a member has answered so far to an instrument, in the chat of a community or in the portal.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_draft(
        &mut self,
        member: MemberId,
        chat: Option<&CommunityId>,
        instrument: Instrument,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const IN_PORTAL: &str = "INSERT INTO questionnaire_drafts (member_id, instrument, sealed_draft, updated_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (member_id, instrument) DO UPDATE \
             SET sealed_draft = excluded.sealed_draft, updated_at = excluded.updated_at";
        const IN_CHAT: &str = "INSERT INTO chat_drafts (member_id, instrument, sealed_draft, updated_at, community_id) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (member_id, community_id, instrument) DO UPDATE \
             SET sealed_draft = excluded.sealed_draft, updated_at = excluded.updated_at";
        on!(self, conn: Db => {
            let query = sqlx::query::<Db>(if chat.is_some() { IN_CHAT } else { IN_PORTAL })
                .bind(member.0)
                .bind(instrument.as_str())
                .bind(sealed)
                .bind(now.as_microsecond());
            let query = if let Some(community) = chat { query.bind(community.as_str()) } else { query };
            query.execute(conn).await?.rows_affected()
        });
        Ok(())
    }

    /// Forgets what a member has answered so far to an instrument, in the chat of a community or in the portal.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_draft(
        &mut self,
        member: MemberId,
        chat: Option<&CommunityId>,
        instrument: Instrument,
    ) -> Result<(), StoreError> {
        const IN_PORTAL: &str = "DELETE FROM questionnaire_drafts WHERE member_id = $1 AND instrument = $2";
        const IN_CHAT: &str = "DELETE FROM chat_drafts WHERE member_id = $1 AND instrument = $2 AND community_id = $3";
        on!(self, conn: Db => {
            let query = sqlx::query::<Db>(if chat.is_some() { IN_CHAT } else { IN_PORTAL }).bind(member.0);
            let query = query.bind(instrument.as_str());
            let query = if let Some(community) = chat { query.bind(community.as_str()) } else { query };
            query.execute(conn).await?.rows_affected()
        });
        Ok(())
    }

    /// Forgets drafts that nobody went on with since an instant, up to `limit` of those in the portal and of those in chats.
    /// Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_old_drafts(&mut self, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
        let (before, free) = (before.as_microsecond(), self.pick("", " FOR UPDATE SKIP LOCKED"));
        let mut forgotten = 0_u64;
        for (table, key) in TABLES {
            let old = format!("SELECT {key} FROM {table} WHERE updated_at < $1 LIMIT $2{free}");
            let sql = AssertSqlSafe(format!("DELETE FROM {table} WHERE ({key}) IN ({old})"));
            let rows =
                on!(self, conn => sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected());
            forgotten = forgotten.saturating_add(rows);
        }
        Ok(forgotten)
    }
}
