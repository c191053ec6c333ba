//! The stage of the story: a sandbox EHR (or the one named), a bridge, a community and a clinic.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::talk::Caller;
use crate::app::{self, StartError};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::{ClinicId, CommunityId, MemberId};
use crate::enrolment::credentials::{EVENTS_WRITE, create_api_key, create_member_token};
use crate::enrolment::join::{join, link};
use crate::pipeline::Bridge;
use crate::sandbox::Sandbox;
use crate::vault::Key;

/// Everything that runs during the story.
pub struct House {
    /// The bridge from inside, for the import and to see when the outbox is empty.
    pub bridge: Bridge,
    /// Where the bridge listens.
    pub api: Url,
    /// The EHR's FHIR endpoint.
    pub ehr: Url,
    /// Speaks for everyone.
    pub caller: Caller,
    /// The member.
    pub member: MemberId,
    /// The member's own token.
    pub token: String,
    /// The community's API key.
    pub api_key: String,
    /// The member's Patient in the EHR.
    pub patient: String,
    sandbox: Option<Sandbox>,
    serving: JoinHandle<Result<(), StartError>>,
    stop: oneshot::Sender<()>,
}

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The name under which the community knows the member. The clinic never learns it.
pub const HANDLE: &str = "sparrow";

/// The Patient of the story. The community never learns who it is.
pub const PATIENT_NAME: &str = "Alex Example";

impl House {
    /// Builds the house in an empty folder, with further settings.
    pub async fn build(folder: &Path, ehr: Option<Url>, settings: &str) -> anyhow::Result<Self> {
        let sandbox = match ehr {
            Some(_) => None,
            None => Some(Sandbox::start(LOOPBACK, Clock::System, Entropy::System).await?),
        };
        let ehr = match (&sandbox, ehr) {
            (Some(sandbox), _) => Url::parse(&sandbox.fhir_base())?,
            (None, Some(ehr)) => ehr,
            (None, None) => anyhow::bail!("no EHR"),
        };
        let config = config(folder, &ehr, settings)?;
        Key::generate(&Entropy::System)?.create_file(&folder.join("master.key"))?;
        let bridge = app::open(&config, Clock::System, Entropy::System).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let serving = tokio::spawn({
            let (config, bridge) = (config, bridge.clone());
            async move {
                let stopped = async { drop(stopped.await) };
                app::serve(&config, bridge, |address| _ = tell.send(address), stopped).await
            }
        });
        let api = Url::parse(&format!("http://{}", told.await.context("the bridge did not start")?))?;
        let caller = Caller::new(&[&api, &ehr])?;
        let patient = create_patient(&caller, &ehr, PATIENT_NAME).await?;
        let (member, token, api_key) = enrol(&bridge, &patient).await?;
        Ok(Self { bridge, api, ehr, caller, member, token, api_key, patient, sandbox, serving, stop })
    }

    /// Where to look around while it runs.
    pub fn show_around(&self, folder: &Path, patient: &str) {
        println!("\nLook around (`mostik demo --keep` leaves it running):");
        println!("  the API, described            {}openapi.json", self.api);
        println!(
            "  the clinic's EHR              {}",
            self.sandbox.as_ref().map_or(self.ehr.to_string(), Sandbox::home)
        );
        println!(
            "  what it knows of the patient  {}/Observation?patient={patient}",
            self.ehr.as_str().trim_end_matches('/')
        );
        println!("  the bridge's folder           {}", folder.display());
    }

    /// Ends everything.
    pub async fn stop(self) -> anyhow::Result<()> {
        _ = self.stop.send(());
        self.serving.await??;
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
        Ok(())
    }

    /// Creates a Patient of this name in the EHR; returns its id.
    pub async fn create_patient(&self, name: &str) -> anyhow::Result<String> {
        create_patient(&self.caller, &self.ehr, name).await
    }

    /// The Observations of a patient.
    pub async fn ehr_has(&self, patient: &str) -> anyhow::Result<Vec<Value>> {
        observations(&self.caller, self.ehr(&format!("Observation?patient={patient}&_count=500"))?).await
    }

    /// An address of the bridge's API.
    pub fn api(&self, path: &str) -> anyhow::Result<Url> {
        Ok(self.api.join(path)?)
    }

    /// An address of the EHR.
    pub fn ehr(&self, reference: &str) -> anyhow::Result<Url> {
        Ok(Url::parse(&format!("{}/{reference}", self.ehr.as_str().trim_end_matches('/')))?)
    }
}

fn config(folder: &Path, ehr: &Url, settings: &str) -> anyhow::Result<Config> {
    // Debug form quotes and escapes as TOML's basic strings do.
    let path = |scheme: &str, name: &str| format!("{:?}", format!("{scheme}{}", folder.join(name).display()));
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = {}\n[vault]\nmaster_key = {}\nerased_list = {}\n\
         [delivery]\nprivate_networks = true\n[communities.forum]\nname = \"The forum\"\n\
         [clinics.riverside]\nname = \"Riverside clinic\"\nfhir_base = {:?}\n{settings}",
        path("sqlite:", "mostik.db"),
        path("file:", "master.key"),
        path("", "erased.list"),
        ehr.as_str(),
    );
    Ok(Config::from_toml(&text)?)
}

async fn observations(caller: &Caller, url: Url) -> anyhow::Result<Vec<Value>> {
    let bundle = caller.ask(Method::GET, url, None, None).await?;
    let entries = bundle.get("entry").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(entries.into_iter().filter_map(|mut entry| entry.get_mut("resource").map(Value::take)).collect())
}

async fn create_patient(caller: &Caller, ehr: &Url, name: &str) -> anyhow::Result<String> {
    let url = Url::parse(&format!("{}/Patient", ehr.as_str().trim_end_matches('/')))?;
    let (given, family) = name.split_once(' ').unwrap_or((name, ""));
    let patient = json!({"resourceType": "Patient", "name": [{"given": [given], "family": family}]});
    let created = caller.ask(Method::POST, url, None, Some(("application/fhir+json", &patient))).await;
    let created = created.context("the EHR did not create a Patient for the demo")?;
    created.get("id").and_then(Value::as_str).map(str::to_owned).context("the EHR did not say the Patient's id")
}

async fn enrol(bridge: &Bridge, patient: &str) -> anyhow::Result<(MemberId, String, String)> {
    let (community, clinic): (CommunityId, ClinicId) = ("forum".parse()?, "riverside".parse()?);
    let (now, keyring) = (bridge.clock.now(), &bridge.keyring);
    let mut tx = bridge.store.begin().await?;
    let member = join(&mut tx, keyring, &community, HANDLE, now).await?;
    link(&mut tx, keyring, member, &clinic, patient, "demo", now).await?;
    let token = create_member_token(&mut tx, keyring, member, jiff::SignedDuration::from_hours(1), now).await?;
    let key = create_api_key(&mut tx, keyring, &community, EVENTS_WRITE, now).await?;
    tx.commit().await?;
    Ok((member, token, key.secret))
}
