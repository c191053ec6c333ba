//! A small proxy between a bridge and PostgreSQL, which can break off at a commit.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::database::Database;
use super::door::Door;

/// When the connection breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breaks {
    /// The commit never reaches the database.
    BeforeCommit,
    /// The database has committed, and nobody hears of it.
    AfterCommit,
}

/// A way to a database that can be cut.
pub struct Tunnel {
    pub door: Door,
    shared: Arc<Shared>,
}

struct Shared {
    target: String,
    commits: AtomicU32,
    breaking: Mutex<Option<(u32, Breaks)>>,
    broke: AtomicU32,
}

impl Tunnel {
    /// The database as it is found through the tunnel.
    pub fn to(database: Database) -> (Self, Database) {
        let mut url = Url::parse(&database.url).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let shared = Arc::new(Shared {
            target,
            commits: AtomicU32::new(0),
            breaking: Mutex::default(),
            broke: AtomicU32::new(0),
        });
        let of_the_door = shared.clone();
        let door = Door::new(move |client| {
            let shared = of_the_door.clone();
            async move {
                let _ended = pass(client, &shared).await;
            }
        });
        url.set_port(Some(door.address.port())).unwrap();
        (Self { door, shared }, Database { url: url.to_string(), ..database })
    }

    /// Breaks the connection at the `nth` commit from now on, counted from 1; once.
    pub fn break_at(&self, nth: u32, breaks: Breaks) {
        let commits = self.shared.commits.load(Ordering::SeqCst);
        *self.shared.breaking.lock().unwrap() = Some((commits + nth, breaks));
    }

    /// How often it broke at a commit.
    pub fn broke(&self) -> u32 {
        self.shared.broke.load(Ordering::SeqCst)
    }

    /// How many commits were asked for.
    pub fn commits(&self) -> u32 {
        self.shared.commits.load(Ordering::SeqCst)
    }
}

/// `None` when the connection ended, by itself or because it was told to.
async fn pass(mut client: TcpStream, shared: &Shared) -> Option<()> {
    let mut server = TcpStream::connect(&shared.target).await.ok()?;
    let (mut asked, mut said) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let asked = &asked[..read.ok().filter(|count| *count > 0)?];
                let breaks = shared.commit(asked);
                if breaks != Some(Breaks::BeforeCommit) {
                    server.write_all(asked).await.ok()?;
                }
                if breaks == Some(Breaks::AfterCommit) {
                    let _word = server.read(&mut said).await.ok()?;
                }
                if breaks.is_some() {
                    shared.broke.fetch_add(1, Ordering::SeqCst);
                    return None;
                }
            }
            read = server.read(&mut said) => {
                let said = &said[..read.ok().filter(|count| *count > 0)?];
                client.write_all(said).await.ok()?;
            }
        }
    }
}

impl Shared {
    /// What is to happen to this message, if it is a commit: a simple query of that one word.
    fn commit(&self, asked: &[u8]) -> Option<Breaks> {
        if !asked.windows(7).any(|window| window == b"COMMIT\0") {
            return None;
        }
        let count = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let mut breaking = self.breaking.lock().unwrap();
        let (_, breaks) = breaking.take_if(|(nth, _)| *nth == count)?;
        Some(breaks)
    }
}
