//! A forum that nobody here wrote: Misago, one for each test, with the accounts that `tests/tools/forum.py` makes, and people who
//! write there.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::bridge::config_text;
use super::database::Database;
use super::door::Door;
use super::http::{Got, client};
use super::parts::part;
use super::portal::PORTAL;
use super::server::moment;
use super::synapse::free_port;

/// The public categories there.
pub const COUNTED: i64 = 3;
pub const ELSEWHERE: i64 = 4;

/// The accounts of bridges.
pub const HELPERS: [&str; 2] = ["mostik", "mostik-two"];

const PASSWORD: &str = "a long password";

/// How often something is looked for before it is believed never to come.
const PATIENCE: usize = 3000;

/// What Django wants to see twice.
const SEEN_TWICE: &str = "testtesttesttesttesttesttesttest";

/// A running forum.
pub struct Misago {
    base: String,
    database: Arc<Database>,
    folder: TempDir,
    child: Child,
    way: Way,
}

/// The way of bridges to it, on which an answer can be lost.
struct Way {
    door: Door,
    loses: Arc<Mutex<Option<&'static str>>>,
}

/// Somebody who is signed in there.
pub struct User {
    pub id: i64,
    base: String,
    database: Arc<Database>,
    client: Client,
    cookies: String,
}

impl Misago {
    pub async fn start() -> Option<Self> {
        let python = part("MOSTIK_TEST_MISAGO", "Misago, a forum")?;
        let server = part("MOSTIK_TEST_POSTGRES", "PostgreSQL")?;
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let database = copied(&server, folder.path()).await;
        let said = fs::File::create(folder.path().join("out")).unwrap();
        // It dies with the test.
        let child = Command::new("setpriv")
            .args([
                "--pdeathsig",
                "KILL",
                &python,
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/forum.py"),
                "serve",
                &port.to_string(),
            ])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("FORUM_DATABASE", &database)
            .env("FORUM_FILES", folder.path())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let (base, database) = (format!("http://127.0.0.1:{port}"), Arc::new(Database::at(&database)));
        let mut misago = Self { base, database, folder, child, way: Way::to(port) };
        for _ in 0..PATIENCE {
            if client().get(format!("{}/api/auth/", misago.base)).send().await.is_ok() {
                return Some(misago);
            }
            let ended = misago.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {}", misago.last_words());
            moment().await;
        }
        panic!("it does not start: {}", misago.last_words());
    }

    fn last_words(&self) -> String {
        fs::read_to_string(self.folder.path().join("out")).unwrap_or_default()
    }

