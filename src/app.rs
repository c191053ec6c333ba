//! The only wiring: from settings to a running bridge.

mod announcing;
mod bells;
mod booking;
mod clients;
mod connectors;
mod desk;
mod house;
mod identities;
mod linking;
mod messengers;
mod safety;
mod start_error;
mod video;
mod way_back;

pub use announcing::announcer;
pub use booking::finder;
pub use connectors::registration;
pub use identities::{identities, provider, staff_doors};
pub use linking::{launch_client, launches};
pub use messengers::{link_sender, teller};
pub use safety::alarm_sender;
pub use start_error::StartError;
pub use way_back::way_back;

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App, HttpServer, middleware};
use jiff::SignedDuration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use self::bells::Bells;
use crate::audit;
use crate::audit::checkpoint::Checkpoints;
use crate::chores;
use crate::config::{Auth, Clinic, Config};
use crate::consent::receipt;
use crate::delivery::desk::{Parts, Patience};
use crate::delivery::desks::{Counterpart, Desks};
use crate::delivery::egress::{Egress, EgressPolicy};
use crate::delivery::ehr::{Access, EhrClient, EhrSettings, with_slash};
use crate::delivery::form::Forms;
use crate::delivery::smart_auth::patient::{PatientAuth, PatientSettings};
use crate::delivery::smart_auth::{ClientSettings, SmartAuth};
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::ClinicId;
use crate::erasure;
use crate::inbound::Schemas;
use crate::mapping::to_fhir::{self, IDENTIFIER_SYSTEM};
use crate::pipeline::Bridge;
use crate::readings::Rules;
use crate::store::{Store, StoreError};
use crate::telemetry::logs::chain;
use crate::telling;
use crate::vault::signing::SigningKeys;
use crate::vault::{ErasedList, Keyring, MasterKeys};
use crate::web;
use crate::web::{Ears, Wired};

/// When a platform is told again that the bridge answers, if it did not take that: left alone it would wait for minutes before it
/// looks.
const GREET_AGAIN: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
];

/// How long an idle desk waits before it looks for work that another process left behind.
const POLL: Duration = Duration::from_secs(1);

/// Opens the database and the keys.
///
/// # Errors
/// [`StartError`].
pub async fn open(config: &Config, clock: Clock, entropy: Entropy) -> Result<Bridge, StartError> {
    let masters = MasterKeys::read(&config.vault.master_key, &config.vault.older_master_keys).await?;
    let signing = signing_keys(config, &clock)?;
    let store = Store::open(&config.database.url).await?;
    let keyring = open_keyring(&store, masters, entropy).await?;
    audit::open(&store, &keyring, clock.now()).await?;
    let mut tx = store.begin().await?;
    let signing = signing.with_receipts(receipt::signing_key(&mut tx, &keyring).await?);
    let signing = telling::with_push_key(&mut tx, &keyring, signing, config.push.is_on()).await?;
    tx.commit().await?;
    let source: Arc<str> = config.bridge.source.as_str().into();
    let checkpoints = Checkpoints::new(config.audit.file(), config.audit.every(), Arc::clone(&source));
    let erased = ErasedList::at(&config.vault.erased_list);
    let (house, wake, news) =
        (Arc::new(house::house(config).map_err(web::StateError::from)?), Arc::new(Notify::new()), Arc::default());
    let readings = Rules {
        keep_for: SignedDuration::from_hours(24 * config.readings.keep_days),
        zone: config.readings.zone.clone(),
    };
    let launches = Arc::new(linking::launches_of(config, &store, &keyring, &signing, &clock)?);
    let bridge =
        Bridge { store, keyring, signing, erased, clock, source, checkpoints, house, readings, launches, wake, news };
    // Before anything else: nobody is to be seen who was erased.
    erasure::again(&bridge).await?;
    erasure::mirror(&bridge).await?;
    chores::begin(&bridge).await?;
    Ok(bridge)
}

