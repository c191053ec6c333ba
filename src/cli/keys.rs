//! `mostik keys …`

use super::args::KeysCommand;
use crate::domain::entropy::Entropy;
use crate::vault::Key;

/// Makes the master key.
pub fn keys(command: KeysCommand) -> anyhow::Result<()> {
    let KeysCommand::Create { file } = command;
    Key::generate(&Entropy::System)?.create_file(&file)?;
    println!("The master key is in {}.", file.display());
    println!("Keep a copy away from the database and its backups: without it nothing in the database opens.");
    Ok(())
}
