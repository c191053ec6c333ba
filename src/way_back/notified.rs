//! What was notified is looked at: each resource by itself, with the bridge's own token, as if nobody had said anything of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::look::Gate;
use super::receive::GAP;
use super::take::{Found, is_known};
use super::{Place, WayBack, WayBackError};
use crate::delivery::ehr::NotShown;
use crate::domain::ids::{ClinicId, MemberId};
use crate::inbound::advice::{TYPES, focus_of};
use crate::store::{LaneKey, NoticeRow};

/// How many notices are looked at in one step.
const PORTION: i64 = 50;

impl WayBack {
    /// Looks at a portion of what was notified at a clinic. Returns whether there was anything.
    pub(super) async fn look_at_notices(&self, clinic: &ClinicId, place: &Place) -> Result<bool, WayBackError> {
        let rows = self.bridge.store.read().await?.notices(clinic, PORTION).await?;
        let is_any = !rows.is_empty();
        // However often something changed, it is looked at once.
        let mut once: BTreeMap<(MemberId, (String, String)), Vec<NoticeRow>> = BTreeMap::new();
        for row in rows {
            once.entry((row.lane.member, row.focus.clone())).or_default().push(row);
        }
        for ((member, (kind, id)), rows) in once {
            let lane = LaneKey { clinic: clinic.clone(), member };
            let is_seen = self.look_at_one(place, &lane, &kind, &id).await?;
            let mut tx = self.bridge.store.begin().await?;
            if !is_seen {
                tx.look_for_notified(&lane, self.bridge.clock.now(), GAP).await?;
            }
            for row in &rows {
                tx.delete_notice(row).await?;
            }
            tx.commit().await?;
        }
        Ok(is_any)
    }

    /// Returns whether it was seen; otherwise everything has to be looked for.
    async fn look_at_one(&self, place: &Place, lane: &LaneKey, kind: &str, id: &str) -> Result<bool, WayBackError> {
        let now = self.bridge.clock.now();
        // Nobody lets anything come back any more: then nobody looks.
        if matches!(self.gate(lane, now).await?, Gate::Closed(_)) {
            return Ok(true);
        }
        // What a Task asks to do may have changed: then the Task says something else.
        if kind == "Questionnaire" || !TYPES.contains(&kind) {
            return Ok(false);
        }
        let Ok(ticket) = place.ehr.prepare(lane.member).await else { return Ok(false) };
        let resource: Value = match place.ehr.show(&format!("{kind}/{id}"), &[], &ticket).await {
            Ok(shown) => match serde_json::from_slice(&shown.body) {
                Ok(resource) => resource,
                Err(_) => return Ok(false),
            },
            Err(NotShown::Gone) => {
                self.gone(lane, kind, id).await?;
                return Ok(true);
            }
            Err(NotShown::Refused { .. }) => return Ok(true),
            Err(NotShown::Away { .. }) => return Ok(false),
        };
        if is_known(&self.bridge, &lane.clinic, &resource).await? {
            return Ok(true);
        }
        let focus = match focus_of(&resource, place.ehr.base().as_str()) {
            Some((kind, id)) => match self.focus(place, &kind, &id, &ticket).await {
                Ok(focus) => focus,
                Err(_) => return Ok(false),
            },
            None => None,
        };
        self.take(place, lane, &[Found { resource, focus }]).await?;
        Ok(true)
    }
}
