//! Bringing in a file of an app: looked at first, or taken at once. What kind of file it is, the file says; the page knows
//! nothing of kinds.
//!
//! The answer comes when the file is through; a script shows meanwhile how far it is. A large one may take longer than a browser
//! waits: what was taken until then stays, and bringing the file once more goes on from there.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use actix_web::web::Data;
use askama::Template;

use super::note::LEVELS;
use crate::domain::category::Category;
use crate::domain::ids::MemberId;
use crate::domain::measurement::Measured;
use crate::domain::settings::Change;
use crate::import::{self, About, BadLine, Diary, FileError, ImportError, Kind, Report};
use crate::inbound::mood::daylio::MoodScale;
use crate::inbound::table::Columns;
use crate::readings::settings::change_settings;
use crate::web::State;
use crate::web::portal::caller::Session;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Fields;
use crate::web::portal::frame::{Frame, page_with};
use crate::web::portal::own::{Own, Watched};
use crate::web::portal::sharing::words;
use crate::web::portal::upload::{Unfit, Uploaded};

/// How many faults are listed one by one.
const LISTED: usize = 50;

/// How many names of moods a form can say the meaning of.
const MOST_NAMES: usize = 50;

/// The longest name of a mood, in bytes.
const LONGEST_NAME: usize = 200;

/// As everywhere, and one script, of this very page, which asks this portal alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What a file looks like that says which column is what.
const COLUMNS: &str = r#"delimiter = ";"

[time]
column = "When"
format = "%d.%m.%Y %H:%M"

[[reading]]
column = "Mood"
as = "mood"
worst = 1
best = 10

[[reading]]
column = "Hours slept"
as = "sleep-duration"
unit = "h""#;

#[derive(Template)]
#[template(path = "data_import.html")]
struct ImportPage {
    frame: Frame,
    /// The address of the script.
    script: String,
    /// What the place is called by whose clock times are read.
    zone: String,
    /// Whether the member never said where they are.
    zone_is_guessed: bool,
    keeps: bool,
    /// The largest file that is taken, in MB.
    largest: u64,
    wrong: Option<Wrong>,
    /// What a column may be that something was measured in.
    measured: String,
    told: Option<Told>,
    /// Whether the same file is to be chosen once more: it was only looked at, or there is something to say about it.
    is_again: bool,
    /// Names of moods that nobody said the meaning of.
    names: Vec<String>,
    /// Who is told if an answer in the file wants a human's eye: the names of communities; empty where nobody is.
    watched: Watched,
}

impl ImportPage {
    /// Whether it is about a table of the member's own, with a file that says which column is what.
    fn has_columns(&self) -> bool {
        self.is_wrong("columns") || self.told.as_ref().is_some_and(|told| told.has_columns)
    }

    /// Whether something was wrong with a field.
    fn is_wrong(&self, field: &str) -> bool {
        self.wrong.as_ref().is_some_and(|wrong| wrong.field == field)
    }
}

/// What was wrong.
struct Wrong {
    /// The key of a text.
    text: &'static str,
    /// Which field it is about.
    field: &'static str,
    /// What exactly, in the words for whoever writes such a file. They are English, as the file's own are.
    exactly: Option<String>,
}

impl Wrong {
    const fn file(text: &'static str) -> Self {
        Self { text, field: "file", exactly: None }
    }

    const fn columns(text: &'static str, exactly: Option<String>) -> Self {
        Self { text, field: "columns", exactly }
    }
}

/// What came of it, or would.
struct Told {
    /// Whether it was only looked at.
    is_rehearsal: bool,
    /// Whether there was a file beside it that says which column is what.
    has_columns: bool,
    /// Whether an answer is in the file after which help is shown.
    wants_help: bool,
    entries: u64,
    passed_over: u64,
    partly: u64,
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
    form(frame, &state, &own, Ok(None)).await
}

