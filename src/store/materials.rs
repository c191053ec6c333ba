//! What clinics published, and took back. A version is never changed: there is no statement that would.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::events::to_index;
use super::{StoreError, Tx, clinic_id, instant, named, on};
use crate::domain::ids::{ClinicId, MaterialId};
use crate::domain::language::Language;
use crate::domain::material::{Content, Material};
use crate::vault::Index;

/// A version of a material as it stands in the database. Whether it is as it was published, `crate::materials` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MaterialRow {
    /// What stands there.
    pub material: Material,
    /// The checksum of its text.
    pub sha256: [u8; 32],
    /// The code made with the index key of all of it.
    pub mac: Index,
    /// When its clinic took it back, in all its versions.
    pub retracted_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    material_id: Uuid,
    version: i64,
    clinic_id: String,
    language: String,
    title: String,
    text: String,
    link: Option<String>,
    sha256: Vec<u8>,
    staff_id: Uuid,
    published_at: i64,
    mac: Vec<u8>,
    retracted_at: Option<i64>,
}

/// The columns of [`Row`].
macro_rules! row {
    () => {
        "SELECT m.material_id, m.version, m.clinic_id, m.language, m.title, m.text, m.link, m.sha256, m.staff_id, \
         m.published_at, m.mac, r.retracted_at FROM materials m \
         LEFT JOIN material_retractions r ON r.material_id = m.material_id "
    };
}

/// That a version is the newest.
macro_rules! newest {
    () => {
        "NOT EXISTS (SELECT 1 FROM materials n WHERE n.material_id = m.material_id AND n.version > m.version) "
    };
}

impl Tx {
    /// Stores a version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody else was first with it.
    pub async fn insert_material(
        &mut self,
        material: &Material,
        sha256: &[u8; 32],
        mac: Index,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO materials (material_id, version, clinic_id, language, title, text, link, sha256, \
             staff_id, published_at, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let Content { language, title, text, link } = &material.content;
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(material.id.0)
            .bind(material.version)
            .bind(material.clinic.as_str())
            .bind(language.as_str())
            .bind(title)
            .bind(text)
            .bind(link.as_deref())
            .bind(&sha256[..])
            .bind(material.by)
            .bind(material.published_at.as_microsecond())
            .bind(&mac[..])
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, done)
    }

    /// The newest version of a material.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_material(&mut self, id: MaterialId) -> Result<Option<MaterialRow>, StoreError> {
        const SQL: &str = concat!(row!(), "WHERE m.material_id = $1 ORDER BY m.version DESC LIMIT 1");
        let row: Option<Row> = on!(self, conn => sqlx::query_as(SQL).bind(id.0).fetch_optional(conn).await?);
        row.map(read).transpose()
    }

    /// One version of a material.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn material(&mut self, id: MaterialId, version: i64) -> Result<Option<MaterialRow>, StoreError> {
        const SQL: &str = concat!(row!(), "WHERE m.material_id = $1 AND m.version = $2");
        let row: Option<Row> =
            on!(self, conn => sqlx::query_as(SQL).bind(id.0).bind(version).fetch_optional(conn).await?);
        row.map(read).transpose()
    }

    /// The newest version of each material that was not taken back, the last published first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn materials(&mut self, limit: i64) -> Result<Vec<MaterialRow>, StoreError> {
        const SQL: &str = concat!(
            row!(),
            "WHERE r.material_id IS NULL AND ",
            newest!(),
            "ORDER BY m.published_at DESC, m.material_id LIMIT $1"
        );
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL).bind(limit).fetch_all(conn).await?);
        rows.into_iter().map(read).collect()
    }

    /// The same of those that were published after an instant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn materials_since(&mut self, after: Timestamp, limit: i64) -> Result<Vec<MaterialRow>, StoreError> {
        const SQL: &str = concat!(
            row!(),
            "WHERE r.material_id IS NULL AND m.published_at > $1 AND ",
            newest!(),
            "ORDER BY m.published_at DESC, m.material_id LIMIT $2"
        );
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(SQL)
            .bind(after.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        rows.into_iter().map(read).collect()
    }

    /// The newest version of each material of a clinic, those that it took back among them, the last published first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn materials_of(&mut self, clinic: &ClinicId, limit: i64) -> Result<Vec<MaterialRow>, StoreError> {
        const SQL: &str = concat!(
            row!(),
            "WHERE m.clinic_id = $1 AND ",
            newest!(),
            "ORDER BY m.published_at DESC, m.material_id LIMIT $2"
        );
        let rows: Vec<Row> =
            on!(self, conn => sqlx::query_as(SQL).bind(clinic.as_str()).bind(limit).fetch_all(conn).await?);
        rows.into_iter().map(read).collect()
    }

    /// How many materials there are that were not taken back.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_materials(&mut self) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM materials m WHERE m.version = 1 AND NOT EXISTS \
                           (SELECT 1 FROM material_retractions r WHERE r.material_id = m.material_id)";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).fetch_one(conn).await?))
    }

    /// Notes that a material is taken back. `false`: it was before.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn retract_material(
        &mut self,
        clinic: &ClinicId,
        id: MaterialId,
        by: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO material_retractions (material_id, clinic_id, staff_id, retracted_at) \
                           VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let done = on!(self, conn => sqlx::query(SQL)
            .bind(id.0)
            .bind(clinic.as_str())
            .bind(by)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(done == 1)
    }

    /// Which materials were taken back, and when, the last first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retracted_materials(&mut self, limit: i64) -> Result<Vec<(MaterialId, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT material_id, retracted_at FROM material_retractions \
                           ORDER BY retracted_at DESC, material_id LIMIT $1";
        let rows: Vec<(Uuid, i64)> = on!(self, conn => sqlx::query_as(SQL).bind(limit).fetch_all(conn).await?);
        rows.into_iter().map(|(id, at)| Ok((MaterialId(id), instant(at)?))).collect()
    }
}

fn read(row: Row) -> Result<MaterialRow, StoreError> {
    let language = named(Language::from_name(&row.language), "a language that is not spoken here")?;
    Ok(MaterialRow {
        material: Material {
            id: MaterialId(row.material_id),
            version: row.version,
            clinic: clinic_id(row.clinic_id)?,
            content: Content { language, title: row.title, text: row.text, link: row.link },
            by: row.staff_id,
            published_at: instant(row.published_at)?,
        },
        sha256: to_index(row.sha256)?,
        mac: to_index(row.mac)?,
        retracted_at: row.retracted_at.map(instant).transpose()?,
    })
}
