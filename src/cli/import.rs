//! `mostik import …`

use std::fs::File;
use std::io::{BufRead, BufReader};

use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::args::{Import, ImportDaylio};
use super::audit::{note, operator};
use super::open;
use crate::config::Config;
use crate::domain::audit::{Chain, OperatorAccess};
use crate::domain::category::Category;
use crate::domain::day::Days;
use crate::import::{self, Diary, Report};
use crate::inbound::mood::daylio::{DaylioBackup, MoodScale};
use crate::pipeline::Bridge;

/// How many bad lines are listed one by one.
const LISTED: usize = 20;

/// Imports a file.
pub async fn import(config: &Config, command: Import) -> anyhow::Result<()> {
    let Import::Daylio(asked) = command;
    let scale = scale(&asked)?;
    let file = File::open(&asked.file).with_context(|| format!("cannot open {}", asked.file.display()))?;
    let bar = progress(file.metadata()?.len());
    let bridge = open(config).await?;
    let days = Days::new(std::iter::empty(), asked.zone);
    let diary = Diary { member: asked.member, days, scale, dry_run: asked.dry_run };
    let report = read(&bridge, &diary, BufReader::new(bar.wrap_read(file))).await;
    bar.finish_and_clear();
    let report = report.with_context(|| format!("importing {}", asked.file.display()))?;
    if !report.unknown_member && !asked.dry_run {
        let access = OperatorAccess { count: Some(report.lines), ..operator("import") };
        note(&bridge, Chain::of_member(asked.member), access).await?;
    }
    print(&report, asked.dry_run);
    ensure!(!report.unknown_member, "there is no such member");
    if !report.bad_lines.is_empty() {
        bail!("{} line(s) could not be read; all others were", report.bad_lines.len());
    }
    Ok(())
}

/// An export is read as a stream, a backup as a whole: its table of contents stands at its end.
async fn read(bridge: &Bridge, diary: &Diary, mut file: impl BufRead) -> anyhow::Result<Report> {
    if !DaylioBackup::is_likely(file.fill_buf()?) {
        return Ok(import::daylio(bridge, diary, file).await?);
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    let (_, report) = import::file(bridge, diary, &content).await?;
    Ok(report)
}

/// A bar in bytes of the file.
pub fn progress(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

fn scale(asked: &ImportDaylio) -> anyhow::Result<MoodScale> {
    let Some(file) = &asked.moods else { return Ok(MoodScale::default()) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    MoodScale::from_toml(&text).with_context(|| format!("the mapping file {}", file.display()))
}

fn print(report: &Report, dry_run: bool) {
    let (taken, updated, retracted) = if dry_run {
        ("would be taken", "would be brought up to date", "would be retracted")
    } else {
        ("taken", "brought up to date", "retracted")
    };
    println!("{} diary entries read.", report.lines);
    for category in Category::ALL {
        let count = |counts: &std::collections::BTreeMap<Category, u64>| counts.get(&category).copied().unwrap_or(0);
        let (accepted, withheld) = (count(&report.accepted), count(&report.withheld));
        if accepted + withheld > 0 {
            println!(
                "  {:<5} {accepted:>6} {taken}, {withheld} not shared with any clinic (not stored)",
                category.as_str()
            );
        }
    }
    let total = |counts: &std::collections::BTreeMap<Category, u64>| counts.values().sum::<u64>();
    if total(&report.corrected) > 0 {
        println!("  {} were imported before, read differently now, and {updated}.", total(&report.corrected));
    }
    if total(&report.retracted) > 0 {
        println!("  {} are gone from entries that were imported before, and {retracted}.", total(&report.retracted));
    }
    if report.duplicates > 0 {
        println!("  {} were imported before.", report.duplicates);
    }
    if report.left > 0 {
        println!("  {} are gone from their entries and stay at clinics that may not be told any more.", report.left);
    }
    for line in report.retracted_lines.iter().take(LISTED) {
        println!("  line {line}: a part of it was retracted before and does not come back");
    }
    if report.retracted_lines.len() > LISTED {
        println!("  … and {} more lines with parts that were retracted before", report.retracted_lines.len() - LISTED);
    }
    for bad in report.bad_lines.iter().take(LISTED) {
        println!("  {bad}");
    }
    if report.bad_lines.len() > LISTED {
        println!("  … and {} more lines that cannot be read", report.bad_lines.len() - LISTED);
    }
}
