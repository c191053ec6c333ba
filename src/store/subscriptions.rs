//! The Subscriptions that the bridge has at EHRs.

use jiff::Timestamp;
use uuid::Uuid;

use super::error::changed;
use super::events::to_index;
use super::lanes::LaneKey;
use super::{StoreError, Tx, clinic_id, instant, named, on};
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::way_back::SubscriptionState;
use crate::vault::Index;

/// A Subscription.
#[derive(Clone, Debug)]
pub struct SubscriptionRow {
    /// For whom, at which clinic.
    pub lane: LaneKey,
    /// The canonical address of its topic, or a FHIR type where the EHR knows no topics.
    pub topic: String,
    /// Its id here.
    pub id: Uuid,
    /// The secret that its notices come with, and their address, sealed with the member's key.
    pub sealed_secret: Vec<u8>,
    /// Keyed index of the secret that each notice carries.
    pub header_index: Index,
    /// The id the EHR gave it.
    pub ehr_id: Option<String>,
    /// How it stands.
    pub state: SubscriptionState,
    /// The last number of an event up to which none is missing.
    pub last_event: Option<i64>,
    /// When it was last heard of.
    pub heard_at: Option<Timestamp>,
    /// Until when the EHR keeps it.
    pub ends_at: Option<Timestamp>,
    /// How many things with it failed since the last one that did not.
    pub failures: i64,
}

/// A Subscription to be made.
#[derive(Clone, Debug)]
pub struct NewSubscription<'a> {
    /// For whom, at which clinic.
    pub lane: &'a LaneKey,
    /// As in [`SubscriptionRow`].
    pub topic: &'a str,
    /// As in [`SubscriptionRow`].
    pub id: Uuid,
    /// Keyed index of the secret in the address where it is notified.
    pub path_index: Index,
    /// As in [`SubscriptionRow`].
    pub sealed_secret: Vec<u8>,
    /// As in [`SubscriptionRow`].
    pub header_index: Index,
}

/// What became of a Subscription.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tended {
    /// How it stands.
    pub state: SubscriptionState,
    /// The id the EHR gave it.
    pub ehr_id: Option<String>,
    /// Until when the EHR keeps it.
    pub ends_at: Option<Timestamp>,
    /// When it is looked after next.
    pub due_at: Timestamp,
    /// Why, as a code, if something failed.
    pub reason: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    member_id: Uuid,
    clinic_id: String,
    topic: String,
    subscription_id: Uuid,
    sealed_secret: Vec<u8>,
    header_index: Vec<u8>,
    ehr_id: Option<String>,
    state: String,
    last_event: Option<i64>,
    heard_at: Option<i64>,
    ends_at: Option<i64>,
    failures: i64,
}

/// The columns of [`Row`].
macro_rules! columns {
    () => {
        "member_id, clinic_id, topic, subscription_id, sealed_secret, header_index, ehr_id, state, last_event, heard_at, \
         ends_at, failures"
    };
}

