//! `mostik map`: what would be sent for an input, and why the rest would not. Nothing is stored, and nobody is asked.

mod input;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use self::input::Input;
use super::import::Beside;
use crate::consent::decide::{Request, decide};
use crate::domain::category::{Category, Detail};
use crate::domain::clock::Clock;
use crate::domain::grant::{Addressee, Grant, GrantState, Purpose, Terms, WayBack};
use crate::domain::ids::{ClinicId, GrantId, MemberId, ReadingId};
use crate::domain::label::Label;
use crate::domain::reading::Reading;
use crate::domain::zone::Zone;
use crate::inbound::event::{Entry, Event, Refusal, Says};
use crate::mapping::to_fhir::{Recipient, parts_to_fhir, to_fhir};

/// The Patient whom the resources are about.
const PATIENT: &str = "example";
/// The clinic that would receive them.
const CLINIC: &str = "example";

/// `mostik map`
#[derive(Debug, clap::Args)]
#[command(after_help = MAP_EXAMPLES)]
pub struct Map {
    /// Events as POST /v1/events takes them, data points as POST /v1/data-points does, or a file as `mostik import` does.
    ///
    /// Which of them it is, its content says.
    file: PathBuf,
    /// What is shared, and how finely: a category, or category=detail. Everything, entry by entry, if there is none.
    #[arg(long, value_name = "CATEGORY[=DETAIL]")]
    share: Vec<Shared>,
    /// A sensitivity label whose carriers are not shared.
    #[arg(long, value_name = "LABEL", value_parser = label)]
    withhold: Vec<Label>,
    /// Only what was lived from this instant on is shared.
    #[arg(long, value_name = "INSTANT")]
    since: Option<Timestamp>,
    /// Where the clock stood, for what does not say it. Without it, such data points are refused, and files are read in UTC.
    #[arg(long, value_name = "ZONE", value_parser = Zone::named)]
    zone: Option<Zone>,
    /// How a file is to be read.
    #[command(flatten)]
    beside: Beside,
    /// How many parts are shown; of those beyond, only how many there are.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
}

const MAP_EXAMPLES: &str = "\
What is printed on the standard output is JSON. Summaries are not made here: what a consent shows in summaries alone is
withheld as summary-only.

Examples:
  mostik map events.json                                      under a consent to everything, entry by entry
  mostik map events.json --share mood --share sleep=weekly-summary --withhold SEX
  mostik map night.json --zone Europe/Berlin | jq '.[].sends[]'
  mostik map export.zip --share sleep --since 2026-01-01T00:00:00Z --limit 20
  mostik map diary.csv --zone Europe/Berlin --moods moods.toml
  mostik map own.csv --zone Europe/Berlin --columns columns.toml            what is in them: mostik import --help";

fn label(name: &str) -> Result<Label, String> {
    Label::from_name(name).ok_or_else(|| format!("expected one of {}", Label::ALL.map(Label::as_str).join(", ")))
}

/// A category that is shared, and how finely: `mood`, or `sleep=weekly-summary`.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    category: Category,
    detail: Detail,
}

impl FromStr for Shared {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (category, detail) = text.split_once('=').unwrap_or((text, Detail::EveryEntry.as_str()));
        let one_of = |names: &[&str]| format!("expected one of {}", names.join(", "));
        let category = Category::from_name(category).ok_or_else(|| one_of(&Category::ALL.map(Category::as_str)))?;
        let detail = Detail::from_name(detail).ok_or_else(|| one_of(&Detail::ALL.map(Detail::as_str)))?;
        Ok(Self { category, detail })
    }
}

