//! `unfinished.json`: questionnaires that the member has begun and not finished.

use serde_json::{Value, json};

use super::{Archive, Exported, Writing};
use crate::domain::questionnaire::{Answer, Draft};
use crate::readings::drafts::drafts;

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let said: Vec<Value> = drafts(&mut tx, &of.key).await?.iter().map(unfinished).collect();
        drop(tx);
        archive.file("readings/unfinished.json").await?;
        archive.write(format!("{:#}\n", Value::from(said)).as_bytes()).await
    })
}

fn unfinished(draft: &Draft) -> Value {
    let answered = draft.each().filter(|(_, _, answer)| *answer != Answer::NotAsked);
    let said = |answer: Answer| answer.given().map_or_else(|| json!("declined"), |choice| json!(choice));
    let answers: Value = answered.map(|(_, question, answer)| (question.code.to_owned(), said(answer))).collect();
    json!({"instrument": draft.instrument().as_str(), "answers": answers})
}
