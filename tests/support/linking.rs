//! Members who are linked, unlinked and linked anew.

use mostik::app;
use mostik::config::Config;
use mostik::domain::consented::Method;
use mostik::enrolment::join;
use mostik::enrolment::launch::{Completed, LaunchError, Launches, Returned};
use mostik::enrolment::link::{Claim, LinkError, Linked, Proof};
use mostik::pipeline::consent::{self, UnlinkError, Unlinked};
use mostik::store::EndedBy;
use reqwest::Url;

use super::bridge::{Person, TestBridge, config_text, riverside};
use super::database::Database;
use super::smart::present;

/// Links a person on the operator's word.
pub async fn link_to(bridge: &TestBridge, person: &Person, patient: &str) -> Result<Linked, LinkError> {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let keyring = &bridge.bridge.keyring;
    let linked = join::link(&mut tx, keyring, person.id, &riverside(), patient, "test", bridge.now()).await?;
    tx.commit().await.unwrap();
    Ok(linked)
}

/// Links a person in the place of whoever is linked to the Patient, on the clinic's word.
pub async fn link_in_place(bridge: &TestBridge, person: &Person, patient: &str) -> Result<Linked, LinkError> {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let proof = Proof::Word { of: "operator".to_owned(), replaces: true };
    let claim = Claim { member: person.id, clinic: &riverside(), patient, proof: &proof };
    let linked = consent::link(&bridge.bridge, &mut tx, claim, bridge.now()).await?;
    tx.commit().await.unwrap();
    Ok(linked)
}

/// Ends a person's link to the clinic.
pub async fn unlink_from(bridge: &TestBridge, person: &Person) -> Result<Unlinked, UnlinkError> {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let (by, method) = (EndedBy::Member, Method::Portal);
    let ended = consent::unlink(&bridge.bridge, &mut tx, person.id, &riverside(), by, method, bridge.now()).await?;
    tx.commit().await.unwrap();
    Ok(ended)
}

/// The proof of a person's link.
pub async fn proof(bridge: &TestBridge, person: &Person) -> Option<Proof> {
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let wrapped = tx.member_key(person.id).await.unwrap()?;
    let key = bridge.bridge.keyring.unwrap_member_key(person.id, &wrapped).unwrap();
    let link = tx.links(&[person.id]).await.unwrap().into_iter().find(|link| link.clinic == riverside())?;
    Proof::of(&mut tx, &key, &link).await.unwrap()
}

/// The Patient whom a person is linked to.
pub async fn patient(bridge: &TestBridge, person: &Person) -> Option<String> {
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let wrapped = tx.member_key(person.id).await.unwrap()?;
    let key = bridge.bridge.keyring.unwrap_member_key(person.id, &wrapped).unwrap();
    let link = tx.links(&[person.id]).await.unwrap().into_iter().find(|link| link.clinic == riverside())?;
    let opened = key.open("links.sealed_patient", b"riverside", &link.sealed_patient).unwrap();
    Some(String::from_utf8(opened).unwrap())
}

/// Where browsers come back from launches.
pub const COMES_BACK: &str = "https://mostik.example/launch/return";

/// A configuration for a bridge whose members launch at the FHIR endpoint `base` and lend nothing.
pub fn launch_config(database: &Database, base: &str, client_id: &str, client_authentication: &str) -> String {
    format!(
        "{}[clinics.riverside.launch]\nclient_id = {client_id:?}\nclient_authentication = {client_authentication:?}\n{}",
        public(&config_text(database, base, "127.0.0.1:0")),
        keys(database),
    )
}

/// The same, for one to which they lend their access.
pub fn lending_config(database: &Database, base: &str, client_id: &str, client_authentication: &str) -> String {
    let text = config_text(database, base, "127.0.0.1:0").replace("lease_seconds = 3", "lease_seconds = 4");
    format!(
        "{}[clinics.riverside.auth]\nmethod = \"patient\"\nclient_id = {client_id:?}\n\
         client_authentication = {client_authentication:?}\n{}",
        public(&text),
        keys(database),
    )
}

fn public(text: &str) -> String {
    text.replace("[server]\n", "[server]\npublic_url = \"https://mostik.example\"\n")
}

fn keys(database: &Database) -> String {
    format!("[keys]\nfolder = {:?}\n", database.folder.path().join("keys").display().to_string())
}

/// A bridge whose members launch, with its clock at the present.
pub struct LaunchHouse {
    pub bridge: TestBridge,
    pub launches: Launches,
    pub member: Person,
}

impl LaunchHouse {
    /// With this configuration, and a member whom no clinic knows.
    pub async fn with(database: Database, text: &str) -> Self {
        let bridge = TestBridge::start_at(database, text, present()).await;
        let member = bridge.unlinked_person("sparrow").await;
        let launches = launches(&bridge);
        Self { bridge, launches, member }
    }

    /// Begins a launch in a session of the member.
    pub async fn begin(&self, session: &str) -> Result<Url, LaunchError> {
        self.launches.begin(self.member.id, &riverside(), session).await
    }

    /// Ends one in a session of the member.
    pub async fn complete(&self, session: &str, query: &str) -> Result<Completed, LaunchError> {
        self.launches.complete(self.member.id, session, &Returned::read(query)?).await
    }

    /// Whom the member is linked to.
    pub async fn patient(&self) -> Option<String> {
        patient(&self.bridge, &self.member).await
    }
}

/// Launches as a process of this bridge knows them.
pub fn launches(bridge: &TestBridge) -> Launches {
    app::launches(&Config::from_toml(&bridge.config).unwrap(), &bridge.bridge).unwrap()
}
