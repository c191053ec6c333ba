//! Signing in without a password: a link that is good once, for ten minutes, in the browser that asked for it, and that
//! only the member's community can bring to them.
//!
//! Whoever asks is not looked up: a name that nobody has takes the same way as a member's, until the link would be sent.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;
use uuid::Uuid;

use super::join::{EnrolError, HANDLE_COLUMN, handle_index};
use crate::delivery::member::{Message, Messengers};
use crate::domain::clock::Clock;
use crate::domain::ids::{CommunityId, MemberId};
use crate::domain::language::Language;
use crate::store::{DueSignInLink, NewSignInLink, Store, StoreError, Tx};
use crate::vault::{Index, Keyring};

/// How long a link is good.
pub const VALIDITY: SignedDuration = SignedDuration::from_mins(10);

/// When a link that could not be sent is tried again. Longer than sending may take.
const TRY_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Where links lead to in the portal; the secret follows.
pub const LINK_PATH: &str = "/sign-in/link/";

/// Somebody who asks for a link.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Where they say they are known.
    pub community: &'a CommunityId,
    /// Under which name.
    pub handle: &'a str,
    /// What their browser is known by.
    pub browser: &'a str,
    /// The language of the page.
    pub language: Language,
}

/// What a link is good for in a browser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkState {
    /// It lets in.
    Good,
    /// It lets in, but in the browser that asked for it.
    OtherBrowser,
    /// Nothing: it was used, its time is over, or it never was.
    Gone,
}

/// Stores a link for whoever asks, to be sent. Does the same for a member and for nobody.
///
/// # Errors
/// [`EnrolError`].
pub async fn ask(tx: &mut Tx, keyring: &Keyring, asked: Asked<'_>, now: Timestamp) -> Result<(), EnrolError> {
    let id = keyring.entropy().uuid(now)?;
    let link = NewSignInLink {
        id,
        secret: secret_index(keyring, &secret(keyring, id)),
        browser: browser_index(keyring, asked.browser),
        community: asked.community,
        handle: handle_index(keyring, asked.community, asked.handle),
        language: asked.language,
        expires_at: now.checked_add(VALIDITY).unwrap_or(Timestamp::MAX),
    };
    Ok(tx.insert_sign_in_link(&link, now).await?)
}

/// What a link is good for in this browser. Changes nothing: programs look at links before people do.
///
/// # Errors
/// [`StoreError`].
pub async fn look(
    tx: &mut Tx,
    keyring: &Keyring,
    secret: &str,
    browser: &str,
    now: Timestamp,
) -> Result<LinkState, StoreError> {
    let expected = tx.sign_in_link(secret_index(keyring, secret), now).await?;
    Ok(match expected {
        None => LinkState::Gone,
        Some(expected) if expected == browser_index(keyring, browser) => LinkState::Good,
        Some(_) => LinkState::OtherBrowser,
    })
}

/// Uses a link up. Returns whom it lets in, and which community vouched for them.
///
/// # Errors
/// [`StoreError`].
pub async fn redeem(
    tx: &mut Tx,
    keyring: &Keyring,
    secret: &str,
    browser: &str,
    now: Timestamp,
) -> Result<Option<(MemberId, CommunityId)>, StoreError> {
    let (secret, browser) = (secret_index(keyring, secret), browser_index(keyring, browser));
    let Some((community, handle)) = tx.take_sign_in_link(secret, browser, now).await? else { return Ok(None) };
    let member = tx.member_by_handle(&community, handle).await?;
    Ok(member.map(|(member, ..)| (member, community)))
}

/// Sends the links that were asked for.
#[derive(Clone, Debug)]
pub struct LinkSender {
    /// Where they are stored.
    pub store: Store,
    /// What opens the names of those they are for.
    pub keyring: Keyring,
    /// The time.
    pub clock: Clock,
    /// How each community tells its members something privately.
    pub messengers: Messengers,
    /// Where the portal is.
    pub portal: Url,
    /// Subject and text of the message, in a language, around the link.
    pub words: Arc<dyn LinkWords>,
}

/// Makes the words around a link.
pub trait LinkWords: std::fmt::Debug + Send + Sync {
    /// Subject and text.
    fn words(&self, language: Language, community: &CommunityId, link: &Url) -> (String, String);
}

impl LinkSender {
    /// Sends one link that is due. `false`: there is none.
    ///
    /// A link whose sending failed, or whose sender died, is tried again while it is good. It may then arrive twice; it
    /// is the same link.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn send_one(&self) -> Result<bool, EnrolError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let again_at = now.checked_add(TRY_AGAIN_AFTER).unwrap_or(Timestamp::MAX);
        let Some(link) = tx.claim_sign_in_link(again_at, now).await? else { return Ok(false) };
        let Some((member, wrapped, sealed)) = tx.member_by_handle(&link.community, link.handle).await? else {
            tx.delete_sign_in_link(link.id).await?;
            tx.commit().await?;
            return Ok(true);
        };
        tx.commit().await?;
        let key = self.keyring.unwrap_member_key(member, &wrapped)?;
        let handle = key.open(HANDLE_COLUMN, link.community.as_str().as_bytes(), &sealed)?;
        let message = self.message(&link, &String::from_utf8_lossy(&handle), now);
        match self.messengers.send(&link.community, &message).await {
            Ok(()) => {
                let mut tx = self.store.begin().await?;
                tx.sign_in_link_sent(link.id).await?;
                tx.commit().await?;
            }
            Err(error) => {
                tracing::warn!(community_id = %link.community, cause = %error, "a sign-in link could not be sent");
            }
        }
        Ok(true)
    }

    fn message(&self, link: &DueSignInLink, handle: &str, now: Timestamp) -> Message {
        let mut url = self.portal.clone();
        url.set_path(&format!("{LINK_PATH}{}", secret(&self.keyring, link.id)));
        let (subject, text) = self.words.words(link.language, &link.community, &url);
        Message {
            id: link.id,
            kind: "mostik.sign-in-link.v1",
            at: now,
            handle: handle.to_owned(),
            language: link.language,
            subject,
            text,
            url,
            expires_at: Some(link.expires_at),
        }
    }
}

/// The secret of a link: made anew whenever it is sent, kept nowhere. Nobody without the index key can make it.
fn secret(keyring: &Keyring, id: Uuid) -> String {
    let bytes = keyring.index().index("sign-in-link", &[id.as_bytes()]);
    bytes.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

fn secret_index(keyring: &Keyring, secret: &str) -> Index {
    keyring.index().index("sign-in-link-secret", &[secret.as_bytes()])
}

/// The keyed index of what a browser is known by before anybody has signed in.
#[must_use]
pub fn browser_index(keyring: &Keyring, browser: &str) -> Index {
    keyring.index().index("browser", &[browser.as_bytes()])
}
