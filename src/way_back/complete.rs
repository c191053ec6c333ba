//! What a resource only refers to is looked up with it: what a Task asks to do, the Tasks that ask to do it, and the name of
//! whoever speaks.

use serde_json::Value;

use super::look::Missed;
use super::take::{Found, resource_index};
use super::{Place, WayBack, WayBackError};
use crate::delivery::ehr::{NotShown, Ticket};
use crate::inbound::advice::{FOCUS_TYPES, focus_of, say_name, unnamed};
use crate::recommendations;
use crate::store::LaneKey;

impl WayBack {
    /// A resource with what it asks to do, and with the name of whoever speaks in it.
    pub(super) async fn complete(
        &self,
        place: &Place,
        mut resource: Value,
        ticket: &Ticket,
    ) -> Result<Found, NotShown> {
        let mut focus = match focus_of(&resource, place.ehr.base().as_str()) {
            Some((kind, id)) => focus(place, &kind, &id, ticket).await?,
            None => None,
        };
        name(place, &mut resource, ticket).await;
        if let Some(focus) = &mut focus {
            name(place, focus, ticket).await;
        }
        Ok(Found { resource, focus })
    }

    /// The Tasks kept for a member that ask to do what stands in a resource, as they stand now: when it says something else,
    /// so do they, although nobody changed them.
    pub(super) async fn tasks_about(
        &self,
        place: &Place,
        lane: &LaneKey,
        (kind, id): (&str, &str),
        ticket: &Ticket,
    ) -> Result<Vec<Found>, Missed> {
        if !FOCUS_TYPES.contains(&kind) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for task in self.kept_about(lane, kind, id).await? {
            match place.ehr.show(&format!("Task/{task}"), &[], ticket).await {
                Ok(shown) => {
                    if let Ok(task) = serde_json::from_slice(&shown.body) {
                        found.push(self.complete(place, task, ticket).await.map_err(Missed::Theirs)?);
                    }
                }
                // That it is gone is found by itself.
                Err(NotShown::Gone | NotShown::Refused { .. }) => {}
                Err(away) => return Err(Missed::Theirs(away)),
            }
        }
        Ok(found)
    }

    /// The ids of the Tasks kept for a member that ask to do what stands in a resource.
    async fn kept_about(&self, lane: &LaneKey, kind: &str, id: &str) -> Result<Vec<String>, WayBackError> {
        let mut tx = self.bridge.store.read().await?;
        let about = resource_index(&self.bridge, &lane.clinic, kind, id);
        let rows = tx.recommendations_about(lane.member, &lane.clinic, about).await?;
        let Some(wrapped) = tx.member_key(lane.member).await?.filter(|_| !rows.is_empty()) else {
            return Ok(Vec::new());
        };
        let key = self.bridge.keyring.unwrap_member_key(lane.member, &wrapped)?;
        let mut tasks = Vec::with_capacity(rows.len());
        for row in rows {
            tasks.extend(recommendations::open(&key, row)?.says.map(|says| says.source.id));
        }
        Ok(tasks)
    }
}

/// What a Task asks to do. What the EHR does not show is as good as not there; one that is away is asked again later.
async fn focus(place: &Place, kind: &str, id: &str, ticket: &Ticket) -> Result<Option<Value>, NotShown> {
    match place.ehr.show(&format!("{kind}/{id}"), &[], ticket).await {
        Ok(shown) => Ok(serde_json::from_slice(&shown.body).ok()),
        Err(NotShown::Gone | NotShown::Refused { .. }) => Ok(None),
        Err(away) => Err(away),
    }
}

/// Says in a resource what whoever speaks is called. A name that cannot be had holds up nothing: then it comes from the clinic.
async fn name(place: &Place, resource: &mut Value, ticket: &Ticket) {
    let Some(speaker) = unnamed(resource, place.ehr.base().as_str()) else { return };
    let shown = place.ehr.show(&format!("{}/{}", speaker.kind, speaker.id), &[], ticket).await;
    if let Some(known) = shown.ok().and_then(|shown| serde_json::from_slice(&shown.body).ok()) {
        say_name(resource, &speaker, &known);
    }
}
