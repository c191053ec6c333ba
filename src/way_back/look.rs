//! One look: all that changed about one Patient since the last one, type by type and page by page.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::take::is_known;
use super::{CLAIM, LOOKS_AT_ONCE, Place, WayBack, WayBackError};
use crate::consent::decide::{Request, decide};
use crate::delivery::ehr::{NotShown, Shown, Ticket};
use crate::domain::advice::Word;
use crate::domain::ids::ClinicId;
use crate::domain::recommendation::RecommendationKind;
use crate::enrolment::join::{EnrolError, linked_patient};
use crate::inbound::advice::{Bundle, TYPES};
use crate::store::{DueLook, LaneKey, LookedAt, StoreError};

/// How many resources a page should hold: few enough that it is not longer than is read.
const PAGE: &str = "20";

/// The most pages of one search that are followed. What is beyond them is found by the next look.
const MOST_PAGES: usize = 100;

/// How soon a look that failed is taken again, the first time.
const SOON: SignedDuration = SignedDuration::from_mins(1);

/// Whether a look may be taken.
pub(super) enum Gate {
    /// It may; the member is this Patient.
    Open(String),
    /// It may not before then, or before a consent changes.
    Closed(Option<Timestamp>),
}

/// Why a look ended early.
pub(super) enum Missed {
    /// Something of this house.
    Ours(WayBackError),
    /// The EHR.
    Theirs(NotShown),
}

impl<E: Into<WayBackError>> From<E> for Missed {
    fn from(error: E) -> Self {
        Self::Ours(error.into())
    }
}

impl WayBack {
    /// Takes a portion of the looks that are due at a clinic. Returns whether there were any.
    pub(super) async fn look_where_due(&self, clinic: &ClinicId, place: &Place) -> Result<bool, WayBackError> {
        let now = self.bridge.clock.now();
        let until = now.checked_add(CLAIM).unwrap_or(Timestamp::MAX);
        let mut tx = self.bridge.store.begin().await?;
        let due = tx.claim_looks(clinic, now, until, LOOKS_AT_ONCE).await?;
        tx.commit().await?;
        let looks = join_all(due.iter().map(|look| self.look(place, look))).await;
        looks.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(!due.is_empty())
    }

