//! One thing is said in one room.

use jiff::{SignedDuration, Timestamp};

use super::{Announcer, Board, Says, Thing};
use crate::booking::BookingError;
use crate::delivery::member::MessageError;
use crate::domain::day::Days;
use crate::domain::entropy::NoEntropy;
use crate::outbox::retry::{Pace, next_attempt};
use crate::store::{AnnouncementFate, DueAnnouncement, StoreError, Tx};

/// When an announcement is seen again that was not done. Longer than saying it may take, in all its requests.
const TRY_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Something that could not be announced now.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What sessions there are could not be read.
    #[error(transparent)]
    Booking(#[from] BookingError),
    /// When it is tried again could not be drawn.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// A page has no address. A defect.
    #[error("a page has no address")]
    Address(#[from] url::ParseError),
}

impl Announcer {
    /// Says what is due. `false`: nothing is.
    ///
    /// # Errors
    /// [`AnnounceError`]; what was not done is found again.
    pub async fn announce_one(&self) -> Result<bool, AnnounceError> {
        let now = self.bridge.clock.now();
        let mut tx = self.bridge.store.begin().await?;
        let again_at = now.checked_add(TRY_AGAIN_AFTER).unwrap_or(Timestamp::MAX);
        let Some(due) = tx.claim_announcement(again_at, now).await? else { return Ok(false) };
        let found = self.what(&mut tx, &due, now).await?;
        tx.commit().await?;
        let fate = match found {
            None => AnnouncementFate::Over,
            Some((board, room, text)) => match board.platform.post(room, due.id, &text).await {
                Ok(()) => AnnouncementFate::Said(self.bridge.clock.now()),
                Err(error) => self.again(&due, &error)?,
            },
        };
        let mut tx = self.bridge.store.begin().await?;
        tx.settle_announcement(&due, fate).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What is due, as it stands now: where, and in which words. `None`: there is nothing to be said any more, or no such room.
    async fn what(
        &self,
        tx: &mut Tx,
        due: &DueAnnouncement,
        now: Timestamp,
    ) -> Result<Option<(&Board, &str, String)>, AnnounceError> {
        let Some(board) = self.boards.get(&due.community) else { return Ok(None) };
        for thing in self.things(tx, now).await?.iter().filter(|thing| thing.is_for(board)) {
            let room = board.rooms.iter().find(|room| thing.id(&self.bridge, &due.community, room) == due.id);
            if let Some(room) = room {
                return Ok(Some((board, room, self.text(board, thing)?)));
            }
        }
        Ok(None)
    }

    fn text(&self, board: &Board, thing: &Thing) -> Result<String, AnnounceError> {
        let house = &self.bridge.house;
        match thing {
            Thing::Material(material) => {
                let (title, clinic) = (&material.content.title, house.clinic_name(&material.clinic));
                let link = self.portal.join(&format!("/materials/{}", material.id))?;
                let says = Says::Material { title, clinic, version: material.version };
                Ok(self.words.announcement(material.content.language, &says, &link))
            }
            Thing::Session(announced) => {
                let zone = &self.bridge.readings.zone;
                let starts = Days::new(std::iter::empty(), zone.rules().clone()).moment(announced.session.time.start);
                let (title, clinic) = (&announced.visit.title, house.clinic_name(&announced.session.clinic));
                let link = self.portal.join("/announcements")?;
                let says = Says::Session { title, clinic, starts, zone: zone.name() };
                Ok(self.words.announcement(board.language.unwrap_or(board.otherwise), &says, &link))
            }
        }
    }

    /// When what was not taken is tried again, if it is.
    fn again(&self, due: &DueAnnouncement, error: &MessageError) -> Result<AnnouncementFate, AnnounceError> {
        let (community_id, attempts) = (&due.community, due.attempts.saturating_add(1));
        if matches!(error, MessageError::Gone(_)) {
            tracing::error!(%community_id, cause = %error, "a room is not there, or is closed to the bridge: nothing is announced there");
            return Ok(AnnouncementFate::Again(attempts, None));
        }
        let now = self.bridge.clock.now();
        let entropy = self.bridge.keyring.entropy();
        let at = next_attempt(attempts, Pace::Patient, now, error.again_after(), entropy)?;
        tracing::warn!(%community_id, attempts, cause = %error, is_given_up = at.is_none(), "something could not be announced");
        Ok(AnnouncementFate::Again(attempts, at))
    }
}
