//! A member with moods to deliver, an EHR behind a proxy, and what an operator and the EHR see of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use mostik::store::Replay;
use serde_json::Value;

use crate::support::bridge::{Person, TestBridge, config_text, mood, riverside};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, identifier};
use crate::support::http::Got;
use crate::support::proxy::Proxy;

/// How many moods the member reports.
pub const MOODS: usize = 3;

/// How many requests may go to an EHR while the clock stands still: for its capabilities, and two for each item.
const AT_ONCE: u32 = 1 + 2 * 3;

/// How many requests may go to a broken EHR in an hour: two a minute, for one member who waits.
const IN_AN_HOUR: u32 = 120;

/// Longer than anything here takes: work that has not come to rest by then never will.
const AT_REST: Duration = Duration::from_secs(90);

/// A bridge, and an EHR that does not promise to recognise what it has already.
pub struct Scene {
    pub bridge: TestBridge,
    pub ehr: Ehr,
    pub proxy: Proxy,
    pub member: Person,
    pub grant: String,
}

/// A line of `mostik queue`.
#[derive(Debug)]
pub struct Line {
    pub state: String,
    pub items: usize,
    pub why: String,
}

impl Scene {
    pub async fn new(database: Database) -> Self {
        let ehr = Ehr::without_conditional_create().await;
        let proxy = Proxy::before(&ehr.base);
        Self::with(database, ehr, proxy).await
    }

    pub async fn with(database: Database, ehr: Ehr, proxy: Proxy) -> Self {
        let text = config_text(&database, &proxy.base, "127.0.0.1:0");
        let bridge = TestBridge::start_with(database, &text).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        let grant = bridge.grant(&member, &["mood"]).await;
        Self { bridge, ehr, proxy, member, grant }
    }

    /// The member reports.
    pub async fn report(&self) {
        let moods: Value = (0..MOODS).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
        let got = self.bridge.send(&moods).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
    }

    /// The member reports, and the bridge does what it can. While the clock stands still, that is soon over; then an
    /// operator sees where it stands and why.
    pub async fn is_seen_as(&self, state: DeliveryState, why: &str) {
        self.report().await;
        let before = self.proxy.connections();
        for _ in 0..3 {
            self.come_to_rest().await;
        }
        let made = self.proxy.connections() - before;
        assert!(made <= AT_ONCE, "{made} requests while the clock stood still are a busy loop");
        self.stands(state, why).await;
    }

    /// The same after an hour: it was tried again now and then, and no more.
    pub async fn an_hour_later(&self, state: DeliveryState, why: &str) {
        let before = self.proxy.connections();
        for _ in 0..60 {
            self.bridge.clock.advance(SignedDuration::from_mins(1));
            self.come_to_rest().await;
        }
        let made = self.proxy.connections() - before;
        assert!(made <= IN_AN_HOUR, "{made} requests in an hour are a busy loop");
        self.stands(state, why).await;
    }

    /// Works until nothing is due at the present time.
    pub async fn come_to_rest(&self) {
        let rest = tokio::time::timeout(AT_REST, self.bridge.deliver()).await;
        assert!(rest.is_ok(), "it never comes to rest: a busy loop");
    }

    /// `mostik queue` says this of one item at least, and nothing was dropped.
    pub async fn stands(&self, state: DeliveryState, why: &str) {
        let lines = queue(&self.bridge).await;
        // Either the item says so, or it was not even tried because its EHR is left in peace for that reason.
        let seen = lines.iter().any(|line| [state.as_str(), IN_PEACE].contains(&&*line.state) && line.why == why);
        assert!(seen, "expected {} {why}, an operator sees {lines:?}", state.as_str());
        assert_eq!(lines.iter().map(|line| line.items).sum::<usize>(), MOODS, "nothing lost: {lines:?}");
        let given_up = lines.iter().any(|line| ["dead", "withdrawn"].contains(&line.state.as_str()));
        assert!(!given_up, "{lines:?}");
    }

