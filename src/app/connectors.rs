//! How the bridge takes part in communities' platforms, wired from the settings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_lc_rs::hmac;
use secrecy::ExposeSecret;
use url::Url;

use super::StartError;
use super::messengers::{mail, webhook_secrets};
use crate::config::{self, Config};
use crate::connectors::discourse::Discourse;
use crate::connectors::mail::Mail;
use crate::connectors::matrix::{Homeserver, Matrix, Registration, Settings};
use crate::connectors::misago::{self, Misago};
use crate::connectors::telegram::{API, Telegram};
use crate::connectors::webhook::Webhook;
use crate::connectors::whatsapp::{self, Template, WhatsApp};
use crate::connectors::xmpp::{Account, Server, Xmpp};
use crate::connectors::{Connector, Connectors};
use crate::delivery::egress::{Egress, EgressPolicy};
use crate::domain::clock::Clock;
use crate::domain::ids::CommunityId;
use crate::vault::read_secret_file;

/// Every community's platform.
///
/// # Errors
/// [`StartError`].
pub(super) fn connectors(config: &Config, clock: &Clock) -> Result<Connectors, StartError> {
    let with = |(id, community): (&CommunityId, &config::Community)| {
        Some(platform(config, community, clock)?.map(|connector| (id.clone(), connector)))
    };
    Ok(Connectors::new(config.communities.iter().filter_map(with).collect::<Result<BTreeMap<_, _>, _>>()?))
}

/// A community's platform, if the bridge takes part in it.
///
/// # Errors
/// [`StartError`].
pub(super) fn platform(
    config: &Config,
    community: &config::Community,
    clock: &Clock,
) -> Option<Result<Arc<dyn Connector>, StartError>> {
    community.connector.as_ref().map(|connector| open(config, connector, community, clock))
}

fn open(
    config: &Config,
    connector: &config::Connector,
    community: &config::Community,
    clock: &Clock,
) -> Result<Arc<dyn Connector>, StartError> {
    // What is written in rooms is handed on where people of the community look at phrases in it.
    let hands_on_words = community.safety.as_ref().is_some_and(|safety| safety.room_phrases);
    Ok(match connector.clone() {
        config::Connector::Telegram(told) => {
            let api = told.api.map_or_else(|| API.parse(), Ok).map_err(|_| StartError::Platform)?;
            Arc::new(Telegram {
                egress: egress(config, &api)?,
                api,
                token: read_secret_file(&told.token_file)?,
                secret: told.secret_file.as_deref().map(read_secret_file).transpose()?,
                counted: told.counted,
                hands_on_words,
                language: told.language,
            })
        }
        config::Connector::Webhook(told) => {
            let to = |url: Url| egress(config, &url).map(|egress| (url, egress));
            Arc::new(Webhook {
                secrets: webhook_secrets(&told.secret_file)?,
                told: told.url.map(to).transpose()?,
                language: told.language,
                clock: clock.clone(),
            })
        }
        config::Connector::Discourse(told) => {
            let secret = read_secret_file(&told.secret_file)?;
            Arc::new(Discourse {
                egress: egress(config, &told.url)?,
                url: told.url,
                account: told.account,
                api_key: read_secret_file(&told.api_key_file)?,
                secret: hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes()),
                counted: told.counted,
                hands_on_words,
                language: told.language,
            })
        }
        config::Connector::Misago(told) => Arc::new(Misago::new(misago::Settings {
            egress: egress(config, &told.url)?,
            url: told.url,
            account: told.account,
            password: read_secret_file(&told.password_file)?,
            counted: told.counted,
            language: told.language,
        })),
        config::Connector::Matrix(told) => {
            let homeserver = Homeserver {
                egress: egress(config, &told.homeserver)?,
                url: told.homeserver,
                user: told.user,
                token: read_secret_file(&told.as_token_file)?,
            };
            let shown = read_secret_file(&told.hs_token_file)?;
            let (registration, counted, name, language) = (told.registration, told.counted, told.name, told.language);
            let (named, timeout) = (named_rooms(community), config.timeout());
            Arc::new(Matrix::new(
                homeserver,
                Settings { registration, shown, counted, hands_on_words, named, timeout, name, language },
            ))
        }
        config::Connector::WhatsApp(told) => Arc::new(whatsapp(config, told)?),
        config::Connector::Mail(told) => Arc::new(Mail {
            secret: read_secret_file(&told.secret_file)?,
            authserv_id: told.authserv_id.filter(|_| !told.trusts_server),
            way: mail(config, community.messages.as_ref().ok_or(StartError::Platform)?)?,
            language: told.language,
            clock: clock.clone(),
        }),
        config::Connector::Xmpp(told) => Arc::new(xmpp(config, told)?),
    })
}

/// The rooms in which a community or its people are told something.
fn named_rooms(community: &config::Community) -> BTreeSet<String> {
    let levels = community.safety.iter().flat_map(|safety| std::iter::once(&safety.first).chain(&safety.second));
    let of_people = levels.filter_map(|contact| match contact {
        config::Contact::Connector { room, .. } => Some(room.clone()),
        _ => None,
    });
    of_people.chain(community.announcements.iter().flat_map(|it| it.rooms.clone())).collect()
}

fn xmpp(config: &Config, told: config::Xmpp) -> Result<Xmpp, StartError> {
    let server = Server {
        domain: told.domain().to_owned(),
        host: told.server,
        port: told.port,
        secret: read_secret_file(&told.secret_file)?,
        private_networks: config.delivery.private_networks,
        timeout: config.timeout(),
    };
    let (address, name, language) = (told.address, told.name, told.language);
    Ok(Xmpp::new(server, Account { address, name, language }))
}

fn whatsapp(config: &Config, told: config::WhatsApp) -> Result<WhatsApp, StartError> {
    let api = told.api.map_or_else(|| whatsapp::API.parse(), Ok).map_err(|_| StartError::Platform)?;
    let app_secret = read_secret_file(&told.app_secret_file)?;
    let template = |it: config::Template| Template { name: it.name, language: it.language };
    Ok(WhatsApp {
        egress: egress(config, &api)?,
        api,
        version: told.version,
        phone_number_id: told.phone_number_id,
        token: read_secret_file(&told.token_file)?,
        app_secret: hmac::Key::new(hmac::HMAC_SHA256, app_secret.expose_secret().as_bytes()),
        verify_token: read_secret_file(&told.verify_token_file)?,
        templates: told.templates.into_iter().map(|(language, it)| (language, template(it))).collect(),
        language: told.language,
    })
}

/// What the homeserver of a community is to know, as a file in YAML. Secret.
///
/// # Errors
/// [`StartError::SecretFile`].
pub fn registration(config: &Config, id: &CommunityId, told: &config::Matrix) -> Result<String, StartError> {
    let url = format!("{}/connectors/{id}", config.server.public_url.as_str().trim_end_matches('/'));
    let (as_token, hs_token) = (read_secret_file(&told.as_token_file)?, read_secret_file(&told.hs_token_file)?);
    let (id, user) = (&told.registration, &told.user);
    Ok(Registration { id, url: &url, user, as_token: &as_token, hs_token: &hs_token }.in_yaml())
}

/// The way out to one host.
fn egress(config: &Config, url: &Url) -> Result<Egress, StartError> {
    Ok(Egress::new(EgressPolicy {
        hosts: url.host_str().map(str::to_owned).into_iter().collect(),
        private_networks: config.delivery.private_networks,
        timeout: config.timeout(),
    })?)
}
