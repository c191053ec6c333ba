//! Where a member's talk stands, between what they say: sealed with their key, and no more than is needed to go on.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::script::PlaceName;
use crate::domain::questionnaire::Instrument;
use crate::readings::KeptError;
use crate::store::Tx;
use crate::vault::MemberKey;

/// How long it is kept where a talk stands that nobody goes on with.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The column talks are sealed for; their row is their member.
const COLUMN: &str = "talks.sealed_talk";

/// Where a talk stands. Personal.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// The place where it waits.
    pub place: PlaceName,
    /// What was heard last: whoever says the same again because no answer came is told where the talk stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Uuid>,
    /// A mood that was said and is not kept yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mood: Option<SaidMood>,
    /// The questionnaire that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Instrument>,
    /// The place of the question that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<usize>,
}

/// A mood as it was said.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidMood {
    /// From 1 to 5.
    pub level: u8,
    /// What makes it the same when it is heard again.
    pub key: Uuid,
    /// When it was said.
    pub at: Timestamp,
}

/// Where the talk of the member stands whose key it is. One that does not open begins anew; the log says so.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn stand(tx: &mut Tx, key: &MemberKey) -> Result<Stand, KeptError> {
    let member = key.member();
    let Some(sealed) = tx.talk(member).await? else { return Ok(Stand::default()) };
    let opened = key.open(COLUMN, member.0.as_bytes(), &sealed).map_err(KeptError::from);
    let read = opened.and_then(|plain| serde_json::from_slice(&plain).map_err(|_| KeptError::Unreadable));
    Ok(read
        .inspect_err(|error| tracing::error!(member_id = %member, %error, "a talk cannot be read"))
        .unwrap_or_default())
}

/// Keeps where it stands now.
///
/// # Errors
/// [`KeptError`]; the caller's transaction must then be dropped.
pub async fn keep(tx: &mut Tx, key: &MemberKey, stand: &Stand, now: Timestamp) -> Result<(), KeptError> {
    let plain = serde_json::to_vec(stand).map_err(|_| KeptError::Unreadable)?;
    let sealed = key.seal(COLUMN, key.member().0.as_bytes(), &plain)?;
    Ok(tx.put_talk(key.member(), &sealed, now).await?)
}
