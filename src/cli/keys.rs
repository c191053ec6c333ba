//! `mostik keys …`

use std::path::Path;

use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
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