    async fn look(&self, place: &Place, look: &DueLook) -> Result<(), WayBackError> {
        let now = self.bridge.clock.now();
        let gate = self.gate(&look.lane, now).await?;
        let is_closed = matches!(gate, Gate::Closed(_));
        let came = match gate {
            Gate::Closed(next) => LookedAt { watermark: None, next, failed: None },
            Gate::Open(patient) => {
                let seen = self.see(place, look, &patient, now).await;
                let later = |time| now.checked_add(time).ok();
                match seen {
                    Ok((watermark, refused)) => {
                        LookedAt { watermark: Some(watermark), next: later(place.rules.every()), failed: refused }
                    }
                    Err(Missed::Ours(error)) => return Err(error),
                    Err(Missed::Theirs(missed)) => {
                        let (reason, asked) = reason(missed);
                        let wait = backoff(look.failures, place.rules.every()).max(asked.unwrap_or_default());
                        tracing::info!(clinic_id = %look.lane.clinic, reason, "a look for news failed");
                        LookedAt { watermark: None, next: later(wait), failed: Some(reason) }
                    }
                }
            }
        };
        let mut tx = self.bridge.store.begin().await?;
        if is_closed {
            tx.end_subscriptions(&look.lane, now).await?;
        }
        tx.looked(look, &came, self.bridge.clock.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Whether the member lets anything come back from the clinic, and who they are there.
    pub(super) async fn gate(&self, lane: &LaneKey, now: Timestamp) -> Result<Gate, WayBackError> {
        let mut tx = self.bridge.store.read().await?;
        let grants = tx.living_grants(&[lane.member]).await?;
        let word = Word { member: lane.member, advice: None };
        if decide(&grants, Request::to_member(&word, &lane.clinic, now)).is_err() {
            let later = grants.iter().filter(|grant| grant.clinic == lane.clinic && grant.terms.valid_from > now);
            return Ok(Gate::Closed(later.map(|grant| grant.terms.valid_from).min()));
        }
        let patient = linked_patient(&mut tx, &self.bridge.keyring, lane.member, &lane.clinic).await;
        Ok(match patient.map_err(not_enrolled)? {
            Some(patient) => Gate::Open(patient),
            None => Gate::Closed(None),
        })
    }

    /// Looks through everything. Up to when it is seen then, by the EHR's clock, and why some of it was refused.
    async fn see(
        &self,
        place: &Place,
        look: &DueLook,
        patient: &str,
        now: Timestamp,
    ) -> Result<(Timestamp, Option<String>), Missed> {
        let away = |error: crate::delivery::smart_auth::TokenError| {
            let (reason, retry_after) = (error.code().to_owned(), error.retry_after());
            Missed::Theirs(NotShown::Away { reason, retry_after })
        };
        let ticket = place.ehr.prepare(look.lane.member).await.map_err(away)?;
        // Before it is looked: what changes from now on is notified, or seen.
        self.want(place, &look.lane, &ticket).await?;
        let first = || now.checked_sub(place.rules.look_back()).unwrap_or(Timestamp::MIN);
        let since = look.watermark.unwrap_or_else(first);
        let since = since.checked_sub(place.rules.overlap()).unwrap_or(since);
        let (mut seen, mut refused) = (None::<Timestamp>, None);
        for kind in TYPES.into_iter().filter(|kind| is_wanted(place, kind) && ticket.may_search(kind)) {
            match self.search(place, look, (kind, patient), since, &ticket).await {
                Ok(at) => seen = Some(seen.map_or(at, |seen| seen.min(at))),
                // The others may be had all the same.
                Err(Missed::Theirs(NotShown::Refused { reason })) => refused = Some(format!("{kind} {reason}")),
                Err(missed) => return Err(missed),
            }
        }
        match (seen, refused) {
            (Some(seen), None) => Ok((seen, None)),
            // What was refused may be had one day: as far back as a first look goes, it is then looked for.
            (Some(_), refused) => Ok((look.watermark.unwrap_or(Timestamp::MIN).max(first()), refused)),
            (None, Some(reason)) => Err(Missed::Theirs(NotShown::Refused { reason })),
            (None, None) => Err(Missed::Theirs(NotShown::Refused { reason: "nothing-to-search".to_owned() })),
        }
    }

    /// Looks through one type. When the EHR began to tell, by its own clock.
    async fn search(
        &self,
        place: &Place,
        look: &DueLook,
        (kind, patient): (&str, &str),
        since: Timestamp,
        ticket: &Ticket,
    ) -> Result<Timestamp, Missed> {
        let since = format!("ge{}", Timestamp::from_second(since.as_second()).unwrap_or(since));
        let query = [("patient", patient), ("_lastUpdated", since.as_str()), ("_count", PAGE)];
        let mut page = read(&place.ehr.show(kind, &query, ticket).await.map_err(Missed::Theirs)?)?;
        // Without a clock of its own nobody knows what it means by a time: then ours counts, and the overlap is all there is.
        let began = page.1.unwrap_or_else(|| self.bridge.clock.now());
        let mut followed = BTreeSet::new();
        loop {
            self.take_page(place, &look.lane, page.0.resources, ticket).await?;
            let Some(next) = page.0.next else { return Ok(began) };
            let elsewhere = || Missed::Theirs(NotShown::Refused { reason: "page-elsewhere".to_owned() });
            let next = place.ehr.within_base(&next).ok_or_else(elsewhere)?;
            if !followed.insert(next.clone()) || followed.len() > MOST_PAGES {
                let reason = "pages-without-end".to_owned();
                return Err(Missed::Theirs(NotShown::Away { reason, retry_after: None }));
            }
            page = read(&place.ehr.show(&next, &[], ticket).await.map_err(Missed::Theirs)?)?;
        }
    }

    /// Keeps what a page holds. What it refers to is looked up, unless nothing about it is new.
    async fn take_page(
        &self,
        place: &Place,
        lane: &LaneKey,
        resources: Vec<Value>,
        ticket: &Ticket,
    ) -> Result<(), Missed> {
        if resources.is_empty() {
            return Ok(());
        }
        let mut found = Vec::with_capacity(resources.len());
        for resource in resources {
            if is_known(&self.bridge, &lane.clinic, &resource).await? {
                continue;
            }
            let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let about = (text("/resourceType"), text("/id"));
            found.extend(self.tasks_about(place, lane, about, ticket).await?);
            found.push(self.complete(place, resource, ticket).await.map_err(Missed::Theirs)?);
        }
        Ok(self.take(place, lane, &found).await?)
    }
}

/// A page, and what time it was at the EHR when it was put together.
fn read(shown: &Shown) -> Result<(Bundle, Option<Timestamp>), Missed> {
    let reason = || Missed::Theirs(NotShown::Refused { reason: "search-no-bundle".to_owned() });
    let bundle = Bundle::read(&shown.body).map_err(|_| reason())?;
    let at = bundle.at.or(shown.at);
    Ok((bundle, at))
}

/// Whether anything in resources of a type is looked for.
pub(super) fn is_wanted(place: &Place, resource_type: &str) -> bool {
    let kinds: &[RecommendationKind] = match resource_type {
        "Task" => &[RecommendationKind::Task, RecommendationKind::Questionnaire],
        "CommunicationRequest" => &[RecommendationKind::CommunicationRequest],
        "Communication" => &[RecommendationKind::Communication],
        "CarePlan" => &[RecommendationKind::CarePlanActivity],
        "ServiceRequest" => &[RecommendationKind::ServiceRequest],
        _ => &[RecommendationKind::Appointment],
    };
    kinds.iter().any(|kind| place.rules.wants(*kind))
}

fn reason(missed: NotShown) -> (String, Option<SignedDuration>) {
    match missed {
        NotShown::Gone => ("http-404".to_owned(), None),
        NotShown::Refused { reason } => (reason, None),
        NotShown::Away { reason, retry_after } => (reason, retry_after),
    }
}

/// How long to wait after so many failures before this one; never longer than between looks that do not fail.
pub(super) fn backoff(failures: i64, every: SignedDuration) -> SignedDuration {
    let doublings = u32::try_from(failures).unwrap_or(u32::MAX).min(10);
    SOON.checked_mul(2i32.pow(doublings)).unwrap_or(every).min(every)
}

fn not_enrolled(error: EnrolError) -> WayBackError {
    match error {
        EnrolError::Store(error) => error.into(),
        EnrolError::Seal(error) => error.into(),
        _ => StoreError::Corrupt("a link it should not").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clinic_that_fails_is_asked_ever_more_rarely_but_not_more_rarely_than_usual() {
        let every = SignedDuration::from_mins(15);
        let waits: Vec<i64> = (0..6).map(|failures| backoff(failures, every).as_mins()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 15, 15]);
        assert_eq!(backoff(i64::MAX, every), every);
    }
}
