//! A member's decisions, each with everything that follows from it, in one transaction of the caller's: the grant, the
//! record of what the member had before them, the receipt, and what the clinic is told.
//!
//! Whoever lets members decide calls these, and not `consent::change` itself. After the commit the caller wakes the desks
//! ([`Bridge::wake`]).

mod announce;
mod end;
mod lent;
mod link;
mod mark;
mod record;
mod show;
mod tell;

pub use end::{Revoked, UnlinkError, Unlinked, note_expired, revoke, unlink};
pub use lent::let_go;
pub use link::{link, redeem};
pub use mark::{MarkOutcome, Marked, ask_to_mark, marks};
pub use record::RECEIPT_COLUMN;
pub use show::{ReceiptLine, Version, receipt, receipts, version, versions};
pub use tell::as_resource;

use jiff::Timestamp;

use super::Bridge;
use crate::consent::change::{self, ChangeError};
use crate::consent::notice::{self, Notice};
use crate::domain::consented::{Change, Method, Practitioner};
use crate::domain::entropy::NoEntropy;
use crate::domain::grant::{Addressee, Grant, GrantState, Terms};
use crate::domain::ids::{ClinicId, GrantId, MemberId, PractitionerId};
use crate::domain::language::Language;
use crate::enrolment::join::EnrolError;
use crate::mapping::to_fhir::MappingError;
use crate::outbox::enqueue::EnqueueError;
use crate::store::{ErasureState, StoreError, Tx};
use crate::vault::{Keyring, SealError};

/// What a member wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The terms; for whom at the clinic, `practitioner` says.
    pub terms: Terms,
    /// The one practitioner whom it is for; `None`: whoever treats the member there.
    pub practitioner: Option<Practitioner>,
    /// Which version of the text they have before them, and in which language; `None`: nobody knows.
    pub shown: Option<(i32, Language)>,
    /// Through what they decide.
    pub method: Method,
}

/// A decision that cannot be carried out; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// The grant cannot be changed so.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The member had another text before them than the one that is valid now.
    #[error("expected version {} of the text that is shown before", notice::CURRENT)]
    OldNotice,
    /// The practitioner cannot be one.
    #[error("expected the id of a FHIR Practitioner and a name")]
    Practitioner,
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What the clinic is to be told could not be written.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// No id could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The decision does not let the clinic know of a grant that is about it. A defect.
    #[error("a clinic may not know of its own grant")]
    NotOurs,
    /// The member is being erased: nothing more comes in.
    #[error("the member is being erased")]
    BeingErased,
    /// The receipt could not be signed.
    #[error("there is no key to sign receipts with")]
    NoReceipt,
}

impl From<StoreError> for ConsentError {
    fn from(error: StoreError) -> Self {
        Self::Change(error.into())
    }
}

impl From<EnqueueError> for ConsentError {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Store(error) => error.into(),
            EnqueueError::Seal(error) => Self::Seal(error),
            EnqueueError::NoEntropy(error) => Self::NoEntropy(error),
        }
    }
}

impl From<EnrolError> for ConsentError {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Store(error) => error.into(),
            EnrolError::Seal(error) => Self::Seal(error),
            _ => StoreError::Corrupt("a link it should not").into(),
        }
    }
}

/// A first consent towards a clinic.
///
/// # Errors
/// [`ConsentError`]; the transaction must then be dropped.
pub async fn give(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    clinic: ClinicId,
    wish: Wish,
    now: Timestamp,
) -> Result<Grant, ConsentError> {
    let decided = Decided::check(&bridge.keyring, &clinic, wish)?;
    let id = GrantId(bridge.keyring.entropy().uuid(now)?);
    let before = tx.living_grants(&[member]).await?;
    let grant = change::grant(tx, id, member, clinic, decided.terms.clone(), now).await?;
    if tx.living_erasure(member).await?.is_some_and(|erasure| erasure.state == ErasureState::Upstream) {
        return Err(ConsentError::BeingErased);
    }
    // One whose time was over has ended with this one.
    for over in before.into_iter().filter(|over| over.clinic == grant.clinic) {
        let over = over.into_state(GrantState::Superseded, now).map_err(ChangeError::from)?;
        record::tell_again(bridge, tx, &over, now).await?;
    }
    decided.follow(bridge, tx, &grant, Change::Given, now).await?;
    Ok(grant)
}

