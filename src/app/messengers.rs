//! How communities tell their members something, wired from the settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;

use super::connectors::platform;
use super::{POLL, StartError};
use crate::config::{Config, Connector, MailSecurity, Messages};
use crate::delivery::egress::{Egress, EgressError, EgressPolicy};
use crate::delivery::member::{
    MailSettings, Means, Message, MessageError, Messenger, Messengers, Platform, Push, Security, WebhookSecrets,
};
use crate::domain::clock::Clock;
use crate::domain::ids::CommunityId;
use crate::enrolment::sign_in::LinkSender;
use crate::pipeline::Bridge;
use crate::telemetry::logs::chain;
use crate::telling::Teller;
use crate::vault::{SecretFileError, read_secret_file};
use crate::web::StateError;
use crate::web::portal::Words;

/// How many members are told at the same time, and how many links are sent: a platform that does not answer keeps nobody else
/// waiting.
const AT_ONCE: usize = 4;

/// The longest that one mail may take: less than the half minute after which a link is sent again, and an alarm.
const LONGEST_MAIL: Duration = Duration::from_secs(25);

/// A platform that is not waited for any longer, however many requests it takes to say something there.
#[derive(Debug)]
struct Timely {
    platform: Arc<dyn Platform>,
    /// Less than a lease: that is longer than two requests.
    within: Duration,
}

/// What sends the links with which members sign in.
///
/// # Errors
/// [`StartError`].
pub fn link_sender(config: &Config, bridge: &Bridge) -> Result<LinkSender, StartError> {
    Ok(LinkSender {
        store: bridge.store.clone(),
        keyring: bridge.keyring.clone(),
        clock: bridge.clock.clone(),
        messengers: messengers(config, &bridge.clock)?,
        portal: config.server.public_url.clone(),
        words: Arc::new(words(config)?),
    })
}

/// What tells members that there is something for them.
///
/// # Errors
/// [`StartError`].
pub fn teller(config: &Config, bridge: &Bridge) -> Result<Teller, StartError> {
    Ok(Teller {
        bridge: bridge.clone(),
        messengers: messengers(config, &bridge.clock)?,
        push: push(config, bridge)?,
        portal: config.server.public_url.clone(),
        words: Arc::new(words(config)?),
        lease: SignedDuration::from_secs(config.delivery.lease_seconds),
    })
}

fn words(config: &Config) -> Result<Words, StartError> {
    let names = config.communities.iter().map(|(id, community)| (id.clone(), community.name.clone())).collect();
    Ok(Words::new(names).map_err(StateError::from)?)
}

fn messengers(config: &Config, clock: &Clock) -> Result<Messengers, StartError> {
    let mut messengers = BTreeMap::new();
    for (id, community) in &config.communities {
        let Some(messages) = &community.messages else { continue };
        let messenger = match (&community.connector, platform(config, community, clock)) {
            // What is told by mail can be answered, where the companion hears what is written to that address.
            (Some(Connector::Mail(_)), Some(mail)) => Messenger { means: timely(config, mail?), most: messages.most() },
            _ => messenger(config, clock, id, messages)?,
        };
        messengers.insert(id.clone(), messenger);
    }
    Ok(Messengers::new(messengers))
}

/// How members are told in their browsers, where they can be.
fn push(config: &Config, bridge: &Bridge) -> Result<Option<Push>, StartError> {
    let Some(key) = bridge.signing.push() else { return Ok(None) };
    let egress = Egress::new(EgressPolicy {
        hosts: config.push.services.clone(),
        private_networks: config.delivery.private_networks,
        timeout: config.timeout(),
    })?;
    let (contact, entropy) = (config.push.contact.clone(), bridge.keyring.entropy().clone());
    Ok(Some(Push { key: key.clone(), contact, egress, entropy }))
}

