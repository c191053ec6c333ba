//! XMPP: a component (XEP-0114) of the operator's own server, to which the bridge keeps a connection open.
//!
//! Whatever is written to the component's address in private is heard; rooms are not. A member's handle is their address without
//! the program behind it, such as `sparrow@chat.example`.
//!
//! A component acknowledges nothing: what came in is gone with the process that had it. So whoever asks for receipts (XEP-0184)
//! gets one once what they said is done, and whoever gets none says it again. While no process of the bridge is connected, the
//! server tells the sender so. What was done is known to be said when a stanza comes back that was written behind it.

pub mod frames;
mod line;
pub mod read;
#[cfg(test)]
mod read_tests;
mod wire;
mod words;
mod write;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::time::timeout;
use uuid::Uuid;

pub use self::line::Account;
use self::line::{InHand, Line};
use self::read::{Wrote, bare, is_somebody};
pub use self::wire::Server;
use super::{Connector, Ear, Head, Heard, Listened, PATIENCE, Received, Refused, Says, Spoken, Words};
use crate::delivery::egress::EgressError;
use crate::delivery::member::{Message, MessageError, Platform};
use crate::domain::language::Language;

/// When to try again where no connection is open: another process may have it, or this one soon.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// A component.
#[derive(Debug)]
pub struct Xmpp {
    account: Account,
    line: Arc<Line>,
}

impl Xmpp {
    /// A component of this server, which speaks as this account.
    #[must_use]
    pub fn new(server: Server, account: Account) -> Self {
        Self { line: Line::of(server, account.clone()), account }
    }

    async fn hear(&self, done: Option<String>) -> Result<Listened, MessageError> {
        let wire = self.line.open().await?;
        let mut in_hand = self.line.in_hand.lock().await;
        match in_hand.take() {
            Some(batch) if done.as_ref() == Some(&batch.mark) => self.line.acknowledge(batch, &wire).await,
            // Not all of it was done: so all of it is brought again, and with it what came since.
            Some(batch) => return Ok(brought(in_hand.insert(self.line.take_more(batch)))),
            None => {}
        }
        let heard = tokio::select! {
            biased; // what was heard before the end is heard
            heard = timeout(PATIENCE, self.line.take()) => heard.ok(),
            () = wire.ended() => return Err(EgressError::NoAnswer.into()),
        };
        if let Some(batch) = heard {
            return Ok(brought(in_hand.insert(batch)));
        }
        // Nobody says anything, or the server is gone and nobody noticed.
        wire.write_through("").await?;
        Ok(Listened { heard: Vec::new(), done })
    }

    /// Says something to somebody; where it is known to have been said, not again.
    async fn say(&self, to: &str, id: Uuid, text: &str) -> Result<(), MessageError> {
        if !is_somebody(to) {
            return Err(MessageError::Gone(404));
        }
        let nobody = MessageError::Status { status: 503, again_after: Some(SOON) };
        self.line.wire().ok_or(nobody)?.say(&self.account.address, to, &id.to_string(), text).await
    }
}

fn brought(batch: &InHand) -> Listened {
    let heard = batch.heard.iter().map(|(fresh, wrote)| Heard::Said(spoken(fresh, wrote))).collect();
    Listened { heard, done: Some(batch.mark.clone()) }
}

/// What somebody said: under the id that their program gave it, or a fresh one.
fn spoken(fresh: &str, wrote: &Wrote) -> Spoken {
    let (handle, text) = (bare(&wrote.from), wrote.body.as_deref().unwrap_or_default());
    // Some programs begin to count anew with each connection: the same id is the same message only if it says the same.
    let id = match &wrote.id {
        Some(id) => hex::encode(digest(&SHA256, format!("{} {id} {text}", wrote.from).as_bytes())),
        None => fresh.to_owned(),
    };
    Spoken {
        id,
        handle: handle.to_owned(),
        conversation: handle.to_owned(),
        words: Words::Written(text.to_owned()),
        language: None,
    }
}

impl Platform for Xmpp {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        self.say(&message.handle, message.id, &message.text).boxed()
    }

    /// To somebody, by their address: the component comes into no rooms.
    fn post<'a>(&'a self, room: &'a str, id: Uuid, text: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        self.say(room, id, text).boxed()
    }
}

impl Ear for Xmpp {
    fn listen(&self, done: Option<String>) -> BoxFuture<'_, Result<Listened, MessageError>> {
        self.hear(done).boxed()
    }

    fn rest(&self) -> BoxFuture<'_, ()> {
        self.line.rest().boxed()
    }
}

impl Connector for Xmpp {
    fn admit(&self, _: &Head<'_>) -> Result<(), Refused> {
        Err(Refused::NoSuchPath)
    }

    fn receive<'a>(&'a self, _: Head<'a>, _: &'a [u8]) -> BoxFuture<'a, Result<Received, Refused>> {
        async { Err(Refused::NoSuchPath) }.boxed()
    }

    fn answer<'a>(&'a self, spoken: &'a Spoken, says: &'a Says) -> BoxFuture<'a, Result<Option<Value>, MessageError>> {
        async move {
            let text = says.in_lines(spoken.language.unwrap_or(self.account.language));
            match self.say(&spoken.conversation, says.id, &text).await {
                // Whoever's own server sends everything back is not answered for ever: others are.
                Err(MessageError::Status { status, again_after: None }) if self.line.comes_back_too_often(says.id) => {
                    Err(MessageError::Gone(status))
                }
                said => said.map(|()| None),
            }
        }
        .boxed()
    }

    fn ear(&self) -> Option<&dyn Ear> {
        Some(self)
    }

    fn language(&self) -> Language {
        self.account.language
    }
}