/// Other terms for a grant: a new version.
///
/// # Errors
/// [`ConsentError`]; the transaction must then be dropped.
pub async fn change(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: GrantId,
    wish: Wish,
    now: Timestamp,
) -> Result<Grant, ConsentError> {
    let old = tx.newest_grant(member, id).await?.ok_or(ChangeError::NotFound)?;
    let decided = Decided::check(&bridge.keyring, &old.clinic, wish)?;
    let grant = change::change(tx, member, id, decided.terms.clone(), now).await?;
    decided.follow(bridge, tx, &grant, Change::Changed, now).await?;
    Ok(grant)
}

/// Sets a grant aside for a while.
///
/// # Errors
/// [`ConsentError`]; the transaction must then be dropped.
pub async fn pause(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: GrantId,
    method: Method,
    now: Timestamp,
) -> Result<Grant, ConsentError> {
    let grant = change::pause(tx, member, id, now).await?;
    record::follow(bridge, tx, &grant, Change::Paused, method, now).await?;
    Ok(grant)
}

/// Takes a grant up again.
///
/// # Errors
/// [`ConsentError`]; the transaction must then be dropped.
pub async fn resume(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: GrantId,
    method: Method,
    now: Timestamp,
) -> Result<Grant, ConsentError> {
    let grant = change::resume(tx, member, id, now).await?;
    record::follow(bridge, tx, &grant, Change::Resumed, method, now).await?;
    Ok(grant)
}

/// A wish that can be carried out.
struct Decided {
    terms: Terms,
    practitioner: Option<Practitioner>,
    notice: Option<Notice>,
    method: Method,
}

impl Decided {
    fn check(keyring: &Keyring, clinic: &ClinicId, wish: Wish) -> Result<Self, ConsentError> {
        let Wish { terms, practitioner, shown, method } = wish;
        if practitioner.as_ref().is_some_and(|practitioner| !practitioner.is_sound()) {
            return Err(ConsentError::Practitioner);
        }
        let notice = match shown {
            Some((notice::CURRENT, language)) => Some(Notice::current(language)),
            Some(_) => return Err(ConsentError::OldNotice),
            None => None,
        };
        let recipient = practitioner.as_ref().map_or(Addressee::Clinic, |practitioner| {
            Addressee::Practitioner(practitioner_id(keyring, clinic, &practitioner.id))
        });
        Ok(Self { terms: Terms { recipient, ..terms }, practitioner, notice, method })
    }

    async fn follow(
        &self,
        bridge: &Bridge,
        tx: &mut Tx,
        grant: &Grant,
        change: Change,
        now: Timestamp,
    ) -> Result<(), ConsentError> {
        if let Some(notice) = self.notice {
            tx.keep_notice(&notice.shown(), notice.text, now).await?;
        }
        let shown = self.notice.map(Notice::shown);
        record::keep(
            bridge,
            tx,
            grant,
            record::Paper {
                change,
                method: self.method,
                shown: shown.as_ref(),
                practitioner: self.practitioner.as_ref(),
            },
            now,
        )
        .await?;
        announce::announce(bridge, tx, grant, self.notice, self.practitioner.as_ref(), now).await
    }
}

/// The name of a practitioner that says nothing about who they are: of the clinic's own, only its keyed index.
#[must_use]
pub fn practitioner_id(keyring: &Keyring, clinic: &ClinicId, fhir_id: &str) -> PractitionerId {
    PractitionerId(keyring.index().uuid("practitioner", &[clinic.as_str().as_bytes(), fhir_id.as_bytes()]))
}
