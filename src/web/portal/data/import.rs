//! Bringing in a file of an app: looked at first, or taken at once. What kind of file it is, the file says; the page knows
//! of kinds only what their faults are called.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::note::LEVELS;
use crate::domain::category::Category;
use crate::domain::ids::MemberId;
use crate::domain::settings::Change;
use crate::import::{self, Diary, ImportError, Kind, Report};
use crate::inbound::mood::daylio::{BadLine, Column, DaylioError, MoodScale};
use crate::readings::settings::change_settings;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Fields;
use crate::web::portal::frame::{Frame, page_with};
use crate::web::portal::own::Own;
use crate::web::portal::sharing::words;
use crate::web::portal::upload::Uploaded;

/// How many faults are listed one by one.
const LISTED: usize = 50;

/// How many names of moods a form can say the meaning of.
const MOST_NAMES: usize = 50;

/// The longest name of a mood, in bytes.
const LONGEST_NAME: usize = 200;

#[derive(Template)]
#[template(path = "data_import.html")]
struct ImportPage {
    frame: Frame,
    /// What the place is called by whose clock times are read.
    zone: String,
    /// Whether the member never said where they are.
    zone_is_guessed: bool,
    keeps: bool,
    /// What was wrong: the key of a text.
    wrong: Option<&'static str>,
    told: Option<Told>,
    /// Whether the same file is to be chosen once more: it was only looked at, or there is something to say about it.
    is_again: bool,
    /// Names of moods that nobody said the meaning of.
    names: Vec<String>,
}

/// What came of it, or would.
struct Told {
    /// Whether it was only looked at.
    is_rehearsal: bool,
    entries: u64,
    taken: Vec<Count>,
    corrected: u64,
    retracted: u64,
    known: u64,
    withheld: Vec<Count>,
    left: u64,
    faults: Vec<Fault>,
    more_faults: usize,
}

struct Count {
    what: &'static str,
    count: u64,
}

/// A fault: which line or entry, and what is wrong there, as keys of texts.
struct Fault {
    place: &'static str,
    number: u64,
    what: &'static str,
    ends: bool,
}

/// Shows the form.
pub async fn show(state: Data<State>, frame: Frame, session: Session) -> Result<HttpResponse, PortalError> {
    let own = open(&state, session.member).await?;
    form(StatusCode::OK, frame, &own, Err(None))
}

/// Takes a file, or only looks at it.
pub async fn take(state: Data<State>, frame: Frame, sent: Uploaded) -> Result<HttpResponse, PortalError> {
    let own = said_moods(&state, sent.session.member, &sent.fields).await?;
    if sent.file.is_empty() {
        return form(StatusCode::UNPROCESSABLE_ENTITY, frame, &own, Err(Some("import-wrong-none")));
    }
    let diary = Diary {
        member: sent.session.member,
        days: own.days(),
        scale: MoodScale::of_member(&own.settings.moods),
        dry_run: sent.fields.text("do") != "take",
    };
    match import::file(&state.bridge, &diary, &sent.file).await {
        Ok((_, report)) if report.unknown_member => Err(PortalError::SignInFirst),
        Ok((kind, report)) => {
            tracing::info!(
                lines = report.lines,
                bad_lines = report.bad_lines.len(),
                rehearsal = diary.dry_run,
                "a file was imported"
            );
            form(StatusCode::OK, frame, &own, Ok((kind, report, diary.dry_run)))
        }
        Err(ImportError::File(error)) => {
            form(StatusCode::UNPROCESSABLE_ENTITY, frame, &own, Err(Some(wrong_file(&error))))
        }
        Err(ImportError::Accept(error)) => Err(error.into()),
        Err(error @ ImportError::Community(_)) => Err(PortalError::internal(&error)),
    }
}

async fn open(state: &State, member: MemberId) -> Result<Own, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    Own::open(&state.bridge, &mut tx, member).await
}

/// Remembers what the member said of their moods: the next file is read with it, too.
async fn said_moods(state: &State, member: MemberId, fields: &Fields) -> Result<Own, PortalError> {
    let mut moods = BTreeMap::new();
    for number in 0..MOST_NAMES {
        let name = fields.text(&format!("name-{number}")).to_lowercase();
        let level: Option<u8> = fields.text(&format!("level-{number}")).parse().ok();
        if let Some(level) = level.filter(|level| (1..=5).contains(level) && (1..=LONGEST_NAME).contains(&name.len())) {
            moods.insert(name, level);
        }
    }
    let mut own = open(state, member).await?;
    if !moods.is_empty() {
        let mut tx = state.bridge.store.begin().await?;
        let change = Change { moods, ..Change::default() };
        own.settings = change_settings(&mut tx, &own.key, change, state.bridge.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(own)
}

const fn wrong_file(error: &DaylioError) -> &'static str {
    match error {
        DaylioError::TooMuch => "import-wrong-much",
        _ => "import-wrong-file",
    }
}

fn form(
    status: StatusCode,
    frame: Frame,
    own: &Own,
    came: Result<(Kind, Report, bool), Option<&'static str>>,
) -> Result<HttpResponse, PortalError> {
    let (told, names, wrong) = match came {
        Ok((kind, report, is_rehearsal)) => {
            let names: Vec<String> = report.unknown_moods.0.iter().cloned().collect();
            (Some(told(kind, &report, is_rehearsal)), names, None)
        }
        Err(wrong) => (None, Vec::new(), wrong),
    };
    let (zone, keeps) = (own.zone().to_owned(), own.settings.keep);
    let is_again = told.as_ref().is_some_and(|told: &Told| told.is_rehearsal || !names.is_empty());
    let zone_is_guessed = own.settings.zone.is_none();
    page_with(status, &ImportPage { frame, zone, zone_is_guessed, keeps, wrong, told, is_again, names })
}

fn told(kind: Kind, report: &Report, is_rehearsal: bool) -> Told {
    let counts = |counts: &BTreeMap<Category, u64>| {
        counts.iter().map(|(what, count)| Count { what: words::category(*what), count: *count }).collect()
    };
    let total = |counts: &BTreeMap<Category, u64>| counts.values().sum();
    let place = match kind {
        Kind::DaylioExport => "import-line",
        Kind::DaylioBackup => "import-entry",
    };
    let bad =
        report.bad_lines.iter().map(|bad| Fault { place, number: bad.line, what: fault(bad), ends: bad.ends_reading });
    let back = |number: &u64| Fault { place, number: *number, what: "import-fault-retracted", ends: false };
    let mut faults: Vec<Fault> = bad.chain(report.retracted_lines.iter().map(back)).collect();
    faults.sort_by_key(|fault| fault.number);
    let more_faults = faults.len().saturating_sub(LISTED);
    faults.truncate(LISTED);
    Told {
        is_rehearsal,
        entries: report.lines,
        taken: counts(&report.accepted),
        corrected: total(&report.corrected),
        retracted: total(&report.retracted),
        known: report.duplicates,
        withheld: counts(&report.withheld),
        left: report.left,
        faults,
        more_faults,
    }
}

/// What is wrong with a line, by the field at fault.
const fn fault(bad: &BadLine) -> &'static str {
    match bad.column {
        None => "import-fault-record",
        Some(Column::Year | Column::FullDate | Column::Date | Column::Weekday) => "import-fault-date",
        Some(Column::Time) => "import-fault-time",
        Some(Column::Mood) => "import-fault-mood",
        Some(Column::Activities | Column::Scales) => "import-fault-tags",
        Some(Column::NoteTitle | Column::Note) => "import-fault-note",
    }
}
