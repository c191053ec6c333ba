//! What is in the database about one member, in pages: for their own eyes.

use jiff::Timestamp;
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{SessionRow, StoreError, Tx, community_id, instant, on};
use crate::domain::ids::{DeliveryId, GrantId, MemberId};

/// Who a member is to this bridge.
#[derive(Clone, Debug)]
pub struct Profile {
    /// When they joined.
    pub since: Option<Timestamp>,
    /// Communities, each with the sealed name under which it knows them.
    pub handles: Vec<(String, Vec<u8>)>,
    /// The clinics they are linked to.
    pub links: Vec<LinkRow>,
    /// The access that they lent to the bridge.
    pub lent: Vec<LentRow>,
}

/// Where a member is signed in.
#[derive(Clone, Debug)]
pub struct Accesses {
    /// Their tokens: made when, good until when.
    pub tokens: Vec<(Timestamp, Timestamp)>,
    /// Their sessions at the portal.
    pub sessions: Vec<SessionRow>,
    /// The communities whose identity providers know them.
    pub identities: Vec<String>,
    /// The clinics at which they began to sign in, each with when that ends.
    pub launches: Vec<(String, Timestamp)>,
}

/// A link, as it is stored.
#[derive(Clone, Debug)]
pub struct LinkRow {
    /// Where.
    pub clinic: String,
    /// The Patient's id there, sealed.
    pub sealed_patient: Vec<u8>,
    /// How the clinic vouched for it.
    pub proof: String,
    /// When it was made.
    pub linked_at: Timestamp,
}

/// Access that a member lent to the bridge.
#[derive(Clone, Debug)]
pub struct LentRow {
    /// To which clinic.
    pub clinic: String,
    /// Whether it is still good.
    pub state: String,
    /// Since when.
    pub connected_at: Timestamp,
}

/// After which item a page begins.
#[derive(Clone, Default, Debug)]
pub struct PlaceOnLane {
    /// To whom it goes; at first, nobody.
    pub clinic: String,
    /// Its place.
    pub seq: i64,
}

/// An item of the outbox, and where it stands in the EHR.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Where it stands here.
    pub place: PlaceOnLane,
    /// The item.
    pub id: DeliveryId,
    /// What it does with the resource.
    pub operation: String,
    /// Under which consent it falls.
    pub category: String,
    /// When the fact was lived.
    pub measured_at: Timestamp,
    /// The grant that permitted it.
    pub grant: GrantId,
    /// How far it is.
    pub state: String,
    /// Why: a code.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was put into the outbox.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Value of the resource's identifier.
    pub identifier: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// The id that the EHR gave it.
    pub ehr_id: Option<String>,
    /// Its version there.
    pub ehr_version: Option<String>,
    /// When the EHR confirmed it.
    pub confirmed_at: Option<Timestamp>,
}

/// The content of an item.
#[derive(Clone, Debug)]
pub struct PayloadRow {
    /// Where it stands.
    pub place: PlaceOnLane,
    /// The item.
    pub id: DeliveryId,
    /// What it says, sealed.
    pub sealed_payload: Vec<u8>,
    /// The wrapped key of its lane, if that has one.
    pub sealed_key: Option<Vec<u8>>,
}

/// An event that came in.
#[derive(Clone, Debug)]
pub struct EntryRow {
    /// From where.
    pub community: String,
    /// Its keyed index.
    pub index: Vec<u8>,
    /// What it reported, where that was kept.
    pub category: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// When its entry was deleted.
    pub retracted_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    clinic_id: String,
    seq: i64,
    delivery_id: Uuid,
    operation: String,
    category: String,
    measured_at: i64,
    grant_id: Uuid,
    state: String,
    reason: Option<String>,
    attempts: i32,
    created_at: i64,
    updated_at: i64,
    identifier: String,
    resource_type: String,
    ehr_id: Option<String>,
    ehr_version: Option<String>,
    confirmed_at: Option<i64>,
}

type ContentRow = (String, i64, Uuid, Vec<u8>, Option<Vec<u8>>);
type SeenRow = (String, Vec<u8>, Option<String>, i64, Option<i64>);

