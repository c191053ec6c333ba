//! How the people of communities are told of concerns, wired from the settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::messengers::messenger;
use super::{POLL, StartError};
use crate::config::{Config, Contact, Safety};
use crate::delivery::member::Channel;
use crate::domain::clock::Clock;
use crate::domain::ids::CommunityId;
use crate::pipeline::Bridge;
use crate::safety::{AlarmSender, Levels};
use crate::telemetry::logs::chain;
use crate::web::StateError;
use crate::web::portal::Words;

/// How many are told at the same time: a channel that does not answer keeps nobody else waiting.
const AT_ONCE: usize = 4;

/// What tells people of concerns.
///
/// # Errors
/// [`StartError`].
pub fn alarm_sender(config: &Config, bridge: &Bridge) -> Result<AlarmSender, StartError> {
    let mut all = BTreeMap::new();
    for (id, community) in &config.communities {
        if let Some(safety) = &community.safety {
            all.insert(id.clone(), levels(config, &bridge.clock, id, safety)?);
        }
    }
    Ok(AlarmSender {
        store: bridge.store.clone(),
        keyring: bridge.keyring.clone(),
        clock: bridge.clock.clone(),
        levels: Arc::new(all),
        api: config.server.public_url.clone(),
        words: Arc::new(Words::new(BTreeMap::new()).map_err(StateError::from)?),
    })
}

fn levels(config: &Config, clock: &Clock, id: &CommunityId, safety: &Safety) -> Result<Levels, StartError> {
    Ok(Levels {
        first: channel(config, clock, id, &safety.first)?,
        second: safety.second.as_ref().map(|second| channel(config, clock, id, second)).transpose()?,
        escalate_after: safety.escalate_after,
        language: safety.language,
    })
}

fn channel(config: &Config, clock: &Clock, id: &CommunityId, contact: &Contact) -> Result<Channel, StartError> {
    let (to, names_member) = match contact {
        Contact::Webhook { names_member, .. } => (String::new(), *names_member),
        Contact::Mail { to, .. } => (to.clone(), false),
        Contact::Connector { room, names_member } => (room.clone(), *names_member),
    };
    Ok(Channel { means: messenger(config, clock, id, &contact.way())?.means, to, names_member })
}

/// Tells people of concerns as they are raised, as long as the process runs. What is cut off is taken up again.
pub(super) async fn tell(sender: AlarmSender, raised: Arc<Notify>) {
    // Where nobody is named any more, there may still be concerns from before: somebody has to say that nobody is told.
    let at_once = if sender.levels.is_empty() { 1 } else { AT_ONCE };
    join_all((0..at_once).map(|_| tell_one_after_another(&sender, &raised))).await;
}

async fn tell_one_after_another(sender: &AlarmSender, raised: &Notify) {
    loop {
        let woken = raised.notified();
        match sender.tell_one().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(cause = chain(&error), "a concern was left; it is taken up again later"),
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
