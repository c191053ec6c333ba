//! The Subscriptions of the bridge at EHRs: made for each link from which something comes back, watched, renewed, begun anew
//! after an error, and deleted when consent ends. They only make it faster: behind them it is looked for all the same.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::look::backoff;
use super::receive::GAP;
use super::secret::Secret;
use super::{CLAIM, Place, WayBack, WayBackError};
use crate::delivery::ehr::{NotShown, Ticket};
use crate::delivery::smart_auth::TokenError;
use crate::domain::ids::ClinicId;
use crate::domain::way_back::{Subscribe, SubscriptionState};
use crate::enrolment::join::linked_patient;
use crate::inbound::advice::{Bundle, TYPES};
use crate::inbound::notice::Notice;
use crate::mapping::to_fhir::{Watch, beats, is_topic, subscription};
use crate::store::{LaneKey, NewSubscription, StoreError, SubscriptionRow, Tended};

/// How many are looked after in one step.
const PORTION: i64 = 8;

/// How often one that works is looked after.
const WATCHED_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// How soon one is looked after that was just made.
const SOON: SignedDuration = SignedDuration::from_mins(1);

/// For how long an EHR is to keep one.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// It is renewed when it would end before that.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_hours(5 * 24);

/// How often an EHR is to say that it lives, in seconds.
const HEARTBEAT: u32 = 300;

/// How often it is tried to delete one.
const DELETE_ATTEMPTS: i64 = 10;

/// One Subscription, with what is needed to look after it.
struct Tending<'a> {
    place: &'a Place,
    row: &'a SubscriptionRow,
    ticket: Ticket,
    wanted: Value,
    endpoint: String,
    now: Timestamp,
}

impl WayBack {
    /// Notes which Subscriptions a lane is to have, by what its EHR offers.
    pub(super) async fn want(&self, place: &Place, lane: &LaneKey, ticket: &Ticket) -> Result<(), WayBackError> {
        let topics = place.topics(ticket);
        if place.notify.is_none() || topics.is_empty() {
            return Ok(());
        }
        let there: BTreeSet<String> = self.bridge.store.read().await?.wanted_topics(lane).await?.into_iter().collect();
        let missing: Vec<&String> = topics.iter().filter(|topic| !there.contains(*topic)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let now = self.bridge.clock.now();
        let mut tx = self.bridge.store.begin().await?;
        let Some(wrapped) = tx.member_key(lane.member).await? else { return Ok(()) };
        let key = self.bridge.keyring.unwrap_member_key(lane.member, &wrapped)?;
        for topic in missing {
            let entropy = self.bridge.keyring.entropy();
            let no_entropy = |_| WayBackError::Seal(crate::vault::SealError::NoEntropy);
            let secret = Secret::new(entropy).map_err(no_entropy)?;
            let id = entropy.uuid(now).map_err(no_entropy)?;
            let (path_index, header_index) = secret.indexes(&self.bridge.keyring);
            let sealed_secret = secret.seal(&key, id)?;
            tx.want_subscription(&NewSubscription { lane, topic, id, path_index, sealed_secret, header_index }, now)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Looks after a portion of a clinic's Subscriptions. Returns whether there was anything to do.
    pub(super) async fn tend(&self, clinic: &ClinicId, place: &Place) -> Result<bool, WayBackError> {
        let now = self.bridge.clock.now();
        let until = now.checked_add(CLAIM).unwrap_or(Timestamp::MAX);
        let mut tx = self.bridge.store.begin().await?;
        let rows = tx.claim_subscriptions(clinic, now, until, PORTION).await?;
        tx.commit().await?;
        for row in &rows {
            self.tend_one(place, row, now).await?;
        }
        Ok(!rows.is_empty())
    }

    async fn tend_one(&self, place: &Place, row: &SubscriptionRow, now: Timestamp) -> Result<(), WayBackError> {
        let (store, lane) = (&self.bridge.store, &row.lane);
        if row.state == SubscriptionState::Unwanted {
            let deleted = delete(place, row).await;
            let mut tx = store.begin().await?;
            match deleted {
                Err(NotShown::Away { reason, .. }) if row.failures < DELETE_ATTEMPTS => {
                    tx.tended(row, &later(row, reason, now)).await?;
                }
                // Where it could not be deleted its address is known to nobody any more.
                _ => tx.forget_subscription(row).await?,
            }
            return Ok(tx.commit().await?);
        }
        let Some(tending) = self.prepare(place, row, now).await? else {
            let mut tx = store.begin().await?;
            tx.tended(row, &later(row, "no-access".to_owned(), now)).await?;
            return Ok(tx.commit().await?);
        };
        let (came, is_news) = tending.tend().await;
        let mut tx = store.begin().await?;
        tx.tended(row, &came).await?;
        if is_news {
            tx.look_for_notified(lane, now, GAP).await?;
        }
        Ok(tx.commit().await?)
    }

    /// `None` where the member is gone, not linked any more, or lends no access.
    async fn prepare<'a>(
        &self,
        place: &'a Place,
        row: &'a SubscriptionRow,
        now: Timestamp,
    ) -> Result<Option<Tending<'a>>, WayBackError> {
        let Some(notify) = &place.notify else { return Ok(None) };
        let mut tx = self.bridge.store.read().await?;
        let Some(wrapped) = tx.member_key(row.lane.member).await? else { return Ok(None) };
        let key = self.bridge.keyring.unwrap_member_key(row.lane.member, &wrapped)?;
        let secret = Secret::open(&key, row.id, &row.sealed_secret)?;
        let patient = linked_patient(&mut tx, &self.bridge.keyring, row.lane.member, &row.lane.clinic).await;
        let patient = patient.map_err(|_| StoreError::Corrupt("a link it should not"))?;
        drop(tx);
        let Some(patient) = patient else { return Ok(None) };
        let Ok(ticket) = place.ehr.prepare(row.lane.member).await else { return Ok(None) };
        let endpoint = secret.endpoint(notify);
        let until = now.checked_add(KEPT_FOR).unwrap_or(Timestamp::MAX);
        let watch = Watch {
            topic: &row.topic,
            patient: &patient,
            endpoint: &endpoint,
            header: &secret.header,
            until,
            heartbeat: HEARTBEAT,
        };
        let wanted = subscription(watch);
        Ok(Some(Tending { place, row, ticket, wanted, endpoint, now }))
    }
}

impl Tending<'_> {
    /// How it stands then, and whether something may have been missed.
    async fn tend(&self) -> (Tended, bool) {
        match &self.row.ehr_id {
            None => (self.make().await, false),
            Some(id) => self.watch(id).await,
        }
    }

