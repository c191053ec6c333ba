//! The kinds of visits that clinics offer, on the terms that hold now: as the operator set them up, but for what a clinic's own
//! staff changed. They are read in the transaction of whoever asks, so that a change counts at once, on every replica; what the
//! operator set up is not to be had without them.

use super::Bridge;
use crate::domain::helpline::Words;
use crate::domain::ids::{ClinicId, VisitTypeId};
use crate::domain::visit_type::{VisitTerms, VisitType};
use crate::store::{StoreError, Tx};

/// The kinds of visits that a clinic offers, as its operator set them up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SetUp(Vec<VisitType>);

impl From<Vec<VisitType>> for SetUp {
    fn from(visits: Vec<VisitType>) -> Self {
        Self(visits)
    }
}

impl SetUp {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What members know one as.
    pub(super) fn title(&self, id: &VisitTypeId) -> Option<&Words> {
        self.0.iter().find(|visit| visit.id == *id).map(|visit| &visit.title)
    }
}

/// A kind of visit, and where its terms come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offered {
    /// As it is offered now.
    pub visit: VisitType,
    /// The terms that the operator set up.
    pub usual: VisitTerms,
    /// Which version of the staff's own terms counts; 0: the operator's.
    pub version: i64,
}

impl Bridge {
    /// The kinds of visits of a clinic, and where their terms come from, in the order in which they are shown.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn offered(&self, tx: &mut Tx, clinic: &ClinicId) -> Result<Vec<Offered>, StoreError> {
        let Some(counterpart) = self.house.clinics.get(clinic).filter(|known| !known.visits.is_empty()) else {
            return Ok(Vec::new());
        };
        let own = tx.visit_terms(clinic).await?;
        let offered = |visit: &VisitType| {
            let (usual, own) = (visit.terms(), own.get(&visit.id));
            let visit = visit.clone().on(own.map_or(usual, |own| own.terms));
            Offered { visit, usual, version: own.map_or(0, |own| own.version) }
        };
        Ok(counterpart.visits.0.iter().map(offered).collect())
    }

    /// The kinds of visits of a clinic, on the terms that hold now; also those that members cannot ask for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn visits(&self, tx: &mut Tx, clinic: &ClinicId) -> Result<Vec<VisitType>, StoreError> {
        Ok(self.offered(tx, clinic).await?.into_iter().map(|offered| offered.visit).collect())
    }

    /// A kind of visit of a clinic by its name, on the terms that hold now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn visit(
        &self,
        tx: &mut Tx,
        clinic: &ClinicId,
        id: &VisitTypeId,
    ) -> Result<Option<VisitType>, StoreError> {
        Ok(self.visits(tx, clinic).await?.into_iter().find(|visit| visit.id == *id))
    }
}
