//! What the bridge keeps at an EHR that is about no member, such as a group session: found by its identifier, read before it is
//! changed, and changed only as it was read. There is nobody whose consent it would take.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::client::{EhrClient, Ticket};
use super::write::Resource;
use super::{Found, Sent, exact};
use crate::domain::delivery::Stored;

/// A resource as it stands, and where.
pub type Standing = (Stored, Value);

impl EhrClient {
    /// A resource of the bridge's own as it stands; `None` where there is none.
    ///
    /// # Errors
    /// What is known when the EHR does not show it.
    pub async fn own(&self, resource_type: &str, identifier: &str, ticket: &Ticket) -> Result<Option<Standing>, Sent> {
        let stored = match self.find(resource_type, identifier, ticket, Timestamp::MAX).await {
            Found::Stored(stored) => stored,
            Found::Absent => return Ok(None),
            Found::NotBegun => return Err(Sent::NotBegun),
            Found::Undecided { reason, retry_after } => return Err(Sent::NotStored { reason, retry_after }),
            Found::NoSearch { reason } => return Err(Sent::Rejected { reason, outcome: None }),
        };
        let (resource, version) = self.current(&stored, ticket, Timestamp::MAX).await?;
        Ok(Some((Stored { version, ..stored }, resource)))
    }

    /// Writes a resource of the bridge's own: a new one, or into the one that was read. There, what others wrote stays, and so do
    /// who takes part in it and when it was made.
    pub async fn keep_own(&self, identifier: &str, wanted: &Value, before: Option<Standing>, ticket: &Ticket) -> Sent {
        let unwritable = || Sent::Rejected { reason: "content-unwritable".to_owned(), outcome: None };
        let body = wanted.to_string().into_bytes();
        let Some((at, mut next)) = before else {
            let Some(kind) = wanted.get("resourceType").and_then(Value::as_str) else { return unwritable() };
            let resource = Resource { resource_type: kind.to_owned(), body };
            return self.create_as(identifier, resource, ticket, Timestamp::MAX).await;
        };
        let wanted = exact::read(&body);
        let (Some(members), Some(wanted)) = (next.as_object_mut(), wanted.as_ref().and_then(Value::as_object)) else {
            return unwritable();
        };
        for (name, value) in wanted {
            match name.as_str() {
                "meta" | "created" | "identifier" | "participant" => {}
                "extension" => put_extensions(members, value),
                _ => drop(members.insert(name.clone(), value.clone())),
            }
        }
        self.put(&at, &next, ticket, Timestamp::MAX).await
    }
}

/// Puts extensions in the place of those with the same url; others stay.
fn put_extensions(members: &mut Map<String, Value>, wanted: &Value) {
    let wanted = wanted.as_array().map_or(&[][..], Vec::as_slice);
    let there = members.entry("extension").or_insert_with(|| Value::Array(Vec::new()));
    if let Some(there) = there.as_array_mut() {
        there.retain(|one| wanted.iter().all(|new| new.get("url") != one.get("url")));
        there.extend(wanted.iter().cloned());
    }
}
