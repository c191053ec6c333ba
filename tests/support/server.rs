//! `mostik serve` as its operator runs it: a process of its own, with a configuration file.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::SignedDuration;
use mostik::app;
use mostik::config::Config;
use mostik::domain::clock::Clock;
use mostik::domain::delivery::DeliveryState;
use mostik::domain::entropy::Entropy;
use mostik::domain::ids::MemberId;
use mostik::enrolment::credentials::{EVENTS_WRITE, create_api_key, create_member_token};
use mostik::enrolment::join::{join, link};
use mostik::pipeline::Bridge;
use mostik::vault::Key;
use reqwest::Method;
use serde_json::{Value, json};

use super::bridge::{config_text, forum, riverside};
use super::database::Database;
use super::ehr::Ehr;
use super::http::{Got, client};

/// Whatever waits to be tried again is due.
const DUE_NOW: &str = "UPDATE outbox SET due_at = 0 WHERE state IN ('retry', 'unknown'); \
     UPDATE lanes SET due_at = 0 WHERE due_at IS NOT NULL";

/// Everything a process needs to start, and the member of the test.
pub struct Server {
    pub config: PathBuf,
    pub bridge: Bridge,
    /// The database, for the test alone.
    direct: String,
    token: String,
    pub api_key: String,
    pub member: MemberId,
    pub handle: String,
    /// Environment variables of the process.
    pub environment: Vec<(&'static str, PathBuf)>,
    /// What a shell does before it becomes the process.
    pub before: &'static str,
    client: reqwest::Client,
}

/// A running process.
pub struct Running<'a> {
    pub server: &'a Server,
    front: Front<'a>,
    child: Child,
}

/// Where a process answers, or answered while it lived.
#[derive(Clone)]
pub struct Front<'a> {
    pub server: &'a Server,
    api: String,
}

impl Server {
    /// Writes the configuration and enrols a member.
    pub async fn prepare(database: &Database, ehr: &Ehr) -> Self {
        Self::prepare_at(database, &ehr.base, &ehr.patient).await
    }

    /// The same with an EHR that is reached at `base`.
    pub async fn prepare_at(database: &Database, base: &str, patient: &str) -> Self {
        Self::prepare_with(database, base, patient, "").await
    }

    /// The same with more in its configuration.
    pub async fn prepare_with(database: &Database, base: &str, patient: &str, more: &str) -> Self {
        let text = config_text(database, base, "127.0.0.1:0") + more;
        let path = database.folder.path().join("mostik.toml");
        std::fs::write(&path, &text).unwrap();
        let config = Config::from_toml(&text).unwrap();
        Key::generate(&Entropy::System).unwrap().create_file(config.vault.master_key.file().unwrap()).unwrap();
        let bridge = app::open(&config, Clock::System, Entropy::System).await.unwrap();
        let (keyring, now) = (&bridge.keyring, bridge.clock.now());
        let mut tx = bridge.store.begin().await.unwrap();
        let handle = "sparrow".to_owned();
        let member = join(&mut tx, keyring, &forum(), &handle, now).await.unwrap();
        link(&mut tx, keyring, member, &riverside(), patient, "test", now).await.unwrap();
        let token = create_member_token(&mut tx, keyring, member, SignedDuration::from_hours(1), now).await.unwrap();
        let api_key = create_api_key(&mut tx, keyring, &forum(), EVENTS_WRITE, now).await.unwrap().secret;
        tx.commit().await.unwrap();
        Self {
            config: path,
            bridge,
            direct: database.direct.clone(),
            token,
            api_key,
            member,
            handle,
            environment: Vec::new(),
            before: "",
            client: client(),
        }
    }

    /// Starts a process and waits until it listens; one that finds work at once may be killed before that.
    ///
    /// What the test does beside it goes on meanwhile: a transaction that is held up half done would hold up the process.
    pub async fn start(&self, crash_at: Option<&str>) -> Running<'_> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{} exec \"$0\" \"$@\"", self.before)).arg(env!("CARGO_BIN_EXE_mostik"));
        command.arg("--config").arg(&self.config).arg("serve").stdout(Stdio::piped());
        command.stderr(File::options().create(true).append(true).open(self.log()).unwrap());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(point) = crash_at {
            command.env("MOSTIK_CRASH_AT", point);
        }
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut running = Running { server: self, front: Front { server: self, api: String::new() }, child };
        let line = tokio::task::spawn_blocking(|| BufReader::new(stdout).lines().next()).await.unwrap();
        let line = line.transpose().unwrap().unwrap_or_default();
        match line.strip_prefix("mostik listens on ") {
            Some(api) => api.clone_into(&mut running.front.api),
            None => assert!(line.is_empty() && crash_at.is_some(), "it said {line:?}: {}", self.last_words()),
        }
        running
    }

    /// What all its processes say.
    fn log(&self) -> PathBuf {
        self.config.with_file_name("serve.log")
    }

    /// What they said last.
    pub fn last_words(&self) -> String {
        let said = std::fs::read(self.log()).unwrap();
        String::from_utf8_lossy(&said[said.len().saturating_sub(4000)..]).into_owned()
    }

    /// The states of all versions of the member's grants.
    pub async fn grant_states(&self, running: &Running<'_>) -> Vec<String> {
        let got = running.call(Method::GET, "/v1/grants", &self.token, None).await.unwrap();
        let grants = got.json["grants"].as_array().unwrap();
        grants.iter().map(|grant| grant["state"].as_str().unwrap().to_owned()).collect()
    }

    /// How many items stand in a state.
    pub async fn count(&self, wanted: DeliveryState) -> i64 {
        let counts = self.bridge.store.read().await.unwrap().count_deliveries(None).await.unwrap();
        counts.into_iter().find(|(state, _)| *state == wanted).map_or(0, |(_, count)| count)
    }

    pub async fn open_items(&self) -> i64 {
        let counts = self.bridge.store.read().await.unwrap().count_deliveries(None).await.unwrap();
        counts.into_iter().filter(|(state, _)| state.is_open()).map(|(_, count)| count).sum()
    }
}

