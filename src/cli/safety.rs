//! `mostik safety …`

use std::fmt::Write;

use anyhow::{Context, ensure};
use clap::Subcommand;

use super::audit::{note, operator};
use super::clinic::tell;
use super::enrol::{by_operator, known_community};
use super::open;
use super::queue::{age, concerns};
use crate::app;
use crate::config::Config;
use crate::delivery::check::{Outcome, Step};
use crate::domain::audit::{Chain, OperatorAccess};
use crate::domain::concern::{ConcernState, Level};
use crate::domain::ids::{CommunityId, ConcernId};
use crate::pipeline::Bridge;
use crate::pipeline::warn::warn;
use crate::safety::{self, Concern, is_name};

/// `mostik safety …`
#[derive(Debug, Subcommand)]
pub enum SafetyCommand {
    /// Lists concerns about members that are not closed, the oldest first: since when, and who looks after them.
    #[command(after_help = "Examples:
  mostik safety list                          all that are not closed
  mostik safety list --community forum        those of one community
  mostik safety list --names                  with the names under which communities know their members
  mostik safety list --closed                 those that are closed, too, the newest first")]
    List {
        /// Only those of this community.
        #[arg(long)]
        community: Option<CommunityId>,
        /// Those that are closed, too.
        #[arg(long)]
        closed: bool,
        /// Show whom they are about. It is written down in the audit log of each.
        #[arg(long)]
        names: bool,
    },
    /// Says that somebody looks after a concern: nobody is told of it any more.
    #[command(after_help = "Example:
  mostik safety acknowledge 0198… --by anna")]
    Acknowledge(Settle),
    /// Says that whoever looks after a concern is done.
    #[command(after_help = "Example:
  mostik safety close 0198… --by anna")]
    Close(Settle),
    /// Decides that the member's clinics are told without consent that they may be in danger.
    #[command(
        long_about = "Decides that the member's clinics are told without consent that they may be in danger.

Only where the configuration says by which law ([clinics.….warnings]), only by somebody whom it names
(communities.….safety.deciders), and only clinics that the member is linked to. Each is told that there was such an answer,
and nothing else. It is written down who decided so and why; the member is told, unless the policy says otherwise.",
        after_help = "Example:
  mostik safety disclose 0198… --by \"Dr Ada Example\" --reason \"Wrote that they say goodbye; does not answer\""
    )]
    Disclose {
        /// Which concern, and who decides.
        #[command(flatten)]
        settle: Settle,
        /// Why. The clinic does not get it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Tells the people of a community that it is a trial, and says whether it arrived. Stores nothing.
    #[command(after_help = "Example:
  mostik safety check forum")]
    Check {
        /// The community's name in the configuration.
        community: CommunityId,
    },
}

/// Which concern, and who sees to it.
#[derive(Debug, clap::Args)]
pub struct Settle {
    /// The concern: `mostik safety list`.
    #[arg(value_name = "ID")]
    concern: ConcernId,
    /// A name by which the community knows who it is.
    #[arg(long, value_name = "NAME", value_parser = name)]
    by: String,
}

/// Looks after concerns.
pub async fn safety(config: &Config, command: SafetyCommand) -> anyhow::Result<()> {
    if let SafetyCommand::Check { community } = &command {
        return check(config, community).await;
    }
    let bridge = open(config).await?;
    match command {
        SafetyCommand::List { community, closed, names } => list(&bridge, community.as_ref(), closed, names).await,
        SafetyCommand::Acknowledge(settle) => acknowledge(&bridge, settle).await,
        SafetyCommand::Close(settle) => close(&bridge, settle).await,
        SafetyCommand::Disclose { settle, reason } => disclose(&bridge, settle, reason.trim()).await,
        SafetyCommand::Check { .. } => Ok(()),
    }
}