/// A desk for every configured clinic.
///
/// # Errors
/// [`StartError`].
pub fn desks(config: &Config, bridge: &Bridge) -> Result<Desks, StartError> {
    let (signing, clock) = (bridge.signing.clone(), bridge.clock.clone());
    let unsigned = config.clinics.iter().find(|(_, clinic)| clinic.signs());
    if let Some((id, _)) = unsigned.filter(|_| signing.all(clock.now()).is_empty()) {
        return Err(StartError::NoSigningKey(id.clone()));
    }
    let lenders = Some((bridge.store.clone(), bridge.keyring.clone()));
    let outward = Outward { signing, clock, entropy: bridge.keyring.entropy().clone(), lenders };
    let counterpart = |(id, clinic): (&ClinicId, &Clinic)| {
        let forms = Forms { document: to_fhir::document, provenance: clinic.provenance, rules: clinic.rules.clone() };
        let ehr = Arc::new(outward.ehr(config, id, clinic)?);
        let other = Counterpart { ehr, forms: Arc::new(forms), warnings: clinic.warnings.clone().map(Arc::new) };
        Ok((id.clone(), other))
    };
    let clinics = config.clinics.iter().map(counterpart).collect::<Result<_, StartError>>()?;
    let patience = Patience {
        lease: SignedDuration::from_secs(config.delivery.lease_seconds),
        timeout: SignedDuration::from_secs(config.delivery.timeout_seconds.cast_signed()),
        doubt: SignedDuration::from_secs(config.delivery.doubt_seconds),
    };
    let parts = Parts {
        store: bridge.store.clone(),
        keyring: bridge.keyring.clone(),
        clock: bridge.clock.clone(),
        patience,
        batch_size: config.delivery.batch_size,
        stopping: watch::channel(false).1,
    };
    Ok(Desks { parts, clinics: Arc::new(clinics) })
}

/// What every client of an EHR is made from.
#[derive(Clone, Debug)]
pub struct Outward {
    /// The keys to sign with.
    pub signing: SigningKeys,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// Where what members lend is kept, and what opens it; `None` where nothing is sent.
    pub lenders: Option<(Store, Keyring)>,
}

impl Outward {
    /// The client for a clinic's EHR: with a way out of its own, to the hosts of this clinic and no others.
    ///
    /// # Errors
    /// [`StartError::Egress`].
    pub fn ehr(&self, config: &Config, id: &ClinicId, clinic: &Clinic) -> Result<EhrClient, StartError> {
        let Self { signing, clock, entropy, lenders } = self.clone();
        let egress = egress(config, clinic)?;
        let base = with_slash(&clinic.fhir_base);
        let (to_server, server_base) = (egress.clone(), base.clone());
        let access = match &clinic.auth {
            Auth::None => Access::Open,
            Auth::BackendServices(services) => {
                let settings = ClientSettings {
                    clinic: id.clone(),
                    client_id: services.client_id.clone(),
                    scopes: services.scopes.clone(),
                    token_hosts: services.token_hosts.clone(),
                };
                let (clock, entropy) = (clock.clone(), entropy.clone());
                Access::Own(Box::new(SmartAuth::new(to_server, server_base, settings, signing, clock, entropy)))
            }
            Auth::Patient(launch) => Access::Lent(lenders.map(|(store, keyring)| {
                let settings = PatientSettings {
                    clinic: id.clone(),
                    client_id: launch.client_id.clone(),
                    scopes: launch.scopes.clone(),
                    token_hosts: launch.token_hosts.clone(),
                    signed: clinic.auth.signs(),
                };
                let (clock, entropy) = (clock.clone(), entropy.clone());
                let auth = PatientAuth::new(to_server, server_base, settings, signing, store, keyring, clock, entropy);
                Box::new(auth)
            })),
        };
        let settings = EhrSettings {
            base,
            identifier_system: IDENTIFIER_SYSTEM,
            access,
            takes: clinic.takes,
            concurrency: clinic.concurrency.unwrap_or(config.delivery.concurrency),
        };
        Ok(EhrClient::new(egress, settings, clock, entropy))
    }
}

/// The way out to a clinic's hosts, and no others.
///
/// # Errors
/// [`StartError::Egress`].
pub fn egress(config: &Config, clinic: &Clinic) -> Result<Egress, StartError> {
    Ok(Egress::new(EgressPolicy {
        hosts: clinic.hosts().collect(),
        private_networks: config.delivery.private_networks,
        timeout: config.timeout(),
    })?)
}

/// The keys to sign with.
///
/// # Errors
/// [`StartError::SigningKey`].
pub fn signing_keys(config: &Config, clock: &Clock) -> Result<SigningKeys, StartError> {
    let publish_ahead = SignedDuration::from_secs(config.keys.publish_ahead_seconds);
    Ok(SigningKeys::open(&config.keys.folder, publish_ahead, clock.now())?)
}

