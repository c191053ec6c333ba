//! `mostik member erase`, `mostik member erasures` and `mostik erasure …`

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;

use super::audit::operator;
use super::export::{ExportArgs, export};
use super::open;
use super::receipt::published;
use crate::app;
use crate::config::Config;
use crate::domain::audit::{Chain, Event};
use crate::domain::clock::Clock;
use crate::domain::consented::Method;
use crate::domain::ids::{ErasureId, MemberId};
use crate::erasure::{self, Wish};
use crate::store::{Erasure, ErasureState};

/// `mostik member …`: how they go.
#[derive(Debug, Subcommand)]
pub enum LeaveCommand {
    /// Erases a member for good: their key is destroyed, and every row of theirs deleted.
    Erase(EraseArgs),
    /// Lists the erasures that were asked for.
    Erasures,
    /// Writes an archive of everything that the bridge has of a member, for them to have.
    Export(ExportArgs),
}

/// `mostik member erase`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mostik member erase --member 0198…                 in 7 days, unless it is called off
  mostik member erase --member 0198… --ask-clinics   and clinics are asked to mark what they have as entered in error
  mostik member erase --member 0198… --now           at once; also shortens an erasure that is under way
  mostik member erase --member 0198… --cancel        not after all; possible until the 7 days are over")]
pub struct EraseArgs {
    /// Who.
    #[arg(long, value_name = "ID")]
    pub member: MemberId,
    /// Without the grace of 7 days.
    #[arg(long)]
    pub now: bool,
    /// Ask clinics to mark what they were sent as entered in error, and wait for them for 4 days at most.
    #[arg(long)]
    pub ask_clinics: bool,
    /// Call it off.
    #[arg(long, conflicts_with_all = ["now", "ask_clinics"])]
    pub cancel: bool,
}

/// `mostik erasure …`
#[derive(Debug, Subcommand)]
pub enum ErasureCommand {
    /// Prints the certificate of an erasure that was done.
    Certificate {
        /// The erasure's id: see `mostik member erasures`.
        id: ErasureId,
    },
    /// Says whether a certificate is good, and what it says.
    #[command(after_help = "Examples:
  mostik erasure verify certificate.jws                          with this bridge's own keys
  mostik erasure verify certificate.jws --jwks https://mostik.example/.well-known/jwks.json
  mostik erasure verify certificate.jws --jwks jwks.json         with keys that were fetched before")]
    Verify {
        /// The certificate.
        file: PathBuf,
        /// Where the published keys of the bridge are that issued it: an address or a file.
        #[arg(long, value_name = "PLACE")]
        jwks: Option<String>,
    },
}

/// How a member goes.
pub async fn leave(config: &Config, command: LeaveCommand) -> anyhow::Result<()> {
    match command {
        LeaveCommand::Erase(asked) => erase(config, asked).await,
        LeaveCommand::Erasures => list(config).await,
        LeaveCommand::Export(asked) => export(config, asked).await,
    }
}

/// Asks for an erasure, shortens it, or calls it off.
async fn erase(config: &Config, asked: EraseArgs) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let now = bridge.clock.now();
    let mut tx = bridge.store.begin().await?;
    tx.record(Chain::of_member(asked.member), now, Event::OperatorAccess(operator("member erase")));
    if asked.cancel {
        let erasure = erasure::cancel(&mut tx, asked.member, Method::Operator, now).await?;
        tx.commit().await?;
        println!("The erasure {} is called off.", erasure.id);
        return Ok(());
    }
    let under_way = tx.living_erasure(asked.member).await?;
    let erasure = match under_way {
        Some(_) if asked.now => erasure::hurry(&mut tx, asked.member, Method::Operator, now).await?,
        _ => {
            let wish = Wish { at_once: asked.now, ask_clinics: asked.ask_clinics, method: Method::Operator };
            let requested = erasure::request(&mut tx, &bridge.keyring, asked.member, wish, now).await?;
            println!("The certificate will be had under this secret, which the member needs no account for:");
            println!("{}", requested.secret.0);
            if bridge.signing.all(now).is_empty() {
                println!("It will not be signed, because there is no key to sign with: mostik keys sign-create");
            }
            requested.erasure
        }
    };
    tx.commit().await?;
    let state = erasure::work_on(&bridge, &erasure).await?;
    match state {
        ErasureState::Erased => println!("The member is erased: mostik erasure certificate {}", erasure.id),
        ErasureState::Requested => println!("The member will be erased at {:.0}.", erasure.due_at),
        ErasureState::Upstream => println!("The erasure has begun. It waits for clinics: mostik member erasures"),
        ErasureState::Cancelled => println!("The erasure was called off."),
    }
    Ok(())
}

/// Lists every erasure.
async fn list(config: &Config) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let erasures = bridge.store.read().await?.erasures_since(Timestamp::UNIX_EPOCH).await?;
    if erasures.is_empty() {
        println!("No member was to be erased so far.");
    }
    for erasure in erasures {
        println!("{}  member {}  {}", erasure.id, erasure.member, in_words(&erasure));
    }
    Ok(())
}

fn in_words(erasure: &Erasure) -> String {
    let end = erasure.ended_at.unwrap_or_default();
    match erasure.state {
        ErasureState::Requested => format!("requested, due {:.0}", erasure.due_at),
        ErasureState::Upstream => {
            format!("waits for clinics until {:.0}", erasure.upstream_until.unwrap_or(erasure.due_at))
        }
        ErasureState::Erased => format!("erased {end:.0}"),
        ErasureState::Cancelled => format!("called off {end:.0}"),
    }
}

/// Prints or checks certificates.
pub async fn certificates(config: &Config, command: ErasureCommand) -> anyhow::Result<()> {
    match command {
        ErasureCommand::Certificate { id } => {
            let bridge = open(config).await?;
            let erasure = bridge.store.read().await?.erasure(id).await?.context("there is no such erasure")?;
            match erasure.certificate {
                Some(certificate) => println!("{certificate}"),
                None => bail!("it is not done: {}", in_words(&erasure)),
            }
            Ok(())
        }
        ErasureCommand::Verify { file, jwks } => verify(config, &file, jwks.as_deref()).await,
    }
}

async fn verify(config: &Config, file: &Path, jwks: Option<&str>) -> anyhow::Result<()> {
    let keys: JwkSet = match jwks {
        Some(place) => published(place).await?,
        None => app::signing_keys(config, &Clock::System)?.published(Clock::System.now()),
    };
    let certificate = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let says = erasure::verify(&certificate, &keys).context("this certificate proves nothing")?;
    println!("{}", serde_json::to_string_pretty(&says)?);
    eprintln!("The certificate is good.");
    Ok(())
}
