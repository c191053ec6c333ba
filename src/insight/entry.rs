//! What a member notes down with the bridge itself: it is taken in like an event of any community.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::standing::Standing;
use crate::consent::share::Share;
use crate::domain::category::{Category, Detail};
use crate::domain::decimal::Decimal;
use crate::domain::ids::{ClinicId, CommunityId, IMPORT_COMMUNITY, MemberId, ReadingId};
use crate::domain::moment::Moment;
use crate::domain::questionnaire::{Answers, Draft};
use crate::domain::reading::{Measure, Mood, Rating, Reading};
use crate::inbound::event::{CLOCK_SKEW, Entry, Event, Says, Subject, Version};
use crate::inbound::files::plain;
use crate::pipeline::{self, AcceptError, Bridge, Outcome};
use crate::store::{StoreError, Tx};

/// The longest note, in characters: as in `schemas/events/note.v1.json`.
pub const LONGEST_NOTE: usize = 10_000;

/// The longest tag, in characters: as in `schemas/events/tags.v1.json`.
pub const LONGEST_TAG: usize = 100;

/// The most tags of an entry: as there.
pub const MOST_TAGS: usize = 50;

/// How long ago it may have been.
const LATEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// What a member notes down. Personal.
#[derive(Clone, PartialEq)]
pub struct Noted {
    /// What makes it the same when it is sent again. Chosen when the form is shown.
    pub key: Uuid,
    /// When it was; the same whenever the key is.
    pub at: Timestamp,
    /// How their mood was, from 1 (worst) to 5 (best).
    pub level: u8,
    /// What they write about it.
    pub note: Option<String>,
    /// Words for it.
    pub tags: Vec<String>,
}

/// Where a part of it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// To whom.
    pub clinic: ClinicId,
    /// Which part.
    pub category: Category,
    /// By itself, or as part of a summary.
    pub detail: Detail,
}

/// Who says something here themselves, and in the chat of which community; nothing in the portal.
pub type Teller<'a> = (MemberId, Option<&'a CommunityId>);

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Of each part.
    pub parts: Vec<(Category, Outcome)>,
    /// Which clinics learn of it: of no part that was refused.
    pub goes_to: Vec<Destination>,
}

/// Something that cannot be noted down.
#[derive(Debug, thiserror::Error)]
pub enum NoteDownError {
    /// A field does not hold what it must.
    #[error("{field}: expected {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it must hold.
        expected: &'static str,
    },
    /// There is no such member.
    #[error("there is no such member")]
    UnknownMember,
    /// It was not taken.
    #[error(transparent)]
    Accept(#[from] AcceptError),
}

impl From<StoreError> for NoteDownError {
    fn from(error: StoreError) -> Self {
        Self::Accept(error.into())
    }
}

/// Takes in what a member noted down; sent twice, it is taken once. What no clinic may see is taken only if the member
/// wants everything kept; the parts stand or fall each for itself.
///
/// # Errors
/// [`NoteDownError`]; then nothing was taken.
pub async fn note_down(bridge: &Bridge, member: MemberId, noted: Noted) -> Result<Taken, NoteDownError> {
    let (key, at) = (noted.key, noted.at);
    let measures = measures(noted, bridge.clock.now())?;
    let mut tx = bridge.store.begin().await?;
    let taken = take_in(bridge, &mut tx, (member, None), (key, at), &measures).await?;
    tx.commit().await?;
    bridge.wake.notify_waiters();
    Ok(taken)
}

/// Takes in what a member answered to a questionnaire just now, under the same conditions, in the transaction in which it is
/// no draft any more. Who commits it wakes the desks.
///
/// # Errors
/// [`NoteDownError`]; the caller's transaction must then be dropped.
pub async fn fill_in(
    bridge: &Bridge,
    tx: &mut Tx,
    teller: Teller<'_>,
    key: Uuid,
    answers: Answers,
) -> Result<Taken, NoteDownError> {
    take_in(bridge, tx, teller, (key, bridge.clock.now()), &[Measure::Questionnaire(answers)]).await
}

