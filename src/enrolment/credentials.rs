//! Credentials: made here, shown once, and kept as keyed indexes only.

use jiff::{SignedDuration, Timestamp};

use super::join::EnrolError;
use crate::domain::audit::{self, Chain, Event, SignIn};
use crate::domain::ids::{CommunityId, MemberId};
use crate::store::Tx;
use crate::vault::{Index, Keyring};

/// How an API key begins.
pub const API_KEY_PREFIX: &str = "mk_";

/// How a member's token begins.
pub const MEMBER_TOKEN_PREFIX: &str = "mt_";

/// The scope that lets a community send events.
pub const EVENTS_WRITE: &str = "events:write";

/// The scope that lets a community see and settle the concerns about its members. A key of its own: whoever sends moods
/// need not know who is in need.
pub const CONCERNS_MANAGE: &str = "concerns:manage";

/// The scope that lets people of a community decide that a clinic is told without consent. Beside it, they need
/// [`CONCERNS_MANAGE`].
pub const CONCERNS_DISCLOSE: &str = "concerns:disclose";

/// The scope that lets a community bring what its members say to the companion, and make members of those who say so.
pub const TALKS_WRITE: &str = "talks:write";

/// A new API key. The secret is shown once and nowhere kept.
#[derive(Clone)]
pub struct ApiKey {
    /// The public half: shown in lists, used to revoke.
    pub key_id: String,
    /// The whole credential.
    pub secret: String,
}

/// The keyed index under which an API key is stored.
#[must_use]
pub fn api_key_index(keyring: &Keyring, key: &str) -> Index {
    keyring.index().index("api-key", &[key.as_bytes()])
}

/// The keyed index under which a member's token is stored.
#[must_use]
pub fn member_token_index(keyring: &Keyring, token: &str) -> Index {
    keyring.index().index("member-token", &[token.as_bytes()])
}

/// Makes an API key for a community.
///
/// # Errors
/// [`EnrolError`].
pub async fn create_api_key(
    tx: &mut Tx,
    keyring: &Keyring,
    community: &CommunityId,
    scopes: &str,
    now: Timestamp,
) -> Result<ApiKey, EnrolError> {
    let key_id: String = keyring.fresh_secret()?.chars().take(12).collect();
    let secret = format!("{API_KEY_PREFIX}{key_id}_{}", keyring.fresh_secret()?);
    tx.insert_api_key(&key_id, api_key_index(keyring, &secret), community, scopes, now).await?;
    let created = audit::ApiKey { key_id: key_id.clone(), community: Some(community.clone()) };
    tx.record(Chain::HOUSE, now, Event::ApiKeyCreated(created));
    Ok(ApiKey { key_id, secret })
}

/// Makes a token with which a member acts for themselves.
///
/// # Errors
/// [`EnrolError`].
pub async fn create_member_token(
    tx: &mut Tx,
    keyring: &Keyring,
    member: MemberId,
    validity: SignedDuration,
    now: Timestamp,
) -> Result<String, EnrolError> {
    if tx.member_key(member).await?.is_none() {
        return Err(EnrolError::UnknownMember);
    }
    let token = format!("{MEMBER_TOKEN_PREFIX}{}", keyring.fresh_secret()?);
    let expires_at = now.checked_add(validity).unwrap_or(Timestamp::MAX);
    tx.insert_member_token(member_token_index(keyring, &token), member, now, expires_at).await?;
    tx.record(Chain::of_member(member), now, Event::SignedIn(SignIn { method: "token".to_owned() }));
    Ok(token)
}
