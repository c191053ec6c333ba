//! `mostik keys …`

use std::path::Path;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};

use super::open;
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::pipeline::Bridge;
use crate::rotation::{self, Status};
use crate::vault::Key;
use crate::vault::signing::{SigningAlgorithm, SigningKey};

/// Makes the master key.
pub fn create(file: &Path) -> anyhow::Result<()> {
    Key::generate(&Entropy::System)?.create_file(file)?;
    println!("The master key is in {}.", file.display());
    println!("Keep a copy away from the database and its backups: without it nothing in the database opens.");
    Ok(())
}

/// Makes a key to sign with.
pub fn sign_create(config: &Config, algorithm: SigningAlgorithm) -> anyhow::Result<()> {
    let (key, path) = SigningKey::create(&config.keys.folder, algorithm, Clock::System.now())?;
    println!("The {} key {} is in {}.", algorithm.as_str(), key.kid(), path.display());
    println!("A running bridge publishes it at /.well-known/jwks.json within a minute.");
    println!("The first key signs at once, a later one after {} s.", config.keys.publish_ahead_seconds);
    Ok(())
}

/// Wraps everything by the newest master key, while replicas run.
pub async fn rotate(config: &Config) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let left = rotation::status(&bridge.store).await?.not_by(bridge.keyring.newest());
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} members' keys {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(left.unsigned_abs()).with_style(style);
    let rotated = rotation::rotate(&bridge.store, &bridge.keyring, &bridge.clock, |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    let status = rotated?;
    print(&bridge, &status);
    if status.not_by(bridge.keyring.newest()) > 0 {
        bail!("keys that are wrapped by a master key which is not in the settings stay as they are");
    }
    println!("No older master key is needed any more: take vault.older_master_keys out of every replica's settings.");
    println!("Backups made until now still need it: put it away with them, and destroy it with the last of them.");
    Ok(())
}

/// Says which master key wraps what.
pub async fn status(config: &Config) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    print(&bridge, &rotation::status(&bridge.store).await?);
    Ok(())
}

fn print(bridge: &Bridge, status: &Status) {
    let newest = bridge.keyring.newest();
    for (id, wraps) in &status.by_key {
        let known = match bridge.keyring.masters().any(|master| master == *id) {
            true if *id == newest => "vault.master_key",
            true => "one of vault.older_master_keys",
            false => "not in the settings",
        };
        println!("{id}  {} member(s) and {} key(s) of the database  ({known})", wraps.members, wraps.data_keys);
    }
    if !status.by_key.contains_key(&newest) {
        println!("{newest}  nothing yet  (vault.master_key)");
    }
    if let Some(since) = status.since {
        println!("New keys are wrapped by the same master key since {since:.0}.");
    }
}
