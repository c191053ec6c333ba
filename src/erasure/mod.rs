//! Erasure: a member takes everything back, for good.
//!
//! `requested → upstream → erased`. For a week nothing happens, and the member may call it off or shorten it. Then all
//! consent ends, and clinics are told what they are to be told; while that is under way, nothing more comes in. At last,
//! in one transaction, the member's key is destroyed and every row of theirs deleted. What stays is a certificate.
//!
//! What clinics have is theirs: they can be asked to mark it as entered in error, and the certificate says what came of
//! it.
//!
//! A backup from before knows nothing of all this. So whoever was erased stands in a list outside the database
//! ([`ErasedList`](crate::vault::ErasedList)), and is erased again when a database is opened in which they are back.

mod again;
mod certificate;
mod request;
mod under_way;
mod work;

pub use again::{again, mirror};
pub use certificate::{CERTIFICATE_KIND, verify};
pub use request::{CertificateSecret, Requested, Wish, by_secret, cancel, hurry, request, secret_of};
pub use under_way::{UnderWay, at_once, under_way};
pub use work::{work, work_on};

use jiff::SignedDuration;

use crate::booking::BookingError;
use crate::domain::entropy::NoEntropy;
use crate::pipeline::consent::ConsentError;
use crate::store::StoreError;
use crate::vault::{ErasedListError, SealError};

/// How long a member may think better of it.
pub const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long clinics are waited for: longer than a delivery is tried.
const UPSTREAM: SignedDuration = SignedDuration::from_hours(4 * 24);

/// How long until an erasure that waits for clinics is looked at again.
const LOOK_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// An erasure that could not be asked for, or not be done; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// There is no such member.
    #[error("there is no such member")]
    UnknownMember,
    /// It was asked for already.
    #[error("the erasure of this member was asked for already")]
    AlreadyRequested,
    /// None was asked for, or it has begun and cannot be called off any more.
    #[error("there is no erasure of this member that could still be changed so")]
    NotRequested,
    /// Consent could not be ended.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// What clinics keep for the member could not be given back.
    #[error(transparent)]
    Booking(#[from] BookingError),
    /// The list of erased members cannot be used.
    #[error(transparent)]
    List(#[from] ErasedListError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// There is no randomness for an id or a secret.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}
