//! A component's line: its connection while there is one, and what came by it until somebody hears it.
//!
//! A server takes one connection of a component, so whoever speaks as it in this process shares one line. Only who listens opens
//! the connection: what comes by another one would be heard by nobody.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::read::{Asked, Stanza, Wrote, bare, is_somebody};
use super::wire::{Server, Stream, Wire};
use super::{words, write};
use crate::delivery::member::MessageError;
use crate::domain::language::Language;

/// How much waits to be heard: of everybody, of those of one server and of one alone. Whoever writes more is told to wait.
const MOST_WAITING: usize = 256;
const MOST_OF_SERVER: usize = 128;
const MOST_OF_ONE: usize = 16;

/// How often an answer may come back before it is believed to reach nobody.
const MOST_BACK: u8 = 3;

/// Lines by where the server of each is and which component it is.
type Lines = BTreeMap<(String, u16, String), Weak<Line>>;

/// Every line of this process, by where its server is and which component it is.
static LINES: LazyLock<Mutex<Lines>> = LazyLock::new(Mutex::default);

/// As whom the component speaks.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its address, without a program behind it.
    pub address: String,
    /// How it is called.
    pub name: String,
    /// The language of those of whom nothing is known.
    pub language: Language,
}

/// A line.
pub struct Line {
    server: Server,
    account: Account,
    inside: Mutex<Inside>,
    news: Notify,
    /// What is in hand: heard, and not known to be done.
    pub in_hand: tokio::sync::Mutex<Option<InHand>>,
}

#[derive(Default)]
struct Inside {
    live: Option<Live>,
    heard: VecDeque<(String, Wrote)>,
    marks: u64,
    /// How often each answer to what is in hand came back.
    came_back: BTreeMap<Uuid, u8>,
}

/// The connection, while there is one.
struct Live {
    wire: Arc<Wire>,
    reads: AbortHandle,
}

/// What was brought and is not known to be done: each with its id.
pub struct InHand {
    /// What says that all of it is done.
    pub mark: String,
    /// What it is.
    pub heard: Vec<(String, Wrote)>,
}

impl Line {
    /// The line of a component: the same for all of this process.
    pub fn of(server: Server, account: Account) -> Arc<Self> {
        let key = (server.host.clone(), server.port, server.domain.clone());
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&key).and_then(Weak::upgrade) {
            return line;
        }
        let (inside, news, in_hand) = (Mutex::default(), Notify::new(), tokio::sync::Mutex::default());
        let line = Arc::new(Self { server, account, inside, news, in_hand });
        lines.insert(key, Arc::downgrade(&line));
        line
    }

    /// Opens the connection, if there is none.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn open(self: &Arc<Self>) -> Result<Arc<Wire>, MessageError> {
        if let Some(wire) = self.wire() {
            return Ok(wire);
        }
        let (stream, wire) = self.server.connect().await?;
        let wire = Arc::new(wire);
        let reading = tokio::spawn(read(Arc::downgrade(self), Arc::clone(&wire), self.account.clone(), stream));
        let live = Live { wire: Arc::clone(&wire), reads: reading.abort_handle() };
        self.inside().live = Some(live);
        Ok(wire)
    }

    /// The connection, while there is one.
    pub fn wire(&self) -> Option<Arc<Wire>> {
        self.inside().live.as_ref().map(|live| Arc::clone(&live.wire)).filter(|wire| !wire.is_over())
    }

    /// Notes that an answer came back; whether that is too often.
    pub fn comes_back_too_often(&self, id: Uuid) -> bool {
        let mut inside = self.inside();
        let times = inside.came_back.entry(id).or_default();
        *times = times.saturating_add(1);
        *times >= MOST_BACK
    }

    /// Takes what was heard in hand, as soon as there is something.
    pub async fn take(&self) -> InHand {
        loop {
            let news = self.news.notified();
            {
                let mut inside = self.inside();
                if !inside.heard.is_empty() {
                    return inside.take(Vec::new());
                }
            }
            news.await;
        }
    }

    /// Takes in hand what came since, with what is in hand already: as much as may wait at all.
    pub fn take_more(&self, undone: InHand) -> InHand {
        self.inside().take(undone.heard)
    }

    /// Tells whoever wants to know that they were heard, now that it is done.
    pub async fn acknowledge(&self, done: InHand, wire: &Wire) {
        self.inside().came_back.clear();
        for (_, wrote) in done.heard {
            if let Some(of) = &wrote.receipt {
                // A receipt that is lost is none: they say it again if they want to.
                let _ = wire.write(&write::receipt(&wrote.to, &wrote.from, of)).await;
            }
        }
    }

    /// Lets go of the connection, and tells whoever was not heard.
    pub async fn rest(&self) {
        self.inside().came_back.clear();
        let waiting = std::mem::take(&mut self.inside().heard);
        let in_hand = self.in_hand.lock().await.take().map(|it| it.heard).unwrap_or_default();
        if let Some(wire) = self.wire() {
            for (id, wrote) in in_hand.into_iter().chain(waiting) {
                let id = wrote.id.as_ref().unwrap_or(&id);
                let unheard = write::unheard(&wrote.to, &wrote.from, id, "wait", "recipient-unavailable");
                let _ = wire.write(&unheard).await; // or the server tells them nothing, as when a process dies
            }
            let _ = wire.write(write::CLOSING).await;
            wire.end();
        }
        let live = self.inside().live.take();
        if let Some(live) = live {
            live.reads.abort();
        }
    }

    /// Keeps what somebody wrote until it is heard; `false` if that is too much.
    fn keep(&self, id: String, wrote: Wrote) -> bool {
        let mut inside = self.inside();
        let who = bare(&wrote.from);
        let of = |is_it: &dyn Fn(&str) -> bool| inside.heard.iter().filter(|(_, it)| is_it(bare(&it.from))).count();
        let is_too_much = inside.heard.len() >= MOST_WAITING
            || of(&|from| server(from) == server(who)) >= MOST_OF_SERVER
            || of(&|from| from == who) >= MOST_OF_ONE;
        if is_too_much {
            return false;
        }
        inside.heard.push_back((id, wrote));
        drop(inside);
        self.news.notify_waiters();
        true
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// What is in hand from now on: this, and what was heard, up to what may wait.
    fn take(&mut self, mut in_hand: Vec<(String, Wrote)>) -> InHand {
        let room = MOST_WAITING.saturating_sub(in_hand.len()).min(self.heard.len());
        in_hand.extend(self.heard.drain(..room));
        self.marks += 1;
        InHand { mark: self.marks.to_string(), heard: in_hand }
    }
}

