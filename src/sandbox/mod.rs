//! The sandbox: a small FHIR R4 server inside the process, a stand-in for a clinic's EHR. The demonstration and the
//! tests speak to it over real HTTP on loopback. It keeps everything in memory and forgets it when it stops.
//!
//! The way of a request: [`http`] reads it into a call ([`exchange`]) and lets [`faults`] strike; a call is answered by
//! [`interactions`], or entry by entry by [`bundle`]; both work on the [`store`], by the rules of [`validate`] and the
//! table of [`types`]. A search is read by [`query`] and answered by [`search`]; Appointments are found, held and booked by the
//! operations of [`schedule`].

mod bundle;
mod capability;
mod exchange;
mod faults;
mod given;
mod http;
mod interactions;
mod json;
mod outcome;
mod page;
mod query;
mod schedule;
mod search;
mod server;
mod store;
mod switchboard;
mod types;
mod validate;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use self::exchange::{Answer, Call};
pub use self::faults::{Fault, FaultKind, Faults, On};
use self::outcome::Refusal;
use self::server::Server;
use self::store::Store;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;

/// A running sandbox. It ends when it is stopped or dropped.
pub struct Sandbox {
    house: Arc<House>,
    home: String,
    server: Server,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address is taken or not ours.
    #[error("the sandbox cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No thread, or no runtime for it.
    #[error("the sandbox's server did not start")]
    Server(#[source] std::io::Error),
}

impl Sandbox {
    /// Starts a sandbox; port 0 takes any free one. Its ids and times come from `entropy` and `clock`.
    ///
    /// # Errors
    /// [`SandboxError`] when the address cannot be listened on.
    pub async fn start(listen: SocketAddr, clock: Clock, entropy: Entropy) -> Result<Self, SandboxError> {
        let (listener, address) =
            server::bind(listen).map_err(|source| SandboxError::Listen { address: listen, source })?;
        let home = format!("http://{address}/");
        let house = Arc::new(House {
            store: Mutex::default(),
            clock,
            entropy,
            base: format!("{home}fhir"),
            faults: Faults::default(),
            requests: AtomicU64::new(0),
        });
        let server = Server::start(listener, Arc::clone(&house)).await.map_err(SandboxError::Server)?;
        Ok(Self { house, home, server })
    }

    /// The FHIR base address, without a slash at its end.
    #[must_use]
    pub fn fhir_base(&self) -> String {
        self.house.base.clone()
    }

    /// The address of the page for humans.
    #[must_use]
    pub fn home(&self) -> String {
        self.home.clone()
    }

    /// The faults, to be switched on and off.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.house.faults
    }

    /// The current versions of the resources of a type, oldest first, without the deleted ones.
    #[must_use]
    pub fn resources(&self, resource_type: &str) -> Vec<Value> {
        let store = self.house.store();
        store.records(resource_type).filter_map(|(_, record)| Some(record.current()?.1.clone())).collect()
    }

    /// How many FHIR requests were answered, dropped, or given up by their clients.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.house.requests.load(Ordering::SeqCst)
    }

    /// Ends the sandbox and waits until its port is free.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// What all requests share.
#[derive(Debug)]
struct House {
    store: Mutex<Store>,
    clock: Clock,
    entropy: Entropy,
    base: String,
    faults: Faults,
    requests: AtomicU64,
}

impl House {
    /// Answers a call. The store stays locked from its first look to its last write: a conditional create is atomic.
    fn answer(&self, call: &Call) -> Result<Answer, Refusal> {
        let mut store = self.store();
        schedule::end_holds(self, &mut store);
        if call.method == "POST" && call.path.is_empty() {
            return bundle::answer(self, &mut store, call);
        }
        interactions::answer(self, &mut store, call)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time, as exact as `meta.lastUpdated` shows it.
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn fresh_id(&self) -> Result<String, Refusal> {
        let no_id =
            |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "exception", "there is no randomness for an id");
        Ok(self.entropy.uuid(self.now()).map_err(no_id)?.to_string())
    }

    /// Counts a request when the guard goes, whichever way its handling ends.
    fn count_when_done(self: &Arc<Self>) -> Counted {
        Counted(Arc::clone(self))
    }
}

struct Counted(Arc<House>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.requests.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
