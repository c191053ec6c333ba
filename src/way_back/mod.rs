//! The way back: what clinics have for members is looked for in their EHRs, judged anew each time, and kept.
//!
//! A look is about one member at one clinic. Before it: does a consent of theirs let anything come back at all? After it,
//! in the transaction that keeps what was found: does it still, and is it certainly theirs? Whatever else tells that there
//! is news (a Subscription, a change of consent) only makes a look due. So what was missed is found by the next one.
//!
//! Locks are taken in one order: members, then what is kept for them, then their rows of `way_back`.

mod complete;
mod look;
mod notified;
mod receive;
mod secret;
mod subscribe;
mod take;

pub use receive::{Received, receive};

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use tokio::sync::Notify;
use url::Url;

use crate::booking::BookingError;
use crate::delivery::ehr::EhrClient;
use crate::domain::ids::ClinicId;
use crate::domain::way_back::WayBackRules;
use crate::inbound::advice::Ear;
use crate::mapping::to_fhir::IDENTIFIER_SYSTEM;
use crate::pipeline::Bridge;
use crate::recommendations::RecommendationError;
use crate::store::StoreError;
use crate::vault::SealError;

/// How many looks at one clinic are under way at the same time.
const LOOKS_AT_ONCE: i64 = 8;

/// Nobody else takes a look for so long after it was claimed: as long as its requests may take, and then some.
const CLAIM: SignedDuration = SignedDuration::from_mins(10);

/// Looks at clinics for what they have for members. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WayBack {
    bridge: Bridge,
    places: Arc<BTreeMap<ClinicId, Place>>,
}

/// A clinic to look at.
#[derive(Debug)]
pub struct Place {
    /// Its EHR.
    pub ehr: Arc<EhrClient>,
    /// How it is looked at.
    pub rules: WayBackRules,
    /// Below which address its EHR is to say that something changed; `None` where it is not asked to.
    pub notify: Option<Url>,
}

/// Work ended early; what was not written down is found again by the next look.
#[derive(Debug, thiserror::Error)]
pub enum WayBackError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What is kept for a member cannot be read.
    #[error("what is kept for a member cannot be read")]
    Unreadable,
}

impl From<BookingError> for WayBackError {
    fn from(error: BookingError) -> Self {
        match error {
            BookingError::Store(error) => Self::Store(error),
            BookingError::Seal(error) => Self::Seal(error),
            _ => Self::Unreadable,
        }
    }
}

impl From<RecommendationError> for WayBackError {
    fn from(error: RecommendationError) -> Self {
        match error {
            RecommendationError::Store(error) => Self::Store(error),
            RecommendationError::Seal(error) => Self::Seal(error),
            RecommendationError::Unreadable => Self::Unreadable,
        }
    }
}

impl WayBack {
    /// For these clinics, each of which wants something to come back.
    #[must_use]
    pub fn new(bridge: Bridge, places: BTreeMap<ClinicId, Place>) -> Self {
        Self { bridge, places: Arc::new(places) }
    }

    /// The clinics that are looked at.
    #[must_use]
    pub fn clinics(&self) -> Vec<ClinicId> {
        self.places.keys().cloned().collect()
    }

    /// Rings when something was notified.
    #[must_use]
    pub fn news(&self) -> Arc<Notify> {
        Arc::clone(&self.bridge.news)
    }

    /// Does what is due at a clinic, a portion of it. Returns whether there was anything.
    ///
    /// # Errors
    /// [`WayBackError`]; what was not done is due again later.
    pub async fn step(&self, clinic: &ClinicId) -> Result<bool, WayBackError> {
        let Some(place) = self.places.get(clinic) else { return Ok(false) };
        let is_news = self.look_at_notices(clinic, place).await?;
        let is_looked = self.look_where_due(clinic, place).await?;
        Ok(is_news | is_looked | self.tend(clinic, place).await?)
    }

    /// Does everything that is due now, at every clinic.
    ///
    /// # Errors
    /// [`WayBackError`] of the first step that failed.
    pub async fn drain(&self) -> Result<(), WayBackError> {
        for clinic in self.places.keys() {
            while self.step(clinic).await? {}
        }
        Ok(())
    }
}

impl Place {
    fn ear(&self) -> Ear<'_> {
        Ear {
            base: self.ehr.base().as_str(),
            identifier_system: IDENTIFIER_SYSTEM,
            owner: self.rules.task_owner.as_deref(),
        }
    }
}
