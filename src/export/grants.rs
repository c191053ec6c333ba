//! `grants.json`: every version of everything the member allowed.

use serde_json::{Value, json};

use super::{Archive, Exported, Writing};
use crate::domain::grant::Grant;

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let grants = tx.grant_history(of.member).await?;
        drop(tx);
        let grants: Vec<Value> = grants.iter().map(version).collect();
        archive.write(format!("{:#}\n", json!({"grants": grants})).as_bytes()).await
    })
}

fn version(grant: &Grant) -> Value {
    json!({
        "grant": grant.id,
        "version": grant.version,
        "clinic": grant.clinic,
        "state": grant.state.as_str(),
        "terms": grant.terms,
        "created_at": grant.created_at,
        "ended_at": grant.ended_at,
    })
}