    /// Makes it, unless it is there: the answer to an earlier attempt may have been lost.
    async fn make(&self) -> Tended {
        let made = match self.find().await {
            Ok(Some(id)) => Ok(id),
            Ok(None) => self.place.ehr.subscribe(&self.wanted, &self.ticket).await,
            Err(error) => Err(error),
        };
        match made {
            Ok(id) => self.stands(SubscriptionState::Requested, Some(id), SOON, None),
            Err(NotShown::Away { reason, .. }) => later(self.row, reason, self.now),
            Err(NotShown::Gone) => self.refused("http-404".to_owned()),
            Err(NotShown::Refused { reason }) => self.refused(reason),
        }
    }

    /// By its address, which nobody else knows (R4, Subscription, search parameter `url`).
    async fn find(&self) -> Result<Option<String>, NotShown> {
        if self.row.failures == 0 {
            return Ok(None);
        }
        let shown = self.place.ehr.show("Subscription", &[("url", &self.endpoint)], &self.ticket).await?;
        let Ok(bundle) = Bundle::read(&shown.body) else { return Ok(None) };
        let own = |found: &Value| {
            let is_own = found.pointer("/channel/endpoint").and_then(Value::as_str) == Some(self.endpoint.as_str());
            found.get("id").and_then(Value::as_str).filter(|_| is_own).map(str::to_owned)
        };
        Ok(bundle.resources.iter().find_map(own))
    }

    /// Asks how it stands; renews it before it ends, and begins it anew where it does not work.
    async fn watch(&self, id: &str) -> (Tended, bool) {
        let shown = self.place.ehr.show(&format!("Subscription/{id}"), &[], &self.ticket).await;
        let current: Value = match shown.map(|shown| serde_json::from_slice(&shown.body)) {
            Ok(Ok(current)) => current,
            // Somebody deleted it: it is made again, and whatever happened meanwhile is looked for.
            Err(NotShown::Gone) => {
                return (Tended { ehr_id: None, ..self.stands(SubscriptionState::Wanted, None, GAP, None) }, true);
            }
            Err(NotShown::Away { reason, .. } | NotShown::Refused { reason }) => {
                return (later(self.row, reason, self.now), false);
            }
            Ok(Err(_)) => return (later(self.row, "read-no-resource".to_owned(), self.now), false),
        };
        let (mut status, is_behind) = self.status(id, &current).await;
        if status == "active" && self.is_silent(&current) {
            "silent".clone_into(&mut status);
        }
        let ends_soon = self.row.ends_at.is_none_or(|end| end.duration_since(self.now) < RENEWED_BEFORE);
        let id = Some(id.to_owned());
        match status.as_str() {
            "active" if !ends_soon => {
                let stands = self.stands(SubscriptionState::Active, id, WATCHED_EVERY, None);
                (Tended { ends_at: self.row.ends_at, ..stands }, is_behind)
            }
            "requested" if !ends_soon && self.row.failures < 3 => {
                let stands = self.stands(SubscriptionState::Requested, id, SOON, Some("not-active-yet".to_owned()));
                (Tended { ends_at: self.row.ends_at, ..stands }, false)
            }
            // Only whoever made it may begin it anew, after an error or when nothing is heard of it any more.
            status => {
                let is_well = status == "active";
                let (status, why) = if is_well { ("active", None) } else { ("requested", Some(status)) };
                let renewed = self.put(&current, status).await;
                let why = why.map(|why| format!("was-{why}"));
                (self.renewed(renewed, is_well, why), !is_well || is_behind)
            }
        }
    }

