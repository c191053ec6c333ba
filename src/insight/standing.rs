//! All that is known of one member, read in the transaction that needs it.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::consent::decide::{Denied, DenyReason, Disclosable, Permit, Request, decide};
use crate::consent::share::Share;
use crate::domain::category::Category;
use crate::domain::consented::Practitioner;
use crate::domain::day::Days;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::settings::Settings;
use crate::pipeline::{AcceptError, Bridge, KnownPatient, Practitioners};
use crate::readings::settings::settings;
use crate::store::Tx;
use crate::vault::{MemberKey, SealError};

/// A member as they stand.
#[derive(Debug)]
pub struct Standing {
    /// Who.
    pub member: MemberId,
    /// Their key.
    pub key: MemberKey,
    /// Their living grants.
    pub grants: Vec<Grant>,
    /// Their Patients at the clinics that know them.
    pub patients: Vec<KnownPatient>,
    /// What they set for themselves.
    pub settings: Settings,
    /// How their time falls into days.
    pub days: Days,
    /// The practitioners whom their grants are for.
    practitioners: Practitioners,
}

impl Standing {
    /// Reads how a member stands; `None` if there is no such member. Only who has locked or held the member
    /// ([`Tx::lock_member`], [`Tx::hold_members`]) is sure that it stays so.
    ///
    /// # Errors
    /// [`AcceptError`], also when the member's key does not open.
    pub async fn load(bridge: &Bridge, tx: &mut Tx, member: MemberId) -> Result<Option<Self>, AcceptError> {
        let Some(wrapped) = tx.member_key(member).await? else { return Ok(None) };
        let key = bridge.keyring.unwrap_member_key(member, &wrapped)?;
        let grants = tx.living_grants(&[member]).await?;
        let mut keys = HashMap::from([(member, key)]);
        let patients = KnownPatient::load(tx, &keys).await?;
        let practitioners = Practitioners::load(tx, &grants, &keys).await?;
        let key = keys.remove(&member).ok_or(SealError::DoesNotOpen)?;
        let settings = settings(tx, &key).await?;
        let days = settings.days(&bridge.readings.zone);
        Ok(Some(Self { member, key, grants, patients, settings, days, practitioners }))
    }

    /// The member's Patient at a clinic.
    #[must_use]
    pub fn patient(&self, clinic: &ClinicId) -> Option<&KnownPatient> {
        self.patients.iter().find(|patient| patient.clinic == *clinic)
    }

    /// Whether an item may go into a clinic's record.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn decide<'a, T: Disclosable>(
        &self,
        item: &'a T,
        clinic: &'a ClinicId,
        now: Timestamp,
    ) -> Result<Permit<'a, T>, Denied> {
        decide(&self.grants, Request::to_record(item, clinic, now))
    }

    /// The one practitioner whom something is to be addressed to.
    #[must_use]
    pub fn practitioner<T>(&self, permit: &Permit<'_, T>) -> Option<&Practitioner> {
        self.practitioners.of(permit)
    }

    /// Whether what is permitted can be addressed as it must be.
    #[must_use]
    pub fn can_address<T>(&self, permit: &Permit<'_, T>) -> bool {
        self.practitioners.can_address(permit)
    }

    /// Whether some clinic, or this one, may see a share now, or may once a pause ends or a consent begins.
    #[must_use]
    pub fn is_covered(&self, share: &Share, by: Option<&ClinicId>, now: Timestamp) -> bool {
        let towards = self.grants.iter().map(|grant| &grant.clinic);
        towards
            .filter(|clinic| by.is_none_or(|by| by == *clinic))
            .any(|clinic| self.decide(share, clinic, now).map_or_else(|denied| waits(&denied), |_| true))
    }

    /// From which instant on some clinic may see what was lived of a category, or may soon; `None` if none may see any of
    /// it.
    #[must_use]
    pub fn reach(&self, category: Category, now: Timestamp) -> Option<Timestamp> {
        let mut begins: Vec<Timestamp> =
            self.grants.iter().map(|grant| grant.terms.data_from.unwrap_or(Timestamp::MIN)).collect();
        begins.sort_unstable();
        begins.into_iter().find(|from| self.is_covered(&Share::at(self.member, category, *from), None, now))
    }
}

/// Whether nothing stands in the way but time.
#[must_use]
pub fn waits(denied: &Denied) -> bool {
    denied.reasons().any(|reason| matches!(reason, DenyReason::Paused | DenyReason::NotYetValid))
}
