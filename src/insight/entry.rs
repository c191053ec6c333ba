//! What a member notes down with the bridge itself: it is taken in like an event of any community.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::standing::Standing;
use crate::consent::share::Share;
use crate::domain::category::{Category, Detail};
use crate::domain::decimal::Decimal;
use crate::domain::ids::{ClinicId, CommunityId, IMPORT_COMMUNITY, MemberId, ReadingId};
use crate::domain::questionnaire::Answers;
use crate::domain::reading::{Measure, Mood, Rating, Reading};
use crate::inbound::event::{CLOCK_SKEW, Entry, Event, Says, Subject, Version};
use crate::inbound::files::plain;
use crate::pipeline::{self, AcceptError, Bridge, Outcome};

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

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Of each part.
    pub parts: Vec<(Category, Outcome)>,
    /// Which clinics learn of it.
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

/// Takes in what a member noted down; sent twice, it is taken once. What no clinic may see is taken only if the member
/// wants everything kept; the parts stand or fall each for itself.
///
/// # Errors
/// [`NoteDownError`]; then nothing was taken.
pub async fn note_down(bridge: &Bridge, member: MemberId, noted: Noted) -> Result<Taken, NoteDownError> {
    let (key, at) = (noted.key, noted.at);
    let measures = measures(noted, bridge.clock.now())?;
    take_in(bridge, member, key, at, &measures).await
}

/// Takes in what a member answered to a questionnaire just now, under the same conditions.
///
/// # Errors
/// [`NoteDownError`]; then nothing was taken.
pub async fn fill_in(bridge: &Bridge, member: MemberId, key: Uuid, answers: Answers) -> Result<Taken, NoteDownError> {
    take_in(bridge, member, key, bridge.clock.now(), &[Measure::Questionnaire(answers)]).await
}

async fn take_in(
    bridge: &Bridge,
    member: MemberId,
    key: Uuid,
    at: Timestamp,
    measures: &[Measure],
) -> Result<Taken, NoteDownError> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.read().await.map_err(AcceptError::from)?;
    let standing = Standing::load(bridge, &mut tx, member).await?.ok_or(NoteDownError::UnknownMember)?;
    drop(tx);
    let moment = standing.days.moment(at);
    let events = measures.iter().map(|measure| {
        let says = Says::Reading(Entry { moment, measure: measure.clone(), labels: [].into() }, Version::First);
        let id = format!("{key}/{}", measure.category().as_str());
        Ok(Event { source: format!("noted/{member}"), id, subject: Subject::Member(member), says, flaw: None })
    });
    let community: CommunityId = IMPORT_COMMUNITY.parse().map_err(|_| NoteDownError::UnknownMember)?;
    let outcomes = pipeline::accept(bridge, &community, events.collect()).await?;
    let mut goes_to = Vec::new();
    for measure in measures {
        let (id, labels) = (ReadingId(key), [].into());
        let reading = Reading { id, member, moment, measure: measure.clone(), labels };
        goes_to.extend(destinations(&standing, &reading, now));
    }
    let categories = measures.iter().map(Measure::category);
    Ok(Taken { parts: categories.zip(outcomes).collect(), goes_to })
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
