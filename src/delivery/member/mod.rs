//! The way to members: how they are told something that nobody else may see. Each community has its own way: a webhook that
//! its platform turns into a private message, or mail. Beside these, members can be told in their own browsers.

mod alarm;
mod mail;
mod push;
mod webhook;

pub use alarm::{Alarm, Channel};
pub use mail::{MailLetter, MailSettings, Security};
pub use push::{NoSubscription, Push, Subscription};
pub use webhook::{Letter, SecretError, WebhookSecrets, send as send_letter};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::egress::{Answer, Egress, EgressError};
use super::ehr::retry_after;
use crate::domain::ids::CommunityId;
use crate::domain::language::Language;
use crate::domain::telling::Grade;

/// A message to one member.
#[derive(Clone)]
pub struct Message {
    /// Its id: the same however often it is tried.
    pub id: Uuid,
    /// What it is, as a word for programs.
    pub kind: &'static str,
    /// When it is sent.
    pub at: Timestamp,
    /// The name under which the community knows the member; for mail, their address.
    pub handle: String,
    /// Its language.
    pub language: Language,
    /// What it is about.
    pub subject: String,
    /// What it says, with the link in it.
    pub text: String,
    /// The link alone, for platforms that make a button of it.
    pub url: Url,
    /// When the link ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// Why a message did not leave. Says nothing about what was in it or for whom.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The community has no way to tell its members anything.
    #[error("no [communities.….messages] is configured")]
    NoWay,
    /// There is nobody there any more: trying again is of no use.
    #[error("there is nobody there any more: {0}")]
    Gone(u16),
    /// No answer from the community's platform, or the push service.
    #[error("no answer: {0}")]
    Egress(#[from] EgressError),
    /// The community's platform, or the push service, did not take it.
    #[error("the answer was {status}")]
    Status {
        /// What it answered.
        status: u16,
        /// When it wishes to be asked again.
        again_after: Option<SignedDuration>,
    },
    /// The mail server did not take it.
    #[error("the mail server: {0}")]
    Mail(&'static str),
    /// It could not be written.
    #[error("it could not be written")]
    Unwritten,
}

impl MessageError {
    /// How long the other side wishes to be left alone.
    #[must_use]
    pub const fn again_after(&self) -> Option<SignedDuration> {
        if let Self::Status { again_after, .. } = self { *again_after } else { None }
    }
}

/// What an answer says: anything but 2xx means that it was not taken, and `gone` that nothing ever will be.
///
/// # Errors
/// [`MessageError`].
pub fn refused(answer: &Answer, gone: &[u16]) -> Result<(), MessageError> {
    let status = answer.status.as_u16();
    match () {
        () if answer.status.is_success() => Ok(()),
        () if gone.contains(&status) => Err(MessageError::Gone(status)),
        () => Err(MessageError::Status { status, again_after: retry_after(&answer.headers) }),
    }
}

/// How a community's members are reached.
#[derive(Clone, Debug)]
pub enum Means {
    /// A signed request to its platform.
    Webhook {
        /// Where to.
        url: Url,
        /// What it is signed with.
        secrets: WebhookSecrets,
        /// The way out, to this host only.
        egress: Egress,
    },
    /// Mail to the address that is the member's handle there.
    Mail(MailSettings),
    /// The bridge's own account on its platform.
    Platform(Arc<dyn Platform>),
}

/// A platform on which the bridge has an account of its own.
pub trait Platform: fmt::Debug + Send + Sync {
    /// Tells a member something in private, once for each id.
    ///
    /// # Errors
    /// [`MessageError`] from the future. Whether it arrived nevertheless is not always known.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>>;

    /// Says something in a room, such as that of the moderators, once for each id.
    ///
    /// # Errors
    /// [`MessageError`] from the future. Whether it arrived nevertheless is not always known.
    fn post<'a>(&'a self, room: &'a str, id: Uuid, text: &'a str) -> BoxFuture<'a, Result<(), MessageError>>;
}

/// One community's way.
#[derive(Clone, Debug)]
pub struct Messenger {
    /// How its members are reached.
    pub means: Means,
    /// The most that the operator lets it say of what clinics write.
    pub most: Grade,
}

impl Messenger {
    /// Whether the companion hears what members answer there.
    #[must_use]
    pub const fn is_heard(&self) -> bool {
        matches!(self.means, Means::Platform(_))
    }
}

/// Every community's way.
#[derive(Clone, Debug, Default)]
pub struct Messengers(Arc<BTreeMap<CommunityId, Messenger>>);

impl Messengers {
    /// These, and no others.
    #[must_use]
    pub fn new(messengers: BTreeMap<CommunityId, Messenger>) -> Self {
        Self(Arc::new(messengers))
    }

    /// A community's way, if it has one.
    #[must_use]
    pub fn of(&self, community: &CommunityId) -> Option<&Messenger> {
        self.0.get(community)
    }

    /// Sends a message to a member of a community.
    ///
    /// # Errors
    /// [`MessageError`]. Whether it arrived nevertheless is not always known.
    pub async fn send(&self, community: &CommunityId, message: &Message) -> Result<(), MessageError> {
        match self.0.get(community).map(|messenger| &messenger.means) {
            None => Err(MessageError::NoWay),
            Some(Means::Webhook { url, secrets, egress }) => {
                let Message { id, kind, at, .. } = *message;
                webhook::send(url, secrets, egress, Letter { id, kind, at, data: data(message) }).await
            }
            Some(Means::Mail(settings)) => {
                let Message { id, at, handle: to, subject, text, .. } = message;
                settings.send(MailLetter { id: *id, at: *at, to, subject, text, answers: None }).await
            }
            Some(Means::Platform(platform)) => platform.send(message).await,
        }
    }
}

/// What the community's platform is told of a message.
#[must_use]
pub fn data(message: &Message) -> Value {
    let mut data = json!({
        "handle": message.handle,
        "language": message.language,
        "subject": message.subject,
        "text": message.text,
        "url": message.url,
    });
    if let (Some(ends), Some(data)) = (message.expires_at, data.as_object_mut()) {
        data.insert("expires_at".to_owned(), ends.to_string().into());
    }
    data
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({}, {})", self.kind, self.id)
    }
}
