//! The command line: one file for each group of commands.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its terminal")]

mod args;
mod audit;
mod clinic;
mod community;
mod demo;
mod enrol;
mod erasure;
mod export;
mod health;
mod import;
mod keys;
mod map;
mod queue;
mod ratings;
mod receipt;
mod safety;
mod serve;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::app;
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::pipeline::Bridge;
use args::{Args, AuditCommand, ClinicCommand, Command, ConfigCommand, KeysCommand, Member, ReceiptCommand};

/// Runs the command that the process was called with.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")
        .and_then(|runtime| runtime.block_on(dispatch(args)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mostik: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(args: Args) -> anyhow::Result<()> {
    let config = args.config.as_deref();
    match args.command {
        Command::Serve => serve::serve(&load(config)?).await,
        Command::Health => health::health(&load(config)?).await,
        Command::Demo(demo) => Box::pin(demo::demo(demo)).await,
        Command::Import(import) => import::import(&load(config)?, import).await,
        Command::Config(ConfigCommand::Check) => {
            let config = load(config)?;
            println!("{config:#?}");
            println!("The configuration is good.");
            Ok(())
        }
        Command::Config(ConfigCommand::Defaults) => {
            print!("{}", crate::config::DEFAULTS);
            Ok(())
        }
        Command::Keys(KeysCommand::Create { file }) => keys::create(&file),
        Command::Keys(KeysCommand::Rotate) => keys::rotate(&load(config)?).await,
        Command::Keys(KeysCommand::Status) => keys::status(&load(config)?).await,
        Command::Keys(KeysCommand::SignCreate { alg }) => keys::sign_create(&load(config)?, alg),
        Command::Clinic(ClinicCommand::Check { clinic }) => clinic::check(&load(config)?, &clinic).await,
        Command::Clinic(ClinicCommand::Code { clinic, patient, days, replace }) => {
            clinic::code(&load(config)?, &clinic, &patient, days, replace).await
        }
        Command::Community(command) => community::community(&load(config)?, command).await,
        Command::Key(command) => enrol::key(&load(config)?, command).await,
        Command::Member(Member::Comes(command)) => enrol::member(&load(config)?, command).await,
        Command::Member(Member::Goes(command)) => erasure::leave(&load(config)?, command).await,
        Command::Ratings => ratings::ratings(&load(config)?).await,
        Command::Safety(command) => safety::safety(&load(config)?, command).await,
        Command::Erasure(command) => erasure::certificates(&load(config)?, command).await,
        Command::Queue(asked) => queue::queue(&load(config)?, asked).await,
        Command::Replay(asked) => queue::replay(&load(config)?, asked).await,
        Command::Audit(AuditCommand::Export(asked)) => audit::audit_export(&load(config)?, asked).await,
        Command::Audit(AuditCommand::Verify(asked)) => audit::audit_verify(&load(config)?, asked).await,
        Command::Receipt(ReceiptCommand::Verify(asked)) => receipt::check(config, asked).await,
        Command::Map(asked) => tokio::task::spawn_blocking(move || map::map(&asked)).await?,
        Command::Openapi => {
            println!("{}", crate::web::openapi_document().to_pretty_json()?);
            Ok(())
        }
    }
}

fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    Config::load(file).context("the configuration is not good")
}

/// Opens the database and keys for a command that runs beside or instead of `serve`.
async fn open(config: &Config) -> anyhow::Result<Bridge> {
    Ok(app::open(config, Clock::System, Entropy::System).await?)
}
