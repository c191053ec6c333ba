//! `mostik community …`

use anyhow::{Context, bail, ensure};
use clap::Subcommand;

use super::clinic::tell;
use super::enrol::{by_operator, known_community};
use super::open;
use crate::app;
use crate::config::{Config, Connector};
use crate::delivery::identity::check;
use crate::domain::audit::Chain;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::ids::{CommunityId, MemberId};
use crate::enrolment::identity::disconnect;
use crate::vault::Key;

/// `mostik community …`
#[derive(Debug, Subcommand)]
pub enum CommunityCommand {
    /// Walks the way to a community's identity provider step by step, and says what to fix. Stores nothing.
    #[command(after_help = "Example:
  mostik community check forum")]
    Check {
        /// The community's name in the configuration.
        community: CommunityId,
    },
    /// Prints the registration of an application service for the community's Matrix homeserver, and makes those of its secrets
    /// that are not there. What it prints is secret.
    #[command(after_help = "Example:
  mostik community registration forum > mostik-registration.yaml     name it in app_service_config_files of Synapse")]
    Registration {
        /// The community's name in the configuration.
        community: CommunityId,
    },
    /// Takes a member's account at the community's identity provider as a way in no longer: they lost it. Whoever comes next
    /// under their handle, where `sign_in.handle` is set, is taken for them.
    #[command(after_help = "Example:
  mostik community forget-account forum --member 0198…")]
    ForgetAccount {
        /// The community's name in the configuration.
        community: CommunityId,
        /// Whose account.
        #[arg(long, value_name = "ID")]
        member: MemberId,
    },
}

/// Looks at a community.
pub async fn community(config: &Config, command: CommunityCommand) -> anyhow::Result<()> {
    match command {
        CommunityCommand::Check { community } => walk(config, &community).await,
        CommunityCommand::Registration { community } => registration(config, &community),
        CommunityCommand::ForgetAccount { community, member } => forget_account(config, &community, member).await,
    }
}

async fn forget_account(config: &Config, community: &CommunityId, member: MemberId) -> anyhow::Result<()> {
    known_community(config, community)?;
    let bridge = open(config).await?;
    let (mut tx, now) = (bridge.store.begin().await?, bridge.clock.now());
    ensure!(disconnect(&mut tx, member, community, now).await?, "no account of this member is known there");
    tx.record(Chain::of_member(member), now, by_operator("community forget-account"));
    tx.commit().await?;
    println!("The account lets nobody in any more.");
    Ok(())
}

/// Prints what the homeserver is to know. Needs no database.
fn registration(config: &Config, id: &CommunityId) -> anyhow::Result<()> {
    known_community(config, id)?;
    let connector = config.communities.get(id).and_then(|community| community.connector.as_ref());
    let Some(Connector::Matrix(told)) = connector else {
        bail!("{id} is on no Matrix homeserver in the configuration: expected a section [communities.{id}.connector]")
    };
    for file in [&told.as_token_file, &told.hs_token_file] {
        if !file.exists() {
            Key::generate(&Entropy::System)?.create_file(file)?;
        }
    }
    print!("{}", app::registration(config, id, told)?);
    Ok(())
}

/// Walks the way to a community's identity provider. Needs no database.
async fn walk(config: &Config, id: &CommunityId) -> anyhow::Result<()> {
    known_community(config, id)?;
    let sign_in = config.communities.get(id).and_then(|community| community.sign_in.as_ref());
    let sign_in = sign_in.with_context(|| {
        format!("{id} has no identity provider in the configuration: expected a section [communities.{id}.sign_in]")
    })?;
    tell(&check(&app::provider(config, sign_in)?, Clock::System.now()).await)
}
