//! Hearing platforms that do not call: what they bring is taken as if they had called.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::Data;
use jiff::SignedDuration;
use uuid::Uuid;

use super::connectors::take;
use super::{Problem, State};
use crate::connectors::Heard;
use crate::delivery::member::MessageError;
use crate::domain::entropy::NoEntropy;
use crate::domain::ids::CommunityId;
use crate::store::StoreError;
use crate::telemetry::logs::chain;

/// For how long one process may listen without saying so again: more than a platform is waited for, and less than anybody
/// wants to wait for an answer after a process has died.
const HELD_FOR: SignedDuration = SignedDuration::from_secs(60);

/// How long to wait before trying again what failed, or is another process's.
const AGAIN: Duration = Duration::from_secs(5);

/// What hears platforms that do not call.
#[derive(Clone)]
pub struct Ears {
    state: Data<State>,
    /// This process, among those on the same database.
    process: Uuid,
    /// How far each platform was heard.
    progress: Arc<Mutex<BTreeMap<CommunityId, Progress>>>,
}

/// How far a platform was heard.
#[derive(Clone, Default)]
struct Progress {
    /// The mark of what it brought, all of which is done.
    mark: Option<String>,
    /// What people said that is done, by its ids, of what comes again because the rest of it is not.
    said: BTreeSet<String>,
}

/// Why nothing was heard, or not all of it taken: it is heard again.
#[derive(Debug, thiserror::Error)]
pub enum EarError {
    /// The platform does not answer.
    #[error(transparent)]
    Platform(#[from] MessageError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be done.
    #[error("what was heard could not be done: {0}")]
    NotDone(u16),
}

impl Ears {
    pub(crate) fn new(state: Data<State>) -> Result<Self, NoEntropy> {
        let process = state.bridge.keyring.entropy().uuid(state.bridge.clock.now())?;
        Ok(Self { state, process, progress: Arc::default() })
    }

    /// Whose platforms do not call.
    #[must_use]
    pub fn communities(&self) -> Vec<CommunityId> {
        self.state.platforms.connectors.quiet()
    }

    /// Listens to a community's platform until there is something, or for a while, and does it. Returns whether this process
    /// does the listening.
    ///
    /// # Errors
    /// [`EarError`].
    pub async fn turn(&self, community: &CommunityId) -> Result<bool, EarError> {
        let Some(connector) = self.state.platforms.connectors.of(community) else { return Ok(false) };
        let Some(ear) = connector.ear() else { return Ok(false) };
        if !self.holds(community).await? {
            ear.rest().await;
            return Ok(false);
        }
        let before = self.progress.lock().unwrap_or_else(PoisonError::into_inner).get(community).cloned();
        let Progress { mark, mut said } = before.unwrap_or_default();
        let listened = ear.listen(mark.clone()).await?;
        // It may have taken long: what another process hears by now is not this one's to do.
        if !listened.heard.is_empty() && !self.holds(community).await? {
            ear.rest().await;
            return Ok(false);
        }
        let is_new = |heard: &Heard| !matches!(heard, Heard::Said(spoken) if said.contains(&spoken.id));
        let heard = listened.heard.into_iter().filter(is_new).collect();
        let taken = take(&self.state, community, connector.as_ref(), heard, &mut said).await;
        let after = match &taken {
            Ok(_) => Progress { mark: listened.done.or(mark), said: BTreeSet::new() },
            Err(_) => Progress { mark, said },
        };
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).insert(community.clone(), after);
        taken?;
        Ok(true)
    }

    /// Lets other processes listen at once.
    pub(crate) async fn release(&self) {
        if self.communities().is_empty() {
            return;
        }
        if let Err(error) = self.let_go().await {
            tracing::debug!(cause = chain(&error), "other processes listen in a minute");
        }
    }

    async fn let_go(&self) -> Result<(), StoreError> {
        let mut tx = self.state.bridge.store.begin().await?;
        tx.release_ears(self.process).await?;
        tx.commit().await
    }

    async fn holds(&self, community: &CommunityId) -> Result<bool, StoreError> {
        let now = self.state.bridge.clock.now();
        let until = now.checked_add(HELD_FOR).unwrap_or(now);
        let mut tx = self.state.bridge.store.begin().await?;
        let holds = tx.hold_ear(community, self.process, now, until).await?;
        tx.commit().await?;
        Ok(holds)
    }
}

/// Hears a community's platform for as long as the process runs.
pub async fn listen(ears: Ears, community: CommunityId) {
    loop {
        let wait = match ears.turn(&community).await {
            Ok(true) => continue,
            Ok(false) => AGAIN,
            Err(error) => {
                tracing::warn!(community_id = %community, cause = chain(&error), "a platform is not heard; it is tried again");
                error.again_after()
            }
        };
        tokio::time::sleep(wait).await;
    }
}

impl EarError {
    fn again_after(&self) -> Duration {
        let Self::Platform(error) = self else { return AGAIN };
        error
            .again_after()
            .and_then(|wished| wished.try_into().ok())
            .map_or(AGAIN, |wished: Duration| wished.max(AGAIN))
    }
}

impl From<Problem> for EarError {
    fn from(problem: Problem) -> Self {
        Self::NotDone(problem.status)
    }
}

impl fmt::Debug for Ears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ears({})", self.process)
    }
}