impl Tx {
    /// Notes that a Subscription is wanted. One that there is stays as it is, or is wanted again.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn want_subscription(&mut self, new: &NewSubscription<'_>, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO subscriptions (member_id, clinic_id, topic, subscription_id, path_index, \
             sealed_secret, header_index, state, due_at, failures) VALUES ($1, $2, $3, $4, $5, $6, $7, 'wanted', $8, 0) \
             ON CONFLICT (member_id, clinic_id, topic) DO UPDATE SET state = 'requested', due_at = excluded.due_at \
             WHERE subscriptions.state = 'unwanted'";
        on!(self, conn => sqlx::query(SQL)
            .bind(new.lane.member.0)
            .bind(new.lane.clinic.as_str())
            .bind(new.topic)
            .bind(new.id)
            .bind(&new.path_index[..])
            .bind(&new.sealed_secret)
            .bind(&new.header_index[..])
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The topics of a lane's Subscriptions that are wanted.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn wanted_topics(&mut self, lane: &LaneKey) -> Result<Vec<String>, StoreError> {
        const SQL: &str =
            "SELECT topic FROM subscriptions WHERE member_id = $1 AND clinic_id = $2 AND state <> 'unwanted'";
        let rows: Vec<(String,)> = on!(self, conn => sqlx::query_as(SQL)
            .bind(lane.member.0)
            .bind(lane.clinic.as_str())
            .fetch_all(conn)
            .await?);
        Ok(rows.into_iter().map(|(topic,)| topic).collect())
    }

    /// Nothing is to be notified any more: the EHR's Subscriptions are to be deleted.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_subscriptions(&mut self, lane: &LaneKey, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE subscriptions SET state = 'unwanted', due_at = $3, failures = 0 \
                           WHERE member_id = $1 AND clinic_id = $2 AND state <> 'unwanted'";
        on!(self, conn => sqlx::query(SQL)
            .bind(lane.member.0)
            .bind(lane.clinic.as_str())
            .bind(now.as_microsecond())
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Claims Subscriptions at a clinic that are to be looked after; nobody else does until then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_subscriptions(
        &mut self,
        clinic: &ClinicId,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        const SQLITE: &str = concat!(
            "UPDATE subscriptions SET due_at = $3 WHERE subscription_id IN (SELECT subscription_id FROM subscriptions \
             WHERE clinic_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $4) RETURNING ",
            columns!()
        );
        const POSTGRES: &str = concat!(
            "UPDATE subscriptions SET due_at = $3 WHERE subscription_id IN (SELECT subscription_id FROM subscriptions \
             WHERE clinic_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING ",
            columns!()
        );
        let sql = self.pick(SQLITE, POSTGRES);
        let rows: Vec<Row> = on!(self, conn => sqlx::query_as(sql)
            .bind(clinic.as_str())
            .bind(now.as_microsecond())
            .bind(until.as_microsecond())
            .bind(limit)
            .fetch_all(conn)
            .await?);
        rows.into_iter().map(read).collect()
    }

    /// Writes down what became of a Subscription. Where it was not wanted any more in the meantime, it stays unwanted.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn tended(&mut self, row: &SubscriptionRow, came: &Tended) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE subscriptions SET state = CASE WHEN state = 'unwanted' THEN state ELSE $2 END, ehr_id = $3, \
             ends_at = $4, due_at = $5, reason = $6, failures = CASE WHEN $6 IS NULL THEN 0 ELSE failures + 1 END \
             WHERE subscription_id = $1";
        on!(self, conn => sqlx::query(SQL)
            .bind(row.id)
            .bind(came.state.as_str())
            .bind(&came.ehr_id)
            .bind(came.ends_at.map(Timestamp::as_microsecond))
            .bind(came.due_at.as_microsecond())
            .bind(&came.reason)
            .execute(conn)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Forgets a Subscription, and what it notified.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_subscription(&mut self, row: &SubscriptionRow) -> Result<(), StoreError> {
        for sql in
            ["DELETE FROM news WHERE subscription_id = $1", "DELETE FROM subscriptions WHERE subscription_id = $1"]
        {
            on!(self, conn => sqlx::query(sql).bind(row.id).execute(conn).await?.rows_affected());
        }
        Ok(())
    }

    /// The Subscription whose notices come to this address, held until the transaction ends: two notices at once wait for
    /// each other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_subscription(&mut self, path: Index) -> Result<Option<SubscriptionRow>, StoreError> {
        const SQLITE: &str = concat!("SELECT ", columns!(), " FROM subscriptions WHERE path_index = $1");
        const POSTGRES: &str = concat!("SELECT ", columns!(), " FROM subscriptions WHERE path_index = $1 FOR UPDATE");
        let sql = self.pick(SQLITE, POSTGRES);
        let row: Option<Row> = on!(self, conn => sqlx::query_as(sql).bind(&path[..]).fetch_optional(conn).await?);
        row.map(read).transpose()
    }

    /// A Subscription was heard of; its events are known up to this number.
    ///
    /// # Errors
    /// [`StoreError::RowCount`] when there is none any more.
    pub async fn heard_of(
        &mut self,
        row: &SubscriptionRow,
        (state, last_event): (SubscriptionState, Option<i64>),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE subscriptions SET heard_at = $2, state = $3, last_event = $4 WHERE subscription_id = $1";
        let updated = on!(self, conn => sqlx::query(SQL)
            .bind(row.id)
            .bind(now.as_microsecond())
            .bind(state.as_str())
            .bind(last_event)
            .execute(conn)
            .await?
            .rows_affected());
        changed(1, updated)
    }

    /// The id that an EHR gave to a Subscription.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn subscription_ehr_id(&mut self, id: Uuid) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT ehr_id FROM subscriptions WHERE subscription_id = $1 AND ehr_id IS NOT NULL";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(id).fetch_optional(conn).await?))
    }

    /// How many Subscriptions for a member stand at EHRs, as far as the bridge knows.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn subscriptions_at_ehrs(&mut self, member: MemberId) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM subscriptions WHERE member_id = $1 AND ehr_id IS NOT NULL";
        Ok(on!(self, conn => sqlx::query_scalar(SQL).bind(member.0).fetch_one(conn).await?))
    }

    /// How many Subscriptions stand how at each clinic, and why.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_subscriptions(
        &mut self,
    ) -> Result<Vec<(ClinicId, SubscriptionState, Option<String>, i64)>, StoreError> {
        const SQL: &str = "SELECT clinic_id, state, reason, COUNT(*) FROM subscriptions GROUP BY clinic_id, state, reason \
                           ORDER BY clinic_id, state, reason";
        let rows: Vec<(String, String, Option<String>, i64)> =
            on!(self, conn => sqlx::query_as(SQL).fetch_all(conn).await?);
        rows.into_iter()
            .map(|(clinic, state, reason, count)| {
                let state = named(SubscriptionState::from_name(&state), "a state of a Subscription it should not")?;
                Ok((clinic_id(clinic)?, state, reason, count))
            })
            .collect()
    }
}

fn read(row: Row) -> Result<SubscriptionRow, StoreError> {
    Ok(SubscriptionRow {
        lane: LaneKey { clinic: clinic_id(row.clinic_id)?, member: MemberId(row.member_id) },
        topic: row.topic,
        id: row.subscription_id,
        sealed_secret: row.sealed_secret,
        header_index: to_index(row.header_index)?,
        ehr_id: row.ehr_id,
        state: named(SubscriptionState::from_name(&row.state), "a state of a Subscription it should not")?,
        last_event: row.last_event,
        heard_at: row.heard_at.map(instant).transpose()?,
        ends_at: row.ends_at.map(instant).transpose()?,
        failures: row.failures,
    })
}
