//! `mostik import …`

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::args::time_zone;
use super::audit::{note, operator};
use super::open;
use crate::config::Config;
use crate::domain::audit::{Chain, OperatorAccess};
use crate::domain::category::Category;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::import::{self, Diary, Kind, Report};
use crate::inbound::mood::daylio::MoodScale;
use crate::inbound::table::Columns;

/// `mostik import …`
#[derive(Debug, clap::Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct Import {
    /// The file; before it, if one likes, what kind of file it must be.
    ///
    /// The kinds: daylio (CSV or .daylio), bearable (CSV), emoods (.emoods or entry.csv), apple-health (export.zip or
    /// export.xml), health-connect (ZIP), fhir (in JSON: a Bundle of Observations and questionnaires that were filled in, or
    /// one of them), table (any CSV, with --columns).
    #[arg(value_names = ["KIND", "FILE"], num_args = 1..=2, required = true)]
    pub what: Vec<String>,
    /// Whose it is.
    #[arg(long, value_name = "ID")]
    pub member: MemberId,
    /// The time zone in which the member lived: most files do not say it.
    #[arg(long, value_name = "ZONE", value_parser = time_zone)]
    pub zone: jiff::tz::TimeZone,
    /// How it is to be read.
    #[command(flatten)]
    pub beside: Beside,
    /// Only say what would be imported.
    #[arg(long)]
    pub dry_run: bool,
}

/// Files beside a file, which say how it is to be read.
#[derive(Debug, clap::Args)]
pub struct Beside {
    /// A TOML file that says which of the member's own mood names means which level, 1 to 5 (Daylio).
    #[arg(long, value_name = "FILE")]
    moods: Option<PathBuf>,
    /// A TOML file that says which column of a table is what.
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
}

const IMPORT_EXAMPLES: &str = "\
Importing a file twice adds nothing, and an import that was stopped is done again: it goes on where it was. Importing a
newer file brings changed entries up to date. Each entry says how it reads now: a changed mood, note or list of tags is
corrected at the clinics that have it, and a note or tags that are gone from their entry are retracted. An entry that
is missing says nothing, as an export may cover only a part. So import exports in the order in which they were made,
with the same --zone; --dry-run shows how much would change. Steps and sleep that several devices recorded are counted
once: of each day, and of each night, the device that recorded most.

Examples:
  mostik import diary.csv --member 0198… --zone Europe/Berlin --dry-run
  mostik import apple-health export.zip --member 0198… --zone Europe/Berlin
  mostik import table own.csv --columns columns.toml --member 0198… --zone Europe/Berlin

A mapping file for moods that were renamed:

  [moods]
  \"so-so\" = 3
  \"on top of the world\" = 5

A file of columns:

  delimiter = \";\"

  [time]
  column = \"When\"
  format = \"%d.%m.%Y %H:%M\"

  [[reading]]
  column = \"Mood\"
  as = \"mood\"
  worst = 1
  best = 10

  [[reading]]
  column = \"Hours slept\"
  as = \"sleep-duration\"
  unit = \"h\"";

/// How many bad lines are listed one by one.
const LISTED: usize = 20;

/// Imports a file.
pub async fn import(config: &Config, asked: Import) -> anyhow::Result<()> {
    let (kind, name) = what(&asked)?;
    let diary = Diary {
        columns: asked.beside.columns()?,
        kind,
        folder: config.imports.folder().map(Path::to_owned),
        dry_run: asked.dry_run,
        ..Diary::new(asked.member, Days::new(std::iter::empty(), asked.zone.clone()), asked.beside.scale()?)
    };
    let file = File::open(name).with_context(|| format!("cannot open {name}"))?;
    let bar = progress(file.metadata()?.len());
    let bridge = open(config).await?;
    let report = import::file(&bridge, &diary, bar.wrap_read(file)).await;
    bar.finish_and_clear();
    let report = report.with_context(|| format!("importing {name}"))?;
    if !report.unknown_member && !asked.dry_run {
        let access = OperatorAccess { count: Some(report.lines), ..operator("import") };
        note(&bridge, Chain::of_member(asked.member), access).await?;
    }
    print(&report, asked.dry_run);
    ensure!(!report.unknown_member, "there is no such member");
    if !report.bad_lines.is_empty() {
        bail!("{} of the {} could not be read; all others were", report.bad_lines.count, report.places());
    }
    Ok(())
}

/// What kind of file it must be, if anybody said so, and the file.
fn what(asked: &Import) -> anyhow::Result<(Option<Kind>, &str)> {
    match asked.what.as_slice() {
        [file] => Ok((None, file)),
        [kind, file] => Ok((Some(kind.parse().map_err(anyhow::Error::msg).context("the kind of file")?), file)),
        _ => bail!("expected a file"),
    }
}

/// A bar in bytes of the file.
pub(super) fn progress(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

impl Beside {
    /// What the member's own mood names mean.
    pub(super) fn scale(&self) -> anyhow::Result<MoodScale> {
        let Some(file) = &self.moods else { return Ok(MoodScale::default()) };
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        MoodScale::from_toml(&text).with_context(|| format!("the mapping file {}", file.display()))
    }

    /// Which column of a table is what.
    pub(super) fn columns(&self) -> anyhow::Result<Option<Columns>> {
        let Some(file) = &self.columns else { return Ok(None) };
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Columns::from_toml(&text).map(Some).with_context(|| format!("the file {}", file.display()))
    }
}

fn print(report: &Report, dry_run: bool) {
    let (taken, updated, retracted) = if dry_run {
        ("would be taken", "would be brought up to date", "would be retracted")
    } else {
        ("taken", "brought up to date", "retracted")
    };
    match report.kind {
        Some(Kind::Daylio) => println!("{} diary entries read.", report.lines),
        Some(kind) => println!("{kind}: {} {} read.", report.lines, report.places()),
        None => println!("Nothing read."),
    }
    if report.passed_over > 0 {
        println!("  {} of them say nothing that is taken.", report.passed_over);
    }
    if report.partly > 0 {
        println!("  {} of them say something more, such as scales, that is not taken.", report.partly);
    }
    for category in Category::ALL {
        let count = |counts: &BTreeMap<Category, u64>| counts.get(&category).copied().unwrap_or(0);
        let (accepted, withheld) = (count(&report.accepted), count(&report.withheld));
        if accepted + withheld > 0 {
            println!(
                "  {:<8} {accepted:>6} {taken}, {withheld} not shared with any clinic (not stored)",
                category.as_str()
            );
        }
    }
    let total = |counts: &BTreeMap<Category, u64>| counts.values().sum::<u64>();
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
    if report.wants_help {
        println!(
            "  An answer to item 9 of PHQ-9 in it wants a human's eye: see that somebody looks after the member, and tell them \
             where help is (in danger: the local emergency number, 112 in Europe)."
        );
    }
    print_faults(report);
}

fn print_faults(report: &Report) {
    let (place, places) = (report.place(), report.places());
    for at in report.retracted_lines.first.iter().take(LISTED) {
        println!("  {place} {at}: a part of it was retracted before and does not come back");
    }
    let more = report.retracted_lines.count.saturating_sub(LISTED as u64);
    if more > 0 {
        println!("  … and {more} more {places} with parts that were retracted before");
    }
    for bad in report.bad_lines.first.iter().take(LISTED) {
        println!("  {}", bad.said(place));
    }
    let more = report.bad_lines.count.saturating_sub(LISTED as u64);
    if more > 0 {
        println!("  … and {more} more {places} that cannot be read");
    }
}
