//! Free times are read from a clinic's own system, for a member whose consent lets them ask for a visit there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::BookingError;
use super::act::offered;
use super::kept::{Held, hold};
use super::put::permitted;
use crate::delivery::ehr::{EhrClient, NotShown, Shown, Sought, Ticket};
use crate::domain::booking::{Booking, BookingState, Note, Offer, Way};
use crate::domain::ids::{BookingId, ClinicId, MemberId};
use crate::domain::visit_type::VisitType;
use crate::inbound::advice::Bundle;
use crate::inbound::slots::{offer, proposal};
use crate::mapping::to_fhir::SERVICE_TYPE;
use crate::pipeline::Bridge;
use crate::store::StoreError;

/// How many Slots a page should hold.
const PAGE: &str = "100";

/// The most pages that are followed.
const MOST_PAGES: usize = 10;

/// The most times that are offered, the earliest first.
pub const MOST_OFFERS: usize = 200;

/// How often it is looked whether something is free that a member waits for.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// How many bookings that wait are looked after at once.
const AT_ONCE: i64 = 8;

/// Reads free times at clinics, and looks after their group sessions there. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Finder {
    pub(super) bridge: Bridge,
    ehrs: Arc<BTreeMap<ClinicId, Arc<EhrClient>>>,
}

/// Free times that could not be found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Something of this house.
    #[error(transparent)]
    Booking(#[from] BookingError),
    /// The clinic's system does not answer, or does not show them: a code.
    #[error("the clinic's system does not show its free times: {0}")]
    Away(String),
}

impl From<StoreError> for FindError {
    fn from(error: StoreError) -> Self {
        Self::Booking(error.into())
    }
}

impl Finder {
    /// For these clinics, each of which offers visits.
    #[must_use]
    pub fn new(bridge: Bridge, ehrs: BTreeMap<ClinicId, Arc<EhrClient>>) -> Self {
        Self { bridge, ehrs: Arc::new(ehrs) }
    }

    /// The clinics that offer visits.
    #[must_use]
    pub fn clinics(&self) -> Vec<ClinicId> {
        self.ehrs.keys().cloned().collect()
    }

    /// In which way a visit is booked at a clinic: as its operator says, else as its system says itself.
    ///
    /// # Errors
    /// [`FindError`].
    pub async fn way(&self, member: MemberId, clinic: &ClinicId, visit: &VisitType) -> Result<Way, FindError> {
        if let Some(way) = visit.way {
            return Ok(way);
        }
        let ticket = self.ticket(member, clinic).await?.1;
        Ok(if !visit.schedules.is_empty() && ticket.takes_slots() {
            Way::Slots
        } else if visit.schedules.is_empty() && ticket.takes_operations() && ticket.takes_bookings() {
            Way::Operations
        } else {
            Way::Request
        })
    }

    /// Whether the times of a kind of visit stand in the clinic's own system, or only its people know them.
    ///
    /// # Errors
    /// [`FindError`].
    pub async fn has_times(&self, member: MemberId, clinic: &ClinicId, visit: &VisitType) -> Result<bool, FindError> {
        Ok(!visit.schedules.is_empty() || self.way(member, clinic, visit).await? == Way::Operations)
    }

    /// Looks for free times for a booking, and offers them to its member.
    ///
    /// # Errors
    /// [`FindError`]; then nothing was changed.
    pub async fn find(&self, member: MemberId, id: BookingId) -> Result<Booking, FindError> {
        let mut tx = self.bridge.store.begin().await?;
        let held = hold(&self.bridge, &mut tx, member, id).await?;
        let grants = tx.living_grants(&[member]).await?;
        let now = self.bridge.clock.now();
        permitted(&grants, member, &held.row.clinic, None, now)?;
        if !is_searching(&held) {
            return Err(BookingError::NotNow.into());
        }
        let visit = offered(&self.bridge, &mut tx, &held.row.clinic, &held.row.visit).await?;
        drop(tx);
        let way = self.way(member, &held.row.clinic, &visit).await?;
        let (ehr, ticket) = self.ticket(member, &held.row.clinic).await?;
        let offers = free(&ehr, &ticket, (&visit, way), now).await?;
        Ok(self.offer(member, id, offers).await?)
    }

