//! `mostik audit …`

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::args::{AuditExport, AuditVerify};
use super::open;
use crate::audit::checkpoint::{FileVerdict, verify_file};
use crate::audit::events::Teller;
use crate::audit::verify::verify;
use crate::config::Config;
use crate::domain::audit::{Chain, Event, OperatorAccess};
use crate::pipeline::Bridge;
use crate::store::AuditScope;

/// How many findings are shown.
const SHOWN: usize = 20;

/// A checkpoint file is said to lag behind when it missed so many checkpoints.
const MISSED: i32 = 3;

/// Says whether the audit log is as it was written.
pub async fn audit_verify(config: &Config, asked: AuditVerify) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let bar = progress(bridge.store.read().await?.audit_size().await?);
    let log = verify(&bridge.store, |passed| bar.set_position(passed)).await;
    bar.finish_and_clear();
    let log = log.context("the audit log cannot be read")?;
    println!("{} entries on {} chains.", log.entries, log.chains);
    let mut found = log.found;
    show(log.found, &log.findings);
    let files =
        if asked.checkpoints.is_empty() { config.audit.file().into_iter().collect() } else { asked.checkpoints };
    if files.is_empty() {
        println!("No checkpoint file is set: a database that was put back as a whole is not found out.");
    }
    let mut seen = Vec::new();
    for path in &files {
        let keys = bridge.signing.published(bridge.clock.now());
        let verdict = verify_file(&bridge.store, path, &keys, &log).await?;
        let verdict = verdict.with_context(|| format!("the checkpoint file {} cannot be read", path.display()))?;
        tell(config, path, &verdict, bridge.clock.now());
        found += verdict.found;
        seen.extend(verdict.file);
    }
    for (file, note) in log.noted.iter().filter(|(file, _)| !seen.contains(file)) {
        println!("There is another checkpoint file, {file}, with {} lines: give it with --checkpoints.", note.line);
    }
    if found > 0 {
        bail!("the audit log is not as it was written: {found} finding(s), the first of them above");
    }
    println!("Everything is as it was written.");
    Ok(())
}

fn tell(config: &Config, path: &Path, verdict: &FileVerdict, now: Timestamp) {
    println!("{}: {} lines.", path.display(), verdict.lines);
    show(verdict.found, &verdict.findings);
    if verdict.unsigned > 0 {
        println!("  {} of them were written when there was no key to sign with.", verdict.unsigned);
    }
    if verdict.unknown_signers > 0 {
        println!("  {} of them are signed with keys that are not here any more.", verdict.unknown_signers);
    }
    match verdict.last {
        None => println!("  There is no checkpoint yet."),
        Some(last) if now.duration_since(last) > config.audit.every() * MISSED => {
            println!("  The last checkpoint is of {last}: nothing vouches for what came after it.");
        }
        Some(_) => {}
    }
}

fn show(found: u64, findings: &[crate::audit::verify::Finding]) {
    for finding in findings.iter().take(SHOWN) {
        println!("  {finding}");
    }
    if found > SHOWN as u64 {
        println!("  … and {} more", found - SHOWN as u64);
    }
}

fn progress(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} entries {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

/// Prints the audit log as FHIR.
pub async fn audit_export(config: &Config, asked: AuditExport) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let AuditExport { clinic, member, since } = asked;
    let chain = member.map_or(Chain::HOUSE, Chain::of_member);
    note(&bridge, chain, OperatorAccess { clinic: clinic.clone(), ..operator("audit export") }).await?;
    let clinics = config.clinics.iter();
    let clinics = clinics.map(|(id, clinic)| (id.clone(), clinic.name.clone(), clinic.fhir_base.to_string()));
    let here = (config.bridge.source.as_str(), config.server.public_url.as_str());
    let teller = Teller::new(bridge.keyring.clone(), here, clinics);
    let mut out = std::io::stdout().lock();
    let mut tx = bridge.store.snapshot().await?;
    let scope = AuditScope { member, clinic, since };
    teller.tell_all(&mut tx, &scope, |event| Ok::<_, anyhow::Error>(writeln!(out, "{event}")?)).await
}

/// What an operator does with this command, by the number under which the operating system knows them.
pub fn operator(command: &str) -> OperatorAccess {
    OperatorAccess {
        command: command.to_owned(),
        uid: rustix::process::getuid().as_raw(),
        delivery: None,
        clinic: None,
        count: None,
    }
}

/// Writes down that an operator sees something, before they see it.
pub async fn note(bridge: &Bridge, chain: Chain, access: OperatorAccess) -> anyhow::Result<()> {
    let mut tx = bridge.store.begin().await?;
    tx.record(chain, bridge.clock.now(), Event::OperatorAccess(access));
    Ok(tx.commit().await?)
}
