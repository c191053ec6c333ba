//! A bridge on the real clock, with members who consented and items that wait for delivery.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use mostik::app;
use mostik::config::Config;
use mostik::consent::decide::{Disclosable, Request, decide};
use mostik::delivery::desks::Desks;
use mostik::domain::clock::Clock;
use mostik::domain::delivery::{DeliveryState, Operation};
use mostik::domain::entropy::Entropy;
use mostik::domain::grant::Grant;
use mostik::domain::ids::{DeliveryId, GrantId, MemberId};
use mostik::domain::outbound::Outbound;
use mostik::domain::reading::Reading;
use mostik::mapping::to_fhir::{Recipient, to_fhir};
use mostik::outbox::enqueue::PAYLOAD_COLUMN;
use mostik::pipeline::Bridge;
use mostik::store::{LaneKey, NewDelivery, Room};
use mostik::vault::{ContentKey, Key, MemberKey};
use sqlx::{AssertSqlSafe, Connection as _};
use uuid::Uuid;

use crate::support::raw::Connection;
use crate::support::sample;
use crate::support::tests::bridge::{config_text, riverside};
use crate::support::tests::database::Database;

/// How many items are put into the outbox in one transaction.
const ITEMS_PER_TRANSACTION: usize = 5000;

/// How a house is set up.
pub struct Plan {
    pub concurrency: usize,
    pub batch_size: usize,
}

pub struct House {
    pub database: Database,
    pub config: Config,
    pub bridge: Bridge,
    pub desks: Desks,
    pub people: Vec<Person>,
    made: u128,
}

pub struct Person {
    pub id: MemberId,
    pub grant: Grant,
    key: MemberKey,
}

impl House {
    pub async fn open(database: Database, ehr: &str, plan: &Plan) -> Self {
        Self::open_with(database, ehr, plan, "").await
    }

    /// With further settings.
    pub async fn open_with(database: Database, ehr: &str, plan: &Plan, settings: &str) -> Self {
        let text =
            config_text(&database, ehr, "127.0.0.1:0").replace("timeout_seconds = 1\nlease_seconds = 3\n", "").replace(
                "[delivery]\n",
                &format!("[delivery]\nconcurrency = {}\nbatch_size = {}\n", plan.concurrency, plan.batch_size),
            );
        let config = Config::from_toml(&(text + settings)).unwrap();
        Key::generate(&Entropy::System).unwrap().create_file(config.vault.master_key.file().unwrap()).unwrap();
        let bridge = app::open(&config, Clock::System, Entropy::System).await.unwrap();
        let desks = app::desks(&config, &bridge).unwrap();
        Self { database, config, bridge, desks, people: Vec::new(), made: 0 }
    }

