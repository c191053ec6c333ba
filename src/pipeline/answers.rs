//! What a member does with something that a clinic has for them: it reaches them, they read it, they answer. Each is one
//! transaction of the caller's, and everything that follows from it.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::{Bridge, KnownPatient, Practitioners};
use crate::consent::decide::{DenyReason, Request, decide};
use crate::domain::audit::{Chain, Event, ForMember};
use crate::domain::category::Detail;
use crate::domain::delivery::Operation;
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::{ClinicId, MemberId, RecommendationId};
use crate::domain::language::Language;
use crate::domain::recommendation::{Answer, LONGEST_ANSWER, Recommendation, RecommendationState, Reply, Says};
use crate::mapping::to_fhir::{MappingError, Recipient, message, task_answer};
use crate::outbox::enqueue::{EnqueueError, Letter, Parcel, enqueue};
use crate::readings::KeptError;
use crate::readings::settings::settings;
use crate::recommendations::{self, RecommendationError};
use crate::store::{LaneKey, NewAnswer, PageDue, PageKey, SealedRecommendation, StoreError, Tx};
use crate::vault::{MemberKey, SealError};

/// An answer that could not be taken; nothing of it was stored.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The member has no such recommendation.
    #[error("there is nothing with this id")]
    NotFound,
    /// It cannot be answered so, or no longer.
    #[error("it cannot be answered so, or no longer")]
    NotNow,
    /// What they wrote cannot be sent.
    #[error("expected a text of 1 to {LONGEST_ANSWER} characters")]
    Text,
    /// The member's consent lets them answer nothing, or no longer.
    #[error("not-permitted: {0}")]
    NotPermitted(DenyReason),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the clinic is to be told could not be written.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// No id could be made.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What is kept cannot be read.
    #[error("what is kept for the member cannot be read")]
    Unreadable,
}

impl From<RecommendationError> for AnswerError {
    fn from(error: RecommendationError) -> Self {
        match error {
            RecommendationError::Store(error) => Self::Store(error),
            RecommendationError::Seal(error) => Self::Seal(error),
            RecommendationError::Unreadable => Self::Unreadable,
        }
    }
}

impl From<KeptError> for AnswerError {
    fn from(error: KeptError) -> Self {
        match error {
            KeptError::Store(error) => Self::Store(error),
            KeptError::Seal(error) => Self::Seal(error),
            KeptError::Unreadable => Self::Unreadable,
        }
    }
}

impl From<EnqueueError> for AnswerError {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Store(error) => Self::Store(error),
            EnqueueError::Seal(error) => Self::Seal(error),
            EnqueueError::NoEntropy(error) => Self::NoEntropy(error),
        }
    }
}

/// The member was told that something is there for them; where it is a Task, its clinic is told so. What comes late changes
/// nothing.
///
/// # Errors
/// [`AnswerError::NotFound`], or another one when it could not be written.
pub async fn delivered(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: RecommendationId,
    now: Timestamp,
) -> Result<(), AnswerError> {
    reach(bridge, tx, (member, id), RecommendationState::Delivered, Says::Delivered, now).await
}

/// The member has read something; where it is a Task, its clinic is told so. What comes late changes nothing.
///
/// # Errors
/// [`AnswerError::NotFound`], or another one when it could not be written.
pub async fn seen(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: RecommendationId,
    now: Timestamp,
) -> Result<(), AnswerError> {
    reach(bridge, tx, (member, id), RecommendationState::Seen, Says::Seen, now).await
}

