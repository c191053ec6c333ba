//! `mostik receipt …`

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Method, Url};

use super::args::ReceiptVerify;
use crate::config::Config;
use crate::consent::receipt::{rows, verify};
use crate::delivery::egress::{Egress, EgressPolicy};

/// How long it may take to fetch the published keys.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says in plain words whether a receipt is genuine, and what it says.
///
/// # Errors
/// It is not, or nobody can say.
pub async fn check(config: Option<&Path>, asked: ReceiptVerify) -> anyhow::Result<()> {
    let file = &asked.file;
    let signed = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (keys, whose) = match &asked.jwks {
        None => (own_keys(&super::load(config)?).await?, "this bridge".to_owned()),
        Some(place) => (published(place).await?, place.clone()),
    };
    let receipt = match verify(&signed, &keys) {
        Ok(receipt) => receipt,
        Err(reason) => bail!("{} is not a genuine receipt of {whose}: {reason}", file.display()),
    };
    println!("The receipt is genuine: it was signed by {whose}, and nothing in it was changed since. It says:\n");
    for row in rows(&receipt, asked.language) {
        println!("  {}: {}", row.name, row.value);
    }
    println!("\nIt says how the consent stood then. What was done with it later has a receipt of its own.");
    Ok(())
}

async fn own_keys(config: &Config) -> anyhow::Result<JwkSet> {
    let bridge = super::open(config).await.context("without --jwks, the keys are those of this bridge")?;
    Ok(bridge.signing.published(bridge.clock.now()))
}

/// The keys at an address or in a file.
pub(super) async fn published(place: &str) -> anyhow::Result<JwkSet> {
    let url = Url::parse(place).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let bytes = match url {
        None => std::fs::read(place).with_context(|| format!("{place} cannot be read"))?,
        Some(url) => {
            let hosts: BTreeSet<String> = url.host_str().map(str::to_owned).into_iter().collect();
            let egress = Egress::new(EgressPolicy { hosts, private_networks: true, timeout: PATIENCE })?;
            let answer = egress.send(egress.request(Method::GET, url)).await;
            let answer = answer.with_context(|| format!("the keys at {place} cannot be fetched"))?;
            ensure!(answer.status.is_success(), "the keys at {place} cannot be fetched ({})", answer.status);
            answer.body
        }
    };
    serde_json::from_slice(&bytes).with_context(|| format!("{place} holds no JWK Set"))
}
