//! A clinic's staff sign in at the clinic's identity provider (OpenID Connect), and stay for a while.
//!
//! 1. [`StaffDoors::begin`] notes that a browser is on its way, and says where it is to be sent.
//! 2. [`StaffDoors::complete`] takes the note out, so that it is good once, and exchanges the code. Only whoever the clinic's rule
//!    lets in arrives.
//! 3. [`StaffDoors::open`] opens a session; [`StaffDoors::find`] knows it again, as long as the rule is the same that let them in.
//!
//! Who they are is (issuer, subject), of which an id is made with the index key: it stands in the session and in the audit log, and
//! says nothing to anybody who does not hold that key. No name of theirs is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;
use uuid::Uuid;

use super::identity::{IdentityError, LASTS, Walk, state_index};
use super::returned::Returned;
use super::session::SessionError;
use super::sign_in::browser_index;
use crate::delivery::identity::Provider;
use crate::domain::audit::{Chain, Event, StaffAt};
use crate::domain::clock::Clock;
use crate::domain::ids::ClinicId;
use crate::domain::language::Language;
use crate::domain::zone::Zone;
use crate::store::{StaffSessionRow, StaffWalk, Store, StoreError, Tx};
use crate::vault::{Index, Keyring};

/// A session ends when nothing was asked for in so long: others come by where staff work.
pub const IDLE: SignedDuration = SignedDuration::from_mins(15);

/// A session ends after so long in any case: a working day.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(9);

/// The end of an idle session is moved by no less than this: not every page is a write.
const STEP: SignedDuration = SignedDuration::from_mins(1);

/// Where the staff of one clinic get in.
#[derive(Debug)]
pub struct StaffDoor {
    /// Where they show who they are.
    pub provider: Provider,
    /// Where the clinic's clock stands.
    pub zone: Zone,
}

/// Where the staff of clinics get in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StaffDoors {
    store: Store,
    keyring: Keyring,
    clock: Clock,
    doors: Arc<BTreeMap<ClinicId, StaffDoor>>,
}

/// Somebody of a clinic's staff.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Colleague {
    /// Of which clinic.
    pub clinic: ClinicId,
    /// What the house calls them: no name, and the same each time.
    pub id: Uuid,
}

