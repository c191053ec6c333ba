//! Booking at clinics that offer visits.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::{POLL, StartError};
use crate::booking::Finder;
use crate::config::Config;
use crate::delivery::desks::Desks;
use crate::domain::ids::ClinicId;
use crate::pipeline::Bridge;
use crate::telemetry::logs::chain;

/// What reads free times at every clinic that offers visits: with the clients that its desks have.
#[must_use]
pub fn finder(config: &Config, bridge: &Bridge, desks: &Desks) -> Finder {
    let offering = config.clinics.iter().filter(|(_, clinic)| !clinic.visits.is_empty());
    let ehrs = offering.filter_map(|(id, _)| Some((id.clone(), Arc::clone(&desks.clinics.get(id)?.ehr))));
    Finder::new(bridge.clone(), ehrs.collect::<BTreeMap<_, _>>())
}

/// Looks for those who wait for something free at one clinic, and after its group sessions, as long as the process runs.
pub(super) async fn look(
    finder: Finder,
    clinic: ClinicId,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), StartError> {
    while !*stopping.borrow() {
        // Each gets its turn, whatever becomes of the other.
        let looked = [finder.look_for_waiting(&clinic).await, finder.look_after_sessions(&clinic).await];
        let mut is_more = false;
        for looked in looked {
            match looked {
                Ok(more) => is_more |= more,
                Err(error) => {
                    tracing::warn!(clinic_id = %clinic, cause = chain(&error), "a look at a clinic's times was left");
                }
            }
        }
        if is_more {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = stopping.changed() => {}
        }
    }
    Ok(())
}
