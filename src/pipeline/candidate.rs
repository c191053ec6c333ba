//! An event that may be taken, with everything under which it is known.

use super::uses::NoUse;
use crate::domain::category::Category;
use crate::domain::ids::{CommunityId, MemberId, ReadingId};
use crate::domain::reading::Reading;
use crate::inbound::event::{Entry, Event, Says, Version};
use crate::store::SeenEvent;
use crate::vault::{Index, Keyring};

/// An event of a member, not yet compared with what was taken before.
pub(super) struct Candidate {
    /// Where it stands in the batch.
    pub position: usize,
    /// Whose it is.
    pub member: MemberId,
    /// The event.
    pub event: Index,
    /// The event that first reported its entry: often itself.
    pub entry: Index,
    /// What makes it the same event when it comes again.
    pub body: Index,
    /// The reading that its entry is.
    pub id: ReadingId,
    /// What it wants.
    pub wants: Wants,
}

/// What an event wants.
#[expect(clippy::large_enum_variant, reason = "nearly all of them are versions")]
pub(super) enum Wants {
    /// To tell a version of an entry.
    Version {
        reading: Reading,
        /// What it says, whatever it is called.
        content: Index,
        /// Whether the same event may come again with another content.
        is_current: bool,
        /// Why nobody may have it, the member's own view included: it is then good for nothing but to take the place of what
        /// was told of its entry before.
        denied: Option<NoUse>,
    },
    /// To take its entry back.
    Retraction,
}

impl Candidate {
    pub(super) fn new(
        keyring: &Keyring,
        community: &CommunityId,
        member: MemberId,
        event: Event,
        position: usize,
    ) -> Self {
        let keys = keyring.index();
        let own = event_index(keyring, community, &event, &event.id);
        let entry = entry_of(keyring, community, &event);
        let id = ReadingId(keys.uuid("reading", &[&entry]));
        let whose = member.0.as_bytes();
        let (body, wants) = match event.says {
            Says::Retraction(_) => (keys.index("retraction", &[whose, &entry]), Wants::Retraction),
            Says::Reading(said, version) => {
                let Entry { moment, measure, labels } = said;
                let reading = Reading { id, member, moment, measure, labels, source: Some(event.source) };
                let content = content_of(keyring, &reading);
                let body = if own == entry { content } else { keys.index("correction", &[&entry, &content]) };
                (body, Wants::Version { reading, content, is_current: version == Version::Current, denied: None })
            }
        };
        Self { position, member, event: own, entry, body, id, wants }
    }

    pub(super) const fn category(&self) -> Option<Category> {
        match &self.wants {
            Wants::Version { reading, .. } => Some(reading.measure.category()),
            Wants::Retraction => None,
        }
    }

    /// The event's own row, as it is remembered.
    pub(super) fn row(&self) -> SeenEvent {
        SeenEvent {
            event: self.event,
            member: self.member,
            category: self.category(),
            body: Some(self.body),
            entry: Some(self.entry).filter(|entry| *entry != self.event),
            newest: None,
            retracted_at: None,
        }
    }

    /// The row of its entry, should its first report never have come.
    pub(super) fn row_of_entry(&self) -> Option<SeenEvent> {
        if self.entry == self.event {
            return None;
        }
        let newest = match &self.wants {
            Wants::Version { content, .. } => Some(*content),
            Wants::Retraction => None,
        };
        Some(SeenEvent { event: self.entry, body: None, entry: None, newest, ..self.row() })
    }
}

/// Keyed index of an event of the same source.
fn event_index(keyring: &Keyring, community: &CommunityId, event: &Event, id: &str) -> Index {
    keyring.index().index("event", &[community.as_str().as_bytes(), event.source.as_bytes(), id.as_bytes()])
}

/// Keyed index of the event that first reported what this one is about: often itself.
pub(super) fn entry_of(keyring: &Keyring, community: &CommunityId, event: &Event) -> Index {
    match &event.says {
        Says::Reading(_, Version::First | Version::Current) => event_index(keyring, community, event, &event.id),
        Says::Reading(_, Version::Corrects(entry)) | Says::Retraction(entry) => {
            event_index(keyring, community, event, entry)
        }
    }
}

/// What a reading says, however its JSON was laid out.
pub(crate) fn content_of(keyring: &Keyring, reading: &Reading) -> Index {
    let what = (reading.moment, &reading.measure);
    let labels = &reading.labels;
    // What was indexed before there were labels stays what it was.
    let text = if labels.is_empty() { serde_json::to_vec(&what) } else { serde_json::to_vec(&(what, labels)) };
    keyring.index().index("body", &[reading.member.0.as_bytes(), &text.unwrap_or_default()])
}