    /// The configuration of a bridge whose forum it is, with an account and these more settings of the connector.
    pub fn settings(&self, database: &Database, ehr: &str, account: &str, more: &str) -> String {
        let password = database.secret_file("misago.password", PASSWORD);
        let text = config_text(database, ehr, "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        // The forum is slower than the EHRs of the tests.
        let text = text.replace("timeout_seconds = 1\nlease_seconds = 3", "timeout_seconds = 10\nlease_seconds = 25");
        format!(
            "{text}[communities.forum.messages]\nmethod = \"connector\"\n[communities.forum.connector]\nplatform = \"misago\"\n\
             url = \"http://{}\"\naccount = {account:?}\npassword_file = {password:?}\n{more}\n",
            self.way.door.address
        )
    }

    /// The answer to the next thing is lost that a bridge posts where this is part of the address.
    pub fn loses(&self, address: &'static str) {
        *self.way.loses.lock().unwrap() = Some(address);
    }

    /// Whether it was lost.
    pub async fn has_lost(&self) {
        for _ in 0..PATIENCE {
            if self.way.loses.lock().unwrap().is_none() {
                return;
            }
            moment().await;
        }
        panic!("nothing like it was posted");
    }

    /// It shows as many posts on a page as a forum does of which nobody changed that.
    pub async fn has_pages_as_usual(&self) {
        self.database.run("UPDATE misago_conf_setting SET dry_value = '18' WHERE setting = 'posts_per_page'").await;
        self.database.run("UPDATE misago_cache_cacheversion SET version = 'usual' WHERE cache = 'settings'").await;
    }

    /// Nobody is signed in any more.
    pub async fn forgets_sessions(&self) {
        self.database.run("DELETE FROM django_session").await;
    }

    /// Somebody signs in.
    pub async fn user(&self, name: &str) -> User {
        let mut user = User {
            id: 0,
            base: self.base.clone(),
            database: Arc::clone(&self.database),
            client: client(),
            cookies: format!("csrftoken={SEEN_TWICE}"),
        };
        let shown = json!({"username": name, "password": PASSWORD});
        let request = user.client.post(format!("{}/api/auth/", self.base)).header("cookie", &user.cookies);
        let answer = request.header("x-csrftoken", SEEN_TWICE).json(&shown).send().await.unwrap();
        let session = answer.cookies_set().find(|it| it.starts_with("sessionid=")).unwrap();
        user.cookies = format!("{}; {session}", user.cookies);
        user.id = answer.json::<Value>().await.unwrap()["id"].as_i64().unwrap();
        user
    }
}

/// The cookies that an answer sets.
trait Sets {
    fn cookies_set(&self) -> impl Iterator<Item = String>;
}

impl Sets for reqwest::Response {
    fn cookies_set(&self) -> impl Iterator<Item = String> {
        let set = self.headers().get_all("set-cookie").into_iter();
        set.map(|it| it.to_str().unwrap().split(';').next().unwrap().to_owned())
    }
}

/// A copy of the forum that `tests/tools/prepare-forum.sh` makes, in a database that is thrown away with the test.
async fn copied(server: &str, folder: &std::path::Path) -> String {
    let name: String = folder.file_name().unwrap().to_string_lossy().to_lowercase();
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("t_{name}_{}", std::process::id());
    let mut admin = PgConnection::connect(server).await.unwrap();
    let copy = format!("CREATE DATABASE {name} TEMPLATE forum");
    for _ in 0..10 * PATIENCE {
        match sqlx::query(AssertSqlSafe(copy.clone())).execute(&mut admin).await {
            Ok(_) => {
                admin.close().await.unwrap();
                let mut url = reqwest::Url::parse(server).unwrap();
                url.set_path(&name);
                return url.to_string();
            }
            // It is not made yet, or another test copies it.
            Err(_) => moment().await,
        }
    }
    panic!("there is no database `forum`: the log of the part `forum` says why");
}

impl Way {
    fn to(port: u16) -> Self {
        let loses: Arc<Mutex<Option<&'static str>>> = Arc::default();
        let of_the_door = Arc::clone(&loses);
        let door = Door::new(move |bridge| {
            let loses = Arc::clone(&of_the_door);
            async move {
                let _ended = pass(bridge, port, &loses).await;
            }
        });
        Self { door, loses }
    }
}

/// `None` when the connection ended, by itself or because an answer was lost.
async fn pass(mut bridge: TcpStream, port: u16, loses: &Mutex<Option<&'static str>>) -> Option<()> {
    let mut forum = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    let mut is_lost = false;
    loop {
        tokio::select! {
            read = bridge.read(&mut asked) => {
                let asked = &asked[..read.ok().filter(|count| *count > 0)?];
                let head = String::from_utf8_lossy(asked);
                let head = head.lines().next().unwrap_or_default();
                let is_meant = |address: &&str| head.starts_with("POST ") && head.contains(address) && !head.contains("/read/");
                is_lost |= loses.lock().unwrap().take_if(|address| is_meant(address)).is_some();
                forum.write_all(asked).await.ok()?;
            }
            read = forum.read(&mut answered) => {
                let answered = &answered[..read.ok().filter(|count| *count > 0)?];
                if is_lost {
                    return None;
                }
                bridge.write_all(answered).await.ok()?;
            }
        }
    }
}

impl Drop for Misago {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl User {
    /// Calls the forum as their browser does.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Got {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.header("cookie", &self.cookies).header("x-csrftoken", SEEN_TWICE);
        let request = if let Some(body) = body { request.json(body) } else { request };
        Got::read(request.send().await.unwrap()).await
    }

    async fn done(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let mut got = self.call(method.clone(), path, body).await;
        // Two who write in the same thread at the same time stand in each other's way (a deadlock, of which nothing is left): then
        // one of them presses once more.
        for _ in 0..10 {
            if got.status != 500 {
                break;
            }
            got = self.call(method.clone(), path, body).await;
        }
        assert_eq!(got.status, 200, "{path}: {}", got.json);
        got.json
    }

    /// Begins a private thread; returns its id.
    pub async fn writes_to(&self, whom: &[&str], text: &str) -> i64 {
        let body = json!({"to": whom, "title": "Good evening", "post": text});
        self.done(Method::POST, "/api/private-threads/", Some(&body)).await["id"].as_i64().unwrap()
    }

