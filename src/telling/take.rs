//! What it is time to tell one member is taken up: weighed while they are held, and made one message.

use super::ways::Way;
use super::weigh::{Fate, Scales, weigh, weigh_place, weigh_reminder, weigh_visit, weigh_warning, weigh_wish};
use super::words::Item;
use super::{Teller, TellingError, wished};
use crate::booking;
use crate::domain::booking::Visit;
use crate::domain::ids::{BookingId, ClinicId, MemberId, RecommendationId};
use crate::domain::language::Language;
use crate::domain::recommendation::{Recommendation, RecommendationKind, RecommendationState};
use crate::domain::telling::Channel;
use crate::insight::due::{Due, due};
use crate::insight::remind::reminder;
use crate::readings::settings::settings;
use crate::recommendations::{self, RecommendationError};
use crate::store::{SealedBooking, StoreError, TellingRow, Try, Tx};
use crate::vault::MemberKey;

/// One try of one message, in hand.
#[derive(Debug)]
pub struct Taken {
    /// Which.
    pub of: Try,
    /// What opens and seals what is the member's.
    pub key: MemberKey,
    /// Their language.
    pub language: Language,
    /// What it tells of.
    pub items: Vec<Item>,
    /// How it can reach them, in order. There is at least one way.
    pub ways: Vec<Way>,
    /// Channels that were closed, and of which they were not told yet.
    pub closed: Vec<Channel>,
}

impl Teller {
    /// Takes up what it is time to tell a member. `None`: nothing is to be told now.
    pub(super) async fn take(&self, member: MemberId) -> Result<Option<Taken>, TellingError> {
        let bridge = &self.bridge;
        let mut tx = bridge.store.begin().await?;
        match tx.lock_member(member).await {
            // They were erased a moment ago, and this with them.
            Err(StoreError::RowCount { .. }) => return Ok(None),
            held => held?,
        }
        // Only now, when nobody can change this member's consent any more.
        let now = bridge.clock.now();
        let wrapped = tx.member_key(member).await?.ok_or(StoreError::Corrupt("a member without a key"))?;
        let key = bridge.keyring.unwrap_member_key(member, &wrapped)?;
        let settings = settings(&mut tx, &key).await?;
        let rows = of_one_message(tx.tellings_due(member, now).await?);
        let grants = tx.living_grants(&[member]).await?;
        let zone = settings.zone.as_ref().unwrap_or(&bridge.readings.zone).rules();
        let scales = Scales { house: &bridge.house, grants: &grants, wishes: &settings.told, zone, now };
        let ways = self.ways(&mut tx, &key, &settings).await?;
        let (mut items, mut what, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        let (mut message, mut attempt) = (None, 0);
        for row in rows {
            let fate = match self.found(&mut tx, &key, &row).await? {
                Some(_) if ways.is_empty() => Fate::Drop,
                Some(News::Kept(found)) => weigh(&row, *found, scales),
                Some(News::Due(due)) => weigh_reminder(&row, &due, member, scales),
                Some(News::Near(visit)) => weigh_visit(&row, &visit, scales),
                Some(News::Place(clinic)) => weigh_place(&row, &clinic, scales),
                Some(News::Wished) => weigh_wish(&row, scales),
                Some(News::Warned(clinic)) => weigh_warning(&row, &clinic, scales),
                None => Fate::Drop,
            };
            match fate {
                // What stands elsewhere in the portal gets a message of its own, after this one.
                Fate::Tell(item) if items.first().is_some_and(|first: &Item| first.what.path() != item.what.path()) => {
                }
                Fate::Drop => dropped.push(row.recommendation),
                Fate::Wait(until) => tx.postpone_tellings(member, &[row.recommendation], until).await?,
                Fate::Tell(item) => {
                    items.push(*item);
                    what.push(row.recommendation);
                    (message, attempt) = (row.message, attempt.max(row.attempts));
                }
            }
        }
        tx.drop_tellings(member, &dropped).await?;
        let fresh = bridge.keyring.entropy().uuid(now)?;
        let of = Try { member, message: message.unwrap_or(fresh), attempt: attempt + 1 };
        tx.take_tellings(of, &what, now.checked_add(self.lease).unwrap_or(now)).await?;
        tx.commit().await?;
        let unsaid = settings.closed.iter().filter(|closed| !closed.said);
        let closed = unsaid.map(|closed| closed.channel.clone()).collect();
        let language = settings.language.unwrap_or_default();
        Ok((!items.is_empty()).then_some(Taken { of, key, language, items, ways, closed }))
    }
}

/// Those of some rows that one message tells of: the message of the oldest, if it was tried before; else a new one.
fn of_one_message(mut rows: Vec<TellingRow>) -> Vec<TellingRow> {
    let message = rows.first().and_then(|row| row.message);
    rows.retain(|row| row.message == message);
    rows
}

/// What a member is to be told of.
enum News {
    /// Something that a clinic has for them.
    Kept(Box<Recommendation>),
    /// A questionnaire that is due.
    Due(Due),
    /// A visit that is near.
    Near(Box<Visit>),
    /// What became of a place in a group session that no clinic knows of.
    Place(ClinicId),
    /// That a clinic was told something without their consent.
    Warned(ClinicId),
    /// That they asked to be reminded.
    Wished,
}

impl Teller {
    /// What is there for the member; nothing where it is told with something else, is gone, or does not open.
    async fn found(&self, tx: &mut Tx, key: &MemberKey, row: &TellingRow) -> Result<Option<News>, TellingError> {
        let (member, id) = (key.member(), RecommendationId(row.recommendation));
        if row.recommendation == wished::name(&self.bridge, member) {
            return Ok(Some(News::Wished));
        }
        if tx.is_told_by_a_task(member, id).await? {
            return Ok(None);
        }
        match recommendations::one(tx, key, id).await {
            Ok(Some(found)) => Ok(Some(News::Kept(Box::new(found)))),
            Ok(None) => {
                if let Some(clinic) = tx.warned_clinic(member, row.recommendation).await? {
                    return Ok(Some(News::Warned(clinic)));
                }
                if let Some(booking) = tx.booking((member, BookingId(row.recommendation))).await? {
                    return Ok(Some(match booking.seat().filter(|seat| !seat.is_known) {
                        Some(_) => News::Place(booking.clinic),
                        None => News::Kept(Box::new(visit(booking))),
                    }));
                }
                if let Some(near) = booking::reminded_of(&self.bridge, tx, member, row.recommendation).await? {
                    return Ok(Some(News::Near(Box::new(near))));
                }
                let mut due = due(&self.bridge, tx, member).await?.into_iter();
                let is_it = |due: &Due| reminder(&self.bridge, member, due.instrument) == row.recommendation;
                Ok(due.find(is_it).map(News::Due))
            }
            Err(RecommendationError::Store(error)) => Err(error.into()),
            Err(error) => {
                tracing::error!(member_id = %member, %error, "something for a member cannot be read, and is not told");
                Ok(None)
            }
        }
    }
}

/// A visit of which there is something to say: an appointment, of which nothing is said but that there is news.
fn visit(row: SealedBooking) -> Recommendation {
    Recommendation {
        id: RecommendationId(row.id.0),
        member: row.member,
        clinic: row.clinic,
        kind: RecommendationKind::Appointment,
        state: RecommendationState::Received,
        says: None,
        received_at: row.updated_at,
        updated_at: row.updated_at,
    }
}
