//! An erasure that is under way, as its member meets it.

use super::{CertificateSecret, ErasureError, hurry, secret_of, work_on};
use crate::domain::consented::Method;
use crate::domain::ids::MemberId;
use crate::pipeline::Bridge;
use crate::store::{Erasure, Tx};

/// An erasure that is under way, or was until just now.
#[derive(Clone, Debug)]
pub struct UnderWay {
    /// The erasure.
    pub erasure: Erasure,
    /// Under which its certificate will be had; `None` where it does not open.
    pub secret: Option<CertificateSecret>,
}

/// The erasure of a member that is under way.
///
/// # Errors
/// [`ErasureError`].
pub async fn under_way(bridge: &Bridge, tx: &mut Tx, member: MemberId) -> Result<Option<UnderWay>, ErasureError> {
    let Some(erasure) = tx.living_erasure(member).await? else { return Ok(None) };
    let wrapped = tx.member_key(member).await?.ok_or(ErasureError::UnknownMember)?;
    let key = bridge.keyring.unwrap_member_key(member, &wrapped).ok();
    let secret = key.and_then(|key| secret_of(&key, &erasure));
    Ok(Some(UnderWay { erasure, secret }))
}

/// Does what a member asked for without any more waiting, and returns how it stands then, with the secret that nobody can
/// open any more.
///
/// # Errors
/// [`ErasureError::NotRequested`] when none is under way. After any other, it is done by and by all the same.
pub async fn at_once(bridge: &Bridge, member: MemberId, method: Method) -> Result<UnderWay, ErasureError> {
    let mut tx = bridge.store.begin().await?;
    let erasure = hurry(&mut tx, member, method, bridge.clock.now()).await?;
    let secret = under_way(bridge, &mut tx, member).await?.and_then(|under_way| under_way.secret);
    tx.commit().await?;
    work_on(bridge, &erasure).await?;
    let stands = bridge.store.read().await?.erasure(erasure.id).await?;
    Ok(UnderWay { erasure: stands.unwrap_or(erasure), secret })
}