/// What becomes of one thing that the input says.
#[derive(Serialize)]
struct Part {
    /// Where it stands in the input: as a JSON Pointer, or as `line 3`.
    at: String,
    /// Under which consent it falls.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Category>,
    /// The resources that a clinic would receive, in the order in which they would go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sends: Vec<Box<RawValue>>,
    /// Why it would receive none.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<Withheld>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Withheld {
    /// It is not understood.
    Refused(Refusal),
    /// The consent does not cover it.
    Denied { reason: &'static str },
}

/// Prints what would be sent. It blocks: a file may be large.
pub fn map(asked: &Map) -> anyhow::Result<()> {
    let now = Clock::System.now();
    let grant = grant(asked, now)?;
    let Input { parts, more, passed_over } = input::read(asked, now)?;
    let parts: Vec<Part> =
        (0..).zip(parts).map(|(number, (at, event))| part(number, at, event, &grant, now)).collect::<Result<_, _>>()?;
    println!("{}", serde_json::to_string_pretty(&parts)?);
    if passed_over > 0 {
        eprintln!("{passed_over} places in the file say nothing that is taken.");
    }
    if more > 0 {
        eprintln!("… and {more} more parts. --limit says how many are shown.");
    }
    Ok(())
}

/// The consent that is tried: to everything, entry by entry, unless something else is asked for.
fn grant(asked: &Map, now: Timestamp) -> anyhow::Result<Grant> {
    let mut categories: BTreeMap<Category, Detail> = BTreeMap::new();
    for Shared { category, detail } in &asked.share {
        if categories.insert(*category, *detail).is_some() {
            bail!("--share names {} twice", category.as_str());
        }
    }
    if categories.is_empty() {
        categories.extend(Category::ALL.map(|category| (category, Detail::EveryEntry)));
    }
    let day = SignedDuration::from_hours(24);
    Ok(Grant {
        id: GrantId(Uuid::nil()),
        version: 1,
        member: MemberId(Uuid::nil()),
        clinic: clinic()?,
        state: GrantState::Active,
        terms: Terms {
            categories,
            purposes: BTreeSet::from([Purpose::Treatment]),
            valid_from: now - day,
            valid_until: now + day,
            data_from: asked.since,
            recipient: Addressee::Clinic,
            way_back: WayBack::None,
            withheld: asked.withhold.iter().copied().collect::<BTreeSet<Label>>(),
        },
        created_at: now,
        ended_at: None,
    })
}

fn clinic() -> anyhow::Result<ClinicId> {
    Ok(CLINIC.parse()?)
}

fn part(
    number: u128,
    at: String,
    event: Result<Event, Refusal>,
    grant: &Grant,
    now: Timestamp,
) -> anyhow::Result<Part> {
    let entry = match event {
        Ok(Event { flaw: Some(flaw), .. }) => {
            return Ok(Part { at, category: None, sends: Vec::new(), withheld: Some(Withheld::Refused(*flaw)) });
        }
        Ok(Event { says: Says::Reading(entry, _), .. }) => entry,
        // It says which entry is gone, and only the bridge that has it knows what that was.
        Ok(Event { says: Says::Retraction(_), .. }) => {
            return Ok(Part { at, category: None, sends: Vec::new(), withheld: Some(denied("retracts-an-entry")) });
        }
        Err(refusal) => {
            return Ok(Part { at, category: None, sends: Vec::new(), withheld: Some(Withheld::Refused(refusal)) });
        }
    };
    let id = ReadingId(Uuid::from_u128(number));
    let Entry { moment, measure, labels } = entry;
    let reading = Reading { id, member: grant.member, moment, measure, labels, source: None };
    let category = Some(reading.measure.category());
    let permit = match decide(std::slice::from_ref(grant), Request::to_record(&reading, &grant.clinic, now)) {
        Ok(permit) => permit,
        Err(reasons) => {
            let withheld = Some(denied(reasons.foremost().as_str()));
            return Ok(Part { at, category, sends: Vec::new(), withheld });
        }
    };
    if reading.measure.category().is_weekly_only() {
        return Ok(Part { at, category, sends: Vec::new(), withheld: Some(denied("counts-in-a-week")) });
    }
    let recipient = Recipient {
        patient: PATIENT,
        identifier: Uuid::from_u128(number),
        source: "urn:mostik:map",
        recorded: now,
        practitioner: None,
    };
    let whole = to_fhir(&permit, recipient)?;
    let all = parts_to_fhir(&permit, recipient)?.into_iter().chain([whole]);
    let sends = all.map(|outbound| Ok(RawValue::from_string(String::from_utf8(outbound.body)?)?));
    Ok(Part { at, category, sends: sends.collect::<anyhow::Result<_>>()?, withheld: None })
}

const fn denied(reason: &'static str) -> Withheld {
    Withheld::Denied { reason }
}
