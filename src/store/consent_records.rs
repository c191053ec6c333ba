//! What members did with their grants, and what proves it. Rows are added and never changed.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{StoreError, Tx, instant, named, on, padded};
use crate::domain::consented::{Change, Method, Shown};
use crate::domain::ids::{GrantId, MemberId, ReceiptId};
use crate::domain::language::Language;

/// One change of a grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentRecord {
    /// Whose grant.
    pub member: MemberId,
    /// Which grant.
    pub grant: GrantId,
    /// Which change of it, counted from 1.
    pub seq: i32,
    /// Which version was made, or changed.
    pub version: i32,
    /// What was done.
    pub change: Change,
    /// Through what.
    pub method: Method,
    /// The text that the member had before them, if it is known.
    pub shown: Option<Shown>,
    /// The one practitioner whom the version is for, sealed.
    pub sealed_practitioner: Option<Vec<u8>>,
    /// The receipt for it.
    pub receipt: ReceiptId,
    /// The receipt itself, sealed.
    pub sealed_receipt: Vec<u8>,
    /// When it was done.
    pub at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    member_id: Uuid,
    grant_id: Uuid,
    seq: i32,
    version: i32,
    change: String,
    method: String,
    notice_hash: Option<String>,
    notice_version: Option<i32>,
    notice_language: Option<String>,
    sealed_practitioner: Option<Vec<u8>>,
    receipt_id: Uuid,
    sealed_receipt: Vec<u8>,
    recorded_at: i64,
}

const COLUMNS: &str = "SELECT member_id, grant_id, seq, version, change, method, notice_hash, notice_version, \
     notice_language, sealed_practitioner, receipt_id, sealed_receipt, recorded_at FROM consent_records";

impl Tx {
    /// Adds the record of a change. The caller has locked the member ([`Tx::lock_member`]).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when that change was recorded already.
    pub async fn insert_consent_record(&mut self, record: &ConsentRecord) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO consent_records (member_id, grant_id, seq, version, change, method, notice_hash, \
             notice_version, notice_language, sealed_practitioner, receipt_id, sealed_receipt, recorded_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let shown = record.shown.as_ref();
        on!(self, conn => sqlx::query(SQL)
            .bind(record.member.0)
            .bind(record.grant.0)
            .bind(record.seq)
            .bind(record.version)
            .bind(record.change.as_str())
            .bind(record.method.as_str())
            .bind(shown.map(|shown| shown.hash.as_str()))
            .bind(shown.map(|shown| shown.version))
            .bind(shown.map(|shown| shown.language.as_str()))
            .bind(&record.sealed_practitioner)
            .bind(record.receipt.0)
            .bind(&record.sealed_receipt)
            .bind(record.at.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Every change of every grant of a member, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consent_records(&mut self, member: MemberId) -> Result<Vec<ConsentRecord>, StoreError> {
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push(" WHERE member_id = ").push_bind(member.0).push(" ORDER BY recorded_at, grant_id, seq");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(read).collect()
    }

    /// The changes that made versions for one practitioner only, of some members.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn practitioner_records(&mut self, members: &[MemberId]) -> Result<Vec<ConsentRecord>, StoreError> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(COLUMNS);
            query.push(" WHERE sealed_practitioner IS NOT NULL AND member_id IN (");
            let mut list = query.separated(", ");
            for member in padded(members) {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(read).collect()
    }

    /// One receipt of a member, sealed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sealed_receipt(
        &mut self,
        member: MemberId,
        receipt: ReceiptId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT sealed_receipt FROM consent_records WHERE member_id = $1 AND receipt_id = $2";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(receipt.0).fetch_optional(conn).await?))
    }

    /// Keeps a text that a member had before them, when it is used for the first time.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn keep_notice(&mut self, shown: &Shown, text: &str, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO notices (hash, version, language, text, first_used_at) \
                           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        on!(self, conn => sqlx::query(SQL)
            .bind(&shown.hash)
            .bind(shown.version)
            .bind(shown.language.as_str())
            .bind(text)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The text with this hash, if a member ever decided under it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn notice(&mut self, hash: &str) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT text FROM notices WHERE hash = $1";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(hash).fetch_optional(conn).await?))
    }
}

fn read(row: Row) -> Result<ConsentRecord, StoreError> {
    let language = row.notice_language.as_deref().map(Language::from_name);
    let shown = match (row.notice_hash, row.notice_version, language) {
        (Some(hash), Some(version), Some(language)) => {
            Some(Shown { hash, version, language: named(language, "a language it should not")? })
        }
        _ => None,
    };
    Ok(ConsentRecord {
        member: MemberId(row.member_id),
        grant: GrantId(row.grant_id),
        seq: row.seq,
        version: row.version,
        change: named(Change::from_name(&row.change), "a change of consent it should not")?,
        method: named(Method::from_name(&row.method), "a method it should not")?,
        shown,
        sealed_practitioner: row.sealed_practitioner,
        receipt: ReceiptId(row.receipt_id),
        sealed_receipt: row.sealed_receipt,
        at: instant(row.recorded_at)?,
    })
}