/// Takes a file, or only looks at it.
pub async fn take(state: Data<State>, frame: Frame, sent: Uploaded) -> Result<HttpResponse, PortalError> {
    let own = said_moods(&state, sent.session.member, &sent.fields).await?;
    let columns = match columns(sent.columns) {
        Ok(columns) => columns,
        Err(wrong) => return form(frame, &state, &own, Err(wrong)).await,
    };
    let Some(file) = sent.file else {
        return form(frame, &state, &own, Err(Wrong::file("import-wrong-none"))).await;
    };
    let diary = Diary {
        columns,
        folder: state.portal.room.folder(),
        dry_run: sent.fields.text("do") != "take",
        ..Diary::new(sent.session.member, own.days(), MoodScale::of_member(&own.settings.moods))
    };
    match import::file(&state.bridge, &diary, file).await {
        Ok(report) if report.unknown_member => Err(PortalError::SignInFirst),
        Ok(report) => {
            tracing::info!(
                kind = report.kind.map(Kind::as_str),
                lines = report.lines,
                bad_lines = report.bad_lines.count,
                rehearsal = diary.dry_run,
                "a file was imported"
            );
            form(frame, &state, &own, Ok(Some((report, diary)))).await
        }
        Err(ImportError::File(FileError::Read(error))) => Err(PortalError::internal(&error)),
        Err(ImportError::File(error)) => {
            form(frame, &state, &own, Err(wrong_file(error, diary.columns.is_some()))).await
        }
        Err(ImportError::Accept(error)) => Err(error.into()),
        Err(error @ (ImportError::Community(_) | ImportError::BrokeOff)) => Err(PortalError::internal(&error)),
    }
}

/// Which column is what, if somebody said so.
fn columns(text: Result<Option<String>, Unfit>) -> Result<Option<Columns>, Wrong> {
    let text = text.map_err(|unfit| match unfit {
        Unfit::TooLarge => Wrong::columns("import-wrong-columns-large", None),
        Unfit::NoText => Wrong::columns("import-wrong-columns-text", None),
    })?;
    let columns = text.map(|text| Columns::from_toml(&text)).transpose();
    columns.map_err(|error| Wrong::columns("import-wrong-columns", Some(error.to_string())))
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

fn wrong_file(error: FileError, has_columns: bool) -> Wrong {
    match error {
        FileError::TooMuch(_) => Wrong::file("import-wrong-much"),
        FileError::Locked => Wrong::file("import-wrong-locked"),
        FileError::Encoding => Wrong::file("import-wrong-encoding"),
        // It may speak of columns by their names: to whoever named them.
        FileError::Unknown(exactly) if has_columns => Wrong::columns("import-wrong-table", Some(exactly)),
        FileError::Unknown(_) | FileError::Read(_) => Wrong::file("import-wrong-file"),
    }
}

/// The page, with what came of a file, or would, or what was wrong.
async fn form(
    frame: Frame,
    state: &State,
    own: &Own,
    came: Result<Option<(Report, Diary)>, Wrong>,
) -> Result<HttpResponse, PortalError> {
    let status = if came.is_ok() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (told, names, wrong) = match came {
        Ok(None) => (None, Vec::new(), None),
        Ok(Some((report, diary))) => {
            let names: Vec<String> = report.unknown_moods.0.iter().cloned().collect();
            (Some(told(&report, &diary)), names, None)
        }
        Err(wrong) => (None, Vec::new(), Some(wrong)),
    };
    let watched = Watched::of(state, &mut state.bridge.store.read().await?, own.key.member(), frame.language).await?;
    let page = ImportPage {
        frame,
        script: state.portal.assets.url("import.js"),
        zone: own.zone().to_owned(),
        zone_is_guessed: own.settings.zone.is_none(),
        keeps: own.settings.keep,
        largest: state.portal.room.largest_mib(),
        wrong,
        measured: Measured::ALL.map(Measured::as_str).join(", "),
        is_again: told.as_ref().is_some_and(|told: &Told| told.is_rehearsal || !names.is_empty()),
        told,
        names,
        watched,
    };
    let mut answer = page_with(status, &page)?;
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(answer)
}

fn told(report: &Report, diary: &Diary) -> Told {
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
        is_rehearsal: diary.dry_run,
        has_columns: diary.columns.is_some(),
        wants_help: report.wants_help,
        entries: report.lines,
        passed_over: report.passed_over,
        partly: report.partly,
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
        About::Name => "import-fault-name",
    }
}