    fn renewed(&self, put: Result<(), NotShown>, is_well: bool, why: Option<String>) -> Tended {
        let state = if is_well { SubscriptionState::Active } else { SubscriptionState::Error };
        let id = self.row.ehr_id.clone();
        match put {
            Ok(()) => {
                let wait = if is_well { WATCHED_EVERY } else { backoff(self.row.failures, WATCHED_EVERY) };
                self.stands(state, id, wait, why)
            }
            Err(NotShown::Away { reason, .. } | NotShown::Refused { reason }) => {
                Tended { state, ..later(self.row, reason, self.now) }
            }
            Err(NotShown::Gone) => self.stands(SubscriptionState::Wanted, None, GAP, None),
        }
    }

    /// What the EHR says of it: by `$status` where it is by topic and the EHR has that, else by what stands there; and
    /// whether there were more events than came.
    async fn status(&self, id: &str, current: &Value) -> (String, bool) {
        let stands = current.get("status").and_then(Value::as_str).unwrap_or("error").to_owned();
        if !is_topic(&self.row.topic) {
            return (stands, false);
        }
        let asked = self.place.ehr.show(&format!("Subscription/{id}/$status"), &[], &self.ticket).await;
        let Some(told) = asked.ok().and_then(|shown| Notice::read(&shown.body).ok()) else { return (stands, false) };
        let is_behind = told.events.is_some_and(|events| self.row.last_event.is_some_and(|last| events != last));
        (told.status.unwrap_or(stands), is_behind)
    }

    /// Whether an EHR that promised to say that it lives has not done so for long.
    fn is_silent(&self, current: &Value) -> bool {
        let longest = SignedDuration::from_secs(i64::from(HEARTBEAT) * 3);
        beats(current) && self.row.heard_at.is_some_and(|at| self.now.duration_since(at) > longest)
    }

    async fn put(&self, current: &Value, status: &str) -> Result<(), NotShown> {
        let mut next = self.wanted.clone();
        let id = self.row.ehr_id.as_deref().unwrap_or_default();
        if let Some(members) = next.as_object_mut() {
            members.insert("id".to_owned(), json!(id));
            members.insert("status".to_owned(), json!(status));
            if let Some(version) = current.pointer("/meta/versionId") {
                let meta = members.entry("meta").or_insert_with(|| json!({}));
                if let Some(meta) = meta.as_object_mut() {
                    meta.insert("versionId".to_owned(), version.clone());
                }
            }
        }
        self.place.ehr.resubscribe(id, &next, &self.ticket).await
    }

    fn stands(
        &self,
        state: SubscriptionState,
        ehr_id: Option<String>,
        wait: SignedDuration,
        reason: Option<String>,
    ) -> Tended {
        let after = |time| self.now.checked_add(time).unwrap_or(Timestamp::MAX);
        Tended { state, ehr_id, ends_at: Some(after(KEPT_FOR)), due_at: after(wait), reason }
    }

    fn refused(&self, reason: String) -> Tended {
        self.stands(SubscriptionState::Refused, None, SignedDuration::from_hours(24), Some(reason))
    }
}

/// Deletes one that nobody wants any more.
async fn delete(place: &Place, row: &SubscriptionRow) -> Result<(), NotShown> {
    // Nothing is known to stand there.
    let Some(id) = &row.ehr_id else { return Ok(()) };
    let no_access =
        |error: TokenError| NotShown::Away { reason: error.code().to_owned(), retry_after: error.retry_after() };
    let ticket = place.ehr.prepare(row.lane.member).await.map_err(no_access)?;
    place.ehr.unsubscribe(id, &ticket).await
}

/// It stays as it is, and is tried again.
fn later(row: &SubscriptionRow, reason: String, now: Timestamp) -> Tended {
    let due_at = now.checked_add(backoff(row.failures, WATCHED_EVERY)).unwrap_or(Timestamp::MAX);
    Tended { state: row.state, ehr_id: row.ehr_id.clone(), ends_at: row.ends_at, due_at, reason: Some(reason) }
}

impl Place {
    /// What is subscribed to, by what the EHR offers: topics, or FHIR types where it knows none.
    fn topics(&self, ticket: &Ticket) -> BTreeSet<String> {
        let capabilities = ticket.capabilities();
        let offered = || self.rules.topics.iter().filter(|topic| capabilities.has_topic(topic)).cloned().collect();
        let types = || -> BTreeSet<String> {
            let is_wanted = |kind: &&str| super::look::is_wanted(self, kind) && ticket.may_search(kind);
            TYPES.iter().copied().filter(is_wanted).map(str::to_owned).collect()
        };
        if !ticket.may_subscribe() {
            return BTreeSet::new();
        }
        let topics: BTreeSet<String> = offered();
        match self.rules.subscribe {
            Subscribe::Never => BTreeSet::new(),
            Subscribe::Criteria => types(),
            Subscribe::Auto if topics.is_empty() => types(),
            Subscribe::Topics | Subscribe::Auto => topics,
        }
    }
}
