//! A clinic's staff sign in at the clinic's identity provider (OpenID Connect), a community's people at the community's, and stay for
//! a while.
//!
//! 1. [`StaffDoors::begin`] notes that a browser is on its way, and says where it is to be sent.
//! 2. [`StaffDoors::complete`] takes the note out, so that it is good once, and exchanges the code. Only whoever the rule lets
//!    in arrives.
//! 3. [`StaffDoors::open`] opens a session; [`StaffDoors::find`] knows it again, as long as the rule is the same that let them in.
//!
//! Who they are is (issuer, subject), of which an id is made with the index key: it stands in the session and in the audit log, and
//! says nothing to anybody who does not hold that key. No name of theirs is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::identity::{IdentityError, LASTS, Walk, state_index};
use super::returned::Returned;
use super::session::SessionError;
use super::sign_in::browser_index;
use crate::delivery::identity::Provider;
use crate::domain::audit::{Chain, Event, ModeratorAt, StaffAt};
use crate::domain::clock::Clock;
use crate::domain::concern::Level;
use crate::domain::ids::{ClinicId, CommunityId};
use crate::domain::language::Language;
pub use crate::domain::staff::{Colleague, Moderator, Somebody, Whose};
use crate::domain::zone::Zone;
use crate::store::{StaffSessionRow, StaffWalk, Store, StoreError, Tx};
use crate::vault::{Index, Keyring};

/// A session ends when nothing was asked for in so long: others come by where staff work.
pub const IDLE: SignedDuration = SignedDuration::from_mins(15);

/// A session ends after so long in any case: a working day.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(9);

/// The end of an idle session is moved by no less than this: not every page is a write.
const STEP: SignedDuration = SignedDuration::from_mins(1);

/// Where the people of one clinic, or of one community, get in.
#[derive(Debug)]
pub struct StaffDoor {
    /// Where they show who they are.
    pub provider: Provider,
    /// Where their clock stands.
    pub zone: Zone,
}

/// Where people of clinics and communities get in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StaffDoors {
    store: Store,
    keyring: Keyring,
    clock: Clock,
    doors: Arc<BTreeMap<Whose, StaffDoor>>,
}

