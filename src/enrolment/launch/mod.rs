//! A member shows at the clinic which Patient they are, by a standalone launch (SMART App Launch 2.2.0), and is linked.
//!
//! 1. [`Launches::begin`] keeps a secret for the launch and says where the member's browser is to be sent.
//! 2. The member signs in at the clinic. Their browser comes back with `state` and a code.
//! 3. [`Launches::complete`] takes the launch out, so that it is good once; exchanges the code; and links the member.
//!
//! A launch belongs to the session of the browser that began it. Whoever else comes back with its `state`, or brings
//! somebody else's browser to do so, finds nothing.

mod error;

pub use super::returned::{Declined, Returned};
pub use error::LaunchError;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::link::{Claim, Linked, Proof, link};
use crate::delivery::smart_auth::launch::{Begun, Given, LaunchClient, Start};
use crate::delivery::smart_auth::patient::{TokenSet, connect};
use crate::domain::clock::Clock;
use crate::domain::ids::{ClinicId, MemberId};
use crate::store::{NewLaunch, Store, StoreError, Tx};
use crate::vault::{Index, Keyring, SealError};

/// How long a member may take at the clinic.
const LASTS: SignedDuration = SignedDuration::from_mins(10);

/// The column a launch is sealed for; its row is the index of its `state`.
const LAUNCH_COLUMN: &str = "launches.sealed_launch";

/// Launches at one clinic.
#[derive(Debug)]
pub struct LaunchPlace {
    /// How the clinic's server is spoken to.
    pub client: LaunchClient,
    /// Whether what a launch gives is kept, because the bridge has no other way in.
    pub lends: bool,
}

/// Launches at every clinic that offers them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Launches {
    store: Store,
    keyring: Keyring,
    clock: Clock,
    places: Arc<BTreeMap<ClinicId, LaunchPlace>>,
}

/// What came of a launch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completed {
    /// Where.
    pub clinic: ClinicId,
    /// Whether the member is linked now, or was before.
    pub linked: Linked,
}

