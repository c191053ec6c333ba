//! The decision: may this item go to this clinic now? Pure, and the only place where a [`Permit`] comes from.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use crate::domain::category::{Category, Detail};
use crate::domain::delivery::Delivery;
use crate::domain::grant::{Grant, GrantState, Purpose};
use crate::domain::ids::{ClinicId, GrantId, MemberId};
use crate::domain::reading::{Reading, Retraction};

/// Something about a member that may be disclosed if they consent.
pub trait Disclosable {
    /// Whom it is about.
    fn member(&self) -> MemberId;
    /// Under which consent it falls.
    fn category(&self) -> Category;
    /// When it was lived.
    fn measured_at(&self) -> Timestamp;
    /// How fine it is: a single entry, unless it says otherwise.
    fn detail(&self) -> Detail {
        Detail::EveryEntry
    }
}

/// Proof that `item` may go to one clinic now. Mapping, enqueueing and sending each ask for one; it can be neither
/// built nor copied outside [`decide`], and it borrows its item, so that it cannot be used for another.
///
/// This is how a permit is had:
/// ```
/// # use mostik::{consent::decide::{Denied, Permit, decide}, domain::{grant::{Grant, Purpose}, ids::ClinicId, reading::Reading}};
/// fn ask<'a>(grants: &[Grant], item: &'a Reading, clinic: &'a ClinicId) -> Result<Permit<'a, Reading>, Denied> {
///     decide(grants, item, clinic, Purpose::Treatment, jiff::Timestamp::UNIX_EPOCH)
/// }
/// ```
/// None of these compiles. Built by hand (its fields are private):
/// ```compile_fail,E0451
/// # use mostik::{consent::decide::Permit, domain::{category::Detail, ids::{ClinicId, GrantId}, reading::Reading}};
/// fn forge<'a>(item: &'a Reading, clinic: &'a ClinicId, grant: GrantId) -> Permit<'a, Reading> {
///     Permit { item, clinic, grant, grant_version: 1, detail: Detail::EveryEntry }
/// }
/// ```
/// Copied, to be used later or elsewhere:
/// ```compile_fail,E0308
/// # use mostik::{consent::decide::Permit, domain::reading::Reading};
/// fn keep<'a>(permit: &Permit<'a, Reading>) -> Permit<'a, Reading> {
///     permit.clone()
/// }
/// ```
/// Given for a reading, and used to send another item:
/// ```compile_fail,E0308
/// # use mostik::{consent::decide::Permit, delivery::ehr::{EhrClient, Resource, Ticket}, domain::reading::Reading};
/// async fn send(ehr: &EhrClient, permit: &Permit<'_, Reading>, resource: Resource, ticket: &Ticket) {
///     ehr.create(permit, resource, ticket).await;
/// }
/// ```
/// Kept when its item is gone:
/// ```compile_fail,E0515
/// # use mostik::{consent::decide::{Permit, decide}, domain::{grant::{Grant, Purpose}, ids::ClinicId, reading::Reading}};
/// fn escape<'a>(grants: &[Grant], item: Reading, clinic: &'a ClinicId) -> Option<Permit<'a, Reading>> {
///     decide(grants, &item, clinic, Purpose::Treatment, jiff::Timestamp::UNIX_EPOCH).ok()
/// }
/// ```
#[derive(Debug)]
#[must_use = "a permit that is not used lets nothing out"]
pub struct Permit<'a, T> {
    item: &'a T,
    clinic: &'a ClinicId,
    grant: GrantId,
    grant_version: i32,
    detail: Detail,
}

impl<T> Permit<'_, T> {
    /// What may go.
    #[must_use]
    pub const fn item(&self) -> &T {
        self.item
    }

    /// To whom it may go.
    #[must_use]
    pub const fn clinic(&self) -> &ClinicId {
        self.clinic
    }

    /// The grant that covers it, and its version.
    #[must_use]
    pub const fn grant(&self) -> (GrantId, i32) {
        (self.grant, self.grant_version)
    }

    /// How finely it may be shown.
    #[must_use]
    pub const fn detail(&self) -> Detail {
        self.detail
    }
}

/// A permit that owns its item: what a delivery carries from the decision to the request. Like a [`Permit`], it can be
/// neither built nor copied outside this module.
///
/// ```compile_fail,E0451
/// # use mostik::{consent::decide::Cleared, domain::delivery::Delivery};
/// fn forge(item: Delivery) -> Cleared<Delivery> {
///     Cleared { item, at: jiff::Timestamp::UNIX_EPOCH }
/// }
/// ```
/// A delivery goes with its own clearance only, and not without one:
/// ```compile_fail,E0308
/// # use mostik::{delivery::ehr::{EhrClient, Resource, Ticket}, domain::delivery::Delivery};
/// async fn send(ehr: &EhrClient, item: &Delivery, resource: Resource, ticket: &Ticket) {
///     ehr.create(item, resource, ticket).await;
/// }
/// ```
#[derive(Debug)]
#[must_use = "a clearance that is not used lets nothing out"]
pub struct Cleared<T> {
    item: T,
    at: Timestamp,
}

impl<T> Cleared<T> {
    /// What may go.
    #[must_use]
    pub const fn item(&self) -> &T {
        &self.item
    }

    /// When it was decided.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The item alone, once it has gone.
    #[must_use]
    pub fn into_item(self) -> T {
        self.item
    }
}