/// The server of somebody.
fn server(jid: &str) -> &str {
    jid.split_once('@').map_or(jid, |(_, server)| server)
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(live) = &self.inside().live {
            live.reads.abort();
        }
    }
}

/// Reads a stream to its end.
async fn read(line: Weak<Line>, wire: Arc<Wire>, account: Account, mut stream: Stream) {
    while let Ok(stanza) = stream.stanza().await {
        let Some(line) = line.upgrade() else { break };
        let answer = match stanza {
            None | Some(Stanza::Known | Stanza::Answered { .. }) => None,
            Some(Stanza::Ended { .. }) => break,
            Some(Stanza::Wrote(wrote)) => line.hear(&wire, wrote),
            Some(Stanza::Returned { id, why }) => {
                wire.returned(&id, why);
                None
            }
            Some(Stanza::Presence { kind, from, to }) => account.greet(&kind, &from, &to),
            Some(Stanza::Asked { id, from, .. }) if from == line.server.domain => {
                wire.came(&id);
                None
            }
            Some(Stanza::Asked { id, from, to, what }) => Some(match what {
                Asked::Ping => write::pong(&to, &from, &id),
                Asked::Info => write::info(&to, &from, &id, &account.name),
                Asked::Else => write::unasked(&to, &from, &id),
            }),
        };
        if let Some(answer) = answer
            && wire.write(&answer).await.is_err()
        {
            break;
        }
    }
    wire.end();
    if let Some(line) = line.upgrade() {
        line.news.notify_waiters();
    }
}

impl Line {
    /// Keeps what somebody says to the component; what is answered at once, if anything is.
    fn hear(&self, wire: &Wire, wrote: Wrote) -> Option<String> {
        let (address, who) = (&self.account.address, bare(&wrote.from).to_owned());
        // Servers and programs say something, too: nobody in particular.
        if !is_somebody(&who) || who.ends_with(&format!("@{}", self.server.domain)) {
            return None;
        }
        let (from, to, id) = (wrote.from.clone(), wrote.to.clone(), wrote.id.clone());
        let unheard =
            |kind, why| Some(write::unheard(&to, &from, &id.clone().unwrap_or_else(|| wire.fresh()), kind, why));
        if bare(&wrote.to) != address {
            return unheard("cancel", "service-unavailable");
        }
        if wrote.body.is_none() {
            return Some(write::message(address, &who, &wire.fresh(), words::encrypted(self.account.language)));
        }
        if self.keep(wire.fresh(), wrote) { None } else { unheard("wait", "resource-constraint") }
    }
}

impl Account {
    /// Whoever wants to see whether it is there may, and it is.
    fn greet(&self, kind: &str, from: &str, to: &str) -> Option<String> {
        if bare(to) != self.address {
            return None;
        }
        let (from, here) = (bare(from), write::presence(&self.address, bare(from), None));
        match kind {
            "subscribe" => Some(write::presence(&self.address, from, Some("subscribed")) + &here),
            "unsubscribe" => Some(write::presence(&self.address, from, Some("unsubscribed"))),
            "probe" => Some(here),
            _ => None,
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.server.domain)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_server_with_endless_names_leaves_room_for_others() {
        let domain = "line-of-the-test.example".to_owned();
        let address = format!("helper@{domain}");
        let (secret, timeout) = ("secret".into(), Duration::from_secs(1));
        let server = Server { domain, host: "127.0.0.1".to_owned(), port: 9, secret, private_networks: false, timeout };
        let account = Account { address: address.clone(), name: "mostik".to_owned(), language: Language::En };
        let line = Line::of(server, account);
        let says = |from: &str| {
            let (from, to, body) = (from.to_owned(), address.clone(), Some("yes".to_owned()));
            line.keep("1".to_owned(), Wrote { from, to, id: None, body, receipt: None })
        };
        let kept = (0..300).filter(|name| says(&format!("name-{name}@evil.example/phone"))).count();
        assert_eq!(kept, MOST_OF_SERVER);
        assert_eq!((0..300).filter(|_| says("sparrow@chat.example/phone")).count(), MOST_OF_ONE);
        assert!(says("wren@chat.example"));
    }
}
