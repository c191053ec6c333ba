//! Where a member's talk stands, between what they say: sealed with their key, and no more than is needed to go on.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::script::PlaceName;
use crate::domain::ids::{CommunityId, RecommendationId};
use crate::domain::questionnaire::Instrument;
use crate::readings::KeptError;
use crate::store::Tx;
use crate::vault::MemberKey;

/// So many of what was heard are known again: more than any platform brings at once (a homeserver of Matrix up to 100).
const KNOWN_AGAIN: usize = 128;

/// How long it is kept where a talk stands that nobody goes on with.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The column talks are sealed for; their row is their member.
const COLUMN: &str = "talks.sealed_talk";

/// Where a talk stands. Personal.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// The place where it waits.
    pub place: PlaceName,
    /// What was heard, the last one last: whoever says the same again because no answer came is told where the talk stands. A
    /// platform may bring several again that it brought together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    heard: Vec<Uuid>,
    /// A mood that was said and is not kept yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mood: Option<SaidMood>,
    /// The questionnaire that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Instrument>,
    /// The place of the question that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<usize>,
    /// What of a clinic was shown last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// What of a clinic was shown.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Which.
    pub id: RecommendationId,
    /// When.
    pub at: Timestamp,
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

impl Stand {
    /// Where the talk of somebody stands who said this first.
    #[must_use]
    pub fn new(place: PlaceName, heard: Uuid) -> Self {
        Self { place, heard: vec![heard], ..Self::default() }
    }

    /// Whether this was heard before.
    #[must_use]
    pub fn knows(&self, key: Uuid) -> bool {
        self.heard.contains(&key)
    }

    /// Notes that this was heard.
    pub fn hears(&mut self, key: Uuid) {
        self.heard.push(key);
        let surplus = self.heard.len().saturating_sub(KNOWN_AGAIN);
        self.heard.drain(..surplus);
    }

    /// What tells the buttons of what was said last from those of what was said before.
    #[must_use]
    pub fn mark(&self) -> Option<String> {
        self.heard.last().map(|key| format!("{:08x}", key.as_u128() & u128::from(u32::MAX)))
    }
}

/// A member's talks: each community has its own, so that none learns from where it stands what was said in another one. What was
/// answered to the questionnaires that are open in them is as much apart ([`crate::readings::drafts`]).
#[derive(Default, Serialize, Deserialize)]
struct Talks {
    /// In the portal, and before there was more than one.
    #[serde(flatten)]
    portal: Stand,
    /// In each community.
    #[serde(default, rename = "in", skip_serializing_if = "BTreeMap::is_empty")]
    communities: BTreeMap<CommunityId, Stand>,
}

/// Where the talk in a community, or in the portal, stands of the member whose key it is. One that does not open begins anew; the
/// log says so.
///
/// # Errors
/// [`KeptError::Store`].
pub async fn stand(tx: &mut Tx, key: &MemberKey, community: Option<&CommunityId>) -> Result<Stand, KeptError> {
    let mut talks = talks(tx, key).await?;
    Ok(match community {
        Some(community) => talks.communities.remove(community).unwrap_or_default(),
        None => talks.portal,
    })
}

async fn talks(tx: &mut Tx, key: &MemberKey) -> Result<Talks, KeptError> {
    let member = key.member();
    let Some(sealed) = tx.talk(member).await? else { return Ok(Talks::default()) };
    let opened = key.open(COLUMN, member.0.as_bytes(), &sealed).map_err(KeptError::from);
    let read = opened.and_then(|plain| serde_json::from_slice(&plain).map_err(|_| KeptError::Unreadable));
    Ok(read
        .inspect_err(|error| tracing::error!(member_id = %member, %error, "a talk cannot be read"))
        .unwrap_or_default())
}

/// Keeps where it stands now, of a member whom the caller has locked if there may be other talks.
///
/// # Errors
/// [`KeptError`]; the caller's transaction must then be dropped.
pub async fn keep(
    tx: &mut Tx,
    key: &MemberKey,
    community: Option<&CommunityId>,
    stand: Stand,
    now: Timestamp,
) -> Result<(), KeptError> {
    let mut talks = talks(tx, key).await?;
    match community {
        Some(community) => drop(talks.communities.insert(community.clone(), stand)),
        None => talks.portal = stand,
    }
    let plain = serde_json::to_vec(&talks).map_err(|_| KeptError::Unreadable)?;
    let sealed = key.seal(COLUMN, key.member().0.as_bytes(), &plain)?;
    Ok(tx.put_talk(key.member(), &sealed, now).await?)
}
