//! The decision: may this item go to this clinic now? Pure, and the only place where a [`Permit`] comes from.

mod covers;
mod denied;
mod request;
mod warning;

pub use covers::Obligations;
pub use denied::{Denied, DenyReason};
pub use request::{Direction, Disclosable, Reader, Request};

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::category::Detail;
use crate::domain::delivery::Delivery;
use crate::domain::grant::Grant;
use crate::domain::ids::{ClinicId, GrantId};
use crate::domain::matter::Matter;
use crate::domain::warning::WarningPolicy;

use covers::covers;

/// Proof that `item` may go to one clinic now. Mapping, enqueueing and sending each ask for one; it can be neither
/// built nor copied outside [`decide`], and it borrows its item, so that it cannot be used for another.
///
/// This is how a permit is had:
/// ```
/// # use mostik::{consent::decide::{Denied, Permit, Request, decide}, domain::{grant::Grant, ids::ClinicId, reading::Reading}};
/// fn ask<'a>(grants: &[Grant], item: &'a Reading, clinic: &'a ClinicId) -> Result<Permit<'a, Reading>, Denied> {
///     decide(grants, Request::to_record(item, clinic, jiff::Timestamp::UNIX_EPOCH))
/// }
/// ```
/// None of these compiles. Built by hand (its fields are private):
/// ```compile_fail,E0451
/// # use mostik::{consent::decide::{Obligations, Permit}, domain::{ids::{ClinicId, GrantId}, reading::Reading}};
/// fn forge<'a>(item: &'a Reading, clinic: &'a ClinicId, grant: GrantId, obliges: Obligations) -> Permit<'a, Reading> {
///     Permit { item, clinic, grant: Some((grant, 1)), obliges }
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
/// # use mostik::{consent::decide::{Permit, Request, decide}, domain::{grant::Grant, ids::ClinicId, reading::Reading}};
/// fn escape<'a>(grants: &[Grant], item: Reading, clinic: &'a ClinicId) -> Option<Permit<'a, Reading>> {
///     decide(grants, Request::to_record(&item, clinic, jiff::Timestamp::UNIX_EPOCH)).ok()
/// }
/// ```
#[derive(Debug)]
#[must_use = "a permit that is not used lets nothing out"]
pub struct Permit<'a, T> {
    item: &'a T,
    clinic: &'a ClinicId,
    grant: Option<(GrantId, i32)>,
    obliges: Obligations,
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

    /// The grant that covers it, and its version. `None`: it is a warning, which a policy lets go.
    #[must_use]
    pub const fn grant(&self) -> Option<(GrantId, i32)> {
        self.grant
    }

    /// How finely it may be shown.
    #[must_use]
    pub const fn detail(&self) -> Detail {
        self.obliges.aggregate_to
    }

    /// What whoever uses it must see to.
    #[must_use]
    pub const fn obliges(&self) -> &Obligations {
        &self.obliges
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

/// Decides as [`decide`] does about a delivery to the clinic that it is meant for, addressed as it is, and keeps the
/// two together; about a warning, as [`warn`] does under the policy of its clinic. The delivery remembers which version
/// of which grant let it go.
///
/// # Errors
/// The item, and why it may not go.
pub fn clear(
    (grants, policy): (&[Grant], Option<&WarningPolicy>),
    mut item: Delivery,
    now: Timestamp,
) -> Result<Cleared<Delivery>, Box<(Delivery, Denied)>> {
    let decided = match item.matter {
        Matter::Warning(_) => warn(policy, &item, &item.clinic, now),
        _ => decide(grants, Request::to_send(&item, now)),
    };
    match decided.map(|permit| permit.grant()) {
        Ok(grant) => {
            item.cleared_under = grant;
            Ok(Cleared { item, at: now })
        }
        Err(denied) => Err(Box::new((item, denied))),
    }
}

/// Decides whether what is requested may be.
///
/// Permits only what an active grant of the very member towards the very clinic covers in every respect; with several,
/// the order of `grants` does not matter. Everything else is a deny. How a consent stands, and the member's wish to have
/// marked what a clinic was told, need no active one: only that there is, or was, a grant towards that clinic.
///
/// # Errors
/// [`Denied`] with the reasons, when no grant covers the item.
#[expect(clippy::needless_pass_by_value, reason = "a request is for one decision")]
pub fn decide<'a, T: Disclosable>(grants: &[Grant], request: Request<'a, T>) -> Result<Permit<'a, T>, Denied> {
    let (member, matter) = (request.item.member(), request.item.matter());
    let mut reasons = BTreeSet::new();
    let mut covering: Option<&Grant> = None;
    for grant in grants.iter().filter(|grant| grant.member == member && grant.clinic == *request.clinic) {
        match covers(grant, &matter, &request) {
            Ok(()) if covering.is_none_or(|best| (grant.id, grant.version) < (best.id, best.version)) => {
                covering = Some(grant);
            }
            Ok(()) => {}
            Err(reason) => {
                reasons.insert(reason);
            }
        }
    }
    let Some(grant) = covering else { return Err(Denied::for_reasons(reasons)) };
    let obliges = Obligations::of(&grant.terms, &matter);
    let grant = Some((grant.id, grant.version));
    Ok(Permit { item: request.item, clinic: request.clinic, grant, obliges })
}

/// Decides whether a clinic is warned without consent that its patient may be in danger.
///
/// Permits only what is a warning, under a policy for this clinic, for the purpose that the policy has now, and only
/// for a while after a person decided so. No grant is asked: none lets a warning go, and none stands in its way.
/// Nothing else gets a permit here, whatever the policy.
///
/// # Errors
/// [`Denied`] with the reason.
pub fn warn<'a, T: Disclosable>(
    policy: Option<&WarningPolicy>,
    item: &'a T,
    clinic: &'a ClinicId,
    now: Timestamp,
) -> Result<Permit<'a, T>, Denied> {
    let obliges = warning::allowed(policy, &item.matter(), now)
        .map_err(|reason| Denied::for_reasons(BTreeSet::from([reason])))?;
    Ok(Permit { item, clinic, grant: None, obliges })
}
