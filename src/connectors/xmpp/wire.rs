//! One connection to the server (XEP-0114): opened, read to its end by a task of its own, and written to by whoever says something.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::frames::{Frame, Frames};
use super::read::{Stanza, stanza, stream_id};
use super::write;
use crate::delivery::egress::{EgressError, is_public};
use crate::delivery::member::MessageError;

/// How much is read at once, in bytes.
const CHUNK: usize = 8 * 1024;

/// Where the server is, and how the component shows who it is.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its host.
    pub host: String,
    /// Where it listens to components.
    pub port: u16,
    /// The component's own domain.
    pub domain: String,
    /// What both know.
    pub secret: SecretString,
    /// Whether it may be on another machine of a private network: nothing of what is said is hidden on the way.
    pub private_networks: bool,
    /// How long it may take to answer.
    pub timeout: Duration,
}

/// A stream that the server opened, from which is read.
pub struct Stream {
    half: OwnedReadHalf,
    frames: Frames,
    head: Vec<u8>,
    chunk: Vec<u8>,
    at: usize,
}

/// The other half: what is written, and what waits for an answer.
pub struct Wire {
    domain: String,
    timeout: Duration,
    half: tokio::sync::Mutex<OwnedWriteHalf>,
    /// The server's own name of the stream, which it never gives again.
    stream: String,
    asked: AtomicU64,
    is_over: AtomicBool,
    over: Notify,
    waiting: Mutex<Waiting>,
}

/// What waits for the server.
#[derive(Default)]
struct Waiting {
    /// Whoever wants to know when an echo comes, by its id.
    echoes: BTreeMap<String, oneshot::Sender<()>>,
    /// What is on its way, by its id, and why it came back if it did.
    under_way: BTreeMap<String, Option<String>>,
}

impl Server {
    /// Opens a connection.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn connect(&self) -> Result<(Stream, Wire), MessageError> {
        let opening = timeout(self.timeout, self.open());
        opening.await.unwrap_or(Err(MessageError::Egress(EgressError::Timeout)))
    }

    async fn open(&self) -> Result<(Stream, Wire), MessageError> {
        let found = lookup_host((self.host.as_str(), self.port)).await.map_err(|_| EgressError::NoConnection)?;
        let near: Vec<SocketAddr> = found.filter(|it| self.may_call(*it)).collect();
        if near.is_empty() {
            return Err(EgressError::Refused.into());
        }
        let connection = TcpStream::connect(near.as_slice()).await.map_err(|_| EgressError::NoConnection)?;
        connection.set_nodelay(true).map_err(|_| EgressError::NoConnection)?;
        let (half, mut out) = connection.into_split();
        let mut stream = Stream { half, frames: Frames::default(), head: Vec::new(), chunk: Vec::new(), at: 0 };
        out.write_all(write::opening(&self.domain).as_bytes()).await.map_err(|_| EgressError::NoAnswer)?;
        let Frame::Opened(head) = stream.next().await? else { return Err(MessageError::Unwritten) };
        let id = stream_id(&head).ok_or(MessageError::Unwritten)?;
        stream.head = head;
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{id}{}", self.secret.expose_secret()).as_bytes());
        out.write_all(write::handshake(&hex::encode(hash)).as_bytes()).await.map_err(|_| EgressError::NoAnswer)?;
        match stream.stanza().await? {
            Some(Stanza::Known) => {}
            Some(Stanza::Ended { why }) => return Err(ended(&why)),
            _ => return Err(MessageError::Unwritten),
        }
        let wire = Wire {
            domain: self.domain.clone(),
            timeout: self.timeout,
            half: out.into(),
            stream: id,
            asked: AtomicU64::default(),
            is_over: AtomicBool::default(),
            over: Notify::new(),
            waiting: Mutex::default(),
        };
        Ok((stream, wire))
    }

    /// This machine, or one of a network of the operator's own.
    fn may_call(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        ip.is_loopback() || (self.private_networks && !is_public(ip))
    }
}

/// What the server has against the component, as a status of HTTP: an operator knows these.
fn ended(why: &str) -> MessageError {
    let status = match why {
        "not-authorized" => 401,
        "host-unknown" => 404,
        "conflict" => 409,
        _ => 503,
    };
    MessageError::Status { status, again_after: None }
}