    /// The fault is over: everything arrives, once.
    pub async fn all_arrive_once(&self) {
        self.bridge.deliver_in_time().await;
        assert_all_once(&self.ehr, MOODS).await;
        let lines = queue(&self.bridge).await;
        let confirmed = |line: &Line| line.state == "confirmed" && line.items == MOODS && line.why.is_empty();
        assert!(lines.len() == 1 && confirmed(&lines[0]), "{lines:?}");
    }

    /// It stays where it is until a human tries it again, for this reason and no other; then everything arrives, once.
    pub async fn waits_for_a_human(&self, why: &str) {
        self.bridge.deliver_in_time().await;
        let posts = self.proxy.posts();
        self.bridge.deliver_in_time_of(SignedDuration::from_mins(30)).await;
        assert_eq!(self.proxy.posts(), posts, "what was refused is not sent again by itself");
        self.stands(DeliveryState::Rejected, why).await;
        assert_eq!(self.replay(Some("another-reason")).await, 0);
        assert_eq!(self.replay(Some(why)).await, MOODS as u64);
        self.all_arrive_once().await;
    }

    /// The same bridge, once its configuration names another address.
    pub async fn arrives_at(&self, base: &str) {
        let text = self.bridge.config.replace(&self.proxy.base, base);
        let database = Database::at(&self.bridge.database.url);
        TestBridge::start_at(database, &text, self.bridge.now()).await.deliver_in_time().await;
        assert_all_once(&self.ehr, MOODS).await;
    }

    /// A human tries all that waits for one again, for whatever reason, or for this one only.
    pub async fn replay(&self, why: Option<&str>) -> u64 {
        let mut tx = self.bridge.bridge.store.begin().await.unwrap();
        let replayed = tx.replay(&Replay::Clinic(&riverside(), why), self.bridge.now()).await.unwrap();
        tx.commit().await.unwrap();
        replayed
    }
}

/// The caller is told to come back later, in the one shape in which errors leave.
pub fn assert_told_to_try_later(got: &Got) {
    assert_eq!(got.status, 503, "{got:?}");
    assert_eq!(got.content_type, "application/problem+json");
    assert!(got.retry_after.is_some_and(|seconds| (1..=60).contains(&seconds)), "{got:?}");
}

/// The EHR has as many Observations as that, each of its own.
pub async fn assert_all_once(ehr: &Ehr, expected: usize) {
    let charted = ehr.observations().await;
    let identifiers: BTreeSet<String> = charted.iter().map(identifier).collect();
    assert_eq!(identifiers.len(), charted.len(), "nothing twice");
    assert_eq!(charted.len(), expected, "nothing lost");
}

/// What an operator sees who runs `mostik queue` beside the bridge.
pub async fn queue(bridge: &TestBridge) -> Vec<Line> {
    queue_of(&bridge.database.folder.path().join("mostik.toml")).await
}

/// The word for an EHR that is left in peace.
const IN_PEACE: &str = "in peace";

/// What an operator sees who runs `mostik queue` with this configuration file.
pub async fn queue_of(config: &Path) -> Vec<Line> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.arg("--config").arg(config).arg("queue");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().filter_map(line).collect()
}

/// `riverside            retry             3       12 s  no-connection`
fn line(text: &str) -> Option<Line> {
    if let Some((_, trouble)) = text.split_once("riverside is left in peace for ") {
        let why = trouble.split(['(', ')']).nth(1)?.to_owned();
        return Some(Line { state: IN_PEACE.to_owned(), items: 0, why });
    }
    if let Some((_, why)) = text.split_once("riverside is asked again how it is, after ") {
        return Some(Line { state: IN_PEACE.to_owned(), items: 0, why: why.to_owned() });
    }
    let mut words = text.split_whitespace();
    words.next().filter(|clinic| *clinic == "riverside")?;
    let (state, items) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    Some(Line { state, items, why: words.skip(2).collect::<Vec<_>>().join(" ") })
}
