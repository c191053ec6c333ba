//! The way back: how a community tells one of its members something that nobody else may see. Each community has its own
//! way: a webhook that its platform turns into a private message, or mail.

mod alarm;
mod mail;
mod webhook;

pub use alarm::{Alarm, Channel};
pub use mail::{MailSettings, Security};
pub use webhook::{SecretError, WebhookSecrets};

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::egress::{Egress, EgressError};
use crate::domain::ids::CommunityId;
use crate::domain::language::Language;

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
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// Why a message did not leave. Says nothing about what was in it or for whom.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The community has no way to tell its members anything.
    #[error("no [communities.….messages] is configured")]
    NoWay,
    /// No answer from the community's platform.
    #[error("the webhook: {0}")]
    Egress(#[from] EgressError),
    /// The community's platform did not take it.
    #[error("the webhook answered {0}")]
    Status(u16),
    /// The mail server did not take it.
    #[error("the mail server: {0}")]
    Mail(&'static str),
}

/// One community's way.
#[derive(Clone, Debug)]
pub enum Messenger {
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

    /// Sends a message to a member of a community.
    ///
    /// # Errors
    /// [`MessageError`]. Whether it arrived nevertheless is not always known.
    pub async fn send(&self, community: &CommunityId, message: &Message) -> Result<(), MessageError> {
        match self.0.get(community) {
            None => Err(MessageError::NoWay),
            Some(Messenger::Webhook { url, secrets, egress }) => {
                let Message { id, kind, at, .. } = *message;
                webhook::send(url, secrets, egress, webhook::Letter { id, kind, at, data: data(message) }).await
            }
            Some(Messenger::Mail(settings)) => {
                let Message { id, at, handle: to, subject, text, .. } = message;
                mail::send(settings, mail::Letter { id: *id, at: *at, to, subject, text }).await
            }
        }
    }
}

/// What the community's platform is told of a message.
fn data(message: &Message) -> Value {
    json!({
        "handle": message.handle,
        "language": message.language,
        "subject": message.subject,
        "text": message.text,
        "url": message.url,
        "expires_at": message.expires_at.to_string(),
    })
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({}, {})", self.kind, self.id)
    }
}
