//! Keys of the database itself.

use super::{StoreError, Tx, on};

impl Tx {
    /// A wrapped key of the database itself, if it has it yet.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn data_key(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT sealed_key FROM data_keys WHERE name = $1";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(name).fetch_optional(conn).await?))
    }

    /// Stores a wrapped key of the database itself, unless another process was first; the caller reads it back.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert_data_key(&mut self, name: &str, wrapped: &[u8]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO data_keys (name, sealed_key) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        on!(self, conn => sqlx::query(SQL).bind(name).bind(wrapped).execute(conn).await?.rows_affected());
        Ok(())
    }
}
