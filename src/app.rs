//! The only wiring: from settings to a running bridge.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use jiff::SignedDuration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::config::{Auth, Clinic, Config};
use crate::delivery::egress::{Egress, EgressError, EgressPolicy};
use crate::delivery::ehr::{EhrClient, with_slash};
use crate::delivery::smart_auth::{ClientSettings, SmartAuth};
use crate::delivery::worker::{Patience, Worker};
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::ClinicId;
use crate::inbound::event::EventSchemas;
use crate::mapping::to_fhir::IDENTIFIER_SYSTEM;
use crate::pipeline::Bridge;
use crate::store::{Store, StoreError};
use crate::telemetry::logs::chain;
use crate::vault::signing::{SigningKeyError, SigningKeys};
use crate::vault::{Key, KeyFileError, Keyring, SealError};
use crate::web;

/// How long an idle worker waits before it looks for work that another process left behind.
const POLL: Duration = Duration::from_secs(1);

/// A bridge that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The master key cannot be had.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A signing key cannot be used.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// A clinic wants assertions, and nothing can sign them.
    #[error("the clinic {0} wants signed assertions, and there is no signing key: run mostik keys sign-create")]
    NoSigningKey(ClinicId),
    /// The database cannot be had.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key is not the one this database was made with.
    #[error("the master key is not the one this database was made with ({0})")]
    Seal(#[from] SealError),
    /// Outbound calls cannot be set up.
    #[error("outbound calls cannot be set up: {0}")]
    Egress(#[from] EgressError),
    /// The schemas are broken.
    #[error("{0}")]
    Schemas(String),
    /// The address cannot be listened on, or the server failed.
    #[error("the HTTP server cannot run")]
    Server(#[from] io::Error),
    /// A part of the process ended without being told to. A defect.
    #[error("a part of the bridge ended without being told to; the log says more")]
    EndedEarly,
}

/// Opens the database and the keys.
///
/// # Errors
/// [`StartError`].
pub async fn open(config: &Config, clock: Clock, entropy: Entropy) -> Result<Bridge, StartError> {
    let master = Key::read_file(&config.vault.master_key_file)?;
    let signing = signing_keys(config, &clock)?;
    let store = Store::open(&config.database.url).await?;
    let keyring = open_keyring(&store, master, entropy).await?;
    let source = config.bridge.source.as_str().into();
    Ok(Bridge { store, keyring, signing, clock, source, wake: Arc::new(Notify::new()) })
}

/// A worker for every configured clinic.
///
/// # Errors
/// [`StartError`].
pub fn worker(config: &Config, bridge: &Bridge) -> Result<Worker, StartError> {
    let (signing, clock) = (bridge.signing.clone(), bridge.clock.clone());
    let unsigned = config.clinics.iter().find(|(_, clinic)| clinic.auth != Auth::None);
    if let Some((id, _)) = unsigned.filter(|_| signing.all(clock.now()).is_empty()) {
        return Err(StartError::NoSigningKey(id.clone()));
    }
    let outward = Outward::new(config, signing, clock, bridge.keyring.entropy().clone())?;
    let ehrs: HashMap<ClinicId, EhrClient> =
        config.clinics.iter().map(|(id, clinic)| (id.clone(), outward.ehr(id, clinic))).collect();
    let patience = Patience {
        lease: SignedDuration::from_secs(config.delivery.lease_seconds),
        timeout: SignedDuration::from_secs(config.delivery.timeout_seconds.cast_signed()),
        doubt: SignedDuration::from_secs(config.delivery.doubt_seconds),
    };
    Ok(Worker {
        store: bridge.store.clone(),
        keyring: bridge.keyring.clone(),
        clock: bridge.clock.clone(),
        ehrs: Arc::new(ehrs),
        patience,
        stopping: watch::channel(false).1,
    })
}

/// What every client of an EHR is made from.
#[derive(Clone, Debug)]
pub struct Outward {
    /// The way out.
    pub egress: Egress,
    /// The keys to sign with.
    pub signing: SigningKeys,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Outward {
    /// The way out to the hosts of the configured clinics, and no others.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(config: &Config, signing: SigningKeys, clock: Clock, entropy: Entropy) -> Result<Self, StartError> {
        let egress = Egress::new(EgressPolicy {
            hosts: config.clinics.values().flat_map(Clinic::hosts).collect(),
            private_networks: config.delivery.private_networks,
            timeout: config.timeout(),
        })?;
        Ok(Self { egress, signing, clock, entropy })
    }

    /// The client for a clinic's EHR.
    #[must_use]
    pub fn ehr(&self, id: &ClinicId, clinic: &Clinic) -> EhrClient {
        let Self { egress, signing, clock, entropy } = self.clone();
        let base = with_slash(&clinic.fhir_base);
        let auth = match &clinic.auth {
            Auth::None => None,
            Auth::BackendServices(services) => {
                let settings = ClientSettings {
                    clinic: id.clone(),
                    client_id: services.client_id.clone(),
                    scopes: services.scopes.clone(),
                    token_hosts: services.token_hosts.clone(),
                };
                Some(SmartAuth::new(egress.clone(), base.clone(), settings, signing, clock, entropy.clone()))
            }
        };
        EhrClient::new(egress, base, IDENTIFIER_SYSTEM, entropy, auth)
    }
}

/// The keys to sign with.
///
/// # Errors
/// [`StartError::SigningKey`].
pub fn signing_keys(config: &Config, clock: &Clock) -> Result<SigningKeys, StartError> {
    let publish_ahead = SignedDuration::from_secs(config.keys.publish_ahead_seconds);
    Ok(SigningKeys::open(&config.keys.folder, publish_ahead, clock.now())?)
}

/// The HTTP server on a listener, not yet running.
///
/// # Errors
/// [`StartError`].
pub fn http_server(config: &Config, bridge: Bridge, listener: TcpListener) -> Result<Server, StartError> {
    let schemas = EventSchemas::compile().map_err(|error| StartError::Schemas(error.to_string()))?;
    let state = Data::new(web::State::new(config, bridge, schemas));
    let server =
        HttpServer::new(move || App::new().wrap(web::tracing_layer()).app_data(state.clone()).configure(web::routes))
            .disable_signals()
            .shutdown_timeout(config.server.shutdown_seconds)
            .listen(listener)?;
    Ok(server.run())
}

/// Serves the API and works on the outbox until `stop` resolves; then ends what is under way.
///
/// `listening` is told the address once requests are answered.
///
/// # Errors
/// [`StartError`].
pub async fn serve(
    config: &Config,
    bridge: Bridge,
    listening: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let listener = TcpListener::bind(config.server.listen)?;
    let address = listener.local_addr()?;
    let server = http_server(config, bridge.clone(), listener)?;
    let handle = server.handle();
    let (stopping, stopped) = watch::channel(false);
    let worker = Worker { stopping: stopped, ..worker(config, &bridge)? };
    let mut running = JoinSet::new();
    for _ in 0..config.delivery.workers {
        running.spawn(work(worker.clone(), bridge.wake.clone()));
    }
    running.spawn(async move { server.await.map_err(StartError::Server) });
    tracing::info!(%address, database = bridge.store.kind(), clinics = config.clinics.len(), "listening");
    listening(address);
    // Nothing ends before it is told to: if something does, the whole process must not look alive.
    let early = tokio::select! {
        () = stop => None,
        ended = running.join_next() => ended,
    };
    tracing::info!("stopping");
    stopping.send_replace(true);
    let grace = Duration::from_secs(config.server.shutdown_seconds);
    let all_ended = async {
        handle.stop(true).await;
        while running.join_next().await.is_some() {}
    };
    // What does not end in time is left as it is: the next start searches before it sends again.
    if tokio::time::timeout(grace, all_ended).await.is_err() {
        tracing::warn!("a delivery did not end in time");
        running.shutdown().await;
    }
    bridge.store.close().await;
    tracing::info!("stopped");
    match early {
        None => Ok(()),
        Some(Ok(ended)) => ended.and(Err(StartError::EndedEarly)),
        Some(Err(_)) => Err(StartError::EndedEarly),
    }
}

/// One worker's life: work while there is something due, otherwise wait to be woken.
async fn work(worker: Worker, wake: Arc<Notify>) -> Result<(), StartError> {
    let mut stopping = worker.stopping.clone();
    while !*stopping.borrow() {
        let woken = wake.notified();
        match worker.run_once().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                let cause = chain(&error);
                tracing::warn!(cause, "a lane was left; it is taken up again when its lease has run out");
            }
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stopping.changed() => {}
        }
    }
    Ok(())
}

async fn open_keyring(store: &Store, master: Key, entropy: Entropy) -> Result<Keyring, StartError> {
    let mut tx = store.begin().await?;
    let wrapped = if let Some(wrapped) = tx.index_key().await? {
        wrapped
    } else {
        tx.insert_index_key(&Keyring::create_index_key(&master, &entropy)?).await?;
        // Another process may have been first: what stands there counts.
        tx.index_key().await?.ok_or(StoreError::Corrupt("no index key"))?
    };
    tx.commit().await?;
    Ok(Keyring::open(master, &wrapped, entropy)?)
}
