//! Communities are told in their own rooms what there is for everybody: materials that clinics published, and sessions that are
//! open to all. Nothing that is said there is about anybody.
//!
//! What is to be said follows from what there is: for each room and each thing there is an id, made with the index key, and a row
//! under it from when it was first seen. A row that is due is taken up for a few minutes, said under its id, and only then written
//! down as said: whoever dies in between leaves it to be said again, under the same id. What fails is tried again in the house's
//! pace. What there is no more when its turn comes (taken back, replaced, called off, moved) is not said.

mod send;

pub use send::AnnounceError;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use url::Url;
use uuid::Uuid;

use crate::booking::group::{Announced, announced};
use crate::delivery::member::Platform;
use crate::domain::helpline::Words as TwoLanguages;
use crate::domain::ids::CommunityId;
use crate::domain::language::Language;
use crate::domain::material::Material;
use crate::domain::moment::Moment;
use crate::materials;
use crate::pipeline::Bridge;
use crate::store::Tx;

/// What was published longer ago is no news: a room that is named later is not told of everything that there ever was.
pub const NEWS_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// For how long it is known what was said. Longer than anything is news: sessions are planned a year ahead.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Where a community is told.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its platform.
    pub platform: Arc<dyn Platform>,
    /// In which rooms there.
    pub rooms: BTreeSet<String>,
    /// The language of what it is told; `None`: each material in its own.
    pub language: Option<Language>,
    /// The language of what is in none, where it has none of its own.
    pub otherwise: Language,
}

/// Something that is said to everybody.
#[derive(Clone, Copy, Debug)]
pub enum Says<'a> {
    /// A clinic published a text, or a new version of one.
    Material {
        /// What it is called.
        title: &'a str,
        /// What the clinic is called.
        clinic: &'a str,
        /// Which version it is.
        version: i64,
    },
    /// A clinic holds a session that is open to all.
    Session {
        /// What it is called.
        title: &'a TwoLanguages,
        /// What the clinic is called.
        clinic: &'a str,
        /// When it begins.
        starts: Moment,
        /// By which clock.
        zone: &'a str,
    },
}

/// Makes the words of announcements.
pub trait AnnouncementWords: fmt::Debug + Send + Sync {
    /// What is said in a room, with the link in it.
    fn announcement(&self, language: Language, says: &Says<'_>, link: &Url) -> String;
}

/// Tells communities.
#[derive(Clone, Debug)]
pub struct Announcer {
    /// The bridge.
    pub bridge: Bridge,
    /// Where each community is told that is.
    pub boards: Arc<BTreeMap<CommunityId, Board>>,
    /// Where the portal is.
    pub portal: Url,
    /// What is said.
    pub words: Arc<dyn AnnouncementWords>,
}

/// Something that there is for everybody.
#[derive(Clone, Debug)]
enum Thing {
    Material(Box<Material>),
    Session(Box<Announced>),
}

impl Thing {
    /// Whether a community is told of it.
    fn is_for(&self, board: &Board) -> bool {
        match self {
            Self::Material(material) => board.language.is_none_or(|language| language == material.content.language),
            Self::Session(_) => true,
        }
    }

    /// The id under which it is said in a room: another for each version, and for a session that is held at another time.
    fn id(&self, bridge: &Bridge, community: &CommunityId, room: &str) -> Uuid {
        let (kind, subject, place) = match self {
            Self::Material(material) => ("material", material.id.0, material.version),
            Self::Session(announced) => {
                ("session", announced.session.id.0, announced.session.time.start.as_microsecond())
            }
        };
        let place = place.to_be_bytes();
        let parts: [&[u8]; 5] =
            [community.as_str().as_bytes(), room.as_bytes(), kind.as_bytes(), subject.as_bytes(), &place];
        bridge.keyring.index().uuid("announcement", &parts)
    }
}

impl Announcer {
    /// Notes what is to be said, and says what is due.
    ///
    /// # Errors
    /// [`AnnounceError`]; what was not done is found again.
    pub async fn announce(&self) -> Result<(), AnnounceError> {
        if self.boards.is_empty() {
            return Ok(());
        }
        self.note().await?;
        while self.announce_one().await? {}
        Ok(())
    }

    /// Notes what is to be said and is not known yet.
    async fn note(&self) -> Result<(), AnnounceError> {
        let now = self.bridge.clock.now();
        let mut tx = self.bridge.store.read().await?;
        let things = self.things(&mut tx, now).await?;
        let mut wanted: BTreeMap<Uuid, CommunityId> = BTreeMap::new();
        for (community, board) in self.boards.iter() {
            for thing in things.iter().filter(|thing| thing.is_for(board)) {
                let ids = board.rooms.iter().map(|room| thing.id(&self.bridge, community, room));
                wanted.extend(ids.map(|id| (id, community.clone())));
            }
        }
        let ids: Vec<Uuid> = wanted.keys().copied().collect();
        for known in tx.announcements_among(&ids).await? {
            wanted.remove(&known);
        }
        drop(tx);
        if wanted.is_empty() {
            return Ok(());
        }
        let mut tx = self.bridge.store.begin().await?;
        tx.insert_announcements(&wanted.into_iter().collect::<Vec<_>>(), now).await?;
        tx.forget_announcements(now.checked_sub(KNOWN_FOR).unwrap_or(Timestamp::MIN)).await?;
        Ok(tx.commit().await?)
    }

    /// What there is for everybody, the oldest first.
    async fn things(&self, tx: &mut Tx, now: Timestamp) -> Result<Vec<Thing>, AnnounceError> {
        let after = now.checked_sub(NEWS_FOR).unwrap_or(Timestamp::MIN);
        let materials = materials::published_since(tx, &self.bridge.keyring, after).await?;
        let sessions = announced(&self.bridge, tx, now).await?;
        let materials = materials.into_iter().rev().map(|material| Thing::Material(Box::new(material)));
        Ok(materials.chain(sessions.into_iter().map(|session| Thing::Session(Box::new(session)))).collect())
    }
}
