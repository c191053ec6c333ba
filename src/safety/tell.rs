//! Telling people that somebody needs them, until one of them looks after it.
//!
//! Whoever is to be told stands in the database from the transaction that raised the concern on. A telling is taken up for
//! a minute, sent under an id that is made of the concern, the level and how often that level was told before, and only
//! then written down as done: whoever dies in between leaves it to be sent again, under the same id. What fails is tried
//! again after five seconds, and then every five minutes for as long as it takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;
use uuid::Uuid;

use super::{Concern, SafetyError, opened};
use crate::delivery::member::{Alarm, Channel, MessageError};
use crate::domain::audit::{Chain, ConcernAt, ConcernTold, Event};
use crate::domain::clock::Clock;
use crate::domain::concern::Level;
use crate::domain::ids::{CommunityId, ConcernId};
use crate::domain::language::Language;
use crate::outbox::retry::{Pace, next_attempt};
use crate::store::{ConcernRow, Store, Telling, Tx};
use crate::telemetry::crash_point;
use crate::vault::Keyring;

/// When a telling is seen again that was not done. Longer than sending may take.
const TRY_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The attempt after which the waits grow no more: those of [`next_attempt`] would soon be hours.
const LAST_GROWTH: i32 = 2;

/// The longest wait before those of the second level are told again who have not answered.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// Whom a community has for its members.
#[derive(Clone, Debug)]
pub struct Levels {
    /// Who is told first.
    pub first: Channel,
    /// Who is told if nobody acknowledges it in time; without them, the first are told again.
    pub second: Option<Channel>,
    /// How long the first have; the second are told again after twice, four times, … as long, at least once a day.
    pub escalate_after: SignedDuration,
    /// The language that they speak.
    pub language: Language,
}

impl Levels {
    fn channel(&self, level: Level) -> &Channel {
        match level {
            Level::First => &self.first,
            Level::Second => self.second.as_ref().unwrap_or(&self.first),
        }
    }

    /// How long until those of the second level are told again, who were told so often.
    fn silence(&self, told: i32) -> SignedDuration {
        let times = 1i32.checked_shl(told.clamp(0, 16).unsigned_abs()).unwrap_or(i32::MAX);
        self.escalate_after.checked_mul(times).unwrap_or(LONGEST_SILENCE).min(LONGEST_SILENCE)
    }
}

/// Makes the words of an alarm.
pub trait AlarmWords: std::fmt::Debug + Send + Sync {
    /// Subject and text: of a concern, by its id, raised at a time; or, for `None`, of a trial.
    fn alarm(&self, language: Language, concern: Option<(ConcernId, Timestamp)>) -> (String, String);
}

/// Tells people of concerns.
#[derive(Clone, Debug)]
pub struct AlarmSender {
    /// Where they are stored.
    pub store: Store,
    /// What opens the names of those they are about.
    pub keyring: Keyring,
    /// The time.
    pub clock: Clock,
    /// Whom each community has.
    pub levels: Arc<BTreeMap<CommunityId, Levels>>,
    /// Where programs reach the bridge.
    pub api: Url,
    /// Subject and text, in a language.
    pub words: Arc<dyn AlarmWords>,
}

