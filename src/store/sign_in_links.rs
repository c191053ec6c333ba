//! Links that let a member in to the portal once. Neither their secrets nor the names they were asked for are kept, only
//! keyed indexes.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::events::to_index;
use super::{StoreError, Tx, community_id, instant, named, on};
use crate::domain::ids::CommunityId;
use crate::domain::language::Language;
use crate::vault::Index;

/// A link that somebody asked for.
#[derive(Clone, Debug)]
pub struct NewSignInLink<'a> {
    /// Its id, of which its secret is made.
    pub id: Uuid,
    /// Keyed index of its secret.
    pub secret: Index,
    /// Keyed index of what the browser that asked is known by.
    pub browser: Index,
    /// Where the member is known.
    pub community: &'a CommunityId,
    /// Keyed index of the name under which they are known there, if they are.
    pub handle: Index,
    /// The language of the page on which it was asked for.
    pub language: Language,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A link that is to be sent.
#[derive(Clone, Debug)]
pub struct DueSignInLink {
    /// Its id, of which its secret is made.
    pub id: Uuid,
    /// Where the member is known.
    pub community: CommunityId,
    /// Keyed index of the name under which they are known there, if they are.
    pub handle: Index,
    /// In which language.
    pub language: Language,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Tx {
    /// Stores a link that is to be sent at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_sign_in_link(&mut self, link: &NewSignInLink<'_>, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO sign_in_links (link_id, secret_index, browser_index, community_id, handle_index, \
                           language, expires_at, send_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(link.id)
            .bind(&link.secret[..])
            .bind(&link.browser[..])
            .bind(link.community.as_str())
            .bind(&link.handle[..])
            .bind(link.language.as_str())
            .bind(link.expires_at.as_microsecond())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }

    /// Takes up a link that is to be sent; others see it again at `again_at`, should it not have been sent by then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_sign_in_link(
        &mut self,
        again_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<DueSignInLink>, StoreError> {
        const SQLITE: &str = "UPDATE sign_in_links SET send_at = $1 WHERE link_id = (SELECT link_id FROM sign_in_links \
            WHERE send_at <= $2 AND expires_at > $2 ORDER BY send_at LIMIT 1) \
            RETURNING link_id, community_id, handle_index, language, expires_at";
        const POSTGRES: &str = "UPDATE sign_in_links SET send_at = $1 WHERE link_id = (SELECT link_id FROM sign_in_links \
            WHERE send_at <= $2 AND expires_at > $2 ORDER BY send_at LIMIT 1 FOR UPDATE SKIP LOCKED) \
            RETURNING link_id, community_id, handle_index, language, expires_at";
        let sql = self.pick(SQLITE, POSTGRES);
        let row: Option<(Uuid, String, Vec<u8>, String, i64)> = on!(self, conn => sqlx::query_as(sql)
            .bind(again_at.as_microsecond())
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await?);
        row.map(|(id, community, handle, language, expires_at)| {
            Ok(DueSignInLink {
                id,
                community: community_id(community)?,
                handle: to_index(handle)?,
                language: named(Language::from_name(&language), "a language it should not")?,
                expires_at: instant(expires_at)?,
            })
        })
        .transpose()
    }

    /// Notes that a link was sent. `false`: it has been used already, or was forgotten.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn sign_in_link_sent(&mut self, id: Uuid) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE sign_in_links SET send_at = NULL WHERE link_id = $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(id).execute(conn).await?.rows_affected()) == 1)
    }

    /// Deletes a link. `false`: there was none.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_sign_in_link(&mut self, id: Uuid) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM sign_in_links WHERE link_id = $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(id).execute(conn).await?.rows_affected()) == 1)
    }

    /// Which browser a link lets in, if the link is good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_in_link(&mut self, secret: Index, now: Timestamp) -> Result<Option<Index>, StoreError> {
        const SQL: &str = "SELECT browser_index FROM sign_in_links WHERE secret_index = $1 AND expires_at > $2";
        let now = now.as_microsecond();
        let row: Option<Vec<u8>> =
            on!(self, conn => sqlx::query_scalar(SQL).bind(&secret[..]).bind(now).fetch_optional(conn).await?);
        row.map(to_index).transpose()
    }

    /// Uses a link up: of two who use it at the same time, one gets it. Returns whom it lets in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_sign_in_link(
        &mut self,
        secret: Index,
        browser: Index,
        now: Timestamp,
    ) -> Result<Option<(CommunityId, Index)>, StoreError> {
        const SQL: &str = "DELETE FROM sign_in_links WHERE secret_index = $1 AND browser_index = $2 AND expires_at > $3 \
                           RETURNING community_id, handle_index";
        let row: Option<(String, Vec<u8>)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(&secret[..])
            .bind(&browser[..])
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await?);
        row.map(|(community, handle)| Ok((community_id(community)?, to_index(handle)?))).transpose()
    }

    /// Forgets links whose time is over. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_expired_sign_in_links(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM sign_in_links WHERE expires_at <= $1";
        Ok(on!(self, conn => sqlx::query(SQL).bind(now.as_microsecond()).execute(conn).await?.rows_affected()))
    }
}
