//! The tokens of one clinic's members, shared by everything sent there: read when they are needed, renewed before their end, and
//! stored before they are used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use reqwest::Url;

use super::held::{Entry, Unstored};
use super::tokens::TokenSet;
use crate::delivery::egress::Egress;
use crate::delivery::smart_auth::client::{AuthState, FAILURE_LASTS, LONGEST_PAUSE};
use crate::delivery::smart_auth::error::{Connect, OAuthCode, TokenError};
use crate::delivery::smart_auth::exchange::Exchange;
use crate::delivery::smart_auth::finding::Discovery;
use crate::delivery::smart_auth::flow::Flow;
use crate::delivery::smart_auth::token::AccessToken;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::{ClinicId, MemberId};
use crate::store::{PatientTokensState, Store, StoreError};
use crate::vault::signing::SigningKeys;
use crate::vault::{Keyring, SealError};

/// How this bridge is known at a clinic whose members lend it their access.
#[derive(Clone, Debug)]
pub struct PatientSettings {
    /// Which clinic.
    pub clinic: ClinicId,
    /// The name under which it registered this bridge.
    pub client_id: String,
    /// What members were asked for.
    pub scopes: String,
    /// Hosts, beside that of the FHIR endpoint, where the token endpoint may be.
    pub token_hosts: Vec<String>,
    /// Whether it proves by a signed assertion that it is this client; otherwise it is a public one.
    pub signed: bool,
}

/// What the members of one clinic lent, ready to be sent. One renewal at a time for each member.
#[derive(Debug)]
pub struct PatientAuth {
    egress: Egress,
    discovery: Discovery,
    settings: PatientSettings,
    keys: SigningKeys,
    store: Store,
    keyring: Keyring,
    clock: Clock,
    entropy: Entropy,
    members: Mutex<HashMap<MemberId, Arc<Entry>>>,
    /// A failure that every member would meet, and until when it stands for all of them.
    failed: Mutex<Option<(Timestamp, TokenError)>>,
}

/// What is stored for a member, opened.
struct Kept {
    rotation: i64,
    tokens: TokenSet,
    access: Arc<AccessToken>,
}

impl PatientAuth {
    /// For the FHIR endpoint at `base`, whose path ends with a slash.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "what it stands on, each once, and made in one place")]
    pub fn new(
        egress: Egress,
        base: Url,
        settings: PatientSettings,
        keys: SigningKeys,
        store: Store,
        keyring: Keyring,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        let flow = Flow::Patient { signed: settings.signed };
        let discovery = Discovery::new(egress.clone(), base, settings.token_hosts.clone(), flow);
        let (members, failed) = (Mutex::default(), Mutex::default());
        Self { egress, discovery, settings, keys, store, keyring, clock, entropy, members, failed }
    }

    /// A member's token, if it is in memory and need not be renewed.
    #[must_use]
    pub fn at_hand(&self, member: MemberId) -> Option<Arc<AccessToken>> {
        let entry = self.members().get(&member).cloned();
        entry?.at_hand(self.clock.now())
    }

    /// A member's token: the one at hand, the stored one, or a new one, which is stored before it is returned.
    ///
    /// # Errors
    /// [`TokenError`], which says what to fix; [`TokenError::Connect`] when only the member can.
    pub async fn token(&self, member: MemberId) -> Result<Arc<AccessToken>, TokenError> {
        let entry = Arc::clone(self.members().entry(member).or_default());
        let at_hand = || entry.at_hand(self.clock.now());
        if let Some(token) = at_hand() {
            return Ok(token);
        }
        // While one renews it early, the others go on with what is still good.
        let _flight = match (entry.in_flight.try_lock(), entry.still_good(self.clock.now())) {
            (Ok(flight), _) => flight,
            (Err(_), Some(token)) => return Ok(token),
            (Err(_), None) => entry.in_flight.lock().await,
        };
        if let Some(token) = at_hand() {
            return Ok(token);
        }
        let found = self.find(member, &entry).await;
        self.keep(member, &entry, found)
    }

