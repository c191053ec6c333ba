//! Members sign in at their community's identity provider (OpenID Connect).
//!
//! 1. [`Identities::begin`] notes that a browser is on its way, and says where it is to be sent.
//! 2. The member signs in there. Their browser comes back with `state` and a code.
//! 3. [`Identities::complete`] takes the note out, so that it is good once, and exchanges the code: [`Arrived`].
//! 4. [`member_of`] says which member that is; or [`connect`], within a session, that it is this one from now on.
//!
//! A walk belongs to the browser that began it. Whoever else comes back with its `state`, or brings somebody else's browser
//! to do so, finds nothing. Nothing secret is stored: `nonce` and PKCE verifier are made of the `state` with the index key.
//!
//! Who somebody is at the provider is (issuer, subject), and nothing else: no address, no name. It becomes a member in
//! one of two ways. The operator says that a claim is the member's handle in the community, as its events have it; then
//! the first to come with it *is* that member, and stays so whatever the claim says later: who takes over the handle of
//! somebody who was here does not become them. Or the member connects their account themselves, from within a session.

mod error;
mod walk;

pub use error::{IdentityError, IdentityTrouble};
pub(super) use walk::{Walk, state_index};

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use url::Url;

use super::join::handle_index;
use super::returned::Returned;
use super::session::session_index;
use super::sign_in::browser_index;
use crate::delivery::identity::{Identity, Provider};
use crate::domain::audit::{Chain, Event, IdentityAt};
use crate::domain::clock::Clock;
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::language::Language;
use crate::store::{IdentityKey, IdentityRequest, NewIdentityRequest, Store, StoreError, Tx};
use crate::vault::{Index, Keyring};

/// How long a member may take at the provider.
pub const LASTS: SignedDuration = SignedDuration::from_mins(10);

/// Identity providers, each of one community. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identities {
    store: Store,
    keyring: Keyring,
    clock: Clock,
    providers: Arc<BTreeMap<CommunityId, Provider>>,
}

/// Somebody who wants to sign in at a provider, or to connect an account there.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Whose provider.
    pub community: &'a CommunityId,
    /// What their browser is known by.
    pub browser: &'a str,
    /// The session in which an account is to be connected; `None`: they want to sign in.
    pub session: Option<&'a str>,
    /// The language of the page.
    pub language: Language,
}

/// Somebody who has come back from a provider.
#[derive(Debug)]
pub struct Arrived {
    /// Whose provider.
    pub community: CommunityId,
    /// Who they are there.
    pub identity: Identity,
    /// Whether they came to connect an account, in the very session in which they come back.
    pub connects: bool,
}

impl Identities {
    /// These communities' providers.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring, clock: Clock, providers: BTreeMap<CommunityId, Provider>) -> Self {
        Self { store, keyring, clock, providers: Arc::new(providers) }
    }

    /// Whether a member's account at their community's provider lets them in; `None`: it has no provider.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lets_in(
        &self,
        tx: &mut Tx,
        community: &CommunityId,
        member: MemberId,
    ) -> Result<Option<bool>, StoreError> {
        let Some(provider) = self.providers.get(community) else { return Ok(None) };
        tx.has_identity(community, issuer_index(&self.keyring, provider.issuer()), member).await.map(Some)
    }

    /// Notes that a browser is on its way to a provider; returns where it is to be sent.
    ///
    /// # Errors
    /// [`IdentityError`]; then nothing has begun.
    pub async fn begin(&self, asked: Asked<'_>) -> Result<Url, IdentityError> {
        self.start(asked).await.inspect_err(|error| note(asked.community, error))
    }

    async fn start(&self, asked: Asked<'_>) -> Result<Url, IdentityError> {
        let Asked { community, browser, session, language } = asked;
        let (provider, now) = (self.providers.get(community).ok_or(IdentityError::NotOffered)?, self.clock.now());
        let (state, url) = self.walk(community, provider).begin(language, now).await?;
        let request = NewIdentityRequest {
            state: state_index(&self.keyring, &state),
            browser: browser_index(&self.keyring, browser),
            community,
            session: session.map(|session| session_index(&self.keyring, session)),
            expires_at: now.checked_add(LASTS).unwrap_or(Timestamp::MAX),
        };
        let mut tx = self.store.begin().await?;
        tx.insert_identity_request(&request).await?;
        tx.commit().await?;
        tracing::info!(community_id = %community, "a sign-in at a provider has begun");
        Ok(url)
    }

    /// Ends a walk with what the browser brought back that began it. `session` is the one that it has now, if any.
    ///
    /// # Errors
    /// [`IdentityError`]; then the walk is over. Whoever has not begun it changes nothing.
    pub async fn complete(
        &self,
        browser: &str,
        session: Option<&str>,
        returned: &Returned,
    ) -> Result<Arrived, IdentityError> {
        let request = self.take_out(browser, returned.state()).await?;
        let identity = self.redeem(&request, session, returned).await;
        let identity = identity.inspect_err(|error| note(&request.community, error))?;
        Ok(Arrived { community: request.community, identity, connects: request.session.is_some() })
    }

    /// The walk that this browser began. From here on nobody finds it again.
    async fn take_out(&self, browser: &str, state: &SecretString) -> Result<IdentityRequest, IdentityError> {
        let (state, browser) = (state_index(&self.keyring, state), browser_index(&self.keyring, browser));
        let mut tx = self.store.begin().await?;
        let taken = tx.take_identity_request(state, browser).await?.ok_or(IdentityError::Unknown)?;
        tx.commit().await?;
        Ok(taken)
    }

    async fn redeem(
        &self,
        request: &IdentityRequest,
        session: Option<&str>,
        returned: &Returned,
    ) -> Result<Identity, IdentityError> {
        let now = self.clock.now();
        if request.expires_at <= now {
            return Err(IdentityError::TooLate);
        }
        let session = session.map(|session| session_index(&self.keyring, session));
        if request.session.is_some() && request.session != session {
            return Err(IdentityError::Unknown);
        }
        let provider = self.providers.get(&request.community).ok_or(IdentityError::NotOffered)?;
        self.walk(&request.community, provider).end(returned, now).await
    }

    fn walk<'a>(&'a self, community: &'a CommunityId, provider: &'a Provider) -> Walk<'a> {
        Walk { keyring: &self.keyring, provider, whose: community.as_str() }
    }
}

