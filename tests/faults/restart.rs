//! A PostgreSQL of the test's own, which is restarted and killed in the middle of the work.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use jiff::SignedDuration;
use mostik::domain::delivery::DeliveryState;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::scene::{Scene, assert_all_once};
use crate::support::bridge::mood;
use crate::support::database::Database;
use crate::support::parts::part;
use crate::support::server::moment;

/// A running server, in a folder of its own.
struct OwnPostgres {
    folder: TempDir,
    running: Child,
}

impl OwnPostgres {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let running = launch(folder.path().to_owned());
        let mut server = Self { folder, running };
        server.wait_until_ready().await;
        server
    }

    fn url(&self) -> String {
        format!("postgres://mostik@localhost/postgres?host={}", self.folder.path().display())
    }

    async fn wait_until_ready(&mut self) {
        while PgConnection::connect(&self.url()).await.is_err() {
            assert!(self.running.try_wait().unwrap().is_none(), "PostgreSQL ended");
            moment().await;
        }
    }

    /// Ends the server by a signal and starts it again.
    async fn restart(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.running), signal).unwrap();
        while self.running.try_wait().unwrap().is_none() {
            moment().await;
        }
        self.running = launch(self.folder.path().to_owned());
        self.wait_until_ready().await;
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        let _gone = kill_process(Pid::from_child(&self.running), Signal::QUIT);
        let _gone = self.running.wait();
    }
}

fn launch(folder: PathBuf) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/own-postgres.sh");
    Command::new(script).arg(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_restarted_and_killed_in_the_middle_of_the_work_loses_and_doubles_nothing() {
    // Whoever has that one has the programs of another.
    if part("MOSTIK_TEST_POSTGRES", "PostgreSQL").is_none() {
        return;
    }
    let mut server = OwnPostgres::start().await;
    let scene = Scene::new(Database::at(&server.url())).await;
    let moods: Value = (0..120).map(|n| mood(&n.to_string(), "sparrow", 3)).collect();
    assert_eq!(scene.bridge.send(&moods).await.status, 200);
    for signal in [Signal::INT, Signal::QUIT, Signal::QUIT] {
        let before = scene.proxy.posts();
        let working = scene.bridge.deliver_aside();
        while scene.proxy.posts() < before + 10 && !working.is_finished() {
            tokio::task::yield_now().await;
        }
        assert!(scene.proxy.posts() < 120, "in the middle of the work");
        server.restart(signal).await;
        let _ended = working.await.unwrap();
        scene.bridge.clock.advance(SignedDuration::from_secs(10));
    }
    for _ in 0..60 {
        let _ended = scene.bridge.try_deliver().await;
        scene.bridge.clock.advance(SignedDuration::from_secs(10));
    }
    assert_eq!(scene.bridge.count(DeliveryState::Confirmed).await, 120, "{:?}", scene.bridge.counts().await);
    assert_all_once(&scene.ehr, 120).await;
    assert!(scene.proxy.posts() <= 120, "nothing was sent a second time");
}
