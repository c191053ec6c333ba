//! What a launch gives and a renewal replaces, and how it is sealed.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::delivery::smart_auth::flow::Flow;
use crate::delivery::smart_auth::scopes;
use crate::delivery::smart_auth::token::{self, AccessToken};
use crate::domain::ids::{ClinicId, MemberId};
use crate::store::{LaneKey, NewPatientTokens, StoreError, Tx};
use crate::vault::{Keyring, MemberKey, SealError};

/// The column the tokens are sealed for; its row is the clinic.
const TOKENS_COLUMN: &str = "patient_tokens.sealed_tokens";

/// What a token endpoint gave for a member.
#[derive(Clone, Debug)]
pub struct TokenSet {
    /// The access token.
    pub access: SecretString,
    /// What it is renewed with.
    pub refresh: Option<SecretString>,
    /// The scopes that were granted.
    pub scope: String,
    /// Who gave it ([`AuthorizationServer::issuer`](super::super::AuthorizationServer::issuer)).
    pub issuer: String,
    /// When the access token was given.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The secret part, as it is sealed.
#[derive(Serialize)]
struct Written<'a> {
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    scope: &'a str,
    issuer: &'a str,
}

/// The same, opened.
#[derive(Deserialize)]
struct Read {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    scope: String,
    issuer: String,
}

impl TokenSet {
    /// When an access token ends that is given now for so many seconds; `None` when that is no time.
    #[must_use]
    pub fn end(now: Timestamp, expires_in: Option<i64>) -> Option<Timestamp> {
        token::end(now, expires_in)
    }

    /// What is sent; `None` when that cannot be sent, or would not live.
    pub(in crate::delivery::smart_auth) fn access_token(&self, flow: Flow) -> Option<AccessToken> {
        let life = (self.issued_at, self.expires_at);
        let mut token = AccessToken::new(self.access.clone(), self.scope.clone(), life, flow)?;
        if self.refresh.is_none() {
            // There is nothing to renew it with: it is used to its end.
            token.renew_at = token.expires_at;
        }
        Some(token)
    }

    /// What of the scopes asked for was not granted. Only permissions count: that a launch is wished for need not be
    /// granted, and whoever gave a refresh token granted lasting access.
    pub(super) fn missing(&self, asked: &str) -> Vec<String> {
        let mut missing = scopes::missing(asked, &self.scope);
        missing.retain(|scope| scope.contains('.') || (scope == "offline_access" && self.refresh.is_none()));
        missing
    }

    /// Sealed for the clinic's row of the member whose key it is.
    ///
    /// # Errors
    /// [`SealError`] when there are no random bytes to be had.
    pub(super) fn seal(&self, key: &MemberKey, clinic: &ClinicId) -> Result<Vec<u8>, SealError> {
        let written = Written {
            access_token: self.access.expose_secret(),
            refresh_token: self.refresh.as_ref().map(ExposeSecret::expose_secret),
            scope: &self.scope,
            issuer: &self.issuer,
        };
        let plain = Zeroizing::new(serde_json::to_vec(&written).map_err(|_| SealError::DoesNotOpen)?);
        key.seal(TOKENS_COLUMN, clinic.as_str().as_bytes(), &plain)
    }

    /// Opens what [`TokenSet::seal`] made.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] for anything else.
    pub(super) fn open(
        key: &MemberKey,
        clinic: &ClinicId,
        sealed: &[u8],
        (issued_at, expires_at): (Timestamp, Timestamp),
    ) -> Result<Self, SealError> {
        let plain = Zeroizing::new(key.open(TOKENS_COLUMN, clinic.as_str().as_bytes(), sealed)?);
        let read: Read = serde_json::from_slice(&plain).map_err(|_| SealError::DoesNotOpen)?;
        let Read { access_token: access, refresh_token: refresh, scope, issuer } = read;
        Ok(Self { access, refresh, scope, issuer, issued_at, expires_at })
    }