impl AlarmSender {
    /// Tells whoever is due. `false`: nobody is.
    ///
    /// # Errors
    /// [`SafetyError`]; what was not done is found again.
    pub async fn tell_one(&self) -> Result<bool, SafetyError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let again_at = now.checked_add(TRY_AGAIN_AFTER).unwrap_or(Timestamp::MAX);
        let Some(telling) = tx.claim_telling(again_at, now).await? else { return Ok(false) };
        let Some(mut row) = tx.hold_concern(telling.concern).await? else {
            tx.end_tellings(telling.concern, None).await?;
            tx.commit().await?;
            return Ok(true);
        };
        if telling.level == Level::Second && row.escalated_at.is_none() {
            escalate(&mut tx, &mut row, now).await?;
        }
        let opened = opened(&mut tx, &self.keyring, row.clone()).await;
        tx.commit().await?;
        // Somebody must hear of it even where the name does not open: they find out by the concern's id that it does not.
        let handle = match opened {
            Ok((Concern { handle, .. }, _)) => handle,
            Err(SafetyError::Store(error)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(concern_id = %row.id, %error, "a concern cannot be read");
                None
            }
        };
        crash_point("alarm:taken");
        let sent = self.send(&telling, &row, handle, now).await;
        crash_point("alarm:sent");
        self.write_down(telling, row, sent).await?;
        Ok(true)
    }

    /// Tells the people of a community, for trial.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn try_out(&self, community: &CommunityId, level: Level, id: Uuid) -> Result<(), MessageError> {
        let levels = self.levels.get(community).ok_or(MessageError::NoWay)?;
        let (now, (subject, text)) = (self.clock.now(), self.words.alarm(levels.language, None));
        let alarm = Alarm {
            id,
            at: now,
            concern: None,
            community: community.clone(),
            level,
            handle: None,
            raised_at: now,
            language: levels.language,
            subject,
            text,
            acknowledge: String::new(),
        };
        levels.channel(level).tell(&alarm).await
    }

    async fn send(
        &self,
        telling: &Telling,
        row: &ConcernRow,
        handle: Option<String>,
        now: Timestamp,
    ) -> Result<(), MessageError> {
        let levels = self.levels.get(&row.community).ok_or(MessageError::NoWay)?;
        let (subject, text) = self.words.alarm(levels.language, Some((row.id, row.raised_at)));
        let mut acknowledge = self.api.clone();
        acknowledge.set_path(&format!("/v1/concerns/{}/acknowledge", row.id));
        let place = [telling.level.number().to_be_bytes(), telling.told.to_be_bytes()].concat();
        let alarm = Alarm {
            id: self.keyring.index().uuid("concern-telling", &[row.id.0.as_bytes(), &place]),
            at: now,
            concern: Some(row.id),
            community: row.community.clone(),
            level: telling.level,
            handle,
            raised_at: row.raised_at,
            language: levels.language,
            subject,
            text,
            acknowledge: acknowledge.into(),
        };
        levels.channel(telling.level).tell(&alarm).await
    }

    /// Notes how a telling went, and when it goes on.
    async fn write_down(
        &self,
        telling: Telling,
        row: ConcernRow,
        sent: Result<(), MessageError>,
    ) -> Result<(), SafetyError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let (concern_id, community_id) = (row.id, &row.community);
        match sent {
            Ok(()) => {
                tracing::info!(%concern_id, %community_id, level = %telling.level, "people were told of a concern");
                self.told(&mut tx, telling, &row, now).await?;
            }
            Err(cause) => {
                let attempts = telling.attempts.saturating_add(1);
                tracing::error!(%concern_id, %community_id, level = %telling.level, attempts, %cause, "nobody could be told of a concern");
                let due_at = next_attempt(attempts.min(LAST_GROWTH), Pace::Patient, now, None, self.keyring.entropy())?;
                tx.update_telling(&Telling { attempts, ..telling }, due_at.unwrap_or(now)).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// They were told: the first level once, the second again and again until somebody acknowledges it.
    async fn told(&self, tx: &mut Tx, telling: Telling, row: &ConcernRow, now: Timestamp) -> Result<(), SafetyError> {
        let (concern, level, before) = (row.id, telling.level, telling.told);
        match level {
            Level::First => tx.end_tellings(concern, Some(level)).await?,
            Level::Second => {
                let told = before.saturating_add(1);
                let silence = self.levels.get(&row.community).map_or(LONGEST_SILENCE, |levels| levels.silence(told));
                let due_at = now.checked_add(silence).unwrap_or(Timestamp::MAX);
                tx.update_telling(&Telling { told, attempts: 0, ..telling }, due_at).await?;
            }
        }
        // As it stands now: somebody may have acknowledged it meanwhile.
        if let Some(mut row) = tx.hold_concern(concern).await? {
            (row.state, row.told_at) = (row.state.told(), row.told_at.or(Some(now)));
            tx.update_concern(&row).await?;
            let told = ConcernTold { concern, community: row.community, level, before };
            tx.record(Chain::of_member(row.member), now, Event::ConcernTold(told));
        }
        Ok(())
    }
}

/// Nobody acknowledged it in time, or somebody does not want to wait for that.
pub(super) async fn escalate(tx: &mut Tx, row: &mut ConcernRow, now: Timestamp) -> Result<(), SafetyError> {
    (row.state, row.escalated_at) = (row.state.escalated(), Some(now));
    tx.update_concern(row).await?;
    let at = ConcernAt { concern: row.id, community: row.community.clone() };
    tx.record(Chain::of_member(row.member), now, Event::ConcernEscalated(at));
    Ok(())
}
