//! What members say while processes die: entries, corrections, retractions, and consent that is taken back.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use mostik::consent::change;
use mostik::domain::category::{Category, Detail};
use mostik::domain::entropy::{Entropy, SeededEntropy};
use mostik::domain::grant::{Addressee, Purpose, Terms, WayBack};
use mostik::domain::ids::{GrantId, MemberId};
use mostik::enrolment::credentials::create_member_token;
use mostik::enrolment::join::{join, link};
use mostik::store::Tx;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bridge::{correcting, forum, mood, retraction, riverside};
use crate::support::ehr::{create_patient, create_patients};
use crate::support::server::{Front, Server};

/// How many entries a member has reported when they take their consent back.
const ENTRIES_BEFORE_REVOCATION: usize = 6;

/// How often something is said again before a process that lives is believed to be stuck.
const PATIENCE: usize = 200;

/// Numbers that a seed repeats.
pub struct Dice(Entropy);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Entropy::Seeded(SeededEntropy::new(seed)))
    }

    pub fn below(&self, limit: usize) -> usize {
        usize::from_be_bytes(self.0.bytes().unwrap()) % limit
    }

    pub fn one_in(&self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn pick<T: Copy>(&self, among: &[T]) -> T {
        among[self.below(among.len())]
    }
}

/// A member, and what the EHR must or may know of them.
pub struct Member {
    pub id: MemberId,
    pub handle: String,
    pub patient: String,
    pub consent: Consent,
    pub entries: Vec<Entry>,
}

pub enum Consent {
    Given,
    /// Never.
    None,
    /// With what the member takes it back, and when the answer came that it was.
    Ends {
        grant: GrantId,
        token: String,
        ended: Option<Timestamp>,
    },
}

/// What a member noted down at some second of their own.
pub struct Entry {
    /// The event that first reported it.
    pub id: String,
    pub at: Timestamp,
    /// Every version, the newest last.
    pub ratings: Vec<i64>,
    pub is_retracted: bool,
}

/// Members, what they say, and what was not answered yet.
pub struct Traffic {
    /// Sets its handles and events apart from those of others.
    name: String,
    /// Where new members' Patients are made.
    ehr: String,
    pub dice: Dice,
    pub members: Vec<Member>,
    /// How many of the members report at any time; the others come to take their consent back.
    regulars: usize,
    unanswered: Vec<Said>,
    /// Members whose revocation was not answered yet.
    revoking: Vec<usize>,
    events: usize,
    pub answered: usize,
}

struct Said {
    event: Value,
    is_permitted: bool,
}

impl Traffic {
    /// So many members who share their moods, and so many who share nothing.
    pub async fn new(server: &Server, ehr: &str, name: &str, dice: Dice, sharing: usize, silent: usize) -> Self {
        let mut members = Vec::new();
        let patients = create_patients(ehr, sharing + silent).await;
        let mut tx = server.bridge.store.begin().await.unwrap();
        for (n, patient) in patients.into_iter().enumerate() {
            let member = enrol(server, &mut tx, format!("{name}-{n}"), patient).await;
            if n < sharing {
                consent(server, &mut tx, member.id).await;
            }
            let consent = if n < sharing { Consent::Given } else { Consent::None };
            members.push(Member { consent, ..member });
        }
        tx.commit().await.unwrap();
        let regulars = members.len();
        let (name, ehr, unanswered, revoking) = (name.to_owned(), ehr.to_owned(), Vec::new(), Vec::new());
        Self { name, ehr, dice, members, regulars, unanswered, revoking, events: 0, answered: 0 }
    }

    /// So many of the regulars report, correct or retract something; returns who.
    pub fn think(&mut self, how_many: Range<usize>) -> Vec<MemberId> {
        let how_many = how_many.start + self.dice.below(how_many.len());
        let who: Vec<usize> = (0..how_many).map(|_| self.dice.below(self.regulars)).collect();
        for &member in &who {
            let is_permitted = matches!(self.members[member].consent, Consent::Given);
            match self.dice.below(10) {
                0..3 => self.change(member, is_permitted),
                _ => self.report(member, is_permitted),
            }
        }
        who.into_iter().map(|member| self.members[member].id).collect()
    }

    fn report(&mut self, member: usize, is_permitted: bool) {
        let (id, rating) = (self.next_id(), 1 + i64::try_from(self.dice.below(5)).unwrap());
        let at = "2026-11-20T10:00:00Z".parse::<Timestamp>().unwrap();
        let at = at - SignedDuration::from_secs(i64::try_from(self.events).unwrap());
        let member = &mut self.members[member];
        let mut event = mood(&id, &member.handle, rating);
        event["time"] = json!(at.to_string());
        member.entries.push(Entry { id, at, ratings: vec![rating], is_retracted: false });
        self.unanswered.push(Said { event, is_permitted });
    }