    /// Writes more in a private thread.
    pub async fn writes(&self, thread: i64, text: &str) -> i64 {
        let path = format!("/api/private-threads/{thread}/posts/");
        self.done(Method::POST, &path, Some(&json!({"post": text}))).await["id"].as_i64().unwrap()
    }

    /// Begins a public thread; returns its id.
    pub async fn begins(&self, category: i64, text: &str) -> i64 {
        let body = json!({"category": category, "title": "For everybody", "post": text});
        self.done(Method::POST, "/api/threads/", Some(&body)).await["id"].as_i64().unwrap()
    }

    /// Writes more in a public thread; returns the post's id.
    pub async fn answers(&self, thread: i64, text: &str) -> i64 {
        let path = format!("/api/threads/{thread}/posts/");
        self.done(Method::POST, &path, Some(&json!({"post": text}))).await["id"].as_i64().unwrap()
    }

    /// Hides a post, or a thread, by its address.
    pub async fn hides(&self, path: &str) {
        self.done(Method::PATCH, path, Some(&json!([{"op": "replace", "path": "is-hidden", "value": true}]))).await;
    }

    /// Deletes a post, or a thread, by its address.
    pub async fn deletes(&self, path: &str) {
        self.done(Method::DELETE, path, None).await;
    }

    /// They let nobody begin private threads with them.
    pub async fn wants_no_private_threads(&self) {
        let body = json!({
            "limits_private_thread_invites_to": 2, "is_hiding_presence": false, "watch_started_threads": 0,
            "watch_replied_threads": 0, "watch_new_private_threads_by_followed": 0, "watch_new_private_threads_by_other_users": 0,
            "notify_new_private_threads_by_followed": 0, "notify_new_private_threads_by_other_users": 0,
        });
        self.done(Method::POST, &format!("/api/users/{}/forum-options/", self.id), Some(&body)).await;
    }

    /// Their private threads, the newest first.
    pub async fn private_threads(&self) -> Vec<i64> {
        let list = self.done(Method::GET, "/api/private-threads/?list=all", None).await;
        list["results"].as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()).collect()
    }

    /// What a bridge wrote in a private thread, in order, as it is shown.
    pub async fn heard(&self, thread: i64) -> Vec<String> {
        let (mut heard, mut page, mut pages) = (Vec::new(), 1, 1);
        let mut seen = 0;
        while page <= pages {
            let path = format!("/api/private-threads/{thread}/posts/?page={page}");
            let got = self.done(Method::GET, &path, None).await;
            pages = got["post_set"]["pages"].as_i64().unwrap();
            for post in got["post_set"]["results"].as_array().unwrap() {
                let (id, is_helper) =
                    (post["id"].as_i64().unwrap(), HELPERS.iter().any(|it| post["poster"]["username"] == *it));
                // The last one of a page stands on the next one, too.
                if id > seen && is_helper {
                    heard.push(post["content"].as_str().unwrap_or_default().to_owned());
                }
                seen = seen.max(id);
            }
            page += 1;
        }
        heard
    }

    /// How much a bridge has written there: asked of the database, so that the forum has time for others.
    async fn written(&self, thread: i64) -> usize {
        let helpers = HELPERS.map(|name| format!("'{name}'")).join(", ");
        let posts =
            format!("misago_threads_post WHERE thread_id = {thread} AND NOT is_event AND poster_name IN ({helpers})");
        usize::try_from(self.database.count(&posts).await).unwrap()
    }

    /// How many bytes of JSON the first page of a thread of theirs has.
    pub async fn first_page(&self, thread: i64) -> usize {
        self.done(Method::GET, &format!("/api/private-threads/{thread}/posts/?page=1"), None).await.to_string().len()
    }

    /// What a bridge has written there as soon as it has written so much.
    pub async fn hears(&self, thread: i64, so_much: usize) -> Vec<String> {
        for _ in 0..PATIENCE {
            if self.written(thread).await >= so_much {
                return self.heard(thread).await;
            }
            moment().await;
        }
        panic!("only {:?}", self.heard(thread).await);
    }

    /// Says something, and returns what is answered.
    pub async fn talks(&self, thread: i64, text: &str) -> String {
        let before = self.written(thread).await;
        self.writes(thread, text).await;
        let heard = self.hears(thread, before + 1).await;
        assert_eq!(heard.len(), before + 1, "{heard:?}");
        heard[before].clone()
    }
}
