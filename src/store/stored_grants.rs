//! Grants as they lie in the database, for whoever compares them with what the audit log says of them.

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::audit::ChainKey;
use super::{ROWS_PER_STATEMENT, StoreError, Tx, on, padded};

/// A version of a grant as it is stored, true or not.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct StoredGrant {
    /// Whose.
    pub member_id: Uuid,
    /// Towards which clinic.
    pub clinic_id: String,
    /// Which grant.
    pub grant_id: Uuid,
    /// Which version of it.
    pub version: i32,
    /// Where it stands.
    pub state: String,
    /// Its terms, to the letter.
    pub terms: String,
}

const COLUMNS: &str = "SELECT g.member_id, g.clinic_id, g.grant_id, g.version, g.state, g.terms FROM ";

impl Tx {
    /// Every version of every grant between some members and clinics.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn stored_grants(&mut self, chains: &[ChainKey]) -> Result<Vec<StoredGrant>, StoreError> {
        let mut found: Vec<StoredGrant> = Vec::new();
        for chunk in chains.chunks(ROWS_PER_STATEMENT) {
            let rows: Vec<StoredGrant> = on!(self, conn: Db => {
                let mut query = QueryBuilder::<Db>::new(COLUMNS);
                query.push("(SELECT DISTINCT * FROM (");
                query.push_values(padded(chunk), |mut row, (member, clinic)| {
                    row.push_bind(*member).push_bind(clinic);
                });
                query.push(") AS wanted) AS chain CROSS JOIN grants g");
                query.push(" WHERE g.member_id = chain.column1 AND g.clinic_id = chain.column2");
                query.build_query_as().fetch_all(conn).await?
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// Grants between members and clinics for whom the audit log has no chain.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn grants_without_chain(&mut self, limit: i64) -> Result<Vec<StoredGrant>, StoreError> {
        Ok(on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push(
                "grants g WHERE NOT EXISTS (SELECT 1 FROM audit_heads h WHERE h.member_id = g.member_id \
                 AND h.clinic_id = g.clinic_id) ORDER BY g.member_id, g.grant_id, g.version LIMIT ",
            );
            query.push_bind(limit).build_query_as().fetch_all(conn).await?
        }))
    }
}