    /// Forgets tokens in memory that are stored no more. Whoever ended a link and was linked anew did so at another desk,
    /// or in another process, and what this one holds may be about another Patient.
    pub async fn look_again(&self, members: &[MemberId]) {
        let held: Vec<(MemberId, Arc<Entry>)> = {
            let entries = self.members();
            let entry = |member: &MemberId| Some((*member, Arc::clone(entries.get(member)?)));
            members.iter().filter_map(entry).filter(|(_, entry)| entry.held().token.is_some()).collect()
        };
        let members: Vec<MemberId> = held.iter().map(|(member, _)| *member).collect();
        if members.is_empty() {
            return;
        }
        let stored = async { self.store.read().await?.patient_token_rotations(&self.settings.clinic, &members).await };
        let stored = match stored.await {
            Ok(stored) => stored,
            // What is not known to be there is read anew, when the database can be reached.
            Err(error) => {
                self.not_stored(&error);
                HashMap::new()
            }
        };
        for (member, entry) in held {
            let rotation = stored.get(&member).copied();
            let mut held = entry.held();
            if held.token.as_ref().map(|(of, _)| *of) != rotation {
                held.token = None;
            }
        }
    }

    /// Forgets a member's token that the EHR refused, unless it was replaced in the meantime: the next one is a new one.
    pub fn forget(&self, member: MemberId, refused: &AccessToken) {
        let Some(entry) = self.members().get(&member).cloned() else { return };
        let mut held = entry.held();
        if held.token.as_ref().is_some_and(|(_, token)| std::ptr::eq(Arc::as_ptr(token), refused)) {
            held.spent = held.token.take().map(|(rotation, _)| rotation);
        }
    }

    /// Whether a renewal gave something for the member that is not stored yet. The next [`PatientAuth::token`] stores it.
    #[must_use]
    pub fn has_unstored(&self, member: MemberId) -> bool {
        let entry = self.members().get(&member).cloned();
        entry.is_some_and(|entry| entry.held().unstored.is_some())
    }

    /// How it stands with a member's token, as far as this process has seen.
    #[must_use]
    pub fn state(&self, member: MemberId) -> AuthState {
        let mut state = AuthState { asked: self.settings.scopes.clone(), ..AuthState::default() };
        let entry = self.members().get(&member).cloned();
        if let Some(entry) = entry {
            let held = entry.held();
            state.missing.clone_from(&held.missing);
            state.granted = held.token.as_ref().map(|(_, token)| token.granted.clone());
            state.expires_at = held.token.as_ref().map(|(_, token)| token.expires_at);
            state.failure = held.failed.as_ref().map(|(_, error)| error.clone());
        }
        state
    }

    /// What is stored, if it is fresh; otherwise what it is renewed to.
    async fn find(&self, member: MemberId, entry: &Entry) -> Result<Kept, TokenError> {
        // What was given and could not be stored comes first: it is the only one that is good.
        self.store_renewed(member, entry).await?;
        let kept = self.read(member).await?;
        let now = self.clock.now();
        let spent = entry.held().spent == Some(kept.rotation);
        if !spent && now < kept.access.renew_at {
            return Ok(kept);
        }
        let renewed = match self.standing_failure(entry, now) {
            Some(error) => Err(error),
            None => self.renew(member, &kept).await,
        };
        match renewed {
            Ok(tokens) => {
                // From here on nothing is lost when this future is dropped.
                entry.held().unstored = Some(Arc::new(Unstored { rotation: kept.rotation, tokens }));
                self.store_renewed(member, entry).await?;
                // What stands there now counts, whoever stored it.
                let kept = self.read(member).await?;
                let good = self.clock.now() < kept.access.expires_at;
                if good { Ok(kept) } else { Err(TokenError::NotKept("it was replaced by one that has ended")) }
            }
            // Asked too early to be sorry: the stored one still serves.
            Err(error) if !spent && is_for_later(&error) && now < kept.access.expires_at => {
                self.note_failure(member, entry, &error);
                Ok(kept)
            }
            Err(error) => Err(error),
        }
    }

