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

/// Looks for those who wait for something free at one clinic, as long as the process runs.
pub(super) async fn look(
    finder: Finder,
    clinic: ClinicId,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), StartError> {
    while !*stopping.borrow() {
        match finder.look_for_waiting(&clinic).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(clinic_id = %clinic, cause = chain(&error), "a look for free times was left");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = stopping.changed() => {}
        }
    }
    Ok(())
}
