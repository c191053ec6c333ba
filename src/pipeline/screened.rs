//! A member was screened by people of their community: where what was found is to be looked at, a concern is raised.

use super::{AcceptError, Bridge};
use crate::domain::concern::Risk;
use crate::domain::ids::CommunityId;
use crate::enrolment::join::handle_index;
use crate::safety::{self, Noticed};
use crate::store::Tx;

/// A screening, as the community has it.
pub struct Screening<'a> {
    /// Its own id for it: no second concern is raised about it.
    pub id: &'a str,
    /// The name under which it knows the member.
    pub handle: &'a str,
    /// What was found.
    pub risk: Risk,
}

/// A screening that nobody here looks at.
#[derive(Debug, thiserror::Error)]
pub enum ScreenedError {
    /// The community has named nobody.
    #[error("the community has nobody who is told")]
    NobodyThere,
    /// No such member has joined here.
    #[error("there is no such member")]
    NoMember,
    /// It could not be written down.
    #[error(transparent)]
    Accept(#[from] AcceptError),
}

/// Has people of the community look, by its own policy. Says whether they are told now, or were told of it before.
///
/// # Errors
/// [`ScreenedError`]; the caller's transaction must then be dropped.
pub async fn screened(
    bridge: &Bridge,
    tx: &mut Tx,
    community: &CommunityId,
    screening: &Screening<'_>,
) -> Result<bool, ScreenedError> {
    let Screening { id, handle, risk } = *screening;
    let watch = bridge.house.watched.get(community).ok_or(ScreenedError::NobodyThere)?;
    let found = tx.member_by_handle(community, handle_index(&bridge.keyring, community, handle)).await;
    let (member, key, _) = found.map_err(AcceptError::from)?.ok_or(ScreenedError::NoMember)?;
    if risk < watch.c_ssrs {
        return Ok(false);
    }
    let key = bridge.keyring.unwrap_member_key(member, &key).map_err(AcceptError::from)?;
    let entry =
        bridge.keyring.index().index("screening", &[member.0.as_bytes(), community.as_str().as_bytes(), id.as_bytes()]);
    let (rule, escalate_after) = (risk.into(), watch.escalate_after);
    let noticed = Noticed { community, entry, rule, phrase: None, escalate_after };
    safety::raise(tx, &bridge.keyring, &key, &noticed, bridge.clock.now()).await.map_err(AcceptError::from)?;
    Ok(true)
}
