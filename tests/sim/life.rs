//! One story: members report, desks work, the network fails, replicas die, consent changes; in the end everything calms
//! down, and the EHR's own witness is asked.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::SignedDuration;
use mostik::consent::change;
use mostik::delivery::desk::Desk;
use mostik::domain::clock::ManualClock;
use mostik::domain::delivery::DeliveryState;
use mostik::domain::ids::ClinicId;
use mostik::pipeline::{Bridge, Outcome, accept};
use mostik::store::Replay;

use crate::dice::Dice;
use crate::ehr::{Request, identifier_of};
use crate::house::House;
use crate::net::{Fate, Net};
use crate::people::{Entry, Person, VERSIONS, enrol, event, forum};

/// A send begins at most this long after the decision that it may.
const BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(1);

struct Story<'a> {
    house: &'a House,
    dice: Dice,
    clock: ManualClock,
    bridge: Bridge,
    net: Net,
    /// The story's own: what other stories left in the database is not in the way.
    clinic: ClinicId,
    desks: Vec<Desk>,
    people: Vec<Person>,
    events: u32,
    /// Whether members change and delete what they told.
    changes_entries: bool,
    /// Whether an item had to wait for a human: those behind it went first.
    out_of_order: bool,
    trace: DefaultHasher,
    tells: bool,
}

/// Lives through a story. Returns a number that stands for all that happened.
pub async fn live(house: &mut House, seed: u64, tells: bool) -> u64 {
    let mut dice = Dice::new(seed);
    let clock = ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap());
    let bridge = house.bridge(&clock, seed);
    let net = Net::new(clock.clone());
    let (conditional_create, batch) = (dice.percent(50), dice.percent(50));
    net.ehr(|ehr| (ehr.conditional_create, ehr.batch) = (conditional_create, batch));
    let clinic: ClinicId = format!("clinic-{seed}").parse().unwrap();
    let mut people = Vec::new();
    for n in 0..=dice.below(3) {
        people.push(enrol(&bridge, &format!("{seed}-{n}"), &clinic).await);
    }
    let desks = (0..=dice.below(3)).map(|_| house.replica(&bridge, &net, &clinic, 2)).collect();
    let (changes_entries, out_of_order) = (dice.percent(50), false);
    let trace = DefaultHasher::new();
    let mut story = Story {
        house,
        dice,
        clock,
        bridge,
        net,
        clinic,
        desks,
        people,
        events: 0,
        changes_entries,
        out_of_order,
        trace,
        tells,
    };
    for _ in 0..8 + story.dice.below(24) {
        story.go_on().await;
        story.tell().await;
        story.watch();
    }
    story.calm_down().await;
    story.judge(seed);
    story.trace.finish()
}