    /// The free times of a kind of visit, for a clinic's staff who look for one for this member.
    ///
    /// # Errors
    /// [`FindError`].
    pub async fn free_times(
        &self,
        member: MemberId,
        clinic: &ClinicId,
        visit: &VisitType,
    ) -> Result<Vec<Offer>, FindError> {
        let way = self.way(member, clinic, visit).await?;
        let (ehr, ticket) = self.ticket(member, clinic).await?;
        free(&ehr, &ticket, (visit, way), self.bridge.clock.now()).await
    }

    /// The free times of a kind of visit, whoever they are for; none where the clinic's own system has no times of it. Where members
    /// lend their access, nobody can look without one.
    ///
    /// # Errors
    /// [`FindError`].
    pub async fn free_at(&self, clinic: &ClinicId, visit: &VisitType) -> Result<Option<Vec<Offer>>, FindError> {
        let nobody = MemberId(uuid::Uuid::nil());
        if !self.has_times(nobody, clinic, visit).await? {
            return Ok(None);
        }
        self.free_times(nobody, clinic, visit).await.map(Some)
    }

    /// Writes down what is free. Where the member did something else meanwhile, that counts.
    async fn offer(&self, member: MemberId, id: BookingId, offers: Vec<Offer>) -> Result<Booking, BookingError> {
        let mut tx = self.bridge.store.begin().await?;
        let mut held = hold(&self.bridge, &mut tx, member, id).await?;
        if !is_searching(&held) {
            return Ok(held.booking());
        }
        let now = self.bridge.clock.now();
        let waited = held.row.look_at.is_some();
        held.row.state = if offers.is_empty() { BookingState::Requested } else { BookingState::Offered };
        if offers.is_empty() {
            // What was kept for them before is given back, and nobody speaks of it any more.
            held.row.identifier = None;
        }
        if !offers.is_empty() {
            held.row.look_at = None;
            held.row.note = if waited { Some(Note::NowFree) } else { held.row.note };
            if waited {
                tx.put_telling(member, id.0, now).await?;
            }
        }
        (held.details.offers, held.details.looked_at) = (offers, Some(now));
        held.keep(&mut tx, now).await?;
        tx.commit().await?;
        Ok(held.booking())
    }

    /// The member wants to be told when something is free, or no longer.
    ///
    /// # Errors
    /// [`BookingError`].
    pub async fn wait(&self, member: MemberId, id: BookingId, waits: bool) -> Result<(), BookingError> {
        let mut tx = self.bridge.store.begin().await?;
        let mut held = hold(&self.bridge, &mut tx, member, id).await?;
        let now = self.bridge.clock.now();
        if held.row.state != BookingState::Requested || !is_searching(&held) {
            return Err(BookingError::NotNow);
        }
        held.row.look_at = now.checked_add(LOOK_EVERY).ok().filter(|_| waits);
        held.keep(&mut tx, now).await?;
        Ok(tx.commit().await?)
    }

    /// Looks for a portion of those who wait at a clinic and whose time to look has come. Returns whether there were any.
    ///
    /// # Errors
    /// [`BookingError`]; whoever was not looked for is found again.
    pub async fn look_for_waiting(&self, clinic: &ClinicId) -> Result<bool, BookingError> {
        let now = self.bridge.clock.now();
        let next = now.checked_add(LOOK_EVERY).unwrap_or(Timestamp::MAX);
        let mut tx = self.bridge.store.begin().await?;
        let due = tx.claim_waiting(clinic, now, next, AT_ONCE).await?;
        tx.commit().await?;
        for (member, id) in &due {
            match self.find(*member, *id).await {
                Ok(_)
                | Err(FindError::Booking(
                    BookingError::NotFound
                    | BookingError::NotNow
                    | BookingError::NotOfferedNow
                    | BookingError::NotPermitted(_),
                )) => {}
                Err(FindError::Booking(error)) => return Err(error),
                Err(FindError::Away(reason)) => {
                    tracing::info!(clinic_id = %clinic, reason, "nobody knows what is free at a clinic");
                }
            }
        }
        Ok(!due.is_empty())
    }