    /// What is stored for a member.
    async fn read(&self, member: MemberId) -> Result<Kept, TokenError> {
        let read = async {
            let mut tx = self.store.read().await?;
            let row = tx.patient_tokens(&self.settings.clinic, member).await?;
            Ok((row, tx.member_key(member).await?))
        };
        let (row, wrapped) = read.await.map_err(|error| self.not_stored(&error))?;
        let (Some(row), Some(wrapped)) = (row, wrapped) else { return Err(TokenError::Connect(Connect::First)) };
        let (Some(sealed), PatientTokensState::Good) = (row.sealed, row.state) else {
            return Err(TokenError::Connect(Connect::Refused));
        };
        let life = (row.issued_at, row.expires_at);
        let key = self.keyring.unwrap_member_key(member, &wrapped).map_err(|error| self.not_sealed(&error))?;
        let opened = TokenSet::open(&key, &self.settings.clinic, &sealed, life);
        let tokens = opened.map_err(|error| self.not_sealed(&error))?;
        let access = tokens.access_token(self.discovery.flow()).ok_or(TokenError::Unreadable)?;
        Ok(Kept { rotation: row.rotation, tokens, access: Arc::new(access) })
    }

    /// Asks the clinic for what takes the place of `kept`. A refusal of the token itself is stored.
    async fn renew(&self, member: MemberId, kept: &Kept) -> Result<TokenSet, TokenError> {
        let Some(refresh) = &kept.tokens.refresh else { return Err(TokenError::Connect(Connect::Ended)) };
        let now = self.clock.now();
        let server = self.discovery.find(now).await?;
        if server.issuer() != kept.tokens.issuer {
            return Err(TokenError::IssuerMoved { from: kept.tokens.issuer.clone(), to: server.issuer() });
        }
        let client_id = &self.settings.client_id;
        let signs_with = self.settings.signed.then_some((&self.keys, &self.entropy));
        let exchange = Exchange::new(&self.egress, &server, client_id, signs_with, now)?;
        match exchange.renew(&kept.tokens, refresh).await {
            Err(TokenError::Refused(refused)) if refused.code == OAuthCode::InvalidGrant => {
                let refused = self.refuse(member, kept.rotation).await?;
                // What was refused may be there no more: then the next one who asks finds what is.
                let replaced = TokenError::NotKept("it was replaced while it was renewed");
                Err(if refused { TokenError::Connect(Connect::Refused) } else { replaced })
            }
            other => other,
        }
    }

    /// Stores what a renewal gave and is not stored yet, unless what it replaces is there no more: a new launch, or a
    /// revocation, counts for more.
    async fn store_renewed(&self, member: MemberId, entry: &Entry) -> Result<(), TokenError> {
        let unstored = entry.held().unstored.clone();
        let Some(unstored) = unstored else { return Ok(()) };
        let clinic = &self.settings.clinic;
        let store = async {
            let mut tx = self.store.begin().await?;
            let Some(wrapped) = tx.member_key(member).await? else { return Ok(Ok(false)) };
            let key = self.keyring.unwrap_member_key(member, &wrapped);
            let sealed = match key.and_then(|key| unstored.tokens.seal(&key, clinic)) {
                Ok(sealed) => sealed,
                Err(error) => return Ok(Err(error)),
            };
            let new = unstored.tokens.row(&sealed);
            let won = tx.rotate_patient_tokens(clinic, member, unstored.rotation, new, self.clock.now()).await?;
            tx.commit().await?;
            Ok(Ok(won))
        };
        let stored: Result<Result<bool, SealError>, StoreError> = store.await;
        let won = stored.map_err(|error| self.not_stored(&error))?.map_err(|error| self.not_sealed(&error))?;
        entry.held().unstored = None;
        if !won {
            tracing::warn!(clinic_id = %clinic, member_id = %member, "a renewed token found another one in its place");
        }
        Ok(())
    }

    /// Stores that the clinic refused what is stored as this rotation, if it still is.
    async fn refuse(&self, member: MemberId, rotation: i64) -> Result<bool, TokenError> {
        let refuse = async {
            let mut tx = self.store.begin().await?;
            let (clinic, now) = (&self.settings.clinic, self.clock.now());
            let refused = tx.refuse_patient_tokens(clinic, member, rotation, now).await?;
            tx.commit().await?;
            Ok(refused)
        };
        refuse.await.map_err(|error| self.not_stored(&error))
    }