    /// A correction or a retraction of one of the member's last entries, which may be under way.
    fn change(&mut self, member: usize, is_permitted: bool) {
        let count = self.members[member].entries.len();
        let back = 1 + self.dice.below(3);
        if back > count || self.members[member].entries[count - back].is_retracted {
            return self.report(member, is_permitted);
        }
        let (id, is_retraction) = (self.next_id(), self.dice.one_in(4));
        let Member { handle, entries, .. } = &mut self.members[member];
        let entry = &mut entries[count - back];
        let event = if is_retraction {
            entry.is_retracted = true;
            retraction(&id, handle, &entry.id)
        } else {
            let rating = entry.ratings.last().unwrap() % 5 + 1;
            entry.ratings.push(rating);
            let mut event = mood(&id, handle, rating);
            event["time"] = json!(entry.at.to_string());
            correcting(event, &entry.id)
        };
        self.unanswered.push(Said { event, is_permitted });
    }

    fn next_id(&mut self) -> String {
        self.events += 1;
        format!("{}-{}", self.name, self.events)
    }

    /// Sends what was not answered yet, as any good client does. Whether all of it is answered now.
    pub async fn say(&mut self, front: &Front<'_>) -> bool {
        while let Some(&member) = self.revoking.first() {
            if !self.revoke(front, member).await {
                return false;
            }
        }
        if self.unanswered.is_empty() {
            return true;
        }
        let batch: Value = self.unanswered.iter().map(|said| said.event.clone()).collect();
        let Some(got) = front.call(Method::POST, "/v1/events", &front.server.api_key, Some(&batch)).await else {
            return false;
        };
        if got.status == 503 {
            return false;
        }
        assert_eq!(got.status, 200, "{:?}", got.json);
        let results = got.json["results"].as_array().unwrap();
        assert_eq!(results.len(), self.unanswered.len());
        for (said, result) in self.unanswered.drain(..).zip(results) {
            match result["status"].as_str().unwrap() {
                // A duplicate was taken by a process that died before it could say so.
                "accepted" | "corrected" | "retracted" | "duplicate" if said.is_permitted => {}
                "refused" if !said.is_permitted => {}
                // A retraction of what was never taken.
                "duplicate" if said.event["type"] == "mostik.retraction.v1" => {}
                other => panic!("{}: {other}", said.event),
            }
            self.answered += 1;
        }
        true
    }

    /// The same to a process that nobody kills.
    pub async fn insist(&mut self, front: &Front<'_>) {
        for _ in 0..PATIENCE {
            if self.say(front).await {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("a living process does not answer");
    }

    /// Somebody new shares their moods and reports several; they are about to change their mind.
    pub async fn newcomer(&mut self, server: &Server) -> usize {
        let (now, patient) = (server.bridge.clock.now(), create_patient(&self.ehr).await);
        let mut tx = server.bridge.store.begin().await.unwrap();
        let handle = format!("{}-{}", self.name, self.members.len());
        let member = enrol(server, &mut tx, handle, patient).await;
        let grant = consent(server, &mut tx, member.id).await;
        let validity = SignedDuration::from_hours(24);
        let token = create_member_token(&mut tx, &server.bridge.keyring, member.id, validity, now).await.unwrap();
        tx.commit().await.unwrap();
        let newcomer = self.members.len();
        self.members.push(Member { consent: Consent::Ends { grant, token, ended: None }, ..member });
        for _ in 0..ENTRIES_BEFORE_REVOCATION {
            if self.dice.one_in(4) { self.change(newcomer, true) } else { self.report(newcomer, true) }
        }
        newcomer
    }

    /// A member takes their consent back; whether they know that it is. What they say afterwards must be refused.
    pub async fn revoke(&mut self, front: &Front<'_>, who: usize) -> bool {
        if !self.revoking.contains(&who) {
            self.revoking.push(who);
        }
        let Consent::Ends { grant, token, ended } = &mut self.members[who].consent else { panic!("not to be ended") };
        let path = format!("/v1/grants/{grant}/revoke");
        let Some(got) = front.call(Method::POST, &path, token, None).await else { return false };
        if got.status == 503 {
            return false;
        }
        assert_eq!(got.status, 200, "{:?}", got.json);
        *ended = Some(front.server.bridge.clock.now());
        self.revoking.retain(|revoking| *revoking != who);
        let late = mood(&self.next_id(), &self.members[who].handle, 5);
        self.unanswered.push(Said { event: late, is_permitted: false });
        true
    }

    /// Whether anything about these members is on its way.
    pub async fn is_on_its_way(&self, server: &Server, members: &[MemberId]) -> bool {
        let mut tx = server.bridge.store.read().await.unwrap();
        !tx.lane_heads(&riverside(), members).await.unwrap().items.is_empty()
    }
}

async fn enrol(server: &Server, tx: &mut Tx, handle: String, patient: String) -> Member {
    let (keyring, now) = (&server.bridge.keyring, server.bridge.clock.now());
    let id = join(tx, keyring, &forum(), &handle, now).await.unwrap();
    link(tx, keyring, id, &riverside(), &patient, "test", now).await.unwrap();
    Member { id, handle, patient, consent: Consent::None, entries: Vec::new() }
}

async fn consent(server: &Server, tx: &mut Tx, member: MemberId) -> GrantId {
    let now = server.bridge.clock.now();
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
    let grant = GrantId(server.bridge.keyring.entropy().uuid(now).unwrap());
    change::grant(tx, grant, member, riverside(), terms, now).await.unwrap();
    grant
}
