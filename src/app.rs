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

use crate::config::Config;
use crate::delivery::egress::{Egress, EgressError, EgressPolicy};
use crate::delivery::ehr::EhrClient;
use crate::delivery::worker::{Patience, Worker};
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::ClinicId;
use crate::inbound::event::EventSchemas;
use crate::mapping::to_fhir::IDENTIFIER_SYSTEM;
use crate::pipeline::Bridge;
use crate::store::{Store, StoreError};
use crate::telemetry::logs::chain;
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
    let store = Store::open(&config.database.url).await?;
    let keyring = open_keyring(&store, master, entropy).await?;
    Ok(Bridge { store, keyring, clock, source: config.bridge.source.as_str().into(), wake: Arc::new(Notify::new()) })
}

/// A worker for every configured clinic.
///
/// # Errors
/// [`StartError::Egress`].
pub fn worker(config: &Config, bridge: &Bridge) -> Result<Worker, StartError> {
    let hosts = config.clinics.values().filter_map(|clinic| clinic.fhir_base.host_str().map(str::to_owned)).collect();
    let egress = Egress::new(EgressPolicy {
        hosts,
        private_networks: config.delivery.private_networks,
        timeout: config.timeout(),
    })?;
    let ehrs: HashMap<ClinicId, EhrClient> = config
        .clinics
        .iter()
        .map(|(id, clinic)| {
            let entropy = bridge.keyring.entropy().clone();
            (id.clone(), EhrClient::new(egress.clone(), clinic.fhir_base.clone(), IDENTIFIER_SYSTEM, entropy))
        })
        .collect();
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
