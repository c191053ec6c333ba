//! Looking for what clinics have for members.

use tokio::sync::watch;

use super::{POLL, StartError};
use crate::config::{Clinic, Config};
use crate::delivery::desks::Desks;
use crate::delivery::ehr::with_slash;
use crate::domain::ids::ClinicId;
use crate::domain::way_back::Subscribe;
use crate::pipeline::Bridge;
use crate::telemetry::logs::chain;
use crate::way_back::{Place, WayBack};

/// What looks at every configured clinic from which something comes back: with the clients that its desks have.
#[must_use]
pub fn way_back(config: &Config, bridge: &Bridge, desks: &Desks) -> WayBack {
    // Where a path ends without a slash, joining would replace its last part.
    let notify = with_slash(&config.server.public_url).join("fhir/notify").ok();
    let place = |(id, clinic): (&ClinicId, &Clinic)| {
        let (ehr, rules) = (desks.clinics.get(id)?.ehr.clone(), clinic.way_back.clone()?);
        let notify = notify.clone().filter(|_| rules.subscribe != Subscribe::Never);
        Some((id.clone(), Place { ehr, rules, notify }))
    };
    WayBack::new(bridge.clone(), config.clinics.iter().filter_map(place).collect())
}

/// Looks at one clinic as long as the process runs.
pub(super) async fn look(
    way_back: WayBack,
    clinic: ClinicId,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), StartError> {
    while !*stopping.borrow() {
        let news = way_back.news();
        let news = news.notified();
        match way_back.step(&clinic).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(clinic_id = %clinic, cause = chain(&error), "a look was left; it is taken again later");
            }
        }
        tokio::select! {
            () = news => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stopping.changed() => {}
        }
    }
    Ok(())
}
