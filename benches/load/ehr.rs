//! The smallest EHR: takes every create after a while, and does nothing else. A thread for each connection, which sleeps
//! more exactly than a runtime's timer.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The argument with which this program is such an EHR and nothing else.
pub const ARGUMENT: &str = "--be-the-ehr";

/// How an EHR answers.
#[derive(Clone, Copy)]
pub struct Manner {
    /// How long a create, or a batch of them, takes.
    pub takes: Duration,
    /// Whether it takes batches.
    pub batch: bool,
}

/// An EHR in a process of its own, which ends with this one.
pub struct Ehr {
    pub base: String,
    child: Child,
}

impl Ehr {
    pub fn start(manner: Manner) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([ARGUMENT, &manner.takes.as_micros().to_string(), &manner.batch.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut base = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut base).unwrap();
        Self { base: base.trim().to_owned(), child }
    }
}

impl Drop for Ehr {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// Is an EHR until the other end of standard input is closed.
pub fn be(arguments: &[String]) {
    let manner =
        Manner { takes: Duration::from_micros(arguments[0].parse().unwrap()), batch: arguments[1].parse().unwrap() };
    println!("{}", serve(manner, |_| ()));
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Serves on threads of this process; `seen` is told when a create has arrived. Returns the FHIR base.
pub fn serve(manner: Manner, seen: impl Fn(Instant) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let (seen, next) = (Arc::new(seen), Arc::new(AtomicU64::new(1)));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (seen, next) = (Arc::clone(&seen), Arc::clone(&next));
            std::thread::spawn(move || talk(stream.unwrap(), manner, &*seen, &next));
        }
    });
    base
}

/// Answers one request after another, until the other side has gone.
fn talk(mut stream: TcpStream, manner: Manner, seen: &dyn Fn(Instant), next: &AtomicU64) {
    stream.set_nodelay(true).unwrap();
    let mut input = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let (mut is_get, mut length) = (false, 0);
        for number in 0.. {
            line.clear();
            if !input.read_line(&mut line).is_ok_and(|read| read > 0) {
                return;
            }
            if number == 0 {
                is_get = line.starts_with("GET ");
            } else if line == "\r\n" {
                break;
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        body.resize(length, 0);
        if input.read_exact(&mut body).is_err() {
            return;
        }
        let answer = if is_get {
            ok(&statement(manner.batch))
        } else {
            seen(Instant::now());
            std::thread::sleep(manner.takes);
            created(&body, next)
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The answer to a create, or to a batch of them.
fn created(body: &[u8], next: &AtomicU64) -> String {
    let entries = count(body, br#""request":{"method":"POST""#) as u64;
    let first = next.fetch_add(entries.max(1), Ordering::Relaxed);
    if entries == 0 {
        return format!(
            "HTTP/1.1 201 Created\r\nLocation: Observation/{first}/_history/1\r\nContent-Length: 0\r\n\r\n"
        );
    }
    let entry = |id| {
        format!(
            r#"{{"response":{{"status":"201 Created","location":"Observation/{id}/_history/1","etag":"W/\"1\""}}}}"#
        )
    };
    let entries: Vec<String> = (first..first + entries).map(entry).collect();
    ok(&format!(r#"{{"resourceType":"Bundle","type":"batch-response","entry":[{}]}}"#, entries.join(",")))
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn statement(batch: bool) -> String {
    let interaction = if batch { r#"[{"code":"batch"}]"# } else { "[]" };
    format!(
        r#"{{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{{"mode":"server",
        "interaction":{interaction},"resource":[{{"type":"Observation","interaction":[{{"code":"create"}}]}}]}}]}}"#
    )
}

fn count(text: &[u8], word: &[u8]) -> usize {
    text.windows(word.len()).filter(|window| *window == word).count()
}
