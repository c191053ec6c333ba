//! How communities are told in their rooms what there is for everybody, wired from the settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::StartError;
use super::connectors::platform;
use crate::announcing::{Announcer, Board};
use crate::config::Config;
use crate::pipeline::Bridge;
use crate::telemetry::logs::chain;
use crate::web::StateError;
use crate::web::portal::Words;

/// How long until it is looked again for something to announce: nobody waits for it.
const POLL: Duration = Duration::from_secs(10);

/// What tells communities.
///
/// # Errors
/// [`StartError`].
pub fn announcer(config: &Config, bridge: &Bridge) -> Result<Announcer, StartError> {
    let mut boards = BTreeMap::new();
    for (id, community) in &config.communities {
        let Some(announcements) = &community.announcements else { continue };
        let Some(connector) = platform(config, community, &bridge.clock) else { continue };
        let connector = connector?;
        let board = Board {
            otherwise: connector.language(),
            platform: connector,
            rooms: announcements.rooms.clone(),
            language: announcements.language,
        };
        boards.insert(id.clone(), board);
    }
    Ok(Announcer {
        bridge: bridge.clone(),
        boards: Arc::new(boards),
        portal: config.server.public_url.clone(),
        words: Arc::new(Words::new(BTreeMap::new()).map_err(StateError::from)?),
    })
}

/// Tells communities as long as the process runs. What is cut off is taken up again.
pub(super) async fn announce(announcer: Announcer) {
    loop {
        if let Err(error) = announcer.announce().await {
            tracing::warn!(cause = chain(&error), "an announcement was left; it is taken up again later");
        }
        tokio::time::sleep(POLL).await;
    }
}
