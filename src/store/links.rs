//! Members' links to their Patients, and those that ended.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::error::changed;
use super::events::to_index;
use super::{StoreError, Tx, clinic_id, instant, named, on};
use crate::domain::ids::{ClinicId, MemberId};
use crate::vault::Index;

/// A member's Patient at a clinic, still sealed.
#[derive(Clone, Debug)]
pub struct Link {
    /// Whose.
    pub member: MemberId,
    /// Where.
    pub clinic: ClinicId,
    /// Keyed index of the Patient's id.
    pub patient_index: Index,
    /// The Patient's id there, sealed with the member's key.
    pub sealed_patient: Vec<u8>,
    /// What tells the resources of this Patient apart from those of the first one whom the member was linked to there;
    /// `None` for the first one.
    pub lineage: Option<Index>,
    /// How the clinic vouched for it, in a word.
    pub proof: String,
    /// When.
    pub linked_at: Timestamp,
}

/// A link to be stored.
#[derive(Clone, Debug)]
pub struct NewLink<'a> {
    /// Whose.
    pub member: MemberId,
    /// Where.
    pub clinic: &'a ClinicId,
    /// Keyed index of the Patient's id, so that no two members hold the same Patient.
    pub patient_index: Index,
    /// The Patient's id, sealed with the member's key.
    pub sealed_patient: Vec<u8>,
    /// As in [`Link`].
    pub lineage: Option<Index>,
    /// How the clinic vouched for it, in a word.
    pub proof: &'a str,
    /// All that is known about that, sealed with the member's key.
    pub sealed_proof: Vec<u8>,
}

/// A link that ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormerLink {
    /// Where.
    pub clinic: ClinicId,
    /// From when.
    pub linked_at: Timestamp,
    /// Until when.
    pub unlinked_at: Timestamp,
    /// On whose word it ended.
    pub ended_by: EndedBy,
}

/// On whose word a link ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// The member's own.
    Member,
    /// The operator's.
    Operator,
    /// The clinic's: it says that the Patient is another member.
    Clinic,
}

type Row = (Uuid, String, Vec<u8>, Vec<u8>, Option<Vec<u8>>, String, i64);

impl EndedBy {
    /// The word used in the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Operator => "operator",
            Self::Clinic => "clinic",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Member, Self::Operator, Self::Clinic].into_iter().find(|by| by.as_str() == name)
    }
}

impl Tx {
    /// Links a member to their Patient at a clinic.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the member has a link there, or the Patient belongs to another member.
    pub async fn insert_link(&mut self, link: NewLink<'_>, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO links (member_id, clinic_id, patient_index, sealed_patient, lineage, proof, \
                           sealed_proof, linked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on!(self, conn => sqlx::query(SQL)
            .bind(link.member.0)
            .bind(link.clinic.as_str())
            .bind(&link.patient_index[..])
            .bind(&link.sealed_patient)
            .bind(link.lineage.as_ref().map(|lineage| &lineage[..]))
            .bind(link.proof)
            .bind(&link.sealed_proof)
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The links of some members.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn links(&mut self, members: &[MemberId]) -> Result<Vec<Link>, StoreError> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Row> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT member_id, clinic_id, patient_index, sealed_patient, lineage, proof, linked_at FROM links \
                 WHERE member_id IN (",
            );
            let mut list = query.separated(", ");
            for member in members {
                list.push_bind(member.0);
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(read).collect()
    }

    /// What is kept, sealed, about how a clinic vouched for a link.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn link_proof(&mut self, member: MemberId, clinic: &ClinicId) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT sealed_proof FROM links WHERE member_id = $1 AND clinic_id = $2";
        let found: Option<Option<Vec<u8>>> =
            on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(clinic.as_str()).fetch_optional(conn).await?);
        Ok(found.flatten())
    }

    /// Who is linked to a Patient, by the keyed index of its id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn member_by_patient(
        &mut self,
        clinic: &ClinicId,
        patient_index: Index,
    ) -> Result<Option<MemberId>, StoreError> {
        const SQL: &str = "SELECT member_id FROM links WHERE clinic_id = $1 AND patient_index = $2";
        let found: Option<Uuid> = on!(self, conn => sqlx::query_scalar(SQL)
            .bind(clinic.as_str())
            .bind(&patient_index[..])
            .fetch_optional(conn)
            .await?);
        Ok(found.map(MemberId))
    }

    /// The first Patient whom a member was linked to at a clinic, if that link has ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn first_former_patient(
        &mut self,
        member: MemberId,
        clinic: &ClinicId,
    ) -> Result<Option<Index>, StoreError> {
        const SQL: &str =
            "SELECT patient_index FROM former_links WHERE member_id = $1 AND clinic_id = $2 AND ordinal = 1";
        let found: Option<Vec<u8>> =
            on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).bind(clinic.as_str()).fetch_optional(conn).await?);
        found.map(to_index).transpose()
    }

    /// Ends a link: of the Patient nothing is left but the keyed index. The caller holds the member
    /// ([`Tx::lock_member`]).
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when there is no such link.
    pub async fn end_link(
        &mut self,
        member: MemberId,
        clinic: &ClinicId,
        ended_by: EndedBy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const KEEP: &str = "INSERT INTO former_links (member_id, clinic_id, ordinal, patient_index, proof, sealed_proof, \
             linked_at, unlinked_at, ended_by) SELECT member_id, clinic_id, (SELECT COUNT(*) + 1 FROM former_links f \
             WHERE f.member_id = links.member_id AND f.clinic_id = links.clinic_id), patient_index, proof, sealed_proof, \
             linked_at, $3, $4 FROM links WHERE member_id = $1 AND clinic_id = $2";
        const DELETE: &str = "DELETE FROM links WHERE member_id = $1 AND clinic_id = $2";
        let kept = on!(self, conn => sqlx::query(KEEP)
            .bind(member.0)
            .bind(clinic.as_str())
            .bind(now.as_microsecond())
            .bind(ended_by.as_str())
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, kept)?;
        changed(
            1,
            on!(self, conn => sqlx::query(DELETE)
            .bind(member.0)
            .bind(clinic.as_str())
            .execute(conn)
            .await?
            .rows_affected()),
        )
    }

    /// A member's links that ended, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn former_links(&mut self, member: MemberId) -> Result<Vec<FormerLink>, StoreError> {
        const SQL: &str = "SELECT clinic_id, linked_at, unlinked_at, ended_by FROM former_links WHERE member_id = $1 \
                           ORDER BY unlinked_at DESC, clinic_id, ordinal DESC";
        let rows: Vec<(String, i64, i64, String)> =
            on!(self, conn => sqlx::query_as(SQL).bind(member.0).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(clinic, linked_at, unlinked_at, ended_by)| {
                Ok(FormerLink {
                    clinic: clinic_id(clinic)?,
                    linked_at: instant(linked_at)?,
                    unlinked_at: instant(unlinked_at)?,
                    ended_by: named(EndedBy::from_name(&ended_by), "a word for who ended a link")?,
                })
            })
            .collect()
    }
}

fn read(row: Row) -> Result<Link, StoreError> {
    let (member, clinic, patient_index, sealed_patient, lineage, proof, linked_at) = row;
    Ok(Link {
        member: MemberId(member),
        clinic: clinic_id(clinic)?,
        patient_index: to_index(patient_index)?,
        sealed_patient,
        lineage: lineage.map(to_index).transpose()?,
        proof,
        linked_at: instant(linked_at)?,
    })
}