impl StaffDoors {
    /// These doors.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring, clock: Clock, doors: BTreeMap<Whose, StaffDoor>) -> Self {
        Self { store, keyring, clock, doors: Arc::new(doors) }
    }

    /// The clinics whose staff can sign in.
    pub fn clinics(&self) -> impl Iterator<Item = &ClinicId> {
        self.doors.keys().filter_map(|whose| match whose {
            Whose::Clinic(clinic) => Some(clinic),
            Whose::Community(_) => None,
        })
    }

    /// The communities whose people can sign in.
    pub fn communities(&self) -> impl Iterator<Item = &CommunityId> {
        self.doors.keys().filter_map(|whose| match whose {
            Whose::Community(community) => Some(community),
            Whose::Clinic(_) => None,
        })
    }

    /// Where the clock of some people stands.
    #[must_use]
    pub fn zone(&self, whose: &Whose) -> Zone {
        self.doors.get(whose).map_or_else(Zone::default, |door| door.zone.clone())
    }

    /// Notes that a browser is on its way to a provider; returns where it is to be sent.
    ///
    /// # Errors
    /// [`IdentityError`]; then nothing has begun.
    pub async fn begin(&self, whose: &Whose, browser: &str, language: Language) -> Result<Url, IdentityError> {
        self.start(whose, browser, language).await.inspect_err(|error| note(whose, error))
    }

    async fn start(&self, whose: &Whose, browser: &str, language: Language) -> Result<Url, IdentityError> {
        let (door, now) = (self.doors.get(whose).ok_or(IdentityError::NotOffered)?, self.clock.now());
        let (state, url) = self.walk(door, &name(whose)).begin(language, now).await?;
        let walk = StaffWalk { whose: whose.clone(), expires_at: later(now, LASTS) };
        let (state, browser) = (state_index(&self.keyring, &state), browser_index(&self.keyring, browser));
        let mut tx = self.store.begin().await?;
        tx.insert_staff_walk(state, browser, &walk).await?;
        tx.commit().await?;
        tracing::info!(whose = name(whose), "a sign-in of staff has begun");
        Ok(url)
    }

    /// Ends a walk with what the browser brought back that began it.
    ///
    /// # Errors
    /// [`IdentityError`]; then the walk is over. Whoever has not begun it changes nothing.
    pub async fn complete(&self, browser: &str, returned: &Returned) -> Result<Somebody, IdentityError> {
        let (state, browser) = (state_index(&self.keyring, returned.state()), browser_index(&self.keyring, browser));
        let mut tx = self.store.begin().await?;
        let walk = tx.take_staff_walk(state, browser).await?.ok_or(IdentityError::Unknown)?;
        tx.commit().await?;
        self.redeem(&walk, returned).await.inspect_err(|error| note(&walk.whose, error))
    }

    async fn redeem(&self, walk: &StaffWalk, returned: &Returned) -> Result<Somebody, IdentityError> {
        let now = self.clock.now();
        if walk.expires_at <= now {
            return Err(IdentityError::TooLate);
        }
        let door = self.doors.get(&walk.whose).ok_or(IdentityError::NotOffered)?;
        let who = self.walk(door, &name(&walk.whose)).end(returned, now).await?;
        let level = if who.is_above { Level::Second } else { Level::First };
        let (issuer, subject) = (who.issuer.as_bytes(), who.subject.as_bytes());
        let index = self.keyring.index();
        let id = match &walk.whose {
            Whose::Clinic(clinic) => index.uuid("staff", &[clinic.as_str().as_bytes(), issuer, subject]),
            Whose::Community(community) => index.uuid("moderator", &[community.as_str().as_bytes(), issuer, subject]),
        };
        Ok(Somebody { whose: walk.whose.clone(), level, id })
    }

    /// Opens a session for somebody who has arrived; ends the one that the browser had before, whosever it was. Returns the secret
    /// for the cookie, which nobody has seen before.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn open(&self, tx: &mut Tx, who: &Somebody, before: Option<&str>) -> Result<String, SessionError> {
        if let Some(before) = before {
            tx.delete_staff_session(self.session_index(before)).await?;
        }
        let (secret, now) = (self.keyring.fresh_secret()?, self.clock.now());
        let row = StaffSessionRow {
            who: who.clone(),
            // Of a door that is there no more, no session is found again either.
            rules: self.rules(&who.whose).unwrap_or_default(),
            idle_until: later(now, IDLE),
            ends_at: later(now, LONGEST),
        };
        tx.insert_staff_session(self.session_index(&secret), &row).await?;
        note_on_chain(tx, who, true, now);
        Ok(secret)
    }

    /// Whose session it is, if it has not ended, and the rule still is the one that let them in. Moves its end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, secret: &str) -> Result<Option<Somebody>, StoreError> {
        let (index, now) = (self.session_index(secret), self.clock.now());
        let row = self.store.read().await?.staff_session(index, now).await?;
        let Some(row) = row.filter(|row| self.rules(&row.who.whose) == Some(row.rules)) else { return Ok(None) };
        let idle_until = later(now, IDLE).min(row.ends_at);
        if idle_until.duration_since(row.idle_until) >= STEP {
            let mut tx = self.store.begin().await?;
            if !tx.extend_staff_session(index, idle_until, now).await? {
                return Ok(None);
            }
            tx.commit().await?;
        }
        Ok(Some(row.who))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end(&self, tx: &mut Tx, who: &Somebody, secret: &str) -> Result<(), StoreError> {
        if tx.delete_staff_session(self.session_index(secret)).await? {
            note_on_chain(tx, who, false, self.clock.now());
        }
        Ok(())
    }

    const fn walk<'a>(&'a self, door: &'a StaffDoor, whose: &'a str) -> Walk<'a> {
        Walk { keyring: &self.keyring, provider: &door.provider, whose }
    }

    fn session_index(&self, secret: &str) -> Index {
        self.keyring.index().index("staff-session", &[secret.as_bytes()])
    }

    /// The rule by which some people are let in now; none where nobody is.
    fn rules(&self, whose: &Whose) -> Option<Index> {
        let provider = &self.doors.get(whose)?.provider;
        let admits = provider.admits()?;
        let of = match whose {
            Whose::Clinic(clinic) => clinic.as_str().to_owned(),
            Whose::Community(_) => name(whose),
        };
        let named = [of.as_str(), provider.issuer(), provider.client_id(), admits.claim.as_str()];
        let above = admits.above.iter().flat_map(|value| ["above", value.as_str()]);
        let values = admits.values.iter().map(String::as_str).chain(above);
        let parts: Vec<&[u8]> = named.into_iter().chain(values).map(str::as_bytes).collect();
        Some(self.keyring.index().index("staff-rules", &parts))
    }
}

/// Writes down that somebody came or went: where the clinic's people do, or in the house.
fn note_on_chain(tx: &mut Tx, who: &Somebody, came: bool, now: Timestamp) {
    let staff = who.id;
    match &who.whose {
        Whose::Clinic(clinic) => {
            let at = StaffAt { staff };
            let event = if came { Event::StaffSignedIn(at) } else { Event::StaffSignedOut(at) };
            tx.record(Chain::of_clinic(clinic), now, event);
        }
        Whose::Community(community) => {
            let at = ModeratorAt { staff, community: community.clone(), level: who.level };
            let event = if came { Event::ModeratorSignedIn(at) } else { Event::ModeratorSignedOut(at) };
            tx.record(Chain::HOUSE, now, event);
        }
    }
}

/// Whose people these are, in a form that no community has at whose provider its members sign in.
fn name(whose: &Whose) -> String {
    match whose {
        Whose::Clinic(clinic) => format!("clinic {clinic}"),
        Whose::Community(community) => format!("people of {community}"),
    }
}

/// Tells the log what an operator should know: nothing secret, and nothing personal.
fn note(whose: &Whose, error: &IdentityError) {
    tracing::warn!(whose = name(whose), code = error.code(), %error, "a sign-in of staff came to nothing");
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