    /// Keeps what was found, and tells the log what a human should know: once, and nothing secret.
    fn keep(
        &self,
        member: MemberId,
        entry: &Entry,
        found: Result<Kept, TokenError>,
    ) -> Result<Arc<AccessToken>, TokenError> {
        let clinic = &self.settings.clinic;
        match found {
            Ok(Kept { rotation, tokens, access, .. }) => {
                let missing = tokens.missing(&self.settings.scopes);
                let mut held = entry.held();
                if !missing.is_empty() && missing != held.missing {
                    let missing = missing.join(" ");
                    tracing::warn!(clinic_id = %clinic, member_id = %member, missing, "the clinic granted fewer scopes");
                }
                held.missing = missing;
                // The same token stays the same: whoever refuses it later means this one.
                let same = held.token.as_ref().filter(|(of, _)| *of == rotation).map(|(_, token)| Arc::clone(token));
                let token = same.unwrap_or(access);
                held.token = Some((rotation, Arc::clone(&token)));
                if self.clock.now() < token.renew_at {
                    held.failed = None;
                }
                Ok(token)
            }
            Err(error) => {
                self.note_failure(member, entry, &error);
                let mut held = entry.held();
                if is_for_later(&error) {
                    let now = self.clock.now();
                    held.token.clone().map(|(_, token)| token).filter(|token| now < token.expires_at).ok_or(error)
                } else {
                    held.token = None;
                    Err(error)
                }
            }
        }
    }

    /// Lets a failure stand for a while: for all members, when all would meet it.
    fn note_failure(&self, member: MemberId, entry: &Entry, error: &TokenError) {
        let now = self.clock.now();
        if self.standing_failure(entry, now).as_ref() == Some(error) {
            return;
        }
        let clinic = &self.settings.clinic;
        tracing::warn!(clinic_id = %clinic, member_id = %member, code = error.code(), %error, "no token");
        let pause = error.retry_after().map_or(FAILURE_LASTS, |asked| asked.min(LONGEST_PAUSE));
        let Ok(until) = now.checked_add(pause) else { return };
        entry.held().failed = Some((until, error.clone()));
        if is_about_the_clinic(error) {
            self.discovery.forget();
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, error.clone()));
        }
    }

    /// The last failure, as long as it stands.
    fn standing_failure(&self, entry: &Entry, now: Timestamp) -> Option<TokenError> {
        let standing = |failed: &Option<(Timestamp, TokenError)>| {
            failed.as_ref().filter(|(until, _)| now < *until).map(|(_, error)| error.clone())
        };
        let of_all = standing(&self.failed.lock().unwrap_or_else(PoisonError::into_inner));
        of_all.or_else(|| standing(&entry.held().failed).filter(is_for_later))
    }

    fn members(&self) -> MutexGuard<'_, HashMap<MemberId, Arc<Entry>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_stored(&self, error: &StoreError) -> TokenError {
        tracing::error!(clinic_id = %self.settings.clinic, %error, "a member's token cannot be read or stored");
        TokenError::NotKept("the database cannot be reached, or refused a statement")
    }

    fn not_sealed(&self, error: &SealError) -> TokenError {
        tracing::error!(clinic_id = %self.settings.clinic, %error, "a member's token cannot be sealed or opened");
        TokenError::NotKept("it does not open with this bridge's keys")
    }
}

/// Whether time may mend it. Otherwise a launch must, and nothing of what was lent is used any more.
const fn is_for_later(error: &TokenError) -> bool {
    !matches!(error, TokenError::Connect(_))
}

/// Whether every member would meet it, and not this one alone.
fn is_about_the_clinic(error: &TokenError) -> bool {
    match error {
        TokenError::Refused(refused) => !matches!(refused.code, OAuthCode::InvalidScope | OAuthCode::Other),
        TokenError::Connect(_) | TokenError::IssuerMoved { .. } | TokenError::NotKept(_) | TokenError::Unreadable => {
            false
        }
        _ => true,
    }
}
