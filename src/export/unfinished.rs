//! `unfinished.json`: questionnaires that the member has begun and not finished.

use serde_json::{Value, json};

use super::{Archive, Exported, Writing};
use crate::domain::ids::CommunityId;
use crate::domain::questionnaire::{Answer, Draft};
use crate::readings::drafts::everywhere;

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let said: Vec<Value> = everywhere(&mut tx, &of.key).await?.iter().map(unfinished).collect();
        drop(tx);
        archive.file("readings/unfinished.json").await?;
        archive.write(format!("{:#}\n", Value::from(said)).as_bytes()).await
    })
}

/// One, with the community in whose chat it was begun; without one if it was here, in the portal.
fn unfinished((chat, draft): &(Option<CommunityId>, Draft)) -> Value {
    let answered = draft.each().filter(|(_, _, answer)| *answer != Answer::NotAsked);
    let said = |answer: Answer| answer.given().map_or_else(|| json!("declined"), |choice| json!(choice));
    let answers: Value = answered.map(|(_, question, answer)| (question.code.to_owned(), said(answer))).collect();
    let mut said = json!({"instrument": draft.instrument().as_str(), "answers": answers});
    if let (Some(community), Some(said)) = (chat, said.as_object_mut()) {
        said.insert("community".to_owned(), json!(community));
    }
    said
}
