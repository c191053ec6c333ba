//! The tokens that clinics' systems are given: opaque, short-lived, and kept as keyed indexes only.

use jiff::{SignedDuration, Timestamp};

use super::Proven;
use crate::enrolment::join::EnrolError;
use crate::store::{ClinicTokenRow, Tx};
use crate::vault::{Index, Keyring};

/// How a clinic's token begins.
pub const CLINIC_TOKEN_PREFIX: &str = "mc_";

/// How long a token is good for (SMART App Launch 2.2.0, Backend Services: five minutes).
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// The keyed index under which a clinic's token is stored.
#[must_use]
pub fn clinic_token_index(keyring: &Keyring, token: &str) -> Index {
    keyring.index().index("clinic-token", &[token.as_bytes()])
}

/// Gives a token for an assertion, which is used up by that in the same transaction. `None`: it was used up before.
///
/// # Errors
/// [`EnrolError`].
pub async fn give(
    tx: &mut Tx,
    keyring: &Keyring,
    proven: &Proven<'_>,
    scopes: String,
    now: Timestamp,
) -> Result<Option<String>, EnrolError> {
    let (clinic, used) = (proven.clinic, &proven.used);
    let jti = keyring.index().index("client-assertion", &[clinic.as_str().as_bytes(), used.jti.as_bytes()]);
    if !tx.use_clinic_assertion(clinic, jti, used.expires_at).await? {
        return Ok(None);
    }
    let token = format!("{CLINIC_TOKEN_PREFIX}{}", keyring.fresh_secret()?);
    let row = ClinicTokenRow { clinic: clinic.clone(), scopes };
    let expires_at = now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
    tx.insert_clinic_token(clinic_token_index(keyring, &token), &row, now, expires_at).await?;
    Ok(Some(token))
}
