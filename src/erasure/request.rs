//! What a member may ask for, and how they get at the certificate when they have no account any more.

use std::fmt;

use jiff::Timestamp;

use super::{ErasureError, GRACE};
use crate::domain::audit::{self, Chain, Event};
use crate::domain::consented::Method;
use crate::domain::ids::{ErasureId, MemberId};
use crate::store::{Erasure, ErasureState, StoreError, Tx};
use crate::vault::{Index, Keyring, MemberKey};

/// How the secret begins under which a certificate is had.
const SECRET_PREFIX: &str = "ec_";

/// The column a certificate's secret is sealed for; its row is the erasure.
const SECRET_COLUMN: &str = "erasures.sealed_secret";

/// How a member wants to be erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish {
    /// Without the grace.
    pub at_once: bool,
    /// Clinics are asked to mark what they were sent as entered in error.
    pub ask_clinics: bool,
    /// Through what they say so: the end of their consents, and the wish that clinics mark what they have, carry it.
    pub method: Method,
}

/// What opens a certificate to whoever has it: shown to the member, who needs no account for it.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateSecret(pub String);

/// An erasure that was asked for.
#[derive(Clone, Debug)]
pub struct Requested {
    /// The erasure.
    pub erasure: Erasure,
    /// Under which its certificate will be had.
    pub secret: CertificateSecret,
}

/// Asks for the erasure of a member.
///
/// # Errors
/// [`ErasureError`]; then nothing was changed.
pub async fn request(
    tx: &mut Tx,
    keyring: &Keyring,
    member: MemberId,
    wish: Wish,
    now: Timestamp,
) -> Result<Requested, ErasureError> {
    lock(tx, member).await?;
    if tx.living_erasure(member).await?.is_some() {
        return Err(ErasureError::AlreadyRequested);
    }
    let wrapped = tx.member_key(member).await?.ok_or(ErasureError::UnknownMember)?;
    let id = ErasureId(keyring.entropy().uuid(now)?);
    let secret = format!("{SECRET_PREFIX}{}", keyring.fresh_secret()?);
    // Somebody whose key does not open can still be erased; they only see the secret no second time.
    let key = keyring.unwrap_member_key(member, &wrapped).ok();
    let sealed = key.map(|key| key.seal(SECRET_COLUMN, id.0.as_bytes(), secret.as_bytes())).transpose()?;
    let erasure = Erasure {
        id,
        member,
        state: ErasureState::Requested,
        ask_clinics: wish.ask_clinics,
        method: Some(wish.method),
        certificate_index: certificate_index(keyring, &secret),
        sealed_secret: sealed,
        requested_at: now,
        due_at: if wish.at_once { now } else { now.checked_add(GRACE).unwrap_or(Timestamp::MAX) },
        upstream_until: None,
        ended_at: None,
        certificate: None,
    };
    tx.insert_erasure(&erasure).await?;
    record(tx, &erasure, wish.method, now, Event::ErasureRequested);
    Ok(Requested { erasure, secret: CertificateSecret(secret) })
}

/// Shortens what is still waited for: the grace, or the clinics.
///
/// # Errors
/// [`ErasureError::NotRequested`] when none is under way.
pub async fn hurry(tx: &mut Tx, member: MemberId, method: Method, now: Timestamp) -> Result<Erasure, ErasureError> {
    lock(tx, member).await?;
    let mut erasure = tx.living_erasure(member).await?.ok_or(ErasureError::NotRequested)?;
    erasure.due_at = now;
    erasure.upstream_until = erasure.upstream_until.map(|_| now);
    tx.update_erasure(&erasure).await?;
    record(tx, &erasure, method, now, Event::ErasureRequested);
    Ok(erasure)
}

/// Calls an erasure off, as long as it has not begun.
///
/// # Errors
/// [`ErasureError::NotRequested`] when there is none, or it has.
pub async fn cancel(tx: &mut Tx, member: MemberId, method: Method, now: Timestamp) -> Result<Erasure, ErasureError> {
    lock(tx, member).await?;
    let found = tx.living_erasure(member).await?.filter(|erasure| erasure.state == ErasureState::Requested);
    let found = found.ok_or(ErasureError::NotRequested)?;
    let erasure = Erasure { state: ErasureState::Cancelled, sealed_secret: None, ended_at: Some(now), ..found };
    tx.update_erasure(&erasure).await?;
    record(tx, &erasure, method, now, Event::ErasureCancelled);
    Ok(erasure)
}

fn record(tx: &mut Tx, erasure: &Erasure, method: Method, now: Timestamp, what: fn(audit::Erasure) -> Event) {
    let step = audit::Erasure {
        due_at: Some(erasure.due_at),
        certificate: Some(erasure.id.0),
        method: Some(method.as_str().to_owned()),
        ask_clinics: erasure.ask_clinics,
    };
    tx.record(Chain::of_member(erasure.member), now, what(step));
}

/// The secret of an erasure that is under way, to be shown to its member again.
#[must_use]
pub fn secret_of(key: &MemberKey, erasure: &Erasure) -> Option<CertificateSecret> {
    let opened = key.open(SECRET_COLUMN, erasure.id.0.as_bytes(), erasure.sealed_secret.as_ref()?).ok()?;
    String::from_utf8(opened).ok().map(CertificateSecret)
}

/// The erasure to which a secret belongs.
///
/// # Errors
/// [`StoreError`].
pub async fn by_secret(tx: &mut Tx, keyring: &Keyring, secret: &str) -> Result<Option<Erasure>, StoreError> {
    tx.erasure_by_certificate(certificate_index(keyring, secret)).await
}

fn certificate_index(keyring: &Keyring, secret: &str) -> Index {
    keyring.index().index("erasure-certificate", &[secret.as_bytes()])
}

async fn lock(tx: &mut Tx, member: MemberId) -> Result<(), ErasureError> {
    match tx.lock_member(member).await {
        Err(StoreError::RowCount { .. }) => Err(ErasureError::UnknownMember),
        other => Ok(other?),
    }
}

impl fmt::Debug for CertificateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateSecret(..)")
    }
}
