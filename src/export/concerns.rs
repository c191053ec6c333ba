//! `concerns.json`: when the people of a community were told that somebody should look after the member.
//! `warnings.json`: when a clinic was told so without consent, and by which right.

use serde_json::{Value, json};

use super::{Archive, Exported, Writing};
use crate::safety::{self, Concern, Warned};

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let rows = of.bridge.store.read().await?.concerns_about(of.member).await?;
        let mut said = Vec::with_capacity(rows.len());
        for row in rows {
            match safety::read(&of.key, row) {
                Ok(concern) => said.push(told(&concern)),
                Err(error) => tracing::error!(%error, "a concern cannot be read"),
            }
        }
        archive.file("disclosures/concerns.json").await?;
        archive.write(format!("{:#}\n", Value::from(said)).as_bytes()).await
    })
}

fn told(concern: &Concern) -> Value {
    json!({
        "concern": concern.id,
        "community": concern.community,
        "rule": concern.rule,
        "phrase": concern.phrase,
        "state": concern.state,
        "raised_at": concern.raised_at,
        "told_at": concern.told_at,
        "escalated_at": concern.escalated_at,
        "acknowledged_at": concern.acknowledged.as_ref().map(|(at, _)| at),
        "closed_at": concern.closed.as_ref().map(|(at, _)| at),
    })
}

pub(super) fn write_warnings<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let said: Vec<Value> = safety::warnings(&mut tx, &of.key).await?.iter().map(warned).collect();
        drop(tx);
        archive.file("disclosures/warnings.json").await?;
        archive.write(format!("{:#}\n", Value::from(said)).as_bytes()).await
    })
}

/// Who decided so is another person's name.
fn warned(warned: &Warned) -> Value {
    json!({
        "clinic": warned.clinic,
        "concern": warned.concern,
        "identifier": warned.identifier,
        "decided_at": warned.decided_at,
        "reason": warned.why.reason,
        "purpose": warned.why.purpose,
        "legal_basis": warned.why.legal_basis,
        "state": warned.state.as_str(),
    })
}