impl Story<'_> {
    async fn go_on(&mut self) {
        match self.dice.below(100) {
            0..16 => self.report().await,
            16..20 => self.change_entry().await,
            20..52 => self.work().await,
            52..84 => self.decide(),
            84..92 => self.wait(),
            92..96 => self.die().await,
            96..98 => self.change_consent().await,
            _ => {
                let silent = self.dice.percent(50);
                self.net.keep_silent(silent);
            }
        }
    }

    /// Where the items of these people stand, for one who repeats a seed.
    async fn tell(&self) {
        if self.tells {
            let counts = self.bridge.store.read().await.unwrap().count_deliveries(Some(&self.clinic)).await.unwrap();
            println!("    {counts:?}");
        }
    }

    fn note(&mut self, what: &str, about: usize) {
        (what, about, self.net.under_way()).hash(&mut self.trace);
        if self.tells {
            println!("{} {what} {about}, {} under way", self.clock.now(), self.net.under_way());
        }
    }

    async fn report(&mut self) {
        let who = self.dice.below(self.people.len());
        let mut events = Vec::new();
        let mut entries = Vec::new();
        for _ in 0..=self.dice.below(3) {
            self.events += 1;
            let entry = Entry { number: self.events, version: 0, retracted: false };
            entries.push(entry);
            events.push(Ok(event(self.people[who].id, entry)));
        }
        let outcomes = accept(&self.bridge, &forum(), events).await.unwrap();
        let person = &mut self.people[who];
        for (outcome, entry) in outcomes.into_iter().zip(entries) {
            match outcome {
                Outcome::Accepted => person.entries.push(entry),
                Outcome::Refused(_) if person.revoked.is_some() || person.paused.is_some() => {}
                other => panic!("{other:?}"),
            }
        }
        self.note("reports", who);
    }

    /// A member changes or deletes what they told.
    async fn change_entry(&mut self) {
        let who = self.dice.below(self.people.len());
        if !self.changes_entries || self.people[who].entries.is_empty() {
            return;
        }
        let which = self.dice.below(self.people[who].entries.len());
        let before = self.people[who].entries[which];
        let deletes = self.dice.percent(30);
        let after = Entry { version: before.version + 1, retracted: deletes || before.retracted, ..before };
        let event = event(self.people[who].id, Entry { retracted: deletes, ..after });
        let outcome = accept(&self.bridge, &forum(), vec![Ok(event)]).await.unwrap().remove(0);
        let person = &mut self.people[who];
        match outcome {
            Outcome::Corrected | Outcome::Accepted | Outcome::Retracted => person.entries[which] = after,
            Outcome::Duplicate if before.retracted && deletes => {}
            Outcome::Refused(_) if before.retracted || person.revoked.is_some() || person.paused.is_some() => {}
            other => panic!("{other:?}"),
        }
        // What replaces something that still waits goes to the end of the lane.
        self.out_of_order = true;
        self.note("changes an entry", who);
    }

    async fn work(&mut self) {
        let which = self.dice.below(self.desks.len());
        self.step(which).await;
        self.note("works", which);
    }

    async fn step(&mut self, which: usize) -> bool {
        self.desks[which].wake();
        let did = self.desks[which].step().await.unwrap();
        breathe().await;
        did
    }

    fn decide(&mut self) {
        let under_way = self.net.under_way();
        if under_way == 0 {
            return;
        }
        let place = self.dice.below(under_way);
        let fate = match self.dice.below(100) {
            0..60 => Fate::Answered,
            60..70 => Fate::AnswerLost,
            70..74 => Fate::AnsweredWithError,
            74..80 => Fate::Lost,
            80..86 => Fate::Late,
            86..90 => Fate::NoConnection,
            90..92 => Fate::Refused(429),
            92..94 => Fate::Refused(503),
            94..96 => Fate::Refused(500),
            96..98 => Fate::Refused(401),
            _ => Fate::Refused(422),
        };
        self.out_of_order |= fate == Fate::Refused(422);
        self.net.decide(place, fate);
        if self.tells {
            println!("{fate:?}");
        }
        self.note("is decided", place);
    }

    fn wait(&mut self) {
        let seconds = [1, 5, 12, 31, 50, 400, 4000][self.dice.below(7)];
        let executes = self.dice.below(2);
        self.net.advance(SignedDuration::from_secs(seconds), |place| place % 2 == executes);
        self.note("waits", usize::try_from(seconds).unwrap());
    }

    /// A replica dies, sometimes right after it has marked items as being sent, and comes back with an empty head.
    async fn die(&mut self) {
        let which = self.dice.below(self.desks.len());
        if self.dice.percent(50) {
            self.desks[which].wake();
            self.desks[which].step().await.unwrap();
        }
        self.desks[which] = self.house.replica(&self.bridge, &self.net, &self.clinic, 2);
        breathe().await;
        self.note("dies", which);
    }

    async fn change_consent(&mut self) {
        let who = self.dice.below(self.people.len());
        let revokes = self.dice.percent(30);
        let (now, person) = (self.clock.now(), &mut self.people[who]);
        if person.revoked.is_some() {
            return;
        }
        let mut tx = self.bridge.store.begin().await.unwrap();
        if revokes {
            change::revoke(&mut tx, person.id, person.grant, now).await.unwrap();
            person.revoked = Some(now);
        } else if person.paused.take().is_some() {
            change::resume(&mut tx, person.id, person.grant, now).await.unwrap();
        } else {
            change::pause(&mut tx, person.id, person.grant, now).await.unwrap();
            person.paused = Some(now);
        }
        tx.commit().await.unwrap();
        self.note("consents otherwise", who);
    }

    /// Nothing begins for a member who has taken consent back or set it aside.
    fn watch(&mut self) {
        for (since, request) in self.net.began() {
            for patient in patients(&request) {
                let person = self.people.iter().find(|person| person.patient == patient).unwrap();
                for changed in [person.revoked, person.paused].into_iter().flatten() {
                    assert!(since <= changed + BEGIN_WITHIN, "{patient} did not consent any more");
                }
            }
        }
    }

    /// Nobody dies any more, and everything is answered, until nothing is left to do.
    async fn calm_down(&mut self) {
        self.net.keep_silent(false);
        for who in 0..self.people.len() {
            let (now, person) = (self.clock.now(), &mut self.people[who]);
            if person.revoked.is_none() && person.paused.take().is_some() {
                let mut tx = self.bridge.store.begin().await.unwrap();
                change::resume(&mut tx, person.id, person.grant, now).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        let mut idle = 0;
        for _ in 0..2000 {
            let mut did = false;
            for which in 0..self.desks.len() {
                did |= self.step(which).await;
                while self.net.under_way() > 0 {
                    self.net.decide(0, Fate::Answered);
                    breathe().await;
                    did = true;
                }
            }
            self.watch();
            if did {
                idle = 0;
                continue;
            }
            let counts = self.bridge.store.read().await.unwrap().count_deliveries(Some(&self.clinic)).await.unwrap();
            let some = |wanted: fn(DeliveryState) -> bool| counts.iter().any(|(state, _)| wanted(*state));
            let waits_for_a_human = |state| matches!(state, DeliveryState::Rejected | DeliveryState::Dead);
            if some(waits_for_a_human) && self.tries_again().await {
                continue;
            }
            if !some(DeliveryState::is_open) {
                return;
            }
            // As long as a retry may take.
            let minutes = [1, 5, 10, 30, 60, 240, 600].get(idle).copied().unwrap_or(600);
            idle += 1;
            self.net.advance(SignedDuration::from_mins(minutes), |_| true);
        }
        panic!("it never ends");
    }

    /// A human tries again what was refused or given up.
    async fn tries_again(&mut self) -> bool {
        let now = self.clock.now();
        let mut tx = self.bridge.store.begin().await.unwrap();
        let replayed = tx.replay(&Replay::Clinic(&self.clinic, None), now).await.unwrap();
        tx.commit().await.unwrap();
        self.out_of_order |= replayed > 0;
        replayed > 0
    }

    /// What the EHR has is what the members told, each once, in order.
    fn judge(&mut self, seed: u64) {
        for person in &self.people {
            let charted: Vec<(i64, String)> = self.net.ehr(|ehr| {
                let created = ehr.created.get(&format!("Patient/{}", person.patient)).cloned().unwrap_or_default();
                let told = |identifier: &String| {
                    let found = ehr.resources.iter().find(|resource| identifier_of(resource) == *identifier).unwrap();
                    let rating = found["valueQuantity"]["value"].as_i64().unwrap();
                    (rating, found["status"].as_str().unwrap().to_owned())
                };
                created.iter().map(told).collect()
            });
            charted.hash(&mut self.trace);
            if !self.out_of_order {
                assert!(charted.is_sorted(), "seed {seed}: in order: {charted:?}");
            }
            let mut standing: Vec<i64> =
                charted.iter().filter(|(_, status)| status != "entered-in-error").map(|(rating, _)| *rating).collect();
            standing.sort_unstable();
            let told = person.entries.iter().filter(|entry| !entry.retracted);
            let mut expected: Vec<i64> = told.copied().map(Entry::rating).collect();
            expected.sort_unstable();
            if person.revoked.is_none() {
                assert_eq!(standing, expected, "seed {seed}: each entry once, as it was last told");
            } else {
                let number = |rating: i64| u32::try_from(rating).unwrap() / VERSIONS;
                let known = |rating: &i64| person.entries.iter().any(|entry| entry.number == number(*rating));
                assert!(standing.iter().all(known), "seed {seed}: nothing else");
            }
        }
    }
}

/// Lets everything that can go on go on, as far as the network.
pub async fn breathe() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

/// Whom a request is about.
fn patients(request: &Request) -> impl Iterator<Item = String> {
    request.resources().into_iter().map(|resource| {
        let reference = resource["subject"]["reference"].as_str().unwrap_or_default();
        reference.trim_start_matches("Patient/").to_owned()
    })
}
