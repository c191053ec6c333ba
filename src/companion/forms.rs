//! Questionnaires in a talk: one question at a time, kept as in the portal. In the chat of a community they are its own: it hears
//! nothing of what was answered in another one, or in the portal.

use super::act::became;
use super::script::{Act, Became};
use super::{CompanionError, Done, Turn, Value};
use crate::domain::questionnaire::{Answer, Choice, Draft, Instrument, Kind, SELF_HARM};
use crate::insight::entry::{fill_in, heed};
use crate::insight::words;
use crate::readings::drafts;
use crate::store::Tx;

/// Does something with the questionnaire that is open. What is changed in it is kept together with where the talk stands then:
/// of two answers that are given at once, the second is one to the next question, and what is finished is no draft any more.
///
/// # Errors
/// [`CompanionError`].
pub(super) async fn act(turn: &mut Turn<'_>, act: Act) -> Result<Done, CompanionError> {
    let mut tx = turn.locked().await?;
    let done = change(&mut tx, turn, act).await?;
    turn.tx = Some(tx);
    Ok(done)
}

async fn change(tx: &mut Tx, turn: &mut Turn<'_>, act: Act) -> Result<Done, CompanionError> {
    match act {
        Act::OpenPhq2 => open(tx, turn, Instrument::Phq2).await,
        Act::OpenPhq9 => open(tx, turn, Instrument::Phq9).await,
        Act::OpenGad7 => open(tx, turn, Instrument::Gad7).await,
        Act::KeepDeclined => keep(tx, turn, Answer::Declined).await,
        Act::KeepAnswer => match turn.heard.number {
            Some(number) => keep(tx, turn, Answer::Given(number)).await,
            None => Ok(Done::of(Became::Gone)),
        },
        Act::LastQuestion => last(tx, turn).await,
        Act::Finish => finish(tx, turn).await,
        Act::Discard => discard(tx, turn).await,
        _ => next(tx, turn).await,
    }
}

async fn open(tx: &mut Tx, turn: &mut Turn<'_>, instrument: Instrument) -> Result<Done, CompanionError> {
    turn.stand.form = Some(instrument);
    let draft = if let Some(draft) = draft(tx, turn).await? {
        draft
    } else {
        let (bridge, now) = (turn.bridge, turn.bridge.clock.now());
        let draft = Draft::new(instrument, bridge.keyring.entropy().uuid(now)?);
        drafts::keep(tx, &turn.key, turn.heard.chat(), &draft, now).await?;
        draft
    };
    Ok(asked(&draft, draft.next(), turn))
}

/// The draft of the questionnaire that is open here.
async fn draft(tx: &mut Tx, turn: &Turn<'_>) -> Result<Option<Draft>, CompanionError> {
    let Some(instrument) = turn.stand.form else { return Ok(None) };
    Ok(drafts::draft(tx, &turn.key, turn.heard.chat(), instrument).await?)
}

async fn keep(tx: &mut Tx, turn: &mut Turn<'_>, answer: Answer) -> Result<Done, CompanionError> {
    let (Some(draft), Some(place)) = (draft(tx, turn).await?, turn.stand.question) else {
        return Ok(Done::of(Became::Gone));
    };
    let draft = draft.with(place, answer);
    drafts::keep(tx, &turn.key, turn.heard.chat(), &draft, turn.bridge.clock.now()).await?;
    heed(turn.bridge, tx, turn.teller(), &draft).await?;
    let questions = draft.instrument().questions();
    let is_about_harm = questions.get(place).is_some_and(|question| question.code == SELF_HARM);
    if is_about_harm && draft.wants_help() {
        turn.stand.question = None;
        return Ok(Done::of(Became::Danger));
    }
    // What was answered before is not asked again, unless the member goes back themselves.
    let later = draft.each().find(|(at, _, said)| *at > place && *said == Answer::NotAsked).map(|(at, ..)| at);
    Ok(asked(&draft, later.or_else(|| draft.next()), turn))
}

async fn next(tx: &mut Tx, turn: &mut Turn<'_>) -> Result<Done, CompanionError> {
    let Some(draft) = draft(tx, turn).await? else { return Ok(Done::of(Became::Gone)) };
    let open = turn.stand.question.or_else(|| draft.next());
    Ok(asked(&draft, open, turn))
}

async fn last(tx: &mut Tx, turn: &mut Turn<'_>) -> Result<Done, CompanionError> {
    let Some(draft) = draft(tx, turn).await? else { return Ok(Done::of(Became::Gone)) };
    let open = turn.stand.question.unwrap_or(usize::MAX);
    let before = draft.each().map(|(place, ..)| place).filter(|place| *place < open).last();
    Ok(asked(&draft, before.or(Some(0)), turn))
}

/// Opens a question; or says that all is answered.
fn asked(draft: &Draft, place: Option<usize>, turn: &mut Turn<'_>) -> Done {
    let (stand, language) = (&mut turn.stand, turn.heard.language);
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

async fn finish(tx: &mut Tx, turn: &mut Turn<'_>) -> Result<Done, CompanionError> {
    let Some(draft) = draft(tx, turn).await? else { return Ok(Done::of(Became::Gone)) };
    let Ok(answers) = draft.finish() else { return Ok(Done::of(Became::Gone)) };
    let taken = fill_in(turn.bridge, tx, turn.teller(), draft.key, answers.clone()).await?;
    let done = became(turn.bridge, taken);
    if done.became != Became::Nobody {
        discard(tx, turn).await?;
    }
    Ok(done.saying("total", Value::Text(words::total(&answers, turn.heard.language))))
}

async fn discard(tx: &mut Tx, turn: &mut Turn<'_>) -> Result<Done, CompanionError> {
    if let Some(instrument) = turn.stand.form.take() {
        tx.delete_draft(turn.key.member(), turn.heard.chat(), instrument).await?;
    }
    turn.stand.question = None;
    Ok(Done::of(Became::Done))
}
