//! The members of the simulation: what they consent to, and what they tell.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mostik::consent::change;
use mostik::domain::category::{Category, Detail};
use mostik::domain::grant::{Addressee, Purpose, Terms, WayBack};
use mostik::domain::ids::{ClinicId, CommunityId, GrantId, MemberId};
use mostik::domain::moment::Moment;
use mostik::domain::reading::{Measure, Mood, Rating};
use mostik::enrolment::join::{join, link};
use mostik::inbound::event::{self as inbound, Event, Says, Subject, Version};
use mostik::pipeline::Bridge;
use mostik::store::Tx;

pub struct Person {
    pub id: MemberId,
    pub patient: String,
    pub grant: GrantId,
    /// In the order in which the bridge took them.
    pub entries: Vec<Entry>,
    pub revoked: Option<Timestamp>,
    pub paused: Option<Timestamp>,
}

/// An entry of a diary, as the bridge last took it. Its rating tells the entry and the version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    pub number: u32,
    pub version: u32,
    pub retracted: bool,
}

impl Entry {
    pub fn rating(self) -> i64 {
        i64::from(self.number * VERSIONS + self.version)
    }
}

/// More than there ever are of one entry.
pub const VERSIONS: u32 = 100;

pub async fn enrol(bridge: &Bridge, name: &str, clinic: &ClinicId) -> Person {
    let now = bridge.clock.now();
    let mut tx = bridge.store.begin().await.unwrap();
    let id = join(&mut tx, &bridge.keyring, &forum(), name, now).await.unwrap();
    link(&mut tx, &bridge.keyring, id, clinic, name, "simulation", now).await.unwrap();
    let grant = consent(bridge, &mut tx, id, clinic).await;
    tx.commit().await.unwrap();
    Person { id, patient: name.to_owned(), grant, entries: Vec::new(), revoked: None, paused: None }
}

/// Lets a member consent to everything, for ever.
pub async fn consent(bridge: &Bridge, tx: &mut Tx, member: MemberId, clinic: &ClinicId) -> GrantId {
    let now = bridge.clock.now();
    let terms = Terms {
        categories: BTreeMap::from([(Category::Mood, Detail::EveryEntry)]),
        purposes: [Purpose::Treatment].into(),
        valid_from: now,
        valid_until: Timestamp::MAX,
        data_from: None,
        recipient: Addressee::Clinic,
        way_back: WayBack::None,
        withheld: [].into(),
    };
    let grant = GrantId(bridge.keyring.entropy().uuid(now).unwrap());
    change::grant(tx, grant, member, clinic.clone(), terms, now).await.unwrap();
    grant
}

pub fn forum() -> CommunityId {
    "forum".parse().unwrap()
}

/// What the member's app says of an entry.
pub fn event(member: MemberId, entry: Entry) -> Event {
    let first = format!("{member}-{}", entry.number);
    let says = if entry.retracted {
        Says::Retraction(first.clone())
    } else {
        let number = |n: u32| i32::try_from(n).unwrap().into();
        let rating = number(entry.number * VERSIONS + entry.version);
        let scale = Rating { value: rating, worst: number(0), best: number(1_000_000) };
        let measure = Measure::Mood(Mood { rating: Some(scale), label: None, state_of_mind: None });
        let moment = Moment::parse_rfc3339("2026-11-20T11:00:00+01:00").unwrap();
        let version = if entry.version == 0 { Version::First } else { Version::Corrects(first.clone()) };
        Says::Reading(inbound::Entry { moment, measure, labels: [].into() }, version)
    };
    let id = if entry.version == 0 { first } else { format!("{first}-{}-{}", entry.version, entry.retracted) };
    Event { source: "/simulation".to_owned(), id, subject: Subject::Member(member), says, flaw: None }
}
