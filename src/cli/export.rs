//! `mostik member export`

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::Context;

use super::audit::{note, operator};
use super::open;
use crate::config::Config;
use crate::domain::audit::Chain;
use crate::domain::ids::MemberId;
use crate::export;
use crate::pipeline::Bridge;

/// `mostik member export`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  mostik member export --member 0198… sparrow.zip     readable by its owner only: give it to the member, then delete it")]
pub struct ExportArgs {
    /// Who.
    #[arg(long, value_name = "ID")]
    pub member: MemberId,
    /// The archive. An existing file is never overwritten.
    pub file: PathBuf,
}

/// Writes an archive of everything that the bridge has of a member.
pub async fn export(config: &Config, asked: ExportArgs) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let path = asked.file.as_path();
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("cannot make {}", path.display()))?;
    let written = write(&bridge, asked.member, file).await;
    if written.is_err() {
        // What is not whole is nothing.
        fs::remove_file(path)?;
    }
    println!("{} holds {} bytes, and is readable by its owner only.", path.display(), written?);
    Ok(())
}

async fn write(bridge: &Bridge, member: MemberId, mut file: File) -> anyhow::Result<usize> {
    note(bridge, Chain::of_member(member), operator("member export")).await?;
    let mut pieces = export::export(bridge, member, None).await?;
    let mut length = 0;
    while let Some(piece) = pieces.recv().await {
        let piece = piece?;
        file.write_all(&piece)?;
        length += piece.len();
    }
    file.sync_all()?;
    Ok(length)
}
