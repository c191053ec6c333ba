//! A message is tried by one channel after the other, until one takes it. A channel that reaches nobody any more is closed,
//! and the member is told by the next one.

use futures_util::future::join_all;
use jiff::SignedDuration;
use uuid::Uuid;

use super::take::Taken;
use super::ways::Way;
use super::words::Saying;
use super::{INBOX_PATH, Teller, TellingError};
use crate::delivery::member::{Message, MessageError, Push, Subscription};
use crate::domain::settings::Change;
use crate::domain::telling::{Channel, Closed, Grade};
use crate::readings::settings::change_settings;
use crate::telemetry::crash_point;

/// What became of a try.
#[derive(Debug)]
pub enum Outcome {
    /// A channel took it, and told of these that they are closed.
    Told(Vec<Channel>),
    /// No channel took it. They wish to be left alone for so long.
    Failed(Option<SignedDuration>),
    /// No channel is left.
    Nowhere,
    /// It took too long: another one has it in hand.
    Lost,
}

impl Teller {
    /// Tries each way in turn.
    pub(super) async fn send(&self, taken: &Taken) -> Result<Outcome, TellingError> {
        let (mut closed, mut asked, mut is_open) = (taken.closed.clone(), None, false);
        for (place, way) in taken.ways.iter().enumerate() {
            if place > 0 && !self.go_on(taken).await? {
                return Ok(Outcome::Lost);
            }
            match self.by(taken, way, &closed).await? {
                Ok(()) => return Ok(Outcome::Told(closed)),
                Err(MessageError::Gone(_)) => {
                    self.close(taken, way.channel()).await?;
                    closed.push(way.channel());
                    crash_point("tell:closed");
                }
                Err(error) => {
                    let (message_id, channel) = (taken.of.message, way.channel());
                    tracing::warn!(%message_id, %channel, cause = %error, "a message was not taken");
                    (asked, is_open) = (asked.max(error.again_after()), true);
                }
            }
        }
        Ok(if is_open { Outcome::Failed(asked) } else { Outcome::Nowhere })
    }

    /// Has more time for the next channel, unless another one took the message up.
    async fn go_on(&self, taken: &Taken) -> Result<bool, TellingError> {
        let now = self.bridge.clock.now();
        let mut tx = self.bridge.store.begin().await?;
        let is_ours = tx.defer_try(taken.of, now.checked_add(self.lease).unwrap_or(now)).await?;
        tx.commit().await?;
        Ok(is_ours)
    }

    /// Tries one way.
    async fn by(&self, taken: &Taken, way: &Way, closed: &[Channel]) -> Result<Result<(), MessageError>, TellingError> {
        match (way, &self.push) {
            (Way::Push(_), None) => Ok(Err(MessageError::NoWay)),
            // What a phone shows to everybody who sees it says nothing, whatever is wished.
            (Way::Push(browsers), Some(push)) => {
                let message = self.message(taken, None, (Grade::Notice, false), closed);
                self.by_push(taken, push, browsers, &message).await
            }
            (Way::Community(community, handle), _) => {
                let way = self.messengers.of(community);
                let may = way.map_or((Grade::Notice, false), |way| (way.most, way.is_heard()));
                let message = self.message(taken, Some(handle), may, closed);
                Ok(self.messengers.send(community, &message).await)
            }
        }
    }

    /// To every browser at once; one that takes it is enough. Those that are gone are forgotten.
    async fn by_push(
        &self,
        taken: &Taken,
        push: &Push,
        browsers: &[(Uuid, Subscription)],
        message: &Message,
    ) -> Result<Result<(), MessageError>, TellingError> {
        let sent = join_all(browsers.iter().map(|(_, browser)| push.send(browser, message))).await;
        let gone = |outcome: &Result<(), MessageError>| matches!(outcome, Err(MessageError::Gone(_)));
        let mut tx = self.bridge.store.begin().await?;
        for ((id, _), _) in browsers.iter().zip(&sent).filter(|(_, outcome)| gone(outcome)) {
            tx.delete_subscription(taken.of.member, *id).await?;
        }
        tx.commit().await?;
        if sent.iter().any(Result::is_ok) {
            return Ok(Ok(()));
        }
        // One that may take it later keeps the channel open.
        let (gone, failed): (Vec<_>, Vec<_>) = sent.into_iter().partition(gone);
        Ok(failed.into_iter().chain(gone).next().unwrap_or(Err(MessageError::NoWay)))
    }

    /// The message: to a handle, or short enough for a browser to show. It says no more than it may, and whether they are heard
    /// who answer it.
    fn message(
        &self,
        taken: &Taken,
        handle: Option<&str>,
        (most, is_heard): (Grade, bool),
        closed: &[Channel],
    ) -> Message {
        let mut link = self.portal.clone();
        link.set_path(taken.items.first().map_or(INBOX_PATH, |item| item.what.path()));
        let saying = Saying { items: &taken.items, most, closed, link: handle.map(|_| &link), is_heard };
        let (subject, text) = self.words.words(taken.language, &saying);
        Message {
            id: taken.of.message,
            kind: "mostik.message.v1",
            at: self.bridge.clock.now(),
            handle: handle.unwrap_or_default().to_owned(),
            language: taken.language,
            subject,
            text,
            url: link,
            expires_at: None,
        }
    }

    /// A channel reaches nobody any more: it is not used until the member says so.
    async fn close(&self, taken: &Taken, channel: Channel) -> Result<(), TellingError> {
        let now = self.bridge.clock.now();
        tracing::info!(member_id = %taken.of.member, %channel, "nobody is there any more; the channel is closed");
        let mut tx = self.bridge.store.begin().await?;
        let closed = Closed { channel, at: now, said: false };
        change_settings(&mut tx, &taken.key, Change { closed: Some(closed), ..Change::default() }, now).await?;
        Ok(tx.commit().await?)
    }
}