/// The HTTP server on a listener, not yet running, and what hears platforms that do not call it.
///
/// # Errors
/// [`StartError`].
pub fn http_server(
    config: &Config,
    bridge: Bridge,
    desks: &Desks,
    listener: TcpListener,
) -> Result<(Server, Ears), StartError> {
    let schemas = Schemas::compile().map_err(|error| StartError::Schemas(error.to_string()))?;
    let wired = Wired {
        clients: clients::clients(config)?,
        launches: launches(config, &bridge)?,
        identities: identities(config, &bridge)?,
        staff: staff_doors(config, &bridge)?,
        finder: finder(config, &bridge, desks),
        rooms: video::rooms(config, &bridge)?,
        connectors: connectors::connectors(config, &bridge.clock)?,
    };
    let state = web::State::new(config, bridge, schemas, wired)?;
    let state = Data::new(state);
    let ears = Ears::new(state.clone())?;
    let app = move || {
        let guard = middleware::from_fn(web::guard); // outermost: whatever answers, its headers are there
        let refusals = middleware::from_fn(web::note_refusals); // innermost: within the span of its request
        let app = App::new().wrap(refusals).wrap(web::tracing_layer()).wrap(guard);
        app.app_data(state.clone()).configure(web::routes)
    };
    let server =
        HttpServer::new(app).disable_signals().shutdown_timeout(config.server.shutdown_seconds).listen(listener)?;
    Ok((server.run(), ears))
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
    audit::note_start(&bridge.store, &bridge.keyring, bridge.clock.now()).await?;
    let listener = TcpListener::bind(config.server.listen)?;
    let address = listener.local_addr()?;
    let mut desks = desks(config, &bridge)?;
    let (server, ears) = http_server(config, bridge.clone(), &desks, listener)?;
    let handle = server.handle();
    let (stopping, stopped) = watch::channel(false);
    desks.parts.stopping = stopped;
    let mut running = JoinSet::new();
    let bells = Bells { stored: Arc::clone(&bridge.wake), heard: Arc::default() };
    for desk in desks.open() {
        running.spawn(desk::work(desk, desks.parts.stopping.clone(), bells.clone()));
    }
    let looking = way_back(config, &bridge, &desks);
    for clinic in looking.clinics() {
        running.spawn(way_back::look(looking.clone(), clinic, desks.parts.stopping.clone()));
    }
    let finder = finder(config, &bridge, &desks);
    for clinic in finder.clinics() {
        running.spawn(booking::look(finder.clone(), clinic, desks.parts.stopping.clone()));
    }
    let mut ringing = JoinSet::new();
    ringing.spawn(bells::announce(bridge.store.clone(), bells.clone()));
    ringing.spawn(bells::listen(bridge.store.clone(), bells));
    ringing.spawn(bells::keep_house(bridge.clone()));
    ringing.spawn(messengers::send_links(link_sender(config, &bridge)?, Arc::clone(&bridge.wake)));
    ringing.spawn(safety::tell(alarm_sender(config, &bridge)?, Arc::clone(&bridge.wake)));
    ringing.spawn(announcing::announce(announcer(config, &bridge)?));
    ringing.spawn(messengers::tell(teller(config, &bridge)?, Arc::clone(&bridge.wake)));
    for community in ears.communities() {
        ringing.spawn(web::listen(ears.clone(), community));
    }
    running.spawn(async move { server.await.map_err(StartError::Server) });
    tracing::info!(%address, database = bridge.store.kind(), clinics = config.clinics.len(), "listening");
    listening(address);
    let platforms = connectors::connectors(config, &bridge.clock)?;
    ringing.spawn(async move { platforms.greet(&GREET_AGAIN).await });
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
    ringing.shutdown().await;
    ears.release().await;
    if let Err(error) = bridge.checkpoint().await {
        tracing::warn!(cause = chain(&error), "the last checkpoint of the audit log was not written");
    }
    bridge.store.close().await;
    tracing::info!("stopped");
    match early {
        None => Ok(()),
        Some(Ok(ended)) => ended.and(Err(StartError::EndedEarly)),
        Some(Err(_)) => Err(StartError::EndedEarly),
    }
}

async fn open_keyring(store: &Store, masters: MasterKeys, entropy: Entropy) -> Result<Keyring, StartError> {
    let mut tx = store.begin().await?;
    let wrapped = if let Some(wrapped) = tx.index_key().await? {
        wrapped
    } else {
        tx.insert_index_key(&Keyring::create_index_key(masters.newest(), &entropy)?).await?;
        // Another process may have been first: what stands there counts.
        tx.index_key().await?.ok_or(StoreError::Corrupt("no index key"))?
    };
    tx.commit().await?;
    Ok(Keyring::open(masters, &wrapped, entropy)?)
}