impl Stream {
    /// What comes next. May be left off waiting: nothing is lost.
    async fn next(&mut self) -> Result<Frame, MessageError> {
        loop {
            while let Some(byte) = self.chunk.get(self.at) {
                self.at += 1;
                match self.frames.read(*byte) {
                    Ok(None) => {}
                    Ok(Some(frame)) => return Ok(frame),
                    Err(_) => return Err(MessageError::Unwritten),
                }
            }
            (self.chunk, self.at) = (Vec::with_capacity(CHUNK), 0);
            match self.half.read_buf(&mut self.chunk).await {
                Ok(read) if read > 0 => {}
                _ => return Err(EgressError::NoAnswer.into()),
            }
        }
    }

    /// The next stanza; `None` for one that is not looked at.
    ///
    /// # Errors
    /// [`MessageError`]: the stream is over.
    pub async fn stanza(&mut self) -> Result<Option<Stanza>, MessageError> {
        match self.next().await? {
            Frame::Stanza(bytes) => Ok(stanza(&self.head, &bytes)),
            Frame::Passed => {
                tracing::warn!("a stanza is longer or deeper than is read");
                Ok(None)
            }
            Frame::Opened(_) | Frame::Closed => Err(EgressError::NoAnswer.into()),
        }
    }
}

impl Wire {
    /// Writes something.
    ///
    /// # Errors
    /// [`MessageError`]: then the connection is over.
    pub async fn write(&self, stanza: &str) -> Result<(), MessageError> {
        let writing = timeout(self.timeout, async { self.half.lock().await.write_all(stanza.as_bytes()).await });
        let written = if self.is_over() { None } else { writing.await.ok().and_then(Result::ok) };
        if written.is_none() {
            self.end();
        }
        written.ok_or_else(|| EgressError::NoAnswer.into())
    }

    /// Writes something, and waits until the server has done it: until what is written behind it comes back.
    ///
    /// # Errors
    /// [`MessageError`]: then the connection is over, and nobody knows whether it was done.
    pub async fn write_through(&self, stanza: &str) -> Result<(), MessageError> {
        let (id, (came, comes)) = (self.fresh(), oneshot::channel());
        self.waiting().echoes.insert(id.clone(), came);
        let done = async {
            self.write(&format!("{stanza}{}", write::echo(&self.domain, &id))).await?;
            timeout(self.timeout, comes).await.ok().and_then(Result::ok).ok_or_else(|| EgressError::NoAnswer.into())
        };
        let done = done.await;
        self.waiting().echoes.remove(&id);
        if done.is_err() {
            self.end();
        }
        done
    }

    /// Says something to somebody: `Ok` once the server has it for them, or has passed it on to theirs.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn say(&self, from: &str, to: &str, id: &str, text: &str) -> Result<(), MessageError> {
        self.waiting().under_way.insert(id.to_owned(), None);
        let written = self.write_through(&write::message(from, to, id, text)).await;
        let returned = self.waiting().under_way.remove(id).flatten();
        written?;
        returned.map_or(Ok(()), |why| Err(unreached(&why)))
    }

    /// An id that nothing else has.
    pub fn fresh(&self) -> String {
        format!("{}-{}", self.stream, self.asked.fetch_add(1, Ordering::Relaxed))
    }

    /// An echo came, if it was one.
    pub fn came(&self, id: &str) {
        if let Some(waits) = self.waiting().echoes.remove(id) {
            let _ = waits.send(()); // whoever waited may have left
        }
    }

    /// Something came back.
    pub fn returned(&self, id: &str, why: String) {
        if let Some(it) = self.waiting().under_way.get_mut(id) {
            *it = Some(why);
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Nothing comes any more: whoever waits waits in vain.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.waiting().echoes.clear();
        self.over.notify_waiters();
    }

    /// Waits until it is over.
    pub async fn ended(&self) {
        while !self.is_over() {
            let over = self.over.notified();
            if !self.is_over() {
                over.await;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why somebody is not reached. A server says of whom it does not know, and of whom they shut out, the same
/// (RFC 6121, section 8.5.1; XEP-0191).
fn unreached(why: &str) -> MessageError {
    match why {
        "gone" | "item-not-found" | "jid-malformed" | "remote-server-not-found" | "service-unavailable" => {
            MessageError::Gone(404)
        }
        _ => MessageError::Status { status: 503, again_after: None },
    }
}