/// The member answers, and their clinic is told: by its Task where it is one, else by a message. Returns how it stands then.
///
/// # Errors
/// [`AnswerError`]; the transaction must then be dropped.
pub async fn answer(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: RecommendationId,
    answer: Answer,
    now: Timestamp,
) -> Result<Recommendation, AnswerError> {
    let answer = tidied(answer)?;
    let (key, row) = held(bridge, tx, member, id).await?;
    let mut recommendation = recommendations::open(&key, row.clone())?;
    let source = recommendation.says.as_ref().map(|says| says.source.clone());
    let (Some(source), true) = (source, recommendation.takes(&answer)) else { return Err(AnswerError::NotNow) };
    // Whoever asks has read it.
    let to = answer.leads_to().unwrap_or(RecommendationState::Seen);
    let to = row.state.step(to).map_err(|_| AnswerError::NotNow)?;
    let ordinal = tx.answers(member, Some(id)).await?.last().map_or(1, |last| last.ordinal + 1);
    let reply = Reply { member, to: &source, says: Says::Answer(&answer) };
    let told = tell(bridge, tx, &key, &row, reply, ordinal, now).await?;
    let kept = NewAnswer {
        member,
        recommendation: id,
        answer: answer.as_str(),
        sealed: answer.text().map(|text| recommendations::seal_answer(&key, id, ordinal, text)).transpose()?,
        ordinal,
        task_identifier: told.task,
        identifier: told.message,
    };
    tx.insert_answer(&kept, now).await?;
    note_page(bridge, tx, &key, &row.clinic, now).await?;
    record(tx, &row, &answer, now);
    if to != row.state {
        tx.set_recommendation_state(&row, to, now).await?;
    }
    (recommendation.state, recommendation.updated_at) = (to, now);
    Ok(recommendation)
}

/// Why a member cannot answer something now, if their consent does not let them.
///
/// # Errors
/// [`AnswerError`] when it cannot be found out.
pub async fn why_not(
    tx: &mut Tx,
    key: &MemberKey,
    found: &Recommendation,
    now: Timestamp,
) -> Result<Option<DenyReason>, AnswerError> {
    let Some(says) = &found.says else { return Ok(None) };
    let reply = Reply { member: found.member, to: &says.source, says: Says::Seen };
    let grants = tx.living_grants(&[found.member]).await?;
    let keys = HashMap::from([(found.member, key.clone())]);
    match decide(&grants, Request::to_record(&reply, &found.clinic, now)) {
        Err(denied) => Ok(Some(denied.foremost())),
        Ok(permit) => {
            let can_address = Practitioners::load(tx, &grants, &keys).await?.can_address(&permit);
            let is_linked = tx.links(&[found.member]).await?.iter().any(|link| link.clinic == found.clinic);
            Ok((!can_address).then_some(DenyReason::RecipientNotNamed).or((!is_linked).then_some(DenyReason::NoGrant)))
        }
    }
}

/// The page about this week says it too, where the clinic gets one: all the more if its EHR takes no answers.
async fn note_page(
    bridge: &Bridge,
    tx: &mut Tx,
    key: &MemberKey,
    clinic: &ClinicId,
    now: Timestamp,
) -> Result<(), AnswerError> {
    if !bridge.house.has_weekly_pages(clinic) {
        return Ok(());
    }
    let days = settings(tx, key).await?.days(&bridge.readings.zone);
    let week = days.period_of(Detail::WeeklySummary, now);
    let lane = LaneKey { clinic: clinic.clone(), member: key.member() };
    let page = PageKey { lane, first_day: week.first_day };
    tx.note_pages(&BTreeSet::from([page]), PageDue::Changed).await?;
    Ok(tx.look_after(&[(key.member(), week.end)]).await?)
}

/// The identifiers of the items that tell something.
#[derive(Debug, Default)]
struct Told {
    task: Option<String>,
    message: Option<String>,
}