impl Tx {
    /// Who a member is to this bridge.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn profile(&mut self, member: MemberId) -> Result<Profile, StoreError> {
        const SINCE: &str = "SELECT created_at FROM members WHERE member_id = $1";
        const HANDLES: &str =
            "SELECT community_id, sealed_handle FROM handles WHERE member_id = $1 ORDER BY community_id";
        const LINKS: &str =
            "SELECT clinic_id, sealed_patient, proof, linked_at FROM links WHERE member_id = $1 ORDER BY clinic_id";
        const LENT: &str =
            "SELECT clinic_id, state, connected_at FROM patient_tokens WHERE member_id = $1 ORDER BY clinic_id";
        let id = member.0;
        let since: Option<i64> = on!(self, conn => sqlx::query_scalar(SINCE).bind(id).fetch_optional(conn).await?);
        let handles = on!(self, conn => sqlx::query_as(HANDLES).bind(id).fetch_all(conn).await?);
        let links: Vec<(String, Vec<u8>, String, i64)> =
            on!(self, conn => sqlx::query_as(LINKS).bind(id).fetch_all(conn).await?);
        let lent: Vec<(String, String, i64)> = on!(self, conn => sqlx::query_as(LENT).bind(id).fetch_all(conn).await?);
        let link = |(clinic, sealed_patient, proof, at)| {
            Ok(LinkRow { clinic, sealed_patient, proof, linked_at: instant(at)? })
        };
        let access = |(clinic, state, at)| Ok(LentRow { clinic, state, connected_at: instant(at)? });
        Ok(Profile {
            since: since.map(instant).transpose()?,
            handles,
            links: links.into_iter().map(link).collect::<Result<_, StoreError>>()?,
            lent: lent.into_iter().map(access).collect::<Result<_, StoreError>>()?,
        })
    }

    /// Where a member is signed in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accesses(&mut self, member: MemberId) -> Result<Accesses, StoreError> {
        const TOKENS: &str =
            "SELECT created_at, expires_at FROM member_tokens WHERE member_id = $1 ORDER BY created_at";
        const SESSIONS: &str =
            "SELECT community_id, idle_until, ends_at FROM sessions WHERE member_id = $1 ORDER BY ends_at";
        const IDENTITIES: &str = "SELECT community_id FROM identities WHERE member_id = $1 ORDER BY community_id";
        const LAUNCHES: &str = "SELECT clinic_id, expires_at FROM launches WHERE member_id = $1 ORDER BY clinic_id";
        let id = member.0;
        let tokens: Vec<(i64, i64)> = on!(self, conn => sqlx::query_as(TOKENS).bind(id).fetch_all(conn).await?);
        let sessions: Vec<(String, i64, i64)> =
            on!(self, conn => sqlx::query_as(SESSIONS).bind(id).fetch_all(conn).await?);
        let identities = on!(self, conn => sqlx::query_scalar(IDENTITIES).bind(id).fetch_all(conn).await?);
        let launches: Vec<(String, i64)> = on!(self, conn => sqlx::query_as(LAUNCHES).bind(id).fetch_all(conn).await?);
        let session = |(community, idle_until, ends_at)| {
            let (community, idle_until, ends_at) = (community_id(community)?, instant(idle_until)?, instant(ends_at)?);
            Ok(SessionRow { member, community, idle_until, ends_at })
        };
        let token = |(made, ends)| Ok((instant(made)?, instant(ends)?));
        let launch = |(clinic, ends)| Ok((clinic, instant(ends)?));
        Ok(Accesses {
            tokens: tokens.into_iter().map(token).collect::<Result<_, StoreError>>()?,
            sessions: sessions.into_iter().map(session).collect::<Result<_, StoreError>>()?,
            identities,
            launches: launches.into_iter().map(launch).collect::<Result<_, StoreError>>()?,
        })
    }

    /// A page of everything that was put into the outbox for a member, lane by lane.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deliveries_of(
        &mut self,
        member: MemberId,
        after: &PlaceOnLane,
        limit: i64,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let rows: Vec<ItemRow> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT o.clinic_id, o.seq, o.delivery_id, o.operation, o.category, o.measured_at, o.grant_id, \
                 CASE WHEN lanes.clinic_id IS NULL THEN o.state ELSE 'withdrawn' END AS state, \
                 CASE WHEN lanes.clinic_id IS NULL THEN o.reason ELSE 'consent-revoked' END AS reason, \
                 o.attempts, o.created_at, o.updated_at, o.identifier, o.resource_type, l.ehr_id, \
                 l.ehr_version, l.confirmed_at FROM outbox o LEFT JOIN ledger l ON l.clinic_id = o.clinic_id \
                 AND l.member_id = o.member_id AND l.identifier = o.identifier LEFT JOIN lanes \
                 ON lanes.clinic_id = o.clinic_id AND lanes.member_id = o.member_id \
                 AND o.seq <= lanes.withdrawn_through AND o.state IN ('ready', 'retry', 'held') WHERE o.member_id = ",
            );
            query.push_bind(member.0).push(" AND (o.clinic_id, o.seq) > (").push_bind(&after.clinic).push(", ");
            query.push_bind(after.seq).push(") ORDER BY o.clinic_id, o.seq LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter().map(read).collect()
    }

    /// A page of the content that is stored for a member's items, lane by lane.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn payloads_of(
        &mut self,
        member: MemberId,
        after: &PlaceOnLane,
        limit: i64,
    ) -> Result<Vec<PayloadRow>, StoreError> {
        let rows: Vec<ContentRow> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT o.clinic_id, o.seq, o.delivery_id, o.sealed_payload, l.sealed_key FROM outbox o JOIN lanes l \
                 ON l.clinic_id = o.clinic_id AND l.member_id = o.member_id AND o.seq > l.withdrawn_through \
                 WHERE o.sealed_payload IS NOT NULL AND o.member_id = ",
            );
            query.push_bind(member.0).push(" AND (o.clinic_id, o.seq) > (").push_bind(&after.clinic).push(", ");
            query.push_bind(after.seq).push(") ORDER BY o.clinic_id, o.seq LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        });
        let row = |(clinic, seq, id, sealed_payload, sealed_key)| PayloadRow {
            place: PlaceOnLane { clinic, seq },
            id: DeliveryId(id),
            sealed_payload,
            sealed_key,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// A page of the events of a member, after one with this community and index.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries_of(
        &mut self,
        member: MemberId,
        after: Option<&(String, Vec<u8>)>,
        limit: i64,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let (community, index) = after.map_or(("", &[][..]), |(community, index)| (community.as_str(), &index[..]));
        let rows: Vec<SeenRow> = on!(self, conn: Db => {
            let mut query = QueryBuilder::<Db>::new(
                "SELECT community_id, event_index, category, received_at, retracted_at FROM events WHERE member_id = ",
            );
            query.push_bind(member.0).push(" AND (community_id, event_index) > (").push_bind(community).push(", ");
            query.push_bind(index).push(") ORDER BY community_id, event_index LIMIT ").push_bind(limit);
            query.build_query_as().fetch_all(conn).await?
        });
        rows.into_iter()
            .map(|(community, index, category, received_at, retracted_at)| {
                let (received_at, retracted_at) = (instant(received_at)?, retracted_at.map(instant).transpose()?);
                Ok(EntryRow { community, index, category, received_at, retracted_at })
            })
            .collect()
    }
}

fn read(row: ItemRow) -> Result<DeliveryRow, StoreError> {
    Ok(DeliveryRow {
        place: PlaceOnLane { clinic: row.clinic_id, seq: row.seq },
        id: DeliveryId(row.delivery_id),
        operation: row.operation,
        category: row.category,
        measured_at: instant(row.measured_at)?,
        grant: GrantId(row.grant_id),
        state: row.state,
        reason: row.reason,
        attempts: row.attempts,
        created_at: instant(row.created_at)?,
        updated_at: instant(row.updated_at)?,
        identifier: row.identifier,
        resource_type: row.resource_type,
        ehr_id: row.ehr_id,
        ehr_version: row.ehr_version,
        confirmed_at: row.confirmed_at.map(instant).transpose()?,
    })
}