/// Decides as [`decide`] does about a delivery to the clinic that it is meant for, and keeps the two together.
///
/// # Errors
/// The item, and why it may not go.
pub fn clear(
    grants: &[Grant],
    item: Delivery,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Cleared<Delivery>, Box<(Delivery, Denied)>> {
    match decide(grants, &item, &item.clinic, purpose, now).map(drop) {
        Ok(()) => Ok(Cleared { item, at: now }),
        Err(denied) => Err(Box::new((item, denied))),
    }
}

/// Why a grant does not cover an item, from the farthest to the nearest to a permit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DenyReason {
    /// The member has given this clinic no consent at all.
    NoGrant,
    /// The consent was taken back or replaced.
    Ended,
    /// The consent's time is over.
    Expired,
    /// The consent is not yet in force.
    NotYetValid,
    /// The consent does not name this purpose.
    PurposeNotGranted,
    /// The consent does not name this category.
    CategoryNotShared,
    /// The consent covers summaries of this category, and this is finer.
    SummaryOnly,
    /// The item is older than what the consent covers.
    BeforeDataPeriod,
    /// Everything is covered, but the member set the consent aside for a while.
    Paused,
}

impl DenyReason {
    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoGrant => "no-grant",
            Self::Ended => "consent-ended",
            Self::Paused => "consent-paused",
            Self::NotYetValid => "consent-not-yet-valid",
            Self::Expired => "consent-expired",
            Self::CategoryNotShared => "category-not-shared",
            Self::PurposeNotGranted => "purpose-not-granted",
            Self::SummaryOnly => "summary-only",
            Self::BeforeDataPeriod => "before-data-period",
        }
    }
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No grant covers the item; every reason found, in a fixed order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied {
    reasons: BTreeSet<DenyReason>,
}

impl Denied {
    /// Every reason found.
    pub fn reasons(&self) -> impl Iterator<Item = DenyReason> + '_ {
        self.reasons.iter().copied()
    }

    /// The reason closest to a permit: the one to show when only one can be shown.
    #[must_use]
    pub fn foremost(&self) -> DenyReason {
        self.reasons.last().copied().unwrap_or(DenyReason::NoGrant)
    }
}

/// Decides whether `item` may go to `clinic` for `purpose` at the instant `now`.
///
/// Permits only what an active grant of the very member towards the very clinic covers in every respect; with several,
/// the order of `grants` does not matter. Everything else is a deny.
///
/// # Errors
/// [`Denied`] with the reasons, when no grant covers the item.
pub fn decide<'a, T: Disclosable>(
    grants: &[Grant],
    item: &'a T,
    clinic: &'a ClinicId,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Permit<'a, T>, Denied> {
    let mut reasons = BTreeSet::new();
    let mut covering: Option<(&Grant, Detail)> = None;
    for grant in grants.iter().filter(|grant| grant.member == item.member() && grant.clinic == *clinic) {
        match covers(grant, item, purpose, now) {
            Ok(detail) if covering.is_none_or(|(best, _)| (grant.id, grant.version) < (best.id, best.version)) => {
                covering = Some((grant, detail));
            }
            Ok(_) => {}
            Err(reason) => {
                reasons.insert(reason);
            }
        }
    }
    match covering {
        Some((grant, detail)) => Ok(Permit { item, clinic, grant: grant.id, grant_version: grant.version, detail }),
        None if reasons.is_empty() => Err(Denied { reasons: BTreeSet::from([DenyReason::NoGrant]) }),
        None => Err(Denied { reasons }),
    }
}

/// Whether one grant covers the item, and how finely. `Paused` is said last, when nothing else stands in the way.
fn covers<T: Disclosable>(grant: &Grant, item: &T, purpose: Purpose, now: Timestamp) -> Result<Detail, DenyReason> {
    let terms = &grant.terms;
    if grant.state.is_final() {
        return Err(DenyReason::Ended);
    }
    if now < terms.valid_from {
        return Err(DenyReason::NotYetValid);
    }
    if now >= terms.valid_until {
        return Err(DenyReason::Expired);
    }
    let detail = terms.categories.get(&item.category()).copied().ok_or(DenyReason::CategoryNotShared)?;
    if !terms.purposes.contains(&purpose) {
        return Err(DenyReason::PurposeNotGranted);
    }
    if item.detail() > detail {
        return Err(DenyReason::SummaryOnly);
    }
    if terms.data_from.is_some_and(|from| item.measured_at() < from) {
        return Err(DenyReason::BeforeDataPeriod);
    }
    match grant.state {
        GrantState::Active => Ok(detail),
        GrantState::Paused => Err(DenyReason::Paused),
        GrantState::Superseded | GrantState::Revoked => Err(DenyReason::Ended),
    }
}

impl Disclosable for Reading {
    fn member(&self) -> MemberId {
        self.member
    }

    fn category(&self) -> Category {
        self.measure.category()
    }

    fn measured_at(&self) -> Timestamp {
        self.moment.at
    }
}

impl Disclosable for Retraction {
    fn member(&self) -> MemberId {
        self.member
    }

    fn category(&self) -> Category {
        self.category
    }

    fn measured_at(&self) -> Timestamp {
        self.measured_at
    }
}

impl Disclosable for Delivery {
    fn member(&self) -> MemberId {
        self.member
    }

    fn category(&self) -> Category {
        self.category
    }

    fn measured_at(&self) -> Timestamp {
        self.measured_at
    }
}