/// Puts what a clinic is to be told into the outbox, as far as the member's consent allows.
async fn tell(
    bridge: &Bridge,
    tx: &mut Tx,
    key: &MemberKey,
    row: &SealedRecommendation,
    reply: Reply<'_>,
    ordinal: i64,
    now: Timestamp,
) -> Result<Told, AnswerError> {
    let clinic = &row.clinic;
    let grants = tx.living_grants(&[row.member]).await?;
    let permit = decide(&grants, Request::to_record(&reply, clinic, now));
    let permit = permit.map_err(|denied| AnswerError::NotPermitted(denied.foremost()))?;
    let keys = HashMap::from([(row.member, key.clone())]);
    let practitioners = Practitioners::load(tx, &grants, &keys).await?;
    if !practitioners.can_address(&permit) {
        return Err(AnswerError::NotPermitted(DenyReason::RecipientNotNamed));
    }
    let patients = KnownPatient::load(tx, &keys).await?;
    let patient = patients.iter().find(|patient| patient.clinic == *clinic);
    let patient = patient.ok_or(AnswerError::NotPermitted(DenyReason::NoGrant))?;
    let practitioner = practitioners.of(&permit);
    let index = bridge.keyring.index();
    let named = |domain, parts: &[&[u8]]| Recipient {
        patient: &patient.id,
        identifier: index.uuid(domain, parts),
        source: &bridge.source,
        recorded: now,
        practitioner,
    };
    let id = row.id.0.as_bytes();
    let language = bridge.house.pages(clinic).map_or(Language::default(), |rules| rules.language);
    let task = named("answer-task", &[id]);
    let task = (reply.to.resource_type == "Task").then(|| task_answer(&permit, task, language)).flatten();
    let recipient = named("answer", &[id, &ordinal.to_be_bytes()]);
    let message = message(&permit, recipient, task.is_some(), language)?;
    let told = Told {
        task: task.as_ref().map(|task| task.identifier.clone()),
        message: message.as_ref().map(|message| message.identifier.clone()),
    };
    let task = task.map(|outbound| Letter { operation: Operation::Correct, outbound, content: None });
    let message = message.map(|outbound| Letter { operation: Operation::Create, outbound, content: None });
    let parcels: Vec<_> = Parcel::several(permit, task.into_iter().chain(message).collect(), key).collect();
    enqueue(tx, &parcels, &[], bridge.keyring.entropy(), now).await?;
    Ok(told)
}

/// Goes a step that is not the member's own word, and tells it of a Task. Where no consent lets it be told, it is not.
async fn reach(
    bridge: &Bridge,
    tx: &mut Tx,
    (member, id): (MemberId, RecommendationId),
    to: RecommendationState,
    says: Says<'_>,
    now: Timestamp,
) -> Result<(), AnswerError> {
    let (key, row) = held(bridge, tx, member, id).await?;
    let to = match row.state.step(to) {
        Ok(to) if to != row.state => to,
        // It was retracted in the meantime, or they are farther already.
        Ok(_) | Err(_) => return Ok(()),
    };
    tx.set_recommendation_state(&row, to, now).await?;
    let opened = recommendations::open(&key, row.clone())?;
    let source = opened.says.filter(|says| !says.is_unclear).map(|says| says.source);
    let Some(source) = source.filter(|source| source.resource_type == "Task") else { return Ok(()) };
    match tell(bridge, tx, &key, &row, Reply { member, to: &source, says }, 0, now).await {
        Ok(_) | Err(AnswerError::NotPermitted(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn record(tx: &mut Tx, row: &SealedRecommendation, answer: &Answer, now: Timestamp) {
    let about = ForMember {
        recommendation: row.id,
        what: row.kind.as_str().to_owned(),
        grant: None,
        version: None,
        answer: Some(answer.as_str().to_owned()),
    };
    tx.record(Chain::between(&row.clinic, row.member), now, Event::Answered(about));
}

/// Holds the member, and finds what is theirs.
async fn held(
    bridge: &Bridge,
    tx: &mut Tx,
    member: MemberId,
    id: RecommendationId,
) -> Result<(MemberKey, SealedRecommendation), AnswerError> {
    match tx.lock_member(member).await {
        Err(StoreError::RowCount { .. }) => return Err(AnswerError::NotFound),
        locked => locked?,
    }
    let wrapped = tx.member_key(member).await?.ok_or(AnswerError::NotFound)?;
    let key = bridge.keyring.unwrap_member_key(member, &wrapped)?;
    Ok((key, tx.recommendation(member, id).await?.ok_or(AnswerError::NotFound)?))
}

/// The answer without blanks around it and control characters in it.
fn tidied(answer: Answer) -> Result<Answer, AnswerError> {
    let tidy = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let text = text.trim().to_owned();
        if text.chars().count() > LONGEST_ANSWER { Err(AnswerError::Text) } else { Ok(text) }
    };
    Ok(match answer {
        Answer::Accept | Answer::Done => answer,
        Answer::Decline { reason } => {
            let reason = reason.map(|reason| tidy(&reason)).transpose()?;
            Answer::Decline { reason: reason.filter(|reason| !reason.is_empty()) }
        }
        Answer::Question { text } => {
            let text = tidy(&text)?;
            if text.is_empty() {
                return Err(AnswerError::Text);
            }
            Answer::Question { text }
        }
    })
}
