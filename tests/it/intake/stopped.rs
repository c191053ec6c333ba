//! An import that is stopped half way, however it is: what was taken until then stays, and importing the file again takes the
//! rest, every reading once.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use jiff::tz::TimeZone;
use mostik::domain::day::Days;
use mostik::import::{self, Diary};
use mostik::inbound::mood::daylio::MoodScale;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, oneshot};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, config_text};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::outbox::items;

const HEADER: &str = "full_date,date,weekday,time,mood,activities,note_title,note\n";

/// A diary with so many entries, more than are taken at once: each a mood, and no more.
fn diary(entries: usize) -> String {
    let line = |n: usize| format!("2026-11-{:02},x,x,{:02}:{:02},good,,,\n", 1 + n / 600, n % 600 / 60, n % 60);
    format!("{HEADER}{}", (0..entries).map(line).collect::<String>())
}

async fn ready(database: Database) -> (TestBridge, Person) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, &["mood"]).await;
    let config = config_text(&bridge.database, &ehr.base, "127.0.0.1:0");
    std::fs::write(bridge.database.folder.path().join("mostik.toml"), config).unwrap();
    (bridge, member)
}

/// How many readings the clinic would receive; each has a name of its own.
async fn told(bridge: &TestBridge, member: &Person) -> usize {
    let items = items(bridge, member).await;
    let names: BTreeSet<&str> = items.iter().map(|item| item.identifier.as_str()).collect();
    assert_eq!(names.len(), items.len(), "nothing twice");
    items.len()
}

fn import(bridge: &TestBridge, member: &Person, crash_at: Option<&str>) -> (Output, String) {
    let folder = bridge.database.folder.path();
    std::fs::write(folder.join("diary.csv"), diary(300)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.arg("--config").arg(folder.join("mostik.toml")).arg("import").arg(folder.join("diary.csv"));
    command.args(["--member", &member.id.to_string(), "--zone", "Europe/Berlin"]);
    if let Some(point) = crash_at {
        command.env("MOSTIK_CRASH_AT", point);
    }
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

on_both_databases! {
    async fn an_import_that_is_killed_is_done_again_and_takes_every_reading_once(database) {
        let (bridge, member) = ready(database).await;
        let mut before = 0;
        // Between two batches, and with the second one half done.
        for point in ["accept:after-commit", "accept:before-commit#2"] {
            let (output, said) = import(&bridge, &member, Some(point));
            assert_eq!(output.status.signal(), Some(9), "{said}");
            let taken = told(&bridge, &member).await;
            assert!(taken > 0 && taken < 300 && taken >= before, "{point}: {taken} after {before}");
            before = taken;
        }
        let (output, said) = import(&bridge, &member, None);
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("{} taken", 300 - before)), "{said}");
        assert!(said.contains(&format!("  {before} were imported before.")), "{said}");
        assert_eq!(told(&bridge, &member).await, 300);
        assert_eq!(bridge.traces(&member).await, 300);
    }
}

/// A file that comes to a halt until the test goes on, and then to its end.
struct Halting {
    content: Cursor<String>,
    at: u64,
    /// Its beginning is looked at before it is read.
    is_read: bool,
    halts: Option<oneshot::Sender<()>>,
    goes_on: Receiver<()>,
    /// Its place among those that are under way.
    _place: OwnedSemaphorePermit,
}

impl Read for Halting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_read && self.content.position() >= self.at {
            if let Some(halts) = self.halts.take() {
                halts.send(()).unwrap();
            }
            self.goes_on.recv().unwrap_err();
            return Ok(0);
        }
        let most = buffer.len().min(512);
        self.content.read(&mut buffer[..most])
    }
}

impl Seek for Halting {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.is_read = true;
        self.content.seek(to)
    }
}

on_both_databases! {
    async fn an_import_whose_asker_goes_away_is_done_again_and_takes_every_reading_once(database) {
        let (bridge, member) = ready(database).await;
        let whole = diary(900);
        let asked = Diary::new(member.id, Days::new(std::iter::empty(), TimeZone::UTC), MoodScale::default());
        let ((halts, halted), (going_on, goes_on)) = (oneshot::channel(), channel());
        // By then the first batch was taken: there is room for one that waits, and the one after it is under way.
        let at = whole.len() as u64 * 5 / 6;
        let places = Arc::new(Semaphore::new(1));
        let (content, place) = (Cursor::new(whole.clone()), Arc::clone(&places).try_acquire_owned().unwrap());
        let halting = Halting { content, at, is_read: false, halts: Some(halts), goes_on, _place: place };
        tokio::select! {
            report = import::file(&bridge.bridge, &asked, halting) => panic!("{report:?}"),
            halted = halted => halted.unwrap(),
        }
        assert_eq!(places.available_permits(), 0, "whoever asked is gone, and the file is still being read");
        drop(going_on);
        let _: SemaphorePermit<'_> = places.acquire().await.unwrap();
        let taken = told(&bridge, &member).await;
        assert!(taken > 0 && taken < 900, "{taken}");
        let report = import::file(&bridge.bridge, &asked, Cursor::new(whole)).await.unwrap();
        assert_eq!(report.duplicates, taken as u64);
        assert_eq!(report.accepted.values().sum::<u64>(), 900 - taken as u64);
        assert_eq!(told(&bridge, &member).await, 900);
    }
}
