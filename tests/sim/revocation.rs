//! One revocation among sends, in an order that the dice choose: no send begins after it has committed.
//!
//! Smaller than a life ([`crate::life`]), so that there can be very many of them: two members, each with a few entries,
//! two replicas, and a handful of things that happen, with a revocation somewhere among them.

use jiff::{SignedDuration, Timestamp};
use mostik::consent::change;
use mostik::delivery::desk::Desk;
use mostik::domain::clock::ManualClock;
use mostik::domain::delivery::DeliveryState;
use mostik::domain::ids::ClinicId;
use mostik::pipeline::{Bridge, Outcome, accept};

use crate::dice::Dice;
use crate::ehr::identifier_of;
use crate::house::House;
use crate::life::breathe;
use crate::net::{Fate, Net};
use crate::people::{Entry, Person, VERSIONS, consent, enrol, event, forum};

/// A send begins at most this long after the decision that it may.
const BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(1);

/// What the first member told before they took their consent back.
struct TakenBack {
    at: Timestamp,
    /// The last entry that was told by then.
    through: u32,
    /// The one that was decided on by then, if there was one.
    under_way: Option<String>,
}

struct Scene<'a> {
    seed: u64,
    house: &'a House,
    dice: Dice,
    clock: ManualClock,
    bridge: Bridge,
    net: Net,
    clinic: ClinicId,
    concurrency: usize,
    desks: [Desk; 2],
    people: [Person; 2],
    told: u32,
    taken_back: Vec<TakenBack>,
    consents: bool,
    tells: bool,
}

/// Lives through one order of events. Returns how many requests were under way, or decided on, when consent ended.
pub async fn interleave(house: &House, seed: u64, tells: bool) -> usize {
    let mut dice = Dice::new(seed);
    let clock = ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap());
    let (bridge, net) = (house.bridge(&clock, seed), Net::new(clock.clone()));
    let (conditional_create, batch) = (dice.percent(50), dice.percent(50));
    net.ehr(|ehr| (ehr.conditional_create, ehr.batch) = (conditional_create, batch));
    let clinic: ClinicId = format!("clinic-{seed}").parse().unwrap();
    let people =
        [enrol(&bridge, &format!("r{seed}-0"), &clinic).await, enrol(&bridge, &format!("r{seed}-1"), &clinic).await];
    let concurrency = 1 + dice.below(2);
    let desks = [(); 2].map(|()| house.replica(&bridge, &net, &clinic, concurrency));
    let (taken_back, consents) = (Vec::new(), true);
    let mut scene = Scene {
        seed,
        house,
        dice,
        clock,
        bridge,
        net,
        clinic,
        concurrency,
        desks,
        people,
        told: 0,
        taken_back,
        consents,
        tells,
    };
    for who in 0..2 {
        scene.report(who).await;
    }
    let (steps, revokes_at) = (3 + scene.dice.below(6), scene.dice.below(6));
    for step in 0..steps {
        if step == revokes_at {
            scene.revoke().await;
        }
        scene.go_on().await;
        scene.watch();
    }
    if scene.consents {
        scene.revoke().await;
    }
    scene.end().await;
    scene.taken_back.iter().filter(|taken| taken.under_way.is_some()).count()
}