impl<'a> Running<'a> {
    /// Where it answers.
    pub const fn front(&self) -> &Front<'a> {
        &self.front
    }

    /// Kills it, unless it is dead already: by SIGKILL, whoever it was. Whether it still lived.
    pub fn kill(&mut self) -> bool {
        let lived = self.child.try_wait().unwrap().is_none();
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it must die by SIGKILL, not {status}");
        lived
    }

    /// Whether it was killed by itself within that time.
    pub async fn dies_within(&mut self, time: Duration) -> bool {
        let end = tokio::time::Instant::now() + time;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.signal(), Some(9), "it must die by SIGKILL, not {status}");
                return true;
            }
            if tokio::time::Instant::now() >= end {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Its process id.
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Asks the process to stop, as an orchestrator does, and returns how it ended.
    pub async fn stop(&mut self) -> std::process::ExitStatus {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).unwrap();
        for _ in 0..3000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            moment().await;
        }
        panic!("it does not stop");
    }

    /// Waits for the process to be killed where it was told to.
    pub async fn wait_until_killed(&mut self) {
        for _ in 0..3000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.signal(), Some(9), "it must die by SIGKILL, not {status}");
                return;
            }
            moment().await;
        }
        panic!("the crash point was never reached");
    }

    /// Waits until nothing is on its way any more: a dead process's lanes are taken up when its lease has run out.
    pub async fn wait_until_idle(&self, server: &Server) {
        let (mut fewest, mut looks) = (i64::MAX, 0);
        while looks < 3000 {
            let open = server.open_items().await;
            if open == 0 {
                return;
            }
            looks = if open < fewest { 0 } else { looks + 1 };
            fewest = fewest.min(open);
            if looks == 1000 {
                // An item that failed twice by chance waits for minutes.
                Database::at(&server.direct).run(DUE_NOW).await;
            }
            moment().await;
        }
        panic!("the outbox does not get empty");
    }

    /// Consents to moods, unless that was done before. `false` when no answer came.
    pub async fn grant(&self, server: &Server) -> bool {
        self.consent(server, "none").await
    }

    /// The same, and lets this much come back.
    pub async fn consent(&self, server: &Server, way_back: &str) -> bool {
        let terms = json!({"categories": {"mood": "every-entry"}, "way_back": way_back});
        let asked = json!({"clinic": "riverside", "terms": terms});
        let got = self.call(Method::POST, "/v1/grants", &server.token, Some(&asked)).await;
        got.is_some_and(|got| [201, 409].contains(&got.status))
    }

    /// Sends events. `None` when no answer came.
    pub async fn send(&self, server: &Server, events: &Value) -> Option<Got> {
        let got = self.call(Method::POST, "/v1/events", &server.api_key, Some(events)).await?;
        assert_eq!(got.status, 200, "{:?}", got.json);
        Some(got)
    }

    /// Takes consent back. `false` when no answer came.
    pub async fn revoke(&self, server: &Server) -> bool {
        let Some(list) = self.call(Method::GET, "/v1/grants", &server.token, None).await else { return false };
        let grant = list.json["grants"][0]["id"].as_str().unwrap();
        let got = self.call(Method::POST, &format!("/v1/grants/{grant}/revoke"), &server.token, None).await;
        got.is_some_and(|got| got.status == 200)
    }

    /// Calls the process. `None` when no answer came.
    pub async fn call(&self, method: Method, path: &str, credential: &str, body: Option<&Value>) -> Option<Got> {
        self.front.call(method, path, credential, body).await
    }
}

impl Front<'_> {
    /// Calls the process. `None` when no whole answer came.
    pub async fn call(&self, method: Method, path: &str, credential: &str, body: Option<&Value>) -> Option<Got> {
        let request = self.server.client.request(method, format!("{}{path}", self.api)).bearer_auth(credential);
        let mut request = request.timeout(Duration::from_secs(20));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Got::whole(request.send().await.ok()?).await
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Between two looks at a process that runs by the real clock.
pub async fn moment() {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    ticks.tick().await;
    ticks.tick().await;
}
