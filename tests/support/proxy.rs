//! A small proxy in front of an EHR, for the faults that a real server does not have when a test needs them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::door::Door;

/// The first byte of a TLS connection (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The connection is reset before the request has been read to its end.
    Reset,
    /// The EHR answers, and nobody hears it.
    LostAnswer,
    /// Neither passed on nor answered.
    Stall,
    /// The EHR gets the request only after a while, even if the client has given up by then.
    Late(Duration),
    /// The EHR's answer comes byte by byte, so far apart.
    Trickle(Duration),
    /// The EHR's answer breaks off before its end, and the connection with it.
    BrokenOff,
    /// The EHR's answer says that it is something else.
    ContentType(&'static str),
    /// Somebody else answers in the place of the EHR: status line, further header lines, body.
    Instead(&'static str, &'static str, &'static str),
}

/// With which requests it goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    Every,
    Posts,
    Gets,
}

/// Passes requests on, each over a connection of its own.
pub struct Proxy {
    pub base: String,
    pub door: Door,
    shared: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    tls: Mutex<Option<Arc<ServerConfig>>>,
    fault: Mutex<Option<(On, Fault, u32)>>,
    connections: AtomicU32,
    requests: AtomicU32,
    posts: AtomicU32,
    struck: AtomicU32,
    late: AtomicU32,
}

impl Proxy {
    /// A proxy in front of the FHIR endpoint `upstream`.
    pub fn before(upstream: &str) -> Self {
        Self::make(upstream, None)
    }

    /// The same over TLS, under the name `localhost`.
    pub fn with_tls(upstream: &str, tls: Arc<ServerConfig>) -> Self {
        Self::make(upstream, Some(tls))
    }

    fn make(upstream: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let url = reqwest::Url::parse(upstream).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap()).parse().unwrap();
        let scheme_and_host = if tls.is_some() { "https://localhost" } else { "http://127.0.0.1" };
        let shared = Arc::new(Shared {
            target,
            tls: Mutex::new(tls),
            fault: Mutex::default(),
            connections: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            posts: AtomicU32::new(0),
            struck: AtomicU32::new(0),
            late: AtomicU32::new(0),
        });
        let of_the_door = shared.clone();
        let door = Door::new(move |client| greet(client, of_the_door.clone()));
        let base = format!("{scheme_and_host}:{}{}", door.address.port(), url.path().trim_end_matches('/'));
        Self { base, door, shared }
    }

    /// From now on this goes wrong.
    pub fn strike(&self, on: On, fault: Fault) {
        self.strike_times(u32::MAX, on, fault);
    }

    /// This goes wrong so many times.
    pub fn strike_times(&self, times: u32, on: On, fault: Fault) {
        *self.shared.fault.lock().unwrap() = Some((on, fault, times));
    }

    /// From now on nothing goes wrong.
    pub fn heal(&self) {
        *self.shared.fault.lock().unwrap() = None;
    }

    /// Shows another certificate from now on.
    pub fn show(&self, tls: Arc<ServerConfig>) {
        *self.shared.tls.lock().unwrap() = Some(tls);
    }

    /// Loses the answers to the next `count` POST requests.
    pub fn lose_answers(&self, count: u32) {
        self.strike_times(count, On::Posts, Fault::LostAnswer);
    }

    /// How many answers were lost, if that is what was told to go wrong.
    pub fn lost(&self) -> u32 {
        self.struck()
    }

    /// How many requests something went wrong with.
    pub fn struck(&self) -> u32 {
        self.shared.struck.load(Ordering::SeqCst)
    }

    /// How many requests the EHR got late, and has dealt with.
    pub fn late(&self) -> u32 {
        self.shared.late.load(Ordering::SeqCst)
    }

    /// How many connections were opened.
    pub fn connections(&self) -> u32 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many requests came, whatever became of them.
    pub fn requests(&self) -> u32 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How many of them were POST requests.
    pub fn posts(&self) -> u32 {
        self.shared.posts.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn take(&self, is_post: bool) -> Option<Fault> {
        let mut fault = self.fault.lock().unwrap();
        let (on, kind, left) = fault.as_mut()?;
        let meant = match on {
            On::Every => true,
            On::Posts => is_post,
            On::Gets => !is_post,
        };
        if !meant || *left == 0 {
            return None;
        }
        *left -= 1;
        self.struck.fetch_add(1, Ordering::SeqCst);
        Some(*kind)
    }
}