impl Scene<'_> {
    async fn go_on(&mut self) {
        match self.dice.below(100) {
            0..38 => self.step().await,
            38..70 => self.decide().await,
            70..78 => self.wait(),
            78..84 => self.sweep().await,
            84..90 => self.die(),
            90..95 if !self.consents => self.consent().await,
            _ => {
                let who = self.dice.below(2);
                self.report(who).await;
            }
        }
    }

    fn say(&self, what: &str) {
        if self.tells {
            println!("{} {what}, {} under way", self.clock.now(), self.net.under_way());
        }
    }

    async fn report(&mut self, who: usize) {
        let events = (0..=self.dice.below(3)).map(|_| {
            self.told += 1;
            Ok(event(self.people[who].id, Entry { number: self.told, version: 0, retracted: false }))
        });
        let outcomes = accept(&self.bridge, &forum(), events.collect()).await.unwrap();
        let taken = outcomes.iter().all(|outcome| *outcome == Outcome::Accepted);
        assert_eq!(taken, who == 1 || self.consents, "{outcomes:?}");
        self.say("reports");
    }

    async fn step(&mut self) {
        let which = self.dice.below(2);
        self.desks[which].wake();
        self.desks[which].step().await.unwrap();
        breathe().await;
        self.say("a desk works");
    }

    async fn decide(&mut self) {
        if self.net.under_way() == 0 {
            return self.step().await;
        }
        let place = self.dice.below(self.net.under_way());
        let fate = match self.dice.below(10) {
            0..6 => Fate::Answered,
            6 => Fate::AnswerLost,
            7 => Fate::Lost,
            8 => Fate::NoConnection,
            _ => Fate::Refused(503),
        };
        self.net.decide(place, fate);
        if self.dice.percent(70) {
            breathe().await;
        }
        self.say("is answered");
    }

    fn wait(&mut self) {
        let seconds = [1, 2, 12, 45][self.dice.below(4)];
        let executes = self.dice.below(2);
        self.net.advance(SignedDuration::from_secs(seconds), |place| place % 2 == executes);
        self.say("time passes");
    }

    async fn sweep(&mut self) {
        let mut tx = self.bridge.store.begin().await.unwrap();
        tx.sweep_any_lane(self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        self.say("rows are swept");
    }

    fn die(&mut self) {
        let which = self.dice.below(2);
        self.desks[which] = self.house.replica(&self.bridge, &self.net, &self.clinic, self.concurrency);
        self.say("a replica dies");
    }

    async fn revoke(&mut self) {
        let (at, person) = (self.clock.now(), &self.people[0]);
        let mut tx = self.bridge.store.begin().await.unwrap();
        change::revoke(&mut tx, person.id, person.grant, at).await.unwrap();
        // What has begun by now began before the commit.
        self.watch();
        tx.commit().await.unwrap();
        let mut tx = self.bridge.store.read().await.unwrap();
        let head = tx.lane_heads(&self.clinic, &[person.id]).await.unwrap();
        let sending = head.items.into_iter().find(|(item, _)| item.state == DeliveryState::Sending);
        let under_way = sending.map(|(item, _)| item.identifier);
        self.taken_back.push(TakenBack { at, through: self.told, under_way });
        self.consents = false;
        self.say("consent is taken back");
    }

    async fn consent(&mut self) {
        let mut tx = self.bridge.store.begin().await.unwrap();
        self.people[0].grant = consent(&self.bridge, &mut tx, self.people[0].id, &self.clinic).await;
        tx.commit().await.unwrap();
        self.consents = true;
        self.say("consent is given anew");
    }

    /// What began since the last look was told after consent had ended last, or was decided on before that, and begins a
    /// second later at most.
    fn watch(&self) {
        let seed = self.seed;
        for (since, request) in self.net.began() {
            for resource in request.resources() {
                let entry = u32::try_from(resource["valueQuantity"]["value"].as_i64().unwrap()).unwrap() / VERSIONS;
                let is_theirs = resource["subject"]["reference"] == format!("Patient/{}", self.people[0].patient);
                for taken in self.taken_back.iter().filter(|taken| is_theirs && entry <= taken.through) {
                    let is_under_way = taken.under_way.as_deref() == Some(identifier_of(resource).as_str());
                    assert!(is_under_way, "seed {seed}: {entry} began at {since}, after consent had ended");
                    assert!(since <= taken.at + BEGIN_WITHIN, "seed {seed}: {entry} began at {since}, too late");
                }
            }
        }
    }

    /// Everything that can still go goes.
    async fn end(&mut self) {
        for _ in 0..3 {
            for _ in 0..2 {
                self.desks[0].wake();
                self.desks[0].step().await.unwrap();
                breathe().await;
                while self.net.under_way() > 0 {
                    self.net.decide(0, Fate::Answered);
                    breathe().await;
                }
            }
            self.watch();
            self.net.advance(SignedDuration::from_secs(50), |_| true);
        }
        let mut tx = self.bridge.store.begin().await.unwrap();
        while tx.sweep_any_lane(self.clock.now()).await.unwrap() {}
        tx.commit().await.unwrap();
    }
}