/// Has people of the member's communities told as soon as an answer is kept that wants a human's eye, whether or not the
/// questionnaire is ever finished: once, also if it is ([`fill_in`]). Who commits it wakes those who are to be told.
///
/// # Errors
/// [`NoteDownError`]; the caller's transaction must then be dropped.
pub async fn heed(bridge: &Bridge, tx: &mut Tx, teller: Teller<'_>, draft: &Draft) -> Result<(), NoteDownError> {
    let Some(answers) = draft.finish().ok().filter(Answers::wants_help) else { return Ok(()) };
    let moment = Moment::new(bridge.clock.now(), Offset::UTC);
    let event = event(teller.0, draft.key, moment, &Measure::Questionnaire(answers));
    Ok(pipeline::heed(bridge, tx, (&here()?, teller.1), &[Ok(event)]).await?)
}

async fn take_in(
    bridge: &Bridge,
    tx: &mut Tx,
    (member, chat): Teller<'_>,
    (key, at): (Uuid, Timestamp),
    measures: &[Measure],
) -> Result<Taken, NoteDownError> {
    let now = bridge.clock.now();
    let standing = Standing::load(bridge, tx, member).await?.ok_or(NoteDownError::UnknownMember)?;
    let moment = standing.days.moment(at);
    let events = measures.iter().map(|measure| Ok(event(member, key, moment, measure)));
    let outcomes = pipeline::take(bridge, tx, (&here()?, chat), events.collect()).await?;
    let mut goes_to = Vec::new();
    for (measure, outcome) in measures.iter().zip(&outcomes) {
        if matches!(outcome, Outcome::Refused(_)) {
            continue;
        }
        let (id, labels) = (ReadingId(key), [].into());
        let reading = Reading { id, member, moment, measure: measure.clone(), labels, source: None };
        goes_to.extend(destinations(&standing, &reading, now));
    }
    let categories = measures.iter().map(Measure::category);
    Ok(Taken { parts: categories.zip(outcomes).collect(), goes_to })
}

/// As whose all of it is known.
fn here() -> Result<CommunityId, NoteDownError> {
    IMPORT_COMMUNITY.parse().map_err(|_| NoteDownError::UnknownMember)
}

/// A part of what was noted down under a key, or answered.
fn event(member: MemberId, key: Uuid, moment: Moment, measure: &Measure) -> Event {
    let version = match measure {
        // What is finished again stands as it was answered last.
        Measure::Questionnaire(_) => Version::Current,
        _ => Version::First,
    };
    let says = Says::Reading(Entry { moment, measure: measure.clone(), labels: [].into() }, version);
    let id = format!("{key}/{}", measure.category().as_str());
    Event { source: format!("noted/{member}"), id, subject: Subject::Member(member), says, flaw: None }
}

/// Which clinics learn of a reading, and how.
fn destinations(standing: &Standing, reading: &Reading, now: Timestamp) -> Vec<Destination> {
    let (share, category) = (Share::of(reading), reading.measure.category());
    let clinics = standing.patients.iter().map(|patient| &patient.clinic);
    let destination = |clinic: &ClinicId| {
        let detail = standing.decide(&share, clinic, now).ok()?.detail();
        Some(Destination { clinic: clinic.clone(), category, detail })
    };
    clinics.filter_map(destination).collect()
}

fn measures(noted: Noted, now: Timestamp) -> Result<Vec<Measure>, NoteDownError> {
    let wrong = |field, expected| Err(NoteDownError::Field { field, expected });
    let Noted { at, level, note, tags, .. } = noted;
    let latest = now.checked_add(CLOCK_SKEW).unwrap_or(now);
    let earliest = now.checked_sub(LATEST).unwrap_or(Timestamp::MIN);
    if at > latest || at < earliest {
        return wrong("at", "a time within the last year that is not in the future");
    }
    if !(1..=5).contains(&level) {
        return wrong("level", "a number from 1 to 5");
    }
    let note = note.map(|note| plain(&note)).filter(|note| !note.is_empty());
    if note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return wrong("note", "at most 10000 characters");
    }
    let tags: Vec<String> = tags.iter().map(|tag| plain(tag)).filter(|tag| !tag.is_empty()).collect();
    if tags.len() > MOST_TAGS || tags.iter().any(|tag| tag.chars().count() > LONGEST_TAG) {
        return wrong("tags", "at most 50 tags of at most 100 characters");
    }
    let number = |n: u8| Decimal::from(i32::from(n));
    let rating = Rating { value: number(level), worst: number(1), best: number(5) };
    let mood = Measure::Mood(Mood { rating: Some(rating), label: None, state_of_mind: None });
    let tags = Some(tags).filter(|tags| !tags.is_empty()).map(Measure::Tags);
    Ok([Some(mood), note.map(Measure::Note), tags].into_iter().flatten().collect())
}
