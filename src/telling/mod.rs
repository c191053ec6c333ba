//! Members are told that there is something for them in the portal: privately, by the channels that they chose, at a time when
//! they wish to hear it, and saying no more than the operator, their consent and they themselves allow.
//!
//! What is to be told stands in `tellings` from the transaction on that brought it. A [`Teller`] takes up what is due of one
//! member, weighs it again while it holds them (is it still new to them? does their consent still let it out? is it a time to
//! tell it?), and makes one message of it, which has the same id however often it is tried. Only then it is sent, by one
//! channel after the other until one takes it. A teller that dies in between is followed by another one, when its time is over.

mod key;
mod send;
mod take;
mod ways;
mod weigh;
mod wished;
mod words;

pub use key::with_push_key;
pub use weigh::sayable;
pub use wished::{need_not_remind, remind_later};
pub use words::{Item, Saying, TellingWords, What};

use std::sync::Arc;

use jiff::SignedDuration;
use url::Url;

use crate::delivery::member::{Messengers, Push};
use crate::domain::entropy::NoEntropy;
use crate::outbox::retry::{Pace, next_attempt};
use crate::pipeline::answers::{AnswerError, delivered};
use crate::pipeline::{AcceptError, Bridge};
use crate::readings::KeptError;
use crate::readings::settings::change_settings;
use crate::recommendations::RecommendationError;
use crate::store::StoreError;
use crate::telemetry::crash_point;
use crate::telemetry::logs::chain;
use crate::vault::SealError;

use self::send::Outcome;
use self::take::Taken;
use crate::domain::ids::{MemberId, RecommendationId};
use crate::domain::settings::Change;
use crate::domain::telling::Channel;

/// When a member is looked at again who could not be told.
const LATER: SignedDuration = SignedDuration::from_mins(5);

/// The column subscriptions of browsers are sealed for; their row is their id.
pub const SUBSCRIPTION_COLUMN: &str = "push_subscriptions.sealed_subscription";

/// Where messages lead to in the portal.
pub const INBOX_PATH: &str = "/messages";

/// Where they lead to that a clinic was told something without the member's consent.
pub const SHARED_PATH: &str = "/shared";

/// Where they lead to whoever asked to be reminded.
pub const TALK_PATH: &str = "/talk";

/// What was not told; it is taken up again.
#[derive(Debug, thiserror::Error)]
pub enum TellingError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What the member set cannot be read or written.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// What is to be told cannot be read.
    #[error(transparent)]
    Recommendation(#[from] RecommendationError),
    /// It cannot be seen which questionnaires are due.
    #[error(transparent)]
    Due(#[from] AcceptError),
    /// It cannot be noted that the member was told.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// There is no randomness for an id.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Tells members that there is something for them.
#[derive(Clone, Debug)]
pub struct Teller {
    /// What every part of the bridge shares.
    pub bridge: Bridge,
    /// How each community tells its members something privately.
    pub messengers: Messengers,
    /// How members are told in their browsers; `None`: they are not.
    pub push: Option<Push>,
    /// Where the portal is.
    pub portal: Url,
    /// The words of messages.
    pub words: Arc<dyn TellingWords>,
    /// How long one channel may take before others take the message up. Longer than any of them does.
    pub lease: SignedDuration,
}

impl Teller {
    /// Tells one member what it is time to tell them. `false`: there is nobody to be told anything.
    ///
    /// # Errors
    /// [`TellingError`]; what was not told is told later.
    pub async fn tell_one(&self) -> Result<bool, TellingError> {
        let now = self.bridge.clock.now();
        let Some(member) = self.bridge.store.read().await?.member_to_tell(now).await? else { return Ok(false) };
        let taken = match self.take(member).await {
            Ok(Some(taken)) => taken,
            Ok(None) => return Ok(true),
            Err(error) => return self.put_off(member, &error).await,
        };
        crash_point("tell:taken");
        let outcome = self.send(&taken).await?;
        crash_point("tell:sent");
        self.settle(&taken, outcome).await?;
        Ok(true)
    }

    /// What is wrong with one member must not keep others waiting.
    async fn put_off(&self, member: MemberId, error: &TellingError) -> Result<bool, TellingError> {
        let now = self.bridge.clock.now();
        tracing::error!(member_id = %member, cause = chain(error), "a member cannot be told; it is tried again later");
        let mut tx = self.bridge.store.begin().await?;
        tx.put_off_tellings(member, now.checked_add(LATER).unwrap_or(now), now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Writes down what became of a try.
    async fn settle(&self, taken: &Taken, outcome: Outcome) -> Result<(), TellingError> {
        let (bridge, of, now) = (&self.bridge, taken.of, self.bridge.clock.now());
        match outcome {
            // Another one has it in hand.
            Outcome::Lost => Ok(()),
            Outcome::Told(closed) => self.told(taken, closed).await,
            Outcome::Nowhere => self.given_up(taken).await,
            Outcome::Failed(asked) => {
                match next_attempt(of.attempt, Pace::Patient, now, asked, bridge.keyring.entropy())? {
                    Some(again_at) => {
                        let mut tx = bridge.store.begin().await?;
                        tx.defer_try(of, again_at).await?;
                        Ok(tx.commit().await?)
                    }
                    None => self.given_up(taken).await,
                }
            }
        }
    }

    /// A channel took it, and said with it which others are closed.
    async fn told(&self, taken: &Taken, closed: Vec<Channel>) -> Result<(), TellingError> {
        let (bridge, member, now) = (&self.bridge, taken.of.member, self.bridge.clock.now());
        let mut tx = bridge.store.begin().await?;
        tx.lock_member(member).await?;
        for id in tx.settle_try(taken.of).await? {
            match delivered(bridge, &mut tx, member, RecommendationId(id), now).await {
                // The clinic's consent ended in the meantime, and with it everything that it had for them.
                Ok(()) | Err(AnswerError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !closed.is_empty() {
            change_settings(&mut tx, &taken.key, Change { said: closed, ..Change::default() }, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// No channel took it, and none is tried again: it waits in the portal.
    async fn given_up(&self, taken: &Taken) -> Result<(), TellingError> {
        tracing::warn!(message_id = %taken.of.message, "a message was taken by no channel; it waits in the portal");
        let mut tx = self.bridge.store.begin().await?;
        tx.settle_try(taken.of).await?;
        Ok(tx.commit().await?)
    }
}
