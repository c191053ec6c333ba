//! What a story is set in: a database, and replicas of the bridge that share it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mostik::audit;
use mostik::audit::checkpoint::Checkpoints;
use mostik::delivery::desk::{Desk, Parts, Patience};
use mostik::delivery::desks::{Counterpart, Desks};
use mostik::delivery::egress::{Egress, EgressPolicy};
use mostik::delivery::ehr::{Access, EhrClient, EhrSettings};
use mostik::delivery::form::Forms;
use mostik::domain::clock::{Clock, ManualClock};
use mostik::domain::entropy::{Entropy, SeededEntropy};
use mostik::domain::form::Takes;
use mostik::domain::ids::ClinicId;
use mostik::domain::zone::Zone;
use mostik::enrolment::launch::Launches;
use mostik::mapping::to_fhir::{self, IDENTIFIER_SYSTEM};
use mostik::pipeline::Bridge;
use mostik::readings::Rules;
use mostik::store::Store;
use mostik::vault::signing::SigningKeys;
use mostik::vault::{ErasedList, Key, Keyring};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::net::{LATE, Net, TIMEOUT};

/// A database in memory, and the keys that go with it.
pub struct House {
    pub store: Store,
    signing: SigningKeys,
    master: PathBuf,
    index_key: Vec<u8>,
    egress: Egress,
    _folder: TempDir,
}

impl House {
    pub async fn build() -> Self {
        // Memory, where there is such a folder: what a disk would make of it is for the crash tests.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("sim.db").display())).await.unwrap();
        let entropy = Entropy::Seeded(SeededEntropy::new(0));
        let file = folder.path().join("master.key");
        Key::generate(&entropy).unwrap().create_file(&file).unwrap();
        let index_key = Keyring::create_index_key(&Key::read_file(&file).unwrap(), &entropy).unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.insert_index_key(&index_key).await.unwrap();
        tx.commit().await.unwrap();
        let keyring = Keyring::open(Key::read_file(&file).unwrap(), &index_key, entropy.clone()).unwrap();
        audit::open(&store, &keyring, Timestamp::UNIX_EPOCH).await.unwrap();
        let signing =
            SigningKeys::open(&folder.path().join("keys"), SignedDuration::ZERO, Timestamp::UNIX_EPOCH).unwrap();
        let hosts = ["ehr.example".to_owned()].into();
        let policy = EgressPolicy { hosts, private_networks: false, timeout: Duration::from_secs(10) };
        Self { store, signing, master: file, index_key, egress: Egress::new(policy).unwrap(), _folder: folder }
    }

    /// The bridge of one story: its time and its randomness are the story's own.
    pub fn bridge(&self, clock: &ManualClock, seed: u64) -> Bridge {
        let master = Key::read_file(&self.master).unwrap();
        let entropy = Entropy::Seeded(SeededEntropy::new(seed));
        let keyring = Keyring::open(master, &self.index_key, entropy).unwrap();
        let (store, time) = (self.store.clone(), Clock::Manual(clock.clone()));
        Bridge {
            launches: Arc::new(Launches::new(store.clone(), keyring.clone(), time, BTreeMap::new())),
            store,
            keyring,
            signing: self.signing.clone(),
            erased: ErasedList::at(&self.master.with_file_name("erased.list")),
            clock: Clock::Manual(clock.clone()),
            house: Arc::default(),
            source: "urn:mostik:simulation".into(),
            checkpoints: Checkpoints::new(None, SignedDuration::ZERO, "urn:mostik:simulation".into()),
            readings: Rules { keep_for: SignedDuration::from_hours(24 * 400), zone: Zone::default() },
            wake: Arc::default(),
            news: Arc::default(),
        }
    }

    /// A replica: a process of its own, with nothing in its head, that makes so many requests at once.
    pub fn replica(&self, bridge: &Bridge, net: &Net, clinic: &ClinicId, concurrency: usize) -> Desk {
        let settings = EhrSettings {
            base: "https://ehr.example/fhir/".parse().unwrap(),
            identifier_system: IDENTIFIER_SYSTEM,
            access: Access::Open,
            takes: Takes::default(),
            concurrency,
        };
        let egress = self.egress.clone().into_simulation(Arc::new(net.clone()));
        let ehr = EhrClient::new(egress, settings, bridge.clock.clone(), bridge.keyring.entropy().clone());
        let forms = Forms { document: to_fhir::document, provenance: true, rules: Vec::new() };
        let counterpart = Counterpart { ehr: Arc::new(ehr), forms: Arc::new(forms), warnings: None };
        let desks = Desks {
            parts: Parts {
                store: bridge.store.clone(),
                keyring: bridge.keyring.clone(),
                clock: bridge.clock.clone(),
                patience: Patience {
                    lease: SignedDuration::from_secs(45),
                    timeout: TIMEOUT,
                    doubt: LATE + SignedDuration::from_secs(1),
                },
                batch_size: 3,
                stopping: watch::channel(false).1,
            },
            clinics: Arc::new(BTreeMap::from([(clinic.clone(), counterpart)])),
        };
        desks.open().remove(0)
    }
}
