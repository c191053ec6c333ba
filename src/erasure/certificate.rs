//! The certificate: what was erased, when, and what became of what clinics had. Nothing personal but the opaque id.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use serde::Serialize;
use serde_json::Value;

use crate::domain::consented::Method;
use crate::domain::ids::{ClinicId, ErasureId, MemberId};
use crate::pipeline::Bridge;
use crate::store::{Erasure, KEPT_TABLES, Sent};
use crate::vault::KeyId;
use crate::vault::signing::{DocumentError, sign_document, verify_document};

/// What kind of document it is.
pub const CERTIFICATE_KIND: &str = "mostik-erasure+jws";

const VERSION: u32 = 1;

/// Said in every certificate, because it is true of every one.
const ABOUT_BACKUPS: &str = "Backups made before the erasure hold what was erased, sealed, until they are destroyed. A \
                             backup that is restored is erased again before it is used.";

#[derive(Serialize)]
struct Certificate<'a> {
    version: u32,
    bridge: &'a str,
    erasure: ErasureId,
    member: MemberId,
    requested_at: Timestamp,
    /// `portal`, `api` or `operator`; absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_by: Option<&'static str>,
    erased_at: Timestamp,
    /// Without this key nothing that was sealed with it opens.
    key_destroyed: Option<String>,
    /// Rows, by table.
    erased: &'a BTreeMap<&'static str, u64>,
    kept: BTreeMap<&'static str, &'static str>,
    clinics: BTreeMap<&'a ClinicId, AtClinic>,
    backups: &'static str,
}

/// What a clinic has, and whether it was asked about it.
#[derive(Serialize)]
struct AtClinic {
    /// So many resources stand in its EHR.
    has: i64,
    /// Whether it was asked to mark them as entered in error.
    asked: bool,
    /// So many requests had no answer when the time was over.
    unanswered: i64,
}

/// The certificate as a JWS; as JSON where there is no key to sign with: an erasure does not wait for one.
pub(super) fn certificate(
    bridge: &Bridge,
    erasure: &Erasure,
    key: Option<KeyId>,
    erased: &BTreeMap<&'static str, u64>,
    sent: &BTreeMap<ClinicId, Sent>,
    now: Timestamp,
) -> String {
    let at_clinic = |(clinic, sent): (_, &Sent)| {
        (clinic, AtClinic { has: sent.written, asked: erasure.ask_clinics, unanswered: sent.open })
    };
    let certificate = Certificate {
        version: VERSION,
        bridge: &bridge.source,
        erasure: erasure.id,
        member: erasure.member,
        requested_at: erasure.requested_at,
        requested_by: erasure.method.map(Method::as_str),
        erased_at: now,
        key_destroyed: key.map(|key| key.to_string()),
        erased,
        kept: KEPT_TABLES.into_iter().collect(),
        clinics: sent.iter().map(at_clinic).collect(),
        backups: ABOUT_BACKUPS,
    };
    sign_document(&bridge.signing, CERTIFICATE_KIND, &certificate, now).unwrap_or_else(|| {
        tracing::warn!("a certificate of erasure is not signed: there is no signing key (mostik keys sign-create)");
        serde_json::to_string(&certificate).unwrap_or_default()
    })
}

/// What a certificate says, if one of `keys` signed it.
///
/// # Errors
/// [`DocumentError`].
pub fn verify(certificate: &str, keys: &JwkSet) -> Result<Value, DocumentError> {
    verify_document(certificate.trim(), CERTIFICATE_KIND, keys)
}