    /// The columns beside what is sealed.
    pub(super) const fn row<'a>(&self, sealed: &'a [u8]) -> NewPatientTokens<'a> {
        NewPatientTokens { sealed, issued_at: self.issued_at, expires_at: self.expires_at }
    }
}

/// Why what a launch gave could not be stored; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no such member.
    #[error("there is no such member")]
    UnknownMember,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Stores what a member's launch gave, in place of what was there, and wakes what waited for it. The caller has checked
/// that the launch was about the Patient to whom the member is linked.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect(
    tx: &mut Tx,
    keyring: &Keyring,
    clinic: &ClinicId,
    member: MemberId,
    tokens: &TokenSet,
    now: Timestamp,
) -> Result<(), ConnectError> {
    let wrapped = tx.member_key(member).await?.ok_or(ConnectError::UnknownMember)?;
    let sealed = tokens.seal(&keyring.unwrap_member_key(member, &wrapped)?, clinic)?;
    tx.put_patient_tokens(clinic, member, tokens.row(&sealed), now).await?;
    Ok(tx.wake_lane(&LaneKey { clinic: clinic.clone(), member }).await?)
}

/// What a member has lent, if there is any and it opens.
///
/// # Errors
/// [`StoreError`].
pub async fn lent(
    tx: &mut Tx,
    keyring: &Keyring,
    clinic: &ClinicId,
    member: MemberId,
) -> Result<Option<TokenSet>, StoreError> {
    let Some(row) = tx.patient_tokens(clinic, member).await? else { return Ok(None) };
    let Some((sealed, wrapped)) = row.sealed.zip(tx.member_key(member).await?) else { return Ok(None) };
    let key = keyring.unwrap_member_key(member, &wrapped);
    let life = (row.issued_at, row.expires_at);
    Ok(key.and_then(|key| TokenSet::open(&key, clinic, &sealed, life)).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::{Entropy, SeededEntropy};
    use crate::vault::Key;

    #[test]
    fn what_was_lent_opens_for_its_member_and_its_clinic_only() {
        let entropy = Entropy::Seeded(SeededEntropy::new(5));
        let master = || Key::from_bytes([1; 32]);
        let wrapped = Keyring::create_index_key(&master(), &entropy).unwrap();
        let keyring = Keyring::open(master(), &wrapped, entropy).unwrap();
        let key = |member: u128| keyring.create_member_key(MemberId(uuid::Uuid::from_u128(member))).unwrap().0;
        let (sparrow, wren) = (key(1), key(2));
        let [here, there]: [ClinicId; 2] = ["riverside", "hillside"].map(|clinic| clinic.parse().unwrap());
        let life: (Timestamp, Timestamp) =
            ("2026-11-20T12:00:00Z".parse().unwrap(), "2026-11-20T12:05:00Z".parse().unwrap());
        for refresh in [None, Some(SecretString::from("a-refresh-token"))] {
            let (scope, issuer) = ("patient/*.rs".to_owned(), "https://as.example".to_owned());
            let (issued_at, expires_at) = life;
            let tokens = TokenSet { access: "an-access-token".into(), refresh, scope, issuer, issued_at, expires_at };
            let sealed = tokens.seal(&sparrow, &here).unwrap();
            assert!(!sealed.windows(5).any(|window| window == b"token"));
            let opened = TokenSet::open(&sparrow, &here, &sealed, life).unwrap();
            let secrets = |tokens: &TokenSet| {
                let refresh = tokens.refresh.as_ref().map(|token| token.expose_secret().to_owned());
                (tokens.access.expose_secret().to_owned(), refresh, tokens.scope.clone(), tokens.issuer.clone())
            };
            assert_eq!(secrets(&opened), secrets(&tokens));
            assert_eq!(TokenSet::open(&sparrow, &there, &sealed, life).unwrap_err(), SealError::DoesNotOpen);
            assert_eq!(TokenSet::open(&wren, &here, &sealed, life).unwrap_err(), SealError::DoesNotOpen);
        }
    }
}