impl StaffDoors {
    /// These doors.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring, clock: Clock, doors: BTreeMap<ClinicId, StaffDoor>) -> Self {
        Self { store, keyring, clock, doors: Arc::new(doors) }
    }

    /// The clinics whose staff can sign in.
    pub fn clinics(&self) -> impl Iterator<Item = &ClinicId> {
        self.doors.keys()
    }

    /// Where a clinic's clock stands.
    #[must_use]
    pub fn zone(&self, clinic: &ClinicId) -> Zone {
        self.doors.get(clinic).map_or_else(Zone::default, |door| door.zone.clone())
    }

    /// Notes that a browser is on its way to a clinic's provider; returns where it is to be sent.
    ///
    /// # Errors
    /// [`IdentityError`]; then nothing has begun.
    pub async fn begin(&self, clinic: &ClinicId, browser: &str, language: Language) -> Result<Url, IdentityError> {
        self.start(clinic, browser, language).await.inspect_err(|error| note(clinic, error))
    }

    async fn start(&self, clinic: &ClinicId, browser: &str, language: Language) -> Result<Url, IdentityError> {
        let (door, now) = (self.doors.get(clinic).ok_or(IdentityError::NotOffered)?, self.clock.now());
        let (state, url) = self.walk(door, &whose(clinic)).begin(language, now).await?;
        let walk = StaffWalk { clinic: clinic.clone(), expires_at: later(now, LASTS) };
        let (state, browser) = (state_index(&self.keyring, &state), browser_index(&self.keyring, browser));
        let mut tx = self.store.begin().await?;
        tx.insert_staff_walk(state, browser, &walk).await?;
        tx.commit().await?;
        tracing::info!(clinic_id = %clinic, "a sign-in of a clinic's staff has begun");
        Ok(url)
    }

    /// Ends a walk with what the browser brought back that began it.
    ///
    /// # Errors
    /// [`IdentityError`]; then the walk is over. Whoever has not begun it changes nothing.
    pub async fn complete(&self, browser: &str, returned: &Returned) -> Result<Colleague, IdentityError> {
        let (state, browser) = (state_index(&self.keyring, returned.state()), browser_index(&self.keyring, browser));
        let mut tx = self.store.begin().await?;
        let walk = tx.take_staff_walk(state, browser).await?.ok_or(IdentityError::Unknown)?;
        tx.commit().await?;
        self.redeem(&walk, returned).await.inspect_err(|error| note(&walk.clinic, error))
    }

    async fn redeem(&self, walk: &StaffWalk, returned: &Returned) -> Result<Colleague, IdentityError> {
        let now = self.clock.now();
        if walk.expires_at <= now {
            return Err(IdentityError::TooLate);
        }
        let door = self.doors.get(&walk.clinic).ok_or(IdentityError::NotOffered)?;
        let who = self.walk(door, &whose(&walk.clinic)).end(returned, now).await?;
        let parts = [walk.clinic.as_str(), who.issuer.as_str(), who.subject.as_str()];
        let id = self.keyring.index().uuid("staff", &parts.map(str::as_bytes));
        Ok(Colleague { clinic: walk.clinic.clone(), id })
    }

    /// Opens a session for somebody who has arrived; ends the one that the browser had before, whosever it was. Returns the secret
    /// for the cookie, which nobody has seen before.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn open(&self, tx: &mut Tx, who: &Colleague, before: Option<&str>) -> Result<String, SessionError> {
        if let Some(before) = before {
            tx.delete_staff_session(self.session_index(before)).await?;
        }
        let (secret, now) = (self.keyring.fresh_secret()?, self.clock.now());
        let row = StaffSessionRow {
            clinic: who.clinic.clone(),
            staff: who.id,
            // Of a door that is there no more, no session is found again either.
            rules: self.rules(&who.clinic).unwrap_or_default(),
            idle_until: later(now, IDLE),
            ends_at: later(now, LONGEST),
        };
        tx.insert_staff_session(self.session_index(&secret), &row).await?;
        tx.record(Chain::of_clinic(&who.clinic), now, Event::StaffSignedIn(StaffAt { staff: who.id }));
        Ok(secret)
    }

    /// Whose session it is, if it has not ended, and the clinic's rule still is the one that let them in. Moves its end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, secret: &str) -> Result<Option<Colleague>, StoreError> {
        let (index, now) = (self.session_index(secret), self.clock.now());
        let row = self.store.read().await?.staff_session(index, now).await?;
        let Some(row) = row.filter(|row| self.rules(&row.clinic) == Some(row.rules)) else { return Ok(None) };
        let idle_until = later(now, IDLE).min(row.ends_at);
        if idle_until.duration_since(row.idle_until) >= STEP {
            let mut tx = self.store.begin().await?;
            if !tx.extend_staff_session(index, idle_until, now).await? {
                return Ok(None);
            }
            tx.commit().await?;
        }
        Ok(Some(Colleague { clinic: row.clinic, id: row.staff }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end(&self, tx: &mut Tx, who: &Colleague, secret: &str) -> Result<(), StoreError> {
        if tx.delete_staff_session(self.session_index(secret)).await? {
            let at = StaffAt { staff: who.id };
            tx.record(Chain::of_clinic(&who.clinic), self.clock.now(), Event::StaffSignedOut(at));
        }
        Ok(())
    }

    const fn walk<'a>(&'a self, door: &'a StaffDoor, whose: &'a str) -> Walk<'a> {
        Walk { keyring: &self.keyring, provider: &door.provider, whose }
    }

    fn session_index(&self, secret: &str) -> Index {
        self.keyring.index().index("staff-session", &[secret.as_bytes()])
    }

    /// The rule by which a clinic's staff are let in now; none where nobody is.
    fn rules(&self, clinic: &ClinicId) -> Option<Index> {
        let provider = &self.doors.get(clinic)?.provider;
        let admits = provider.admits()?;
        let named = [clinic.as_str(), provider.issuer(), provider.client_id(), admits.claim.as_str()];
        let parts: Vec<&[u8]> =
            named.into_iter().chain(admits.values.iter().map(String::as_str)).map(str::as_bytes).collect();
        Some(self.keyring.index().index("staff-rules", &parts))
    }
}

/// Whose provider it is, in a form that no community's name has.
fn whose(clinic: &ClinicId) -> String {
    format!("clinic {clinic}")
}

/// Tells the log what an operator should know: nothing secret, and nothing personal.
fn note(clinic: &ClinicId, error: &IdentityError) {
    tracing::warn!(clinic_id = %clinic, code = error.code(), %error, "a sign-in of a clinic's staff came to nothing");
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
