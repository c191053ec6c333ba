//! A desk at work, as long as the process runs.

use tokio::sync::watch;

use super::bells::Bells;
use super::{POLL, StartError};
use crate::delivery::desk::Desk;
use crate::telemetry::logs::chain;

/// One desk's life: work while there is something to do, otherwise wait for an answer, or to be woken.
pub(super) async fn work(mut desk: Desk, mut stopping: watch::Receiver<bool>, bells: Bells) -> Result<(), StartError> {
    while !*stopping.borrow() {
        let (stored, heard) = (bells.stored.notified(), bells.heard.notified());
        let failed = match desk.step().await {
            Ok(true) => continue,
            Ok(false) => false,
            Err(error) => {
                let (clinic_id, cause) = (desk.clinic(), chain(&error));
                tracing::warn!(%clinic_id, cause, "work was left; it is taken up again later");
                true
            }
        };
        tokio::select! {
            () = stored, if !failed => desk.wake(),
            () = heard, if !failed => desk.wake(),
            true = desk.finished(), if !failed => {}
            () = tokio::time::sleep(POLL) => desk.wake(),
            _ = stopping.changed() => {}
        }
    }
    if let Err(error) = desk.finish().await {
        let (clinic_id, cause) = (desk.clinic(), chain(&error));
        tracing::warn!(%clinic_id, cause, "work was left; the next start finds it again");
    }
    Ok(())
}
