//! What was notified is looked at: each resource by itself, with the bridge's own token, as if nobody had said anything of it.
//! What nobody knows what it was about is asked for where the EHR can say so (`$events`, Subscriptions R5 Backport); else
//! everything is looked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::look::{Gate, Missed};
use super::receive::GAP;
use super::take::is_known;
use super::{Place, WayBack, WayBackError};
use crate::delivery::ehr::{NotShown, Ticket};
use crate::domain::ids::{ClinicId, MemberId};
use crate::inbound::advice::TYPES;
use crate::inbound::notice::Notice;
use crate::store::{LaneKey, NoticeRow};

/// How many notices are looked at in one step.
const PORTION: i64 = 50;

/// What to look at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum About {
    /// The resource of this type and id.
    Resource(String, String),
    /// Whatever the events of a Subscription were about that did not come.
    Missing(Uuid),
}

impl WayBack {
    /// Looks at a portion of what was notified at a clinic. Returns whether there was anything.
    pub(super) async fn look_at_notices(&self, clinic: &ClinicId, place: &Place) -> Result<bool, WayBackError> {
        let rows = self.bridge.store.read().await?.notices(clinic, PORTION).await?;
        let is_any = !rows.is_empty();
        // However often something changed, it is looked at once.
        let mut once: BTreeMap<(MemberId, About), Vec<NoticeRow>> = BTreeMap::new();
        for row in rows {
            let about = match row.focus.clone() {
                Some((kind, id)) => About::Resource(kind, id),
                None => About::Missing(row.subscription),
            };
            once.entry((row.lane.member, about)).or_default().push(row);
        }
        for ((member, about), rows) in once {
            let lane = LaneKey { clinic: clinic.clone(), member };
            let is_seen = match self.look_at(place, &lane, &about, &rows).await {
                Ok(is_seen) => is_seen,
                Err(Missed::Theirs(_)) => false,
                Err(Missed::Ours(error)) => return Err(error),
            };
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
    async fn look_at(&self, place: &Place, lane: &LaneKey, about: &About, rows: &[NoticeRow]) -> Result<bool, Missed> {
        // Nobody lets anything come back any more: then nobody looks.
        if matches!(self.gate(lane, self.bridge.clock.now()).await?, Gate::Closed(_)) {
            return Ok(true);
        }
        let Ok(ticket) = place.ehr.prepare(lane.member).await else { return Ok(false) };
        match about {
            About::Resource(kind, id) => self.look_at_one(place, lane, (kind, id), &ticket).await,
            About::Missing(subscription) => {
                let numbers = rows.iter().map(|row| row.number).collect();
                let Some(missed) = self.missed(place, *subscription, &numbers, &ticket).await? else {
                    return Ok(false);
                };
                for (kind, id) in missed {
                    if !self.look_at_one(place, lane, (&kind, &id), &ticket).await? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// What missing events were about, if the EHR can tell that of each.
    async fn missed(
        &self,
        place: &Place,
        subscription: Uuid,
        numbers: &BTreeSet<i64>,
        ticket: &Ticket,
    ) -> Result<Option<BTreeSet<(String, String)>>, Missed> {
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return Ok(None) };
        let id = self.bridge.store.read().await?.subscription_ehr_id(subscription).await?;
        let Some(id) = id.filter(|_| ticket.capabilities().tells_events()) else { return Ok(None) };
        let (first, last) = (first.to_string(), last.to_string());
        let query =
            [("eventsSinceNumber", first.as_str()), ("eventsUntilNumber", last.as_str()), ("content", "id-only")];
        let shown =
            place.ehr.show(&format!("Subscription/{id}/$events"), &query, ticket).await.map_err(Missed::Theirs)?;
        let Ok(notice) = Notice::read(&shown.body) else { return Ok(None) };
        let told = notice.news.into_iter().filter_map(|news| news.number.zip(news.focus));
        let told: BTreeMap<i64, (String, String)> = told.filter(|(number, _)| numbers.contains(number)).collect();
        // An EHR may keep no more than the last ones.
        Ok((told.len() == numbers.len()).then(|| told.into_values().collect()))
    }

    async fn look_at_one(
        &self,
        place: &Place,
        lane: &LaneKey,
        (kind, id): (&str, &str),
        ticket: &Ticket,
    ) -> Result<bool, Missed> {
        // What a Task asks to do may have changed: then the Task says something else.
        let mut found = self.tasks_about(place, lane, (kind, id), ticket).await?;
        if TYPES.contains(&kind) {
            let shown = match place.ehr.show(&format!("{kind}/{id}"), &[], ticket).await {
                Ok(shown) => shown,
                Err(NotShown::Gone) => {
                    self.gone(lane, kind, id).await?;
                    return Ok(true);
                }
                Err(NotShown::Refused { .. }) => return Ok(true),
                Err(away) => return Err(Missed::Theirs(away)),
            };
            let Ok(resource) = serde_json::from_slice::<Value>(&shown.body) else { return Ok(false) };
            if !is_known(&self.bridge, &lane.clinic, &resource).await? {
                found.push(self.complete(place, resource, ticket).await.map_err(Missed::Theirs)?);
            }
        } else if found.is_empty() {
            return Ok(false);
        }
        if !found.is_empty() {
            self.take(place, lane, &found).await?;
        }
        Ok(true)
    }
}