async fn greet(client: TcpStream, shared: Arc<Shared>) {
    shared.connections.fetch_add(1, Ordering::SeqCst);
    let tls = shared.tls.lock().unwrap().clone();
    match tls {
        None => pass(client, &shared).await,
        Some(tls) => {
            if let Ok(client) = TlsAcceptor::from(tls).accept(client).await {
                pass(client, &shared).await;
            }
        }
    }
}

/// Deals with one request. The connection ends with it.
async fn pass<S: AsyncRead + AsyncWrite + Unpin>(mut client: S, shared: &Shared) {
    let mut request = vec![0; 4];
    if client.read_exact(&mut request).await.is_err() {
        return;
    }
    if request[0] == TLS_HANDSHAKE {
        // As web servers answer who speaks TLS where they do not.
        return say(&mut client, b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await;
    }
    let is_post = request == b"POST";
    shared.requests.fetch_add(1, Ordering::SeqCst);
    if is_post {
        shared.posts.fetch_add(1, Ordering::SeqCst);
    }
    let fault = shared.take(is_post);
    if let Some(Fault::Reset) = fault {
        // A connection that is closed over unread bytes is reset.
        return;
    }
    if read_request(&mut client, &mut request).await.is_none() {
        return;
    }
    match fault {
        Some(Fault::Stall) => drop(client.read(&mut [0]).await),
        Some(Fault::Instead(status, headers, body)) => {
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
            say(&mut client, answer.as_bytes()).await;
        }
        fault => {
            if let Some(Fault::Late(by)) = fault {
                tokio::time::sleep(by).await;
            }
            let answer = ask(shared.target, request).await;
            shared.late.fetch_add(u32::from(matches!(fault, Some(Fault::Late(_)))), Ordering::SeqCst);
            if let Some(answer) = answer {
                tell(&mut client, fault, answer).await;
            }
        }
    }
}

async fn tell<S: AsyncWrite + Unpin>(client: &mut S, fault: Option<Fault>, answer: Vec<u8>) {
    match fault {
        Some(Fault::LostAnswer) => {}
        Some(Fault::BrokenOff) => say(client, &answer[..answer.len() - answer.len() / 8 - 1]).await,
        Some(Fault::Trickle(apart)) => {
            let mut ticks = tokio::time::interval(apart);
            for byte in answer {
                ticks.tick().await;
                if client.write_all(&[byte]).await.is_err() || client.flush().await.is_err() {
                    return;
                }
            }
        }
        Some(Fault::ContentType(other)) => {
            let text = String::from_utf8(answer).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let mut lines: Vec<&str> =
                head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("content-type:")).collect();
            let line = format!("content-type: {other}");
            lines.push(&line);
            say(client, format!("{}\r\n\r\n{body}", lines.join("\r\n")).as_bytes()).await;
        }
        _ => say(client, &answer).await,
    }
}

/// The client may be gone by now.
async fn say<S: AsyncWrite + Unpin>(client: &mut S, answer: &[u8]) {
    if client.write_all(answer).await.is_ok() {
        let _gone = client.shutdown().await;
    }
}

/// Reads the rest of a request to its end.
async fn read_request<S: AsyncRead + Unpin>(client: &mut S, request: &mut Vec<u8>) -> Option<()> {
    let head_end = loop {
        if let Some(at) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if client.read_buf(request).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(request[..head_end].to_vec()).unwrap().to_ascii_lowercase();
    assert!(!head.contains("transfer-encoding"), "bodies of a known length only");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    while request.len() < head_end + length {
        if client.read_buf(request).await.ok()? == 0 {
            return None;
        }
    }
    Some(())
}

/// The EHR's whole answer.
async fn ask(target: SocketAddr, request: Vec<u8>) -> Option<Vec<u8>> {
    let mut upstream = TcpStream::connect(target).await.ok()?;
    let line_end = request.windows(2).position(|window| window == b"\r\n")? + 2;
    upstream.write_all(&request[..line_end]).await.ok()?;
    upstream.write_all(b"connection: close\r\n").await.ok()?;
    upstream.write_all(&request[line_end..]).await.ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).await.ok()?;
    Some(answer).filter(|answer| !answer.is_empty())
}
