//! Before a visit, whoever treats the member finds a page: about the week, as much of it as is over when it is time.
//!
//! Which page that is, and up to which day it speaks, follows from the visit alone. So nothing need be noted of its having been
//! made: until the visit begins, whoever looks again makes the same page, and what says nothing new is not told twice. Of a visit
//! that was called off or moved there is none.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::make::{last_week, must_wait};
use super::work_out::week_up_to;
use crate::domain::category::Detail;
use crate::domain::day::Period;
use crate::domain::ids::ClinicId;
use crate::domain::page::PageRules;
use crate::insight::standing::Standing;
use crate::pipeline::Bridge;
use crate::store::{LaneKey, PageDue, PageKey, StoreError, Tx};

/// The pages that are to be made before visits, each with as much of its week as it is about.
pub type Before = BTreeMap<PageKey, Period>;

/// Has the pages made that are due before visits of a member, whom the caller has locked. Returns them, and when the next ones
/// are.
///
/// # Errors
/// [`StoreError`].
pub async fn before_visits(
    bridge: &Bridge,
    tx: &mut Tx,
    standing: &Standing,
    now: Timestamp,
) -> Result<(Before, Option<Timestamp>), StoreError> {
    let (mut pages, mut next) = (Before::new(), None);
    if !bridge.house.has_pages() {
        return Ok((pages, next));
    }
    for booked in tx.visits_to_come(standing.member, now).await? {
        let before = bridge.house.pages(&booked.clinic).and_then(PageRules::before_visit);
        let (Some(before), Some(visit)) = (before, booked.visit()) else { continue };
        // Nobody at the clinic knows of such a place in a group, and a page would tell.
        if visit.seat.is_some_and(|seat| !seat.is_known) {
            continue;
        }
        // Who books later gets it at once.
        let due = visit.time.start.checked_sub(before).unwrap_or(Timestamp::MIN).max(booked.created_at);
        if due > now {
            next = Some(next.map_or(due, |next: Timestamp| next.min(due)));
            continue;
        }
        let week = week(standing, &visit.clinic, due);
        if must_wait(standing, &visit.clinic, week, now) {
            continue;
        }
        let lane = LaneKey { clinic: visit.clinic, member: standing.member };
        let page = pages.entry(PageKey { lane, first_day: week.first_day }).or_insert(week);
        *page = week.max(*page);
    }
    tx.note_pages(&pages.keys().cloned().collect(), PageDue::Visit).await?;
    Ok((pages, next))
}

/// The week that a page is about which is made then: as much of it as is over, where the clinic may be told of days, else the
/// last one that is over.
fn week(standing: &Standing, clinic: &ClinicId, at: Timestamp) -> Period {
    let grant = standing.grants.iter().find(|grant| grant.clinic == *clinic);
    let mut shared = grant.into_iter().flat_map(|grant| &grant.terms.categories);
    if shared.any(|(category, detail)| category.is_summarised() && *detail > Detail::WeeklySummary) {
        week_up_to(&standing.days, at)
    } else {
        last_week(standing, at)
    }
}