    pub(super) async fn ticket(
        &self,
        member: MemberId,
        clinic: &ClinicId,
    ) -> Result<(Arc<EhrClient>, Ticket), FindError> {
        let ehr = self.ehrs.get(clinic).cloned().ok_or(BookingError::NotFound)?;
        let ticket = ehr.prepare(member).await.map_err(|error| FindError::Away(error.code().to_owned()))?;
        Ok((ehr, ticket))
    }
}

/// Whether times are being looked for: none is kept, or asked for, and the clinic's people do not propose one.
fn is_searching(held: &Held) -> bool {
    let is_proposed = held.row.state == BookingState::Requested && held.row.identifier.is_some();
    let is_open = matches!(held.row.state, BookingState::Requested | BookingState::Offered) && !is_proposed;
    is_open && held.row.session.is_none() && held.row.wish.is_none() && held.row.hold_until.is_none()
}

/// The free times of a kind of visit, the earliest first.
async fn free(
    ehr: &EhrClient,
    ticket: &Ticket,
    (visit, way): (&VisitType, Way),
    now: Timestamp,
) -> Result<Vec<Offer>, FindError> {
    let (from, until) = visit.span(now);
    let mut offers = match way {
        Way::Operations => proposed(ehr, ticket, visit, (from, until)).await?,
        Way::Slots | Way::Request => slots(ehr, ticket, visit, (from, until)).await?,
    };
    // An EHR may ignore what it does not know, and show everything.
    offers.retain(|offer| visit.reaches(offer.time.start, now));
    offers.sort_by(|one, other| (one.time, one.place.id()).cmp(&(other.time, other.place.id())));
    offers.dedup();
    offers.truncate(MOST_OFFERS);
    Ok(offers)
}

/// What the EHR proposes itself. For whom, it is not told: whoever looks has asked for nothing.
async fn proposed(
    ehr: &EhrClient,
    ticket: &Ticket,
    visit: &VisitType,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Offer>, FindError> {
    let visit_type = visit.service_type.as_ref().map(|code| format!("{SERVICE_TYPE}|{code}"));
    let sought = Sought { from, until, visit_type: visit_type.as_deref() };
    let page = read(ehr.propose(&sought, ticket).await)?;
    pages(ehr, ticket, page, proposal).await
}

/// The free Slots of its Schedules.
async fn slots(
    ehr: &EhrClient,
    ticket: &Ticket,
    visit: &VisitType,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Offer>, FindError> {
    let stamp = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (ge, lt) = (format!("ge{}", stamp(from)), format!("lt{}", stamp(until)));
    let mut offers = Vec::new();
    for schedule in &visit.schedules {
        let schedule = format!("Schedule/{schedule}");
        let query = [
            ("schedule", schedule.as_str()),
            ("start", ge.as_str()),
            ("start", lt.as_str()),
            ("status", "free"),
            ("_count", PAGE),
        ];
        let page = read(ehr.show("Slot", &query, ticket).await)?;
        offers.extend(pages(ehr, ticket, page, |slot| offer(slot, &visit.schedules)).await?);
    }
    Ok(offers)
}

/// What a page offers, and those behind it.
async fn pages(
    ehr: &EhrClient,
    ticket: &Ticket,
    mut page: Bundle,
    offer: impl Fn(&Value) -> Option<Offer>,
) -> Result<Vec<Offer>, FindError> {
    let (mut offers, mut followed) = (Vec::new(), BTreeSet::new());
    loop {
        offers.extend(page.resources.iter().filter_map(&offer));
        let next = page.next.and_then(|next| ehr.within_base(&next));
        let Some(next) = next.filter(|next| followed.len() < MOST_PAGES && followed.insert(next.clone())) else {
            return Ok(offers);
        };
        page = read(ehr.show(&next, &[], ticket).await)?;
    }
}

fn read(shown: Result<Shown, NotShown>) -> Result<Bundle, FindError> {
    let shown = shown.map_err(|missed| {
        FindError::Away(match missed {
            NotShown::Gone => "http-404".to_owned(),
            NotShown::Refused { reason } | NotShown::Away { reason, .. } => reason,
        })
    })?;
    Bundle::read(&shown.body).map_err(|_| FindError::Away("search-no-bundle".to_owned()))
}
