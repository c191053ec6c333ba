//! Concerns: raised where what a member said wants a human's eye, told to the people of their community until somebody
//! looks after them, and closed.
//!
//! A concern waits for no consent and for no EHR: it goes to nobody but the community's own people, says nothing of what
//! was answered, and is not there where the community has named nobody (`[communities.….safety]`). Every step is an entry
//! of the member's audit chain.
//!
//! That a clinic is warned without consent is never a step of a concern: a person decides it, under a policy, and
//! `pipeline::warn` does it. Here are what was decided and what became of it.

pub mod phrases;
mod settle;
mod tell;
mod warnings;

pub use settle::{Which, acknowledge, close, escalate_now};
pub use tell::{AlarmSender, AlarmWords, Levels};
pub use warnings::{Warned, Why, seal_warning, warnings};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::audit::{Chain, ConcernAt, Entry, Event, SEALED_COLUMN};
use crate::domain::concern::{ConcernState, NotNow, Rule};
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::{CommunityId, ConcernId, MemberId};
use crate::enrolment::join::HANDLE_COLUMN;
use crate::store::{ConcernRow, NewConcern, StoreError, Tx};
use crate::vault::{Index, Keyring, MemberKey, SealError};

/// The column concerns are sealed for; their row is their id.
const COLUMN: &str = "concerns.sealed_concern";

/// For how long a concern is kept once it is closed. The audit log has what became of it for as long as it is kept.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The most that are listed at once.
const MOST: i64 = 1000;

/// The longest name that somebody gives who looks after a concern, in characters.
pub const LONGEST_NAME: usize = 64;

/// Whether somebody can call themselves like this.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count()) && name.trim() == name && !name.chars().any(char::is_control)
}

/// What is sealed of a concern.
#[derive(Serialize, Deserialize)]
struct Content {
    rule: Rule,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phrase: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_by: Option<String>,
}

/// Something that wants a human's eye.
pub struct Noticed<'a> {
    /// Whose people are told.
    pub community: &'a CommunityId,
    /// Keyed index of the entry: no second concern is raised about it.
    pub entry: Index,
    /// Why.
    pub rule: Rule,
    /// The phrase that was found, as it stands in the list.
    pub phrase: Option<&'static str>,
    /// How long the first level has before the second is told.
    pub escalate_after: SignedDuration,
}

/// A concern, opened. Personal: its `Debug` shows its id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Concern {
    /// Its id.
    pub id: ConcernId,
    /// Whose people look after it.
    pub community: CommunityId,
    /// About whom.
    pub member: MemberId,
    /// The name under which the community knows them.
    pub handle: Option<String>,
    /// What raised it.
    pub rule: Rule,
    /// The phrase that was found, as it stood in the list.
    pub phrase: Option<String>,
    /// Where it stands.
    pub state: ConcernState,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When somebody was told first.
    pub told_at: Option<Timestamp>,
    /// When nobody had acknowledged it in time.
    pub escalated_at: Option<Timestamp>,
    /// Since when somebody looks after it, and who, as they called themselves.
    pub acknowledged: Option<(Timestamp, String)>,
    /// When they were done, and who said so.
    pub closed: Option<(Timestamp, String)>,
    /// Which clinics were warned without consent because of it.
    pub warned: Vec<Warned>,
}

/// A concern that could not be raised, shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum SafetyError {
    /// There is none by that id, or none of this community.
    #[error("there is no such concern")]
    NotFound,
    /// It stands elsewhere.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No id could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// What was sealed is not what this version writes.
    #[error("a sealed value is not what it should be")]
    Unreadable,
}

/// Raises a concern about the member whose key it is, to be told at once. Nothing happens where one about the same entry
/// was raised before.
///
/// # Errors
/// [`SafetyError`]; the caller's transaction must then be dropped.
pub async fn raise(
    tx: &mut Tx,
    keyring: &Keyring,
    key: &MemberKey,
    noticed: &Noticed<'_>,
    now: Timestamp,
) -> Result<bool, SafetyError> {
    let Noticed { community, entry, rule, phrase, escalate_after } = noticed;
    let id = ConcernId(keyring.entropy().uuid(now)?);
    let content = Content { rule: *rule, phrase: phrase.map(str::to_owned), acknowledged_by: None, closed_by: None };
    let escalate_at = now.checked_add(*escalate_after).unwrap_or(Timestamp::MAX);
    let (member, sealed) = (key.member(), seal(key, id, &content)?);
    let concern = NewConcern { id, community, member, entry: *entry, sealed: &sealed, escalate_at };
    let is_new = tx.insert_concern(&concern, now).await?;
    if is_new {
        let at = ConcernAt { concern: id, community: (*community).clone() };
        record(tx, key, Event::ConcernRaised(at), rule.as_str(), now)?;
    }
    Ok(is_new)
}

