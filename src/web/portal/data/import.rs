//! Bringing in a file of an app: looked at first, or taken at once. What kind of file it is, the file says; the page knows
//! nothing of kinds.
//!
//! The answer comes when the file is through. A large one may take longer than a browser waits: what was taken until then
//! stays, and bringing the file once more goes on from there.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::note::LEVELS;
use crate::domain::category::Category;
use crate::domain::ids::MemberId;
use crate::domain::settings::Change;
use crate::import::{self, About, BadLine, Diary, FileError, ImportError, Kind, Report};
use crate::inbound::mood::daylio::MoodScale;
use crate::readings::settings::change_settings;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Fields;
use crate::web::portal::frame::{Frame, page_with};
use crate::web::portal::own::{Own, Watched};
use crate::web::portal::sharing::words;
use crate::web::portal::upload::{Brought, Uploaded};

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
    /// The largest file that is taken, in MB.
    largest: u64,
    /// What was wrong: the key of a text.
    wrong: Option<&'static str>,
    told: Option<Told>,
    /// Whether the same file is to be chosen once more: it was only looked at, or there is something to say about it.
    is_again: bool,
    /// Names of moods that nobody said the meaning of.
    names: Vec<String>,
    /// Who is told if an answer in the file wants a human's eye: the names of communities; empty where nobody is.
    watched: Watched,
}

/// What came of it, or would.
struct Told {
    /// Whether it was only looked at.
    is_rehearsal: bool,
    /// Whether an answer is in the file after which help is shown.
    wants_help: bool,
    entries: u64,
    passed_over: u64,
    taken: Vec<Count>,
    corrected: u64,
    retracted: u64,
    known: u64,
    withheld: Vec<Count>,
    left: u64,
    faults: Vec<Fault>,
    more_faults: u64,
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
    form(StatusCode::OK, frame, &state, &own, Err(None)).await
}

/// Takes a file, or only looks at it.
pub async fn take(state: Data<State>, frame: Frame, sent: Uploaded) -> Result<HttpResponse, PortalError> {
    let own = said_moods(&state, sent.session.member, &sent.fields).await?;
    let Some(Brought { content, place }) = sent.file else {
        return form(StatusCode::UNPROCESSABLE_ENTITY, frame, &state, &own, Err(Some("import-wrong-none"))).await;
    };
    let diary = Diary {
        folder: state.portal.room.folder(),
        dry_run: sent.fields.text("do") != "take",
        ..Diary::new(sent.session.member, own.days(), MoodScale::of_member(&own.settings.moods))
    };
    let report = import::file(&state.bridge, &diary, content).await;
    drop(place);
    match report {
        Ok(report) if report.unknown_member => Err(PortalError::SignInFirst),
        Ok(report) => {
            tracing::info!(
                kind = report.kind.map(Kind::as_str),
                lines = report.lines,
                bad_lines = report.bad_lines.count,
                rehearsal = diary.dry_run,
                "a file was imported"
            );
            form(StatusCode::OK, frame, &state, &own, Ok((report, diary.dry_run))).await
        }
        Err(ImportError::File(FileError::Read(error))) => Err(PortalError::internal(&error)),
        Err(ImportError::File(error)) => {
            form(StatusCode::UNPROCESSABLE_ENTITY, frame, &state, &own, Err(Some(wrong_file(&error)))).await
        }
        Err(ImportError::Accept(error)) => Err(error.into()),
        Err(error @ (ImportError::Community(_) | ImportError::BrokeOff)) => Err(PortalError::internal(&error)),
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

const fn wrong_file(error: &FileError) -> &'static str {
    match error {
        FileError::TooMuch(_) => "import-wrong-much",
        FileError::Locked => "import-wrong-locked",
        FileError::Encoding => "import-wrong-encoding",
        FileError::Unknown(_) | FileError::Read(_) => "import-wrong-file",
    }
}

async fn form(
    status: StatusCode,
    frame: Frame,
    state: &State,
    own: &Own,
    came: Result<(Report, bool), Option<&'static str>>,
) -> Result<HttpResponse, PortalError> {
    let (told, names, wrong) = match came {
        Ok((report, is_rehearsal)) => {
            let names: Vec<String> = report.unknown_moods.0.iter().cloned().collect();
            (Some(told(&report, is_rehearsal)), names, None)
        }
        Err(wrong) => (None, Vec::new(), wrong),
    };
    let (zone, keeps) = (own.zone().to_owned(), own.settings.keep);
    let is_again = told.as_ref().is_some_and(|told: &Told| told.is_rehearsal || !names.is_empty());
    let zone_is_guessed = own.settings.zone.is_none();
    let largest = state.portal.room.largest_mib();
    let watched = Watched::of(state, &mut state.bridge.store.read().await?, own.key.member(), frame.language).await?;
    let page = ImportPage { frame, zone, zone_is_guessed, keeps, largest, wrong, told, is_again, names, watched };
    page_with(status, &page)
}

fn told(report: &Report, is_rehearsal: bool) -> Told {
    let counts = |counts: &BTreeMap<Category, u64>| {
        counts.iter().map(|(what, count)| Count { what: words::category(*what), count: *count }).collect()
    };
    let total = |counts: &BTreeMap<Category, u64>| counts.values().sum();
    let place = match report.place() {
        "line" => "import-line",
        _ => "import-entry",
    };
    let unread = report.bad_lines.first.iter();
    let bad = unread.map(|bad| Fault { place, number: bad.place, what: fault(bad), ends: bad.ends_reading });
    let back = |number: &u64| Fault { place, number: *number, what: "import-fault-retracted", ends: false };
    let mut faults: Vec<Fault> = bad.chain(report.retracted_lines.first.iter().map(back)).collect();
    faults.sort_by_key(|fault| fault.number);
    faults.truncate(LISTED);
    let all = report.bad_lines.count + report.retracted_lines.count;
    let more_faults = all.saturating_sub(faults.len() as u64);
    Told {
        is_rehearsal,
        wants_help: report.wants_help,
        entries: report.lines,
        passed_over: report.passed_over,
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

/// What is wrong with a line.
const fn fault(bad: &BadLine) -> &'static str {
    match bad.about {
        About::Record => "import-fault-record",
        About::Date => "import-fault-date",
        About::Time => "import-fault-time",
        About::Mood => "import-fault-mood",
        About::Tags => "import-fault-tags",
        About::Note => "import-fault-note",
        About::Value => "import-fault-value",
    }
}