pub(super) fn messenger(
    config: &Config,
    clock: &Clock,
    id: &CommunityId,
    messages: &Messages,
) -> Result<Messenger, StartError> {
    match messages {
        Messages::Connector { most } => {
            let community = config.communities.get(id).and_then(|community| platform(config, community, clock));
            let connector = community.ok_or_else(|| StartError::NoConnector(id.clone()))??;
            Ok(Messenger { means: timely(config, connector), most: *most })
        }
        Messages::Webhook { url, secret_file, most } => {
            let egress = Egress::new(EgressPolicy {
                hosts: url.host_str().map(str::to_owned).into_iter().collect(),
                private_networks: config.delivery.private_networks,
                timeout: config.timeout(),
            })?;
            let secrets = webhook_secrets(secret_file)?;
            Ok(Messenger { means: Means::Webhook { url: url.clone(), secrets, egress }, most: *most })
        }
        Messages::Mail { most, .. } => Ok(Messenger { means: Means::Mail(mail(config, messages)?), most: *most }),
    }
}

fn timely(config: &Config, platform: Arc<dyn Platform>) -> Means {
    Means::Platform(Arc::new(Timely { platform, within: config.timeout().saturating_mul(2) }))
}

/// How mail leaves, where messages go by mail.
///
/// # Errors
/// [`StartError`].
pub(super) fn mail(config: &Config, messages: &Messages) -> Result<MailSettings, StartError> {
    let Messages::Mail { server, port, security, user, password_file, from, .. } = messages else {
        return Err(StartError::Platform);
    };
    let password = password_file.as_deref().map(read_secret_file).transpose()?;
    Ok(MailSettings {
        server: server.clone(),
        port: port.unwrap_or(security.usual_port()),
        security: match security {
            MailSecurity::Tls => Security::Tls,
            MailSecurity::StartTls => Security::StartTls,
            MailSecurity::None => Security::None,
        },
        credentials: user.clone().zip(password),
        from: from.parse().map_err(|_| StartError::Schemas("a mail address is none".to_owned()))?,
        // Less than a lease, too: that is longer than two requests.
        within: config.timeout().saturating_mul(2).min(LONGEST_MAIL),
    })
}

/// What webhooks are signed with, of a file.
///
/// # Errors
/// [`StartError::SecretFile`].
pub(super) fn webhook_secrets(path: &Path) -> Result<WebhookSecrets, StartError> {
    let secrets = WebhookSecrets::parse(read_secret_file(path)?.expose_secret());
    let malformed = |expected| SecretFileError::Malformed { path: path.to_owned(), expected };
    Ok(secrets.map_err(|error| malformed(error.to_string()))?)
}

/// Sends links as they are asked for, as long as the process runs. What is cut off is taken up again.
pub(super) async fn send_links(sender: LinkSender, asked: Arc<Notify>) {
    join_all((0..AT_ONCE).map(|_| send_one_after_another(&sender, &asked))).await;
}

async fn send_one_after_another(sender: &LinkSender, asked: &Notify) {
    loop {
        let woken = asked.notified();
        match sender.send_one().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(cause = chain(&error), "a sign-in link was left; it is taken up again later"),
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Tells members what there is for them, as long as the process runs. What is cut off is taken up again.
pub(super) async fn tell(teller: Teller, stored: Arc<Notify>) {
    join_all((0..AT_ONCE).map(|_| tell_one_after_another(&teller, &stored))).await;
}

async fn tell_one_after_another(teller: &Teller, stored: &Notify) {
    loop {
        let woken = stored.notified();
        match teller.tell_one().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(cause = chain(&error), "a member was not told; it is taken up again later"),
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

impl Timely {
    async fn in_time(&self, said: BoxFuture<'_, Result<(), MessageError>>) -> Result<(), MessageError> {
        timeout(self.within, said).await.unwrap_or_else(|_| Err(EgressError::Timeout.into()))
    }
}

impl Platform for Timely {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), MessageError>> {
        self.in_time(self.platform.send(message)).boxed()
    }

    fn post<'a>(&'a self, room: &'a str, id: Uuid, text: &'a str) -> BoxFuture<'a, Result<(), MessageError>> {
        self.in_time(self.platform.post(room, id, text)).boxed()
    }
}