async fn list(bridge: &Bridge, community: Option<&CommunityId>, closed: bool, names: bool) -> anyhow::Result<()> {
    let now = bridge.clock.now();
    let mut tx = bridge.store.read().await?;
    let found = safety::concerns(&mut tx, &bridge.keyring, community, closed).await?;
    let open = tx.open_concerns().await?;
    drop(tx);
    for concern in found.iter().filter(|_| names) {
        note(bridge, Chain::of_member(concern.member), operator("safety list --names")).await?;
    }
    if !names {
        let count = u64::try_from(found.len()).ok();
        note(bridge, Chain::HOUSE, OperatorAccess { count, ..operator("safety list") }).await?;
    }
    let mut text = String::new();
    for concern in &found {
        let Concern { id, community, state, raised_at, .. } = concern;
        let by = concern.closed.as_ref().or(concern.acknowledged.as_ref()).map(|(_, by)| by.as_str());
        let by = by.map(|by| format!("  by {by}")).unwrap_or_default();
        let name = concern.handle.as_deref().filter(|_| names).unwrap_or_default();
        writeln!(text, "{id}  {community:<16} {:<12} {:>8}  {name}{by}", state.as_str(), age(*raised_at, now))?;
    }
    text.push_str(&concerns(&open, now)?);
    print!("{}", if text.is_empty() { "Nobody is in need that this bridge knows of.\n" } else { &text });
    Ok(())
}

async fn acknowledge(bridge: &Bridge, Settle { concern, by }: Settle) -> anyhow::Result<()> {
    let (mut tx, now) = (bridge.store.begin().await?, bridge.clock.now());
    let done = safety::acknowledge(&mut tx, &bridge.keyring, (None, concern), &by, now).await?;
    tx.record(Chain::of_member(done.member), now, by_operator("safety acknowledge"));
    tx.commit().await?;
    println!("{by} looks after it; nobody is told of it any more.");
    Ok(())
}

async fn close(bridge: &Bridge, Settle { concern, by }: Settle) -> anyhow::Result<()> {
    let (mut tx, now) = (bridge.store.begin().await?, bridge.clock.now());
    let done = safety::close(&mut tx, &bridge.keyring, (None, concern), &by, now).await?;
    tx.record(Chain::of_member(done.member), now, by_operator("safety close"));
    tx.commit().await?;
    ensure!(done.state == ConcernState::Closed, "it is not closed");
    println!("The concern is closed.");
    Ok(())
}

async fn disclose(bridge: &Bridge, Settle { concern, by }: Settle, reason: &str) -> anyhow::Result<()> {
    let (mut tx, now) = (bridge.store.begin().await?, bridge.clock.now());
    let done = warn(bridge, &mut tx, (None, concern), (&by, reason), now).await?;
    tx.record(Chain::of_member(done.member), now, by_operator("safety disclose"));
    tx.commit().await?;
    for warned in &done.warned {
        println!("{}: {}", bridge.house.clinic_name(&warned.clinic), warned.state.as_str());
    }
    println!("Call them: nobody knows when somebody reads what stands in a record.");
    Ok(())
}

/// Tells everybody of a community who would be told.
async fn check(config: &Config, community: &CommunityId) -> anyhow::Result<()> {
    known_community(config, community)?;
    let safety = config.communities.get(community).and_then(|community| community.safety.as_ref());
    let safety = safety.with_context(|| {
        format!("{community} has named nobody: expected a section [communities.{community}.safety]")
    })?;
    let bridge = open(config).await?;
    let sender = app::alarm_sender(config, &bridge)?;
    let mut steps = Vec::new();
    for (level, name) in [(Level::First, "first level"), (Level::Second, "second level")] {
        if level == Level::Second && safety.second.is_none() {
            steps.push(Step { name, outcome: Outcome::Skipped("nobody is named; the first level is told again") });
            continue;
        }
        let id = bridge.keyring.entropy().uuid(bridge.clock.now())?;
        let outcome = match sender.try_out(community, level, id).await {
            Ok(()) => Outcome::Good("took the trial; see that it was read".to_owned()),
            Err(error) => Outcome::Wrong(error.to_string()),
        };
        steps.push(Step { name, outcome });
    }
    tell(&steps)
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("expected a name of 1 to 64 characters on one line".to_owned())
    }
}
