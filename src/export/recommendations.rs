//! `recommendations.json`: what clinics have for the member, and what they answered.

use serde_json::{Value, json};

use super::{Archive, Exported, PAGE, Writing};
use crate::domain::ids::RecommendationId;
use crate::domain::recommendation::{Answered, Recommendation};
use crate::recommendations::{answers, page};

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("recommendations/recommendations.json").await?;
        archive.write(b"[").await?;
        let answered = answers(&mut of.bridge.store.read().await?, &of.key, None).await?;
        let (mut after, mut between) = (None, "\n");
        loop {
            let page = page(&mut of.bridge.store.read().await?, &of.key, after, PAGE).await?;
            for recommendation in &page.recommendations {
                let told = told(recommendation, &answered);
                archive.write(format!("{between}{told:#}").as_bytes()).await?;
                between = ",\n";
            }
            after = page.next;
            if after.is_none() {
                return archive.write(b"\n]\n").await;
            }
        }
    })
}

fn told(recommendation: &Recommendation, answered: &[(RecommendationId, Answered)]) -> Value {
    let own = answered.iter().filter(|(to, _)| *to == recommendation.id);
    let answers: Vec<Value> = own
        .map(|(_, answered)| {
            json!({"answer": answered.answer.as_str(), "text": answered.answer.text(), "at": answered.at.to_string()})
        })
        .collect();
    json!({
        "clinic": recommendation.clinic.as_str(),
        "kind": recommendation.kind.as_str(),
        "state": recommendation.state.as_str(),
        "received_at": recommendation.received_at.to_string(),
        "says": recommendation.says,
        "answers": answers,
    })
}
