//! A member answers a message.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::one::{Draft, page};
use crate::domain::ids::RecommendationId;
use crate::domain::recommendation::Answer;
use crate::pipeline::answers::{self, AnswerError};
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::{Fields, Posted};
use crate::web::portal::frame::{Frame, go_to_saying};

/// Takes an answer. One that cannot be sent is shown again as it was written.
pub async fn answer(
    state: Data<State>,
    frame: Frame,
    posted: Posted,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let id: RecommendationId = id.parse().map_err(|_| PortalError::NotFound)?;
    let (answer, done, wrong) = read(&posted.fields)?;
    let (now, mut tx) = (state.bridge.clock.now(), state.bridge.store.begin().await?);
    match answers::answer(&state.bridge, &mut tx, posted.session.member, id, answer, now).await {
        Ok(_) => {}
        // It may have been paused in another window: what they wrote is not lost, and why it is not sent stands there.
        Err(error @ (AnswerError::Text | AnswerError::NotPermitted(_))) => {
            drop(tx);
            let wrong = if matches!(error, AnswerError::Text) { wrong } else { "message-wrong-not-shared" };
            let [reason, question] = ["reason", "question"].map(|name| posted.fields.text(name).to_owned());
            let tx = state.bridge.store.read().await?;
            return page(&state, frame, &posted.session, id, tx, Draft { wrong: Some(wrong), reason, question }).await;
        }
        Err(error) => return Err(error.into()),
    }
    tx.commit().await?;
    state.bridge.wake.notify_waiters();
    Ok(go_to_saying(&format!("/messages/{id}"), done))
}

/// The answer, what is said when it is taken, and what when it cannot be sent: the keys of texts.
fn read(fields: &Fields) -> Result<(Answer, &'static str, &'static str), PortalError> {
    Ok(match fields.text("answer") {
        "accept" => (Answer::Accept, "flash-message-accepted", "message-wrong-text"),
        "done" => (Answer::Done, "flash-message-done", "message-wrong-text"),
        "decline" => {
            let reason = Some(fields.text("reason").to_owned());
            (Answer::Decline { reason }, "flash-message-declined", "message-wrong-reason")
        }
        "question" => {
            let text = fields.text("question").to_owned();
            (Answer::Question { text }, "flash-message-asked", "message-wrong-text")
        }
        _ => return Err(PortalError::BadForm),
    })
}
