//! Questionnaires that members have not finished: sealed, opened, forgotten. Each is gone on with where it was begun, in the
//! portal or in the chat of one community, and nowhere else: no community learns of what was answered in another one.

use jiff::{SignedDuration, Timestamp};

use super::KeptError;
use crate::domain::ids::CommunityId;
use crate::domain::questionnaire::{Draft, Instrument};
use crate::store::{DraftRow, Tx};
use crate::vault::MemberKey;

/// How long one is kept that its member does not go on with. The questions are about two weeks: after that, the first
/// answers speak of other ones.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(3 * 24);

/// What a draft is sealed for: the column, and its row there.
fn sealed_for(chat: Option<&CommunityId>, instrument: &str) -> (&'static str, String) {
    match chat {
        None => ("questionnaire_drafts.sealed_draft", instrument.to_owned()),
        Some(community) => ("chat_drafts.sealed_draft", format!("{instrument} {community}")),
    }
}

/// What the member whose key it is has begun and not finished, wherever they did: each with the community in whose chat, or
/// nothing if it was in the portal. For the member only. One that does not open is left out; the log says so.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn everywhere(tx: &mut Tx, key: &MemberKey) -> Result<Vec<(Option<CommunityId>, Draft)>, KeptError> {
    let member = key.member();
    let open = |DraftRow { chat, instrument, sealed }| {
        let (column, row) = sealed_for(chat.as_ref(), &instrument);
        let opened = key.open(column, row.as_bytes(), &sealed).map_err(KeptError::from);
        let read = opened.and_then(|plain| serde_json::from_slice(&plain).map_err(|_| KeptError::Unreadable));
        let read = read.inspect_err(|error| tracing::error!(member_id = %member, %error, "a draft cannot be read"));
        read.ok().map(|draft| (chat, draft))
    };
    Ok(tx.drafts(member).await?.into_iter().filter_map(open).collect())
}

/// The same, begun in the chat of this community, or in the portal.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn drafts(tx: &mut Tx, key: &MemberKey, chat: Option<&CommunityId>) -> Result<Vec<Draft>, KeptError> {
    let all = everywhere(tx, key).await?.into_iter();
    Ok(all.filter(|(found, _)| found.as_ref() == chat).map(|(_, draft)| draft).collect())
}

/// The same, of one instrument.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn draft(
    tx: &mut Tx,
    key: &MemberKey,
    chat: Option<&CommunityId>,
    instrument: Instrument,
) -> Result<Option<Draft>, KeptError> {
    Ok(drafts(tx, key, chat).await?.into_iter().find(|draft| draft.instrument() == instrument))
}

/// Keeps a draft in the place of what was answered before in the chat of this community, or in the portal.
///
/// # Errors
/// [`KeptError`]; the caller's transaction must then be dropped.
pub async fn keep(
    tx: &mut Tx,
    key: &MemberKey,
    chat: Option<&CommunityId>,
    draft: &Draft,
    now: Timestamp,
) -> Result<(), KeptError> {
    let plain = serde_json::to_vec(draft).map_err(|_| KeptError::Unreadable)?;
    let instrument = draft.instrument();
    let (column, row) = sealed_for(chat, instrument.as_str());
    let sealed = key.seal(column, row.as_bytes(), &plain)?;
    Ok(tx.put_draft(key.member(), chat, instrument, &sealed, now).await?)
}