impl Launches {
    /// Launches at these clinics.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring, clock: Clock, places: BTreeMap<ClinicId, LaunchPlace>) -> Self {
        Self { store, keyring, clock, places: Arc::new(places) }
    }

    /// Whether members can launch at a clinic.
    #[must_use]
    pub fn are_offered_at(&self, clinic: &ClinicId) -> bool {
        self.places.contains_key(clinic)
    }

    /// Whether what a launch at a clinic gives is kept: members lend it to the bridge.
    #[must_use]
    pub fn are_lent_at(&self, clinic: &ClinicId) -> bool {
        self.places.get(clinic).is_some_and(|place| place.lends)
    }

    /// Begins a launch for a member whose browser has a session: returns where that browser is to be sent. `session` is
    /// what only this session knows, and stays the same until the browser is back.
    ///
    /// # Errors
    /// [`LaunchError`]; then nothing has begun.
    pub async fn begin(&self, member: MemberId, clinic: &ClinicId, session: &str) -> Result<Url, LaunchError> {
        let begun = self.start(member, clinic, session).await;
        begun.inspect_err(|error| note(clinic, member, error))
    }

    async fn start(&self, member: MemberId, clinic: &ClinicId, session: &str) -> Result<Url, LaunchError> {
        let place = self.places.get(clinic).ok_or(LaunchError::NotOffered)?;
        let now = self.clock.now();
        let Start { url, state, begun } = place.client.begin(now).await?;
        let state_index = self.state_index(&state);
        let mut tx = self.store.begin().await?;
        let wrapped = tx.member_key(member).await?.ok_or(LaunchError::Unknown)?;
        let plain = begun.to_bytes().ok_or(SealError::DoesNotOpen)?;
        let sealed = self.keyring.unwrap_member_key(member, &wrapped)?.seal(LAUNCH_COLUMN, &state_index, &plain)?;
        let expires_at = now.checked_add(LASTS).unwrap_or(Timestamp::MAX);
        let session_index = self.session_index(session);
        tx.put_launch(NewLaunch { state_index, member, clinic, session_index, sealed, expires_at }).await?;
        tx.commit().await?;
        tracing::info!(clinic_id = %clinic, member_id = %member, "a launch has begun");
        Ok(url)
    }

    /// Ends a launch with what the member's browser brought back, in the session that began it.
    ///
    /// # Errors
    /// [`LaunchError`]; then the member is linked as before, and the launch is over. Whoever has not begun it changes
    /// nothing.
    pub async fn complete(
        &self,
        member: MemberId,
        session: &str,
        returned: &Returned,
    ) -> Result<Completed, LaunchError> {
        let (clinic, begun) = self.take_out(member, session, returned).await?;
        let completed = self.redeem(member, &clinic, &begun, returned).await;
        match &completed {
            Ok(_) => tracing::info!(clinic_id = %clinic, member_id = %member, proof = "smart-launch", "linked"),
            Err(error) => note(&clinic, member, error),
        }
        completed
    }

    /// Gives back what a member had lent, after it was forgotten here. Whether the clinic takes it changes nothing.
    pub async fn give_back(&self, clinic: &ClinicId, lent: &TokenSet) {
        if let Some(place) = self.places.get(clinic) {
            place.client.give_back(lent, self.clock.now()).await;
        }
    }

    /// The launch that this browser began. From here on nobody finds it again.
    async fn take_out(
        &self,
        member: MemberId,
        session: &str,
        returned: &Returned,
    ) -> Result<(ClinicId, Begun), LaunchError> {
        let state_index = self.state_index(returned.state());
        let mut tx = self.store.begin().await?;
        let taken = tx.take_launch(state_index, member, self.session_index(session)).await?;
        let taken = taken.ok_or(LaunchError::Unknown)?;
        let wrapped = tx.member_key(member).await?.ok_or(LaunchError::Unknown)?;
        tx.commit().await?;
        if taken.expires_at <= self.clock.now() {
            return Err(LaunchError::TooLate);
        }
        let opened =
            self.keyring.unwrap_member_key(member, &wrapped)?.open(LAUNCH_COLUMN, &state_index, &taken.sealed)?;
        let opened = zeroize::Zeroizing::new(opened);
        Ok((taken.clinic, Begun::read(&opened).ok_or(SealError::DoesNotOpen)?))
    }

    async fn redeem(
        &self,
        member: MemberId,
        clinic: &ClinicId,
        begun: &Begun,
        returned: &Returned,
    ) -> Result<Completed, LaunchError> {
        let place = self.places.get(clinic).ok_or(LaunchError::NotOffered)?;
        // Before anything else it says: it may not be the one that was asked.
        begun.check_issuer(returned.issuer())?;
        let code = returned.code()?;
        let given = place.client.redeem(begun, code, self.clock.now()).await?;
        let linked = self.link(member, clinic, place, &given).await;
        if linked.is_err() || !place.lends {
            place.client.give_back(&given.tokens, self.clock.now()).await;
        }
        Ok(Completed { clinic: clinic.clone(), linked: linked? })
    }

    /// Links the member, and keeps what they lend where that is wanted: both or nothing.
    async fn link(
        &self,
        member: MemberId,
        clinic: &ClinicId,
        place: &LaunchPlace,
        given: &Given,
    ) -> Result<Linked, LaunchError> {
        let now = self.clock.now();
        let voucher = given.voucher.clone();
        let proof = Proof::SmartLaunch {
            issuer: voucher.issuer,
            client_id: voucher.client_id,
            scopes: voucher.scopes,
            subject: voucher.subject,
        };
        let mut tx = self.store.begin().await?;
        let claim = Claim { member, clinic, patient: &given.patient, proof: &proof };
        let linked = link(&mut tx, &self.keyring, claim, now).await?;
        if place.lends {
            connect(&mut tx, &self.keyring, clinic, member, &given.tokens, now).await?;
        }
        tx.commit().await?;
        Ok(linked)
    }

    fn state_index(&self, state: &SecretString) -> Index {
        self.keyring.index().index("launch-state", &[state.expose_secret().as_bytes()])
    }

    fn session_index(&self, session: &str) -> Index {
        self.keyring.index().index("launch-session", &[session.as_bytes()])
    }
}

/// Forgets launches whose browser never came back.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_expired(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    tx.forget_expired_launches(now).await.map(drop)
}

/// Tells the log what an operator should know: nothing secret, and nothing personal.
fn note(clinic: &ClinicId, member: MemberId, error: &LaunchError) {
    let code = error.code();
    tracing::warn!(clinic_id = %clinic, member_id = %member, code, %error, "a launch came to nothing");
}