/// Which member somebody is who has come back to sign in. Whoever comes for the first time, under the handle of a member, is
/// that member from then on.
///
/// # Errors
/// [`IdentityError`]; the caller's transaction must then be dropped.
pub async fn member_of(
    tx: &mut Tx,
    keyring: &Keyring,
    arrived: &Arrived,
    now: Timestamp,
) -> Result<MemberId, IdentityError> {
    find_member(tx, keyring, arrived, now).await.inspect_err(|error| note(&arrived.community, error))
}

async fn find_member(
    tx: &mut Tx,
    keyring: &Keyring,
    arrived: &Arrived,
    now: Timestamp,
) -> Result<MemberId, IdentityError> {
    let Arrived { community, identity, connects } = arrived;
    if *connects {
        return Err(IdentityError::Unknown);
    }
    if let Some(member) = tx.identity(&key_of(keyring, arrived)).await? {
        return Ok(member);
    }
    let handle = identity.handle.as_deref().ok_or(IdentityError::NoMember)?;
    let found = tx.member_by_handle(community, handle_index(keyring, community, handle)).await?;
    let (member, ..) = found.ok_or(IdentityError::NoMember)?;
    keep(tx, keyring, arrived, member, now).await?;
    Ok(member)
}

/// Makes an account at a provider a way in for a member: the one whose session it was begun in and has come back to.
///
/// # Errors
/// [`IdentityError`]; the caller's transaction must then be dropped.
pub async fn connect(
    tx: &mut Tx,
    keyring: &Keyring,
    arrived: &Arrived,
    member: MemberId,
    now: Timestamp,
) -> Result<(), IdentityError> {
    if !arrived.connects {
        return Err(IdentityError::Unknown);
    }
    keep(tx, keyring, arrived, member, now).await.inspect_err(|error| note(&arrived.community, error))
}

async fn keep(
    tx: &mut Tx,
    keyring: &Keyring,
    arrived: &Arrived,
    member: MemberId,
    now: Timestamp,
) -> Result<(), IdentityError> {
    let key = key_of(keyring, arrived);
    if tx.insert_identity(&key, member).await? {
        let at = IdentityAt { community: arrived.community.clone() };
        tx.record(Chain::of_member(member), now, Event::IdentityConnected(at));
        return Ok(());
    }
    match tx.identity(&key).await? {
        // Connected before, or by another browser at the same time.
        Some(known) if known == member => Ok(()),
        Some(_) => Err(IdentityError::OfAnother),
        None => Err(IdentityError::HasAnother),
    }
}

/// Takes a member's account at a provider as a way in no longer. `false`: it was none.
///
/// # Errors
/// [`StoreError`].
pub async fn disconnect(
    tx: &mut Tx,
    member: MemberId,
    community: &CommunityId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let was_there = tx.delete_identities(community, member).await?;
    if was_there {
        let at = IdentityAt { community: community.clone() };
        tx.record(Chain::of_member(member), now, Event::IdentityDisconnected(at));
    }
    Ok(was_there)
}

fn key_of<'a>(keyring: &Keyring, arrived: &'a Arrived) -> IdentityKey<'a> {
    let Identity { issuer, subject, .. } = &arrived.identity;
    IdentityKey {
        community: &arrived.community,
        issuer: issuer_index(keyring, issuer),
        subject: keyring.index().index("identity", &[issuer.as_bytes(), subject.as_bytes()]),
    }
}

fn issuer_index(keyring: &Keyring, issuer: &str) -> Index {
    keyring.index().index("identity-issuer", &[issuer.as_bytes()])
}

/// Tells the log what an operator should know: nothing secret, and nothing personal.
fn note(community: &CommunityId, error: &IdentityError) {
    tracing::warn!(community_id = %community, code = error.code(), %error, "a sign-in at a provider came to nothing");
}