/// The concerns of a community, or of all: those that are not closed, the oldest first; or all, the newest first. One that
/// does not open is left out; the log says so.
///
/// # Errors
/// [`SafetyError::Store`].
pub async fn concerns(
    tx: &mut Tx,
    keyring: &Keyring,
    community: Option<&CommunityId>,
    closed_too: bool,
) -> Result<Vec<Concern>, SafetyError> {
    let mut concerns = Vec::new();
    for row in tx.concerns(community, closed_too, MOST).await? {
        let id = row.id;
        match opened(tx, keyring, row).await {
            Ok((concern, _)) => concerns.push(concern),
            Err(SafetyError::Store(error)) => return Err(error.into()),
            Err(error) => tracing::error!(concern_id = %id, %error, "a concern cannot be read"),
        }
    }
    Ok(concerns)
}

/// A concern as it reads, for the member whose key it is.
///
/// # Errors
/// [`SafetyError`].
pub fn read(key: &MemberKey, row: ConcernRow) -> Result<Concern, SafetyError> {
    let Content { rule, phrase, acknowledged_by, closed_by } = open(key, &row)?;
    Ok(Concern {
        id: row.id,
        community: row.community,
        member: row.member,
        handle: None,
        rule,
        phrase,
        state: row.state,
        raised_at: row.raised_at,
        told_at: row.told_at,
        escalated_at: row.escalated_at,
        acknowledged: row.acknowledged_at.zip(acknowledged_by),
        closed: row.closed_at.zip(closed_by),
        warned: Vec::new(),
    })
}

/// A concern of a community, or of any, as it stands now.
///
/// # Errors
/// [`SafetyError`].
pub async fn concern(tx: &mut Tx, keyring: &Keyring, which: Which<'_>) -> Result<(Concern, MemberKey), SafetyError> {
    let row = found(tx, which).await?;
    opened(tx, keyring, row).await
}

/// The row of a concern of a community, or of any.
async fn found(tx: &mut Tx, (community, id): Which<'_>) -> Result<ConcernRow, SafetyError> {
    let row = tx.concern(id).await?;
    row.filter(|row| community.is_none_or(|community| row.community == *community)).ok_or(SafetyError::NotFound)
}

/// A concern, with the name under which its community knows the member, which clinics were warned, and the member's
/// key.
async fn opened(tx: &mut Tx, keyring: &Keyring, row: ConcernRow) -> Result<(Concern, MemberKey), SafetyError> {
    let (member, community) = (row.member, row.community.clone());
    let names = tx.concern_names(&community, member).await?.ok_or(SafetyError::NotFound)?;
    let key = keyring.unwrap_member_key(member, &names.key)?;
    let handle = names.handle.map(|sealed| key.open(HANDLE_COLUMN, community.as_str().as_bytes(), &sealed));
    let handle = handle.transpose()?.and_then(|handle| String::from_utf8(handle).ok());
    let warned = warnings(tx, &key).await?.into_iter().filter(|warned| warned.concern == row.id).collect();
    Ok((Concern { handle, warned, ..read(&key, row)? }, key))
}

fn seal(key: &MemberKey, id: ConcernId, content: &Content) -> Result<Vec<u8>, SafetyError> {
    let plain = serde_json::to_vec(content).map_err(|_| SafetyError::Unreadable)?;
    Ok(key.seal(COLUMN, id.0.as_bytes(), &plain)?)
}

fn open(key: &MemberKey, row: &ConcernRow) -> Result<Content, SafetyError> {
    let plain = key.open(COLUMN, row.id.0.as_bytes(), &row.sealed)?;
    serde_json::from_slice(&plain).map_err(|_| SafetyError::Unreadable)
}

/// Notes a step for the audit log, with what only those may read who hold the member's key.
fn record(tx: &mut Tx, key: &MemberKey, event: Event, sealed: &str, now: Timestamp) -> Result<(), SealError> {
    let mut entry = Entry::new(Chain::of_member(key.member()), now, event);
    entry.sealed = Some(key.seal(SEALED_COLUMN, &entry.sealed_row(), sealed.as_bytes())?);
    tx.record_entry(entry);
    Ok(())
}

impl std::fmt::Debug for Concern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Concern({}, {})", self.id, self.state.as_str())
    }
}
