//! A version of a grant as its clinic reads it here: the same Consent that a clinic's EHR is sent.

use jiff::Timestamp;
use serde_json::Value;

use super::announce::{identifier, in_words, title};
use super::{Bridge, ConsentError, Version};
use crate::consent::decide::{Request, decide};
use crate::consent::notice::Notice;
use crate::domain::grant::{Addressee, Standing};
use crate::domain::language::Language;
use crate::mapping::to_fhir::{self, Paper, Recipient};

/// The Consent, without an id; `patient` is the id of the member's Patient at the clinic. `None` where it is for one
/// practitioner who is not known any more: it is not told as if it were for everybody.
///
/// # Errors
/// [`ConsentError`].
pub fn as_resource(
    bridge: &Bridge,
    version: &Version,
    patient: &str,
    now: Timestamp,
) -> Result<Option<Value>, ConsentError> {
    let Version { grant, practitioner, shown, .. } = version;
    let practitioner = practitioner.as_ref();
    if practitioner.is_none() && grant.terms.recipient != Addressee::Clinic {
        return Ok(None);
    }
    let notice = shown.as_ref().and_then(|shown| Notice::find(shown.version, shown.language));
    let language = notice.map_or(Language::default(), |notice| notice.language);
    let standing = Standing(grant);
    let permit = decide(std::slice::from_ref(grant), Request::to_record(&standing, &grant.clinic, now))
        .map_err(|_| ConsentError::NotOurs)?;
    let words = in_words(grant, practitioner, language, now);
    let identifier = identifier(bridge, grant.id);
    let recorded = grant.ended_at.unwrap_or(grant.created_at);
    let recipient = Recipient { patient, identifier, source: &bridge.source, recorded, practitioner };
    let shown = notice.map(|notice| (title(notice), notice.text));
    let paper = Paper { recipient, is_first: grant.version == 1, language, notice: shown, words: &words, now };
    Ok(Some(to_fhir::consent_resource(&permit, paper)?))
}
