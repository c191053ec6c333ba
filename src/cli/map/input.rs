//! What an input says, whatever it is: events, data points, or a file of an app.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use uuid::Uuid;

use super::Map;
use crate::cli::import::progress;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::import::{self, BadLine, Diary};
use crate::inbound::data_point::{self, Given};
use crate::inbound::event::{self, Event, Refusal, RefusalReason, Says, Subject};
use crate::inbound::files::{Line, Said};
use crate::inbound::{Schemas, observations};

/// So much of a file shows whether it is JSON.
const BEGINNING: u64 = 1 << 10;

/// The most JSON that is read, in bytes: 64 MiB, as of FHIR.
const LARGEST: u64 = observations::LARGEST;

/// What an input says.
pub struct Input {
    /// Its first parts: where each stands, and what it says or why that is not understood.
    pub parts: Vec<(String, Result<Event, Refusal>)>,
    /// How many more there are.
    pub more: u64,
    /// How many places say nothing that the bridge takes.
    pub passed_over: u64,
}

/// Reads an input to its end, and keeps as many parts as are to be shown.
pub fn read(asked: &Map, now: Timestamp) -> anyhow::Result<Input> {
    let name = asked.file.display();
    let mut file = File::open(&asked.file).with_context(|| format!("cannot read {name}"))?;
    match json(&mut file).with_context(|| format!("cannot read {name}"))? {
        Some(content) if !is_fhir(&content) => of_events(&content, asked, now),
        _ => {
            file.rewind()?;
            of_an_app(file, asked, now).with_context(|| format!("reading {name}"))
        }
    }
}

/// All of a file that is JSON, unless it is too large for what comes as events.
fn json(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    file.by_ref().take(BEGINNING).read_to_end(&mut content)?;
    if !matches!(content.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Ok(None);
    }
    file.take(LARGEST).read_to_end(&mut content)?;
    Ok((content.len() as u64 <= LARGEST).then_some(content))
}

fn is_fhir(content: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Resource {
        #[serde(rename = "resourceType")]
        _kind: IgnoredAny,
    }
    serde_json::from_slice::<Resource>(content).is_ok()
}

/// Events as `POST /v1/events` takes them, or data points as `POST /v1/data-points` does.
fn of_events(content: &[u8], asked: &Map, now: Timestamp) -> anyhow::Result<Input> {
    let schemas = Schemas::compile()?;
    let whole: Value = serde_json::from_slice(content).context("expected JSON in UTF-8")?;
    let first = whole.get(0).unwrap_or(&whole);
    let mut found = Found::new(asked.limit);
    if first.get("specversion").is_some() {
        let (events, is_batch) = event::parse_body(&schemas.events, content, now)?;
        let at = |position: usize| if is_batch { format!("/{position}") } else { String::new() };
        events.into_iter().enumerate().for_each(|(position, event)| found.keep(at(position), event));
        return Ok(found.input(|at| at));
    }
    let subject = Subject::Member(MemberId(Uuid::nil()));
    let given = Given { subject: Some(&subject), zone: asked.zone.as_ref(), now };
    for record in data_point::parse_body(&schemas.data_points, content, &given)? {
        match record.says {
            Ok(says) => says.into_iter().for_each(|said| found.keep(record.at.clone(), Ok(said.event))),
            Err(refusal) => found.keep(record.at, Err(refusal)),
        }
    }
    Ok(found.input(|at| at))
}

/// A file as `mostik import` takes it.
fn of_an_app(file: File, asked: &Map, now: Timestamp) -> anyhow::Result<Input> {
    let zone = asked.zone.as_ref().map_or(TimeZone::UTC, |zone| zone.rules().clone());
    let days = Days::new(std::iter::empty(), zone);
    let diary =
        Diary { columns: asked.beside.columns()?, ..Diary::new(MemberId(Uuid::nil()), days, asked.beside.scale()?) };
    let bar = progress(file.metadata()?.len());
    let mut found = Found::<u64>::new(asked.limit);
    let read = import::read(bar.wrap_read(file), &diary, now, &mut |line| {
        found.line(line);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let (kind, is_archive) = read?;
    let place = kind.place(is_archive);
    // What several records say together stands at none of them.
    Ok(found.input(|number| if number == 0 { "sum".to_owned() } else { format!("{place} {number}") }))
}

/// What was found, each with where it stands: as many of them as are wanted.
struct Found<At> {
    limit: usize,
    parts: Vec<(At, Result<Event, Refusal>)>,
    more: u64,
    passed_over: u64,
}

impl<At> Found<At> {
    const fn new(limit: usize) -> Self {
        Self { limit, parts: Vec::new(), more: 0, passed_over: 0 }
    }

    fn keep(&mut self, at: At, says: Result<Event, Refusal>) {
        if self.parts.len() < self.limit {
            self.parts.push((at, says));
        } else {
            self.more += 1;
        }
    }

    fn input(self, at: impl Fn(At) -> String) -> Input {
        let parts = self.parts.into_iter().map(|(place, says)| (at(place), says)).collect();
        Input { parts, more: self.more, passed_over: self.passed_over }
    }
}

impl Found<u64> {
    fn line(&mut self, line: Line) {
        match line {
            Ok(Said::Items(items) | Said::Sum(items) | Said::Partly(items)) => {
                let (readings, gone): (Vec<_>, Vec<_>) =
                    items.into_iter().partition(|item| matches!(item.event.says, Says::Reading(..)));
                // That a line has no note is worth a word only where it says nothing else.
                let gone = gone.into_iter().take(usize::from(readings.is_empty()));
                readings.into_iter().chain(gone).for_each(|item| self.keep(item.place, Ok(item.event)));
            }
            Ok(Said::Part) => {}
            Ok(Said::Nothing | Said::Heard(_, None)) => self.passed_over += 1,
            Ok(Said::UnknownMood(bad, _) | Said::Heard(_, Some(bad))) | Err(bad) => {
                self.keep(bad.place, Err(refusal(bad)));
            }
        }
    }
}

fn refusal(bad: BadLine) -> Refusal {
    let end = if bad.ends_reading { "; nothing after it was read" } else { "" };
    let expected = format!("{}{end}", bad.expected);
    Refusal { reason: RefusalReason::Invalid, field: bad.column.map(Cow::into_owned), expected }
}
