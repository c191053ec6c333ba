//! Questionnaires that members have not finished: sealed, opened, forgotten.

use jiff::{SignedDuration, Timestamp};

use super::KeptError;
use crate::domain::questionnaire::{Draft, Instrument};
use crate::store::Tx;
use crate::vault::MemberKey;

/// The column drafts are sealed for; their row is the name of their instrument.
const COLUMN: &str = "questionnaire_drafts.sealed_draft";

/// How long one is kept that its member does not go on with. The questions are about two weeks: after that, the first
/// answers speak of other ones.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(3 * 24);

/// What the member whose key it is has begun and not finished. One that does not open is left out; the log says so.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn drafts(tx: &mut Tx, key: &MemberKey) -> Result<Vec<Draft>, KeptError> {
    let member = key.member();
    let open = |(instrument, sealed): (String, Vec<u8>)| {
        let opened = key.open(COLUMN, instrument.as_bytes(), &sealed).map_err(KeptError::from);
        let read = opened.and_then(|plain| serde_json::from_slice(&plain).map_err(|_| KeptError::Unreadable));
        read.inspect_err(|error| tracing::error!(member_id = %member, %error, "a draft cannot be read")).ok()
    };
    Ok(tx.drafts(member).await?.into_iter().filter_map(open).collect())
}

/// The same, of one instrument.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn draft(tx: &mut Tx, key: &MemberKey, instrument: Instrument) -> Result<Option<Draft>, KeptError> {
    Ok(drafts(tx, key).await?.into_iter().find(|draft| draft.instrument() == instrument))
}

/// Keeps a draft in the place of what was answered before.
///
/// # Errors
/// [`KeptError`]; the caller's transaction must then be dropped.
pub async fn keep(tx: &mut Tx, key: &MemberKey, draft: &Draft, now: Timestamp) -> Result<(), KeptError> {
    let plain = serde_json::to_vec(draft).map_err(|_| KeptError::Unreadable)?;
    let instrument = draft.instrument();
    let sealed = key.seal(COLUMN, instrument.as_str().as_bytes(), &plain)?;
    Ok(tx.put_draft(key.member(), instrument, &sealed, now).await?)
}
