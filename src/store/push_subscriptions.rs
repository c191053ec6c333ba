//! Browsers in which members wish to be told, still sealed.

use jiff::Timestamp;
use uuid::Uuid;

use super::{StoreError, Tx, instant, on};
use crate::domain::ids::MemberId;
use crate::vault::Index;

/// A browser in which a member wishes to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrowserRow {
    /// Its id.
    pub id: Uuid,
    /// How it is reached, sealed.
    pub sealed: Vec<u8>,
    /// Since when.
    pub created_at: Timestamp,
}

impl Tx {
    /// Has a member told in a browser. Whoever was told in it before is not any more: a browser belongs to whoever is
    /// signed in in it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_subscription(
        &mut self,
        member: MemberId,
        row: &BrowserRow,
        address: Index,
    ) -> Result<(), StoreError> {
        const OLD: &str = "DELETE FROM push_subscriptions WHERE address_index = $1";
        const NEW: &str = "INSERT INTO push_subscriptions (member_id, subscription_id, address_index, \
                           sealed_subscription, created_at) VALUES ($1, $2, $3, $4, $5)";
        on!(self, conn => sqlx::query(OLD).bind(&address[..]).execute(conn).await?.rows_affected());
        on!(self, conn => sqlx::query(NEW)
            .bind(member.0)
            .bind(row.id)
            .bind(&address[..])
            .bind(&row.sealed)
            .bind(row.created_at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The browsers in which a member wishes to be told, in the order in which they named them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn subscriptions(&mut self, member: MemberId) -> Result<Vec<BrowserRow>, StoreError> {
        const SQL: &str = "SELECT subscription_id, sealed_subscription, created_at FROM push_subscriptions \
                           WHERE member_id = $1 ORDER BY created_at, subscription_id";
        let rows: Vec<(Uuid, Vec<u8>, i64)> =
            on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(id, sealed, created_at)| Ok(BrowserRow { id, sealed, created_at: instant(created_at)? }))
            .collect()
    }

    /// A member is not told in a browser any more. `false`: they were not.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_subscription(&mut self, member: MemberId, id: Uuid) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM push_subscriptions WHERE member_id = $1 AND subscription_id = $2";
        Ok(on!(self, conn => sqlx::query(SQL).bind(member.0).bind(id).execute(conn).await?.rows_affected()) == 1)
    }
}
