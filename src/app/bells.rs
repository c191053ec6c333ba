//! What runs beside the desks: telling other processes and hearing them, and the chores.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::POLL;
use crate::chores;
use crate::pipeline::Bridge;
use crate::store::Store;
use crate::telemetry::logs::chain;

/// How often other processes are told that there is something to do.
const ANNOUNCE_AT_MOST_EVERY: Duration = Duration::from_millis(20);

/// What wakes desks.
#[derive(Clone, Debug)]
pub(super) struct Bells {
    /// This process put something into the outbox.
    pub stored: Arc<Notify>,
    /// Another one did.
    pub heard: Arc<Notify>,
}

/// Tells other processes that something was put into the outbox: many batches in one word.
pub(super) async fn announce(store: Store, bells: Bells) {
    let mut stored = Box::pin(bells.stored.notified());
    loop {
        stored.await;
        stored = Box::pin(bells.stored.notified());
        if let Err(error) = store.announce().await {
            tracing::debug!(cause = chain(&error), "other processes are not told; they look by themselves");
        }
        tokio::time::sleep(ANNOUNCE_AT_MOST_EVERY).await;
    }
}

/// Hears what other processes tell.
pub(super) async fn listen(store: Store, bells: Bells) {
    loop {
        match store.listen().await {
            Ok(None) => return,
            Ok(Some(mut listener)) => {
                while listener.heard().await.is_ok() {
                    bells.heard.notify_waiters();
                }
            }
            Err(error) => tracing::debug!(cause = chain(&error), "not listening; looking from time to time"),
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Does what the time brings about, as long as the process runs. A chore that is cut off is done the next time.
pub(super) async fn keep_house(bridge: Bridge) {
    loop {
        match chores::run_due(&bridge).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(chores::EVERY).await,
            Err(error) => {
                tracing::warn!(cause = chain(&error), "a chore was left; it is taken up again later");
                tokio::time::sleep(chores::EVERY).await;
            }
        }
    }
}