    pub fn kind(&self) -> &'static str {
        self.bridge.store.kind()
    }

    pub fn now(&self) -> Timestamp {
        self.bridge.clock.now()
    }

    /// Lets so many members join and consent.
    pub async fn admit(&mut self, count: usize) {
        let now = self.now();
        let mut tx = self.bridge.store.begin().await.unwrap();
        for _ in 0..count {
            let id = MemberId(self.bridge.keyring.entropy().uuid(now).unwrap());
            let (key, wrapped) = self.bridge.keyring.create_member_key(id).unwrap();
            tx.insert_member(id, &wrapped, now).await.unwrap();
            let grant = self.consent(id);
            tx.insert_grant(&grant).await.unwrap();
            self.people.push(Person { id, grant, key });
        }
        tx.commit().await.unwrap();
    }

    /// Consent to everything, from yesterday until tomorrow.
    pub fn consent(&self, member: MemberId) -> Grant {
        let (now, day) = (self.now(), SignedDuration::from_hours(24));
        let mut grant = sample::grant(0, member, riverside());
        grant.id = GrantId(self.bridge.keyring.entropy().uuid(now).unwrap());
        (grant.terms.valid_from, grant.terms.valid_until) = (now - day, now + day);
        grant
    }

    /// Puts so many moods into the outbox, of one person after another; returns the resources.
    pub async fn stock(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut bodies = Vec::with_capacity(count);
        for start in (0..count).step_by(ITEMS_PER_TRANSACTION) {
            let size = ITEMS_PER_TRANSACTION.min(count - start);
            bodies.extend(self.put(size, |number, people| (start + number) % people).await);
        }
        bodies
    }

    /// Puts so many moods on the lane of one person.
    pub async fn stock_one(&mut self, person: usize, count: usize) {
        self.put(count, |_, _| person).await;
    }

    async fn put(&mut self, count: usize, whose: impl Fn(usize, usize) -> usize) -> Vec<Vec<u8>> {
        let (now, reading, clinic) = (self.now(), sample::mood(), riverside());
        let whose: Vec<usize> = (0..count).map(|number| whose(number, self.people.len())).collect();
        let mut rooms = BTreeMap::<LaneKey, Room>::new();
        for person in whose.iter().map(|person| &self.people[*person]) {
            let room = rooms.entry(person.lane()).or_default();
            room.items += 1;
            room.fresh_key.get_or_insert_with(|| person.key.create_content_key(&clinic).unwrap());
        }
        let mut tx = self.bridge.store.begin().await.unwrap();
        let mut ends = tx.reserve_lanes(&rooms, now).await.unwrap();
        let (mut items, mut bodies) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut keys = HashMap::<LaneKey, ContentKey>::new();
        for person in whose.iter().map(|person| &self.people[*person]) {
            self.made += 1;
            let lane = person.lane();
            let end = ends.get_mut(&lane).unwrap();
            let key = keys
                .entry(lane.clone())
                .or_insert_with(|| person.key.content_key(&clinic, end.sealed_key.as_deref()).unwrap());
            let room = rooms.get_mut(&lane).unwrap();
            let seq = end.last_seq - room.items + 1;
            room.items -= 1;
            let (item, body) = person.item(&reading, self.made, seq, key, now);
            items.push(item);
            bodies.push(body);
        }
        tx.insert_deliveries(&items, now).await.unwrap();
        tx.commit().await.unwrap();
        bodies
    }

    /// Works at the desk until nothing is due; everything must have arrived.
    pub async fn deliver(&self) {
        self.desks.drain().await.unwrap();
    }

    pub async fn count(&self, state: DeliveryState) -> i64 {
        let counts = self.bridge.store.read().await.unwrap().count_deliveries(None).await.unwrap();
        counts.into_iter().find(|(found, _)| *found == state).map_or(0, |(_, count)| count)
    }

    /// Takes away what was delivered, so that each round begins alike.
    pub async fn empty(&self) {
        self.run(match self.kind() {
            "sqlite" => "DELETE FROM outbox; DELETE FROM ledger; DELETE FROM lanes; PRAGMA wal_checkpoint(TRUNCATE)",
            _ => "TRUNCATE outbox, ledger, lanes; CHECKPOINT",
        })
        .await;
    }

    /// Lets the database look at what it holds, as it does by itself in time.
    pub async fn analyze(&self) {
        self.run("ANALYZE").await;
    }

    pub async fn run(&self, sql: &str) {
        for statement in sql.split("; ") {
            match Connection::open(&self.database.url).await {
                Connection::Sqlite(mut conn) => {
                    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut conn).await.map(drop)
                }
                Connection::Postgres(mut conn) => {
                    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut conn).await.map(drop)
                }
            }
            .unwrap();
        }
    }

    /// The database and how durable its commits are.
    pub async fn describe(&self) -> String {
        Connection::open(&self.database.url).await.describe().await
    }

    /// Leaves nothing behind on a server that others may use.
    pub async fn close(self) {
        self.bridge.store.close().await;
        if let (Ok(server), false) = (std::env::var("MOSTIK_TEST_POSTGRES"), self.database.is_sqlite()) {
            let name = self.database.url.rsplit('/').next().unwrap_or_default();
            let drop = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
            let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
            sqlx::query(drop).execute(&mut admin).await.unwrap();
        }
    }
}

impl Person {
    fn lane(&self) -> LaneKey {
        LaneKey { clinic: riverside(), member: self.id }
    }

    /// A mood of this person, sealed, and as it goes to the EHR.
    fn item(
        &self,
        reading: &Reading,
        number: u128,
        seq: i64,
        key: &ContentKey,
        now: Timestamp,
    ) -> (NewDelivery, Vec<u8>) {
        let clinic = riverside();
        let reading = Reading { member: self.id, ..reading.clone() };
        let grants = std::slice::from_ref(&self.grant);
        let permit = decide(grants, Request::to_record(&reading, &clinic, now)).unwrap();
        let recipient = Recipient {
            patient: "example",
            identifier: Uuid::from_u128(number),
            source: "urn:mostik:bridge",
            recorded: now,
            practitioner: None,
        };
        let Outbound { resource_type, identifier, is_part, body } = to_fhir(&permit, recipient).unwrap();
        let id = DeliveryId(Uuid::from_u128(number));
        let item = NewDelivery {
            id,
            lane: self.lane(),
            seq,
            grant: Some(self.grant.id),
            operation: Operation::Create,
            matter: reading.matter(),
            addressee: permit.obliges().addressee,
            resource_type,
            identifier,
            is_part,
            content: None,
            sealed_payload: key.seal(PAYLOAD_COLUMN, id.0.as_bytes(), &body).unwrap(),
        };
        (item, body)
    }
}
