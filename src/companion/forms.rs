//! Questionnaires in a talk: one question at a time, kept as in the portal, where they can be gone on with.

use super::act::became;
use super::kept::Stand;
use super::script::{Act, Became};
use super::{CompanionError, Done, Heard, Value};
use crate::domain::language::Language;
use crate::domain::questionnaire::{Answer, Choice, Draft, Instrument, Kind, SELF_HARM};
use crate::insight::entry::fill_in;
use crate::insight::words;
use crate::pipeline::Bridge;
use crate::readings::drafts;
use crate::vault::MemberKey;

/// Does something with the questionnaire that is open.
///
/// # Errors
/// [`CompanionError`].
pub async fn act(
    bridge: &Bridge,
    key: &MemberKey,
    heard: &Heard<'_>,
    stand: &mut Stand,
    act: Act,
) -> Result<Done, CompanionError> {
    let language = heard.language;
    match act {
        Act::OpenPhq2 => open(bridge, key, Instrument::Phq2, stand, language).await,
        Act::OpenPhq9 => open(bridge, key, Instrument::Phq9, stand, language).await,
        Act::OpenGad7 => open(bridge, key, Instrument::Gad7, stand, language).await,
        Act::KeepDeclined => keep(bridge, key, stand, Answer::Declined, language).await,
        Act::KeepAnswer => match heard.number {
            Some(number) => keep(bridge, key, stand, Answer::Given(number), language).await,
            None => Ok(Done::of(Became::Gone)),
        },
        Act::LastQuestion => last(bridge, key, stand, language).await,
        Act::Finish => finish(bridge, key, stand, language).await,
        Act::Discard => discard(bridge, key, stand).await,
        _ => next(bridge, key, stand, language).await,
    }
}

async fn open(
    bridge: &Bridge,
    key: &MemberKey,
    instrument: Instrument,
    stand: &mut Stand,
    language: Language,
) -> Result<Done, CompanionError> {
    let mut tx = bridge.store.begin().await?;
    tx.lock_member(key.member()).await?;
    let begun = drafts::draft(&mut tx, key, instrument).await?;
    let draft = if let Some(draft) = begun {
        draft
    } else {
        let draft = Draft::new(instrument, bridge.keyring.entropy().uuid(bridge.clock.now())?);
        drafts::keep(&mut tx, key, &draft, bridge.clock.now()).await?;
        draft
    };
    tx.commit().await?;
    stand.form = Some(instrument);
    Ok(asked(&draft, draft.next(), stand, language))
}

/// The draft of the questionnaire that is open.
async fn draft_of(bridge: &Bridge, key: &MemberKey, stand: &Stand) -> Result<Option<Draft>, CompanionError> {
    let Some(instrument) = stand.form else { return Ok(None) };
    let mut tx = bridge.store.read().await?;
    Ok(drafts::draft(&mut tx, key, instrument).await?)
}

async fn keep(
    bridge: &Bridge,
    key: &MemberKey,
    stand: &mut Stand,
    answer: Answer,
    language: Language,
) -> Result<Done, CompanionError> {
    let (Some(instrument), Some(place)) = (stand.form, stand.question) else { return Ok(Done::of(Became::Gone)) };
    let mut tx = bridge.store.begin().await?;
    tx.lock_member(key.member()).await?;
    let Some(draft) = drafts::draft(&mut tx, key, instrument).await? else { return Ok(Done::of(Became::Gone)) };
    let draft = draft.with(place, answer);
    drafts::keep(&mut tx, key, &draft, bridge.clock.now()).await?;
    tx.commit().await?;
    let is_about_harm = instrument.questions().get(place).is_some_and(|question| question.code == SELF_HARM);
    if is_about_harm && draft.wants_help() {
        stand.question = None;
        return Ok(Done::of(Became::Danger));
    }
    // What was answered before is not asked again, unless the member goes back themselves.
    let later = draft.each().find(|(at, _, said)| *at > place && *said == Answer::NotAsked).map(|(at, ..)| at);
    Ok(asked(&draft, later.or_else(|| draft.next()), stand, language))
}

async fn next(bridge: &Bridge, key: &MemberKey, stand: &mut Stand, language: Language) -> Result<Done, CompanionError> {
    let Some(draft) = draft_of(bridge, key, stand).await? else { return Ok(Done::of(Became::Gone)) };
    let open = stand.question.or_else(|| draft.next());
    Ok(asked(&draft, open, stand, language))
}

async fn last(bridge: &Bridge, key: &MemberKey, stand: &mut Stand, language: Language) -> Result<Done, CompanionError> {
    let Some(draft) = draft_of(bridge, key, stand).await? else { return Ok(Done::of(Became::Gone)) };
    let open = stand.question.unwrap_or(usize::MAX);
    let before = draft.each().map(|(place, ..)| place).filter(|place| *place < open).last();
    Ok(asked(&draft, before.or(Some(0)), stand, language))
}

/// Opens a question; or says that all is answered.
fn asked(draft: &Draft, place: Option<usize>, stand: &mut Stand, language: Language) -> Done {
    let count = draft.each().count();
    let question = place.and_then(|place| draft.instrument().questions().get(place));
    let (Some(place), Some(question)) = (place, question) else {
        stand.question = None;
        let answered = draft.each().filter(|(_, _, answer)| *answer != Answer::NotAsked).count();
        let whole = Done::of(Became::Whole).saying("answered", Value::count(answered));
        return whole.saying("count", Value::count(count));
    };
    stand.question = Some(place);
    let choice = |(number, choice): (usize, &Choice)| format!("{number} {}", choice.words(language));
    let choices: Vec<String> = question.kind.choices().iter().enumerate().map(choice).collect();
    let stem = if question.kind == Kind::Frequency { draft.instrument().stem(language) } else { "" };
    Done::of(Became::Question)
        .saying("number", Value::count(place.saturating_add(1)))
        .saying("count", Value::count(count))
        .saying("stem", Value::Text(stem.to_owned()))
        .saying("question", Value::Text(question.words(language).to_owned()))
        .saying("choices", Value::Text(choices.join("\n")))
}

async fn finish(
    bridge: &Bridge,
    key: &MemberKey,
    stand: &mut Stand,
    language: Language,
) -> Result<Done, CompanionError> {
    let Some(draft) = draft_of(bridge, key, stand).await? else { return Ok(Done::of(Became::Gone)) };
    let Ok(answers) = draft.finish() else { return Ok(Done::of(Became::Gone)) };
    let taken = fill_in(bridge, key.member(), draft.key, answers.clone()).await?;
    let done = became(bridge, taken);
    if done.became != Became::Nobody {
        discard(bridge, key, stand).await?;
    }
    Ok(done.saying("total", Value::Text(words::total(&answers, language))))
}

async fn discard(bridge: &Bridge, key: &MemberKey, stand: &mut Stand) -> Result<Done, CompanionError> {
    if let Some(instrument) = stand.form.take() {
        let mut tx = bridge.store.begin().await?;
        tx.delete_draft(key.member(), instrument).await?;
        tx.commit().await?;
    }
    stand.question = None;
    Ok(Done::of(Became::Done))
}
