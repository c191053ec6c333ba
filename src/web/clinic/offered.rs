//! On what terms the clinic offers its kinds of visits: its staff switch each on or off, and say how far ahead, until when, and how
//! long a time is kept. What is kept or booked already stays as it was promised.

use std::ops::RangeInclusive;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::caller::{StaffPosted, StaffSession};
use crate::domain::audit::{Chain, Event, StaffOffered};
use crate::domain::ids::VisitTypeId;
use crate::domain::visit_type::{AHEAD_DAYS, HOLD_MINUTES, NOTICE_HOURS, VisitTerms};
use crate::enrolment::staff::Colleague;
use crate::pipeline::Offered;
use crate::store::{OwnTerms, Tx};
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Fields;
use crate::web::portal::frame::{Frame, go_to_saying, page, page_with};

/// Where they are listed.
const LIST: &str = "/clinic/offered";

#[derive(Template)]
#[template(path = "clinic_offered.html")]
struct ListPage {
    frame: Frame,
    kinds: Vec<Line>,
}

/// A kind of visit in the list.
struct Line {
    id: VisitTypeId,
    title: String,
    /// Whether members can ask for it: the key of its words.
    stands: &'static str,
}

#[derive(Template)]
#[template(path = "clinic_terms.html")]
struct TermsPage {
    frame: Frame,
    id: VisitTypeId,
    title: String,
    is_offered: bool,
    fields: Vec<Field>,
    /// Whether anything is wrong with the form that was sent.
    is_wrong: bool,
    /// The version that is changed; 0: as the operator set it up.
    version: i64,
    /// Whether the operator set it up as one to ask for: the key of its words.
    usual: &'static str,
}

/// A number among the terms.
struct Field {
    name: &'static str,
    label: String,
    /// What it means, and from where to where it goes.
    hint: String,
    /// As it stands, or as it was typed.
    typed: String,
    range: RangeInclusive<u16>,
    /// What is wrong with it, and what was expected.
    wrong: Option<String>,
}

/// A number as the form has it, with the keys of its words, its bounds, and where it stands among the terms.
struct Number {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    wrong: &'static str,
    range: RangeInclusive<u16>,
    of: fn(&VisitTerms) -> u16,
}

const NOTICE: Number = Number {
    name: "notice",
    label: "clinic-notice",
    hint: "clinic-notice-hint",
    wrong: "clinic-notice-wrong",
    range: NOTICE_HOURS,
    of: |terms| terms.notice_hours,
};

const AHEAD: Number = Number {
    name: "ahead",
    label: "clinic-ahead",
    hint: "clinic-ahead-hint",
    wrong: "clinic-ahead-wrong",
    range: AHEAD_DAYS,
    of: |terms| terms.ahead_days,
};

const HOLD: Number = Number {
    name: "hold",
    label: "clinic-hold",
    hint: "clinic-hold-hint",
    wrong: "clinic-hold-wrong",
    range: HOLD_MINUTES,
    of: |terms| terms.hold_minutes,
};

/// In the order in which the form has them.
const NUMBERS: [Number; 3] = [NOTICE, AHEAD, HOLD];

/// What a form says: each number as it was typed, and the terms, which count if nothing is wrong.
struct Read {
    /// The version that whoever filled it in saw.
    version: i64,
    typed: [String; 3],
    /// Which numbers are wrong.
    wrong: Vec<&'static str>,
    terms: VisitTerms,
}

/// Lists them.
pub async fn offered(state: Data<State>, frame: Frame, session: StaffSession) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let visits = state.bridge.visits(&mut tx, &session.who.clinic).await?;
    let kinds = visits.into_iter().map(|visit| Line {
        title: visit.title.get(frame.language).to_owned(),
        stands: stands(visit.is_offered),
        id: visit.id,
    });
    page(&ListPage { kinds: kinds.collect(), frame })
}

/// Shows the terms of one.
pub async fn terms(
    state: Data<State>,
    frame: Frame,
    session: StaffSession,
    which: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let offered = named(&state, &mut tx, &session.who, &which).await?;
    drop(tx);
    let terms = offered.visit.terms();
    let typed = NUMBERS.map(|number| (number.of)(&terms).to_string());
    show(frame, &offered, Read { version: offered.version, typed, wrong: Vec::new(), terms })
}

/// Changes the terms of one.
pub async fn change(
    state: Data<State>,
    frame: Frame,
    posted: StaffPosted,
    which: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let who = &posted.session.who;
    let mut tx = state.bridge.store.begin().await?;
    let offered = named(&state, &mut tx, who, &which).await?;
    let read = read(&posted.fields)?;
    if !read.wrong.is_empty() {
        return show(frame, &offered, read);
    }
    let Read { version, terms, .. } = read;
    if version == offered.version && terms == offered.visit.terms() {
        return Ok(go_to_saying(LIST, "flash-clinic-terms"));
    }
    tx.put_visit_terms(&who.clinic, &offered.visit.id, OwnTerms { terms, version }).await?;
    changed(&state, tx, who, offered, Some(terms)).await
}

/// Takes back what the clinic's staff changed of one.
pub async fn as_usual(
    state: Data<State>,
    posted: StaffPosted,
    which: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let who = &posted.session.who;
    let mut tx = state.bridge.store.begin().await?;
    let offered = named(&state, &mut tx, who, &which).await?;
    tx.delete_visit_terms(&who.clinic, &offered.visit.id, version(&posted.fields)?).await?;
    changed(&state, tx, who, offered, None).await
}

/// Commits a change, together with the word in the audit log on who made it.
async fn changed(
    state: &State,
    mut tx: Tx,
    who: &Colleague,
    offered: Offered,
    terms: Option<VisitTerms>,
) -> Result<HttpResponse, PortalError> {
    let event = Event::StaffOffered(StaffOffered { staff: who.id, visit: offered.visit.id, terms });
    tx.record(Chain::of_clinic(&who.clinic), state.bridge.clock.now(), event);
    tx.commit().await?;
    tracing::info!(clinic_id = %who.clinic, "a clinic's staff changed on what terms it offers visits");
    Ok(go_to_saying(LIST, "flash-clinic-terms"))
}

/// The kind of visit that an address names, if it is one of the clinic.
async fn named(state: &State, tx: &mut Tx, who: &Colleague, which: &str) -> Result<Offered, PortalError> {
    let id: VisitTypeId = which.parse().map_err(|_| PortalError::NotFound)?;
    let all = state.bridge.offered(tx, &who.clinic).await?;
    all.into_iter().find(|offered| offered.visit.id == id).ok_or(PortalError::NotFound)
}

fn version(fields: &Fields) -> Result<i64, PortalError> {
    fields.text("version").parse().ok().filter(|version| *version >= 0).ok_or(PortalError::BadForm)
}

fn read(fields: &Fields) -> Result<Read, PortalError> {
    let mut wrong = Vec::new();
    let mut number = |of: &Number| {
        let number = fields.text(of.name).parse::<u16>().ok().filter(|number| of.range.contains(number));
        if number.is_none() {
            wrong.push(of.name);
        }
        number.unwrap_or_default()
    };
    let terms = VisitTerms {
        is_offered: fields.text("offered") == "yes",
        notice_hours: number(&NOTICE),
        ahead_days: number(&AHEAD),
        hold_minutes: number(&HOLD),
    };
    if wrong.is_empty() && !terms.leave_time() {
        wrong.push(NOTICE.name);
    }
    let typed = NUMBERS.map(|number| fields.text(number.name).to_owned());
    Ok(Read { version: version(fields)?, typed, wrong, terms })
}

fn show(frame: Frame, offered: &Offered, read: Read) -> Result<HttpResponse, PortalError> {
    let Read { version, typed, wrong, terms } = read;
    let field = |(number, typed): (Number, String)| {
        let (low, high, usual) = (*number.range.start(), *number.range.end(), (number.of)(&offered.usual));
        let bounds = [("low", low.into()), ("high", high.into()), ("usual", usual.into())];
        Field {
            name: number.name,
            label: frame.t(number.label),
            hint: frame.tn(number.hint, &bounds),
            typed,
            wrong: wrong.contains(&number.name).then(|| frame.tn(number.wrong, &bounds)),
            range: number.range,
        }
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let template = TermsPage {
        id: offered.visit.id.clone(),
        title: offered.visit.title.get(frame.language).to_owned(),
        is_offered: terms.is_offered,
        fields: NUMBERS.into_iter().zip(typed).map(field).collect(),
        is_wrong: !wrong.is_empty(),
        version,
        usual: stands(offered.usual.is_offered),
        frame,
    };
    page_with(status, &template)
}

/// Whether members can ask for it: the key of its words.
const fn stands(is_offered: bool) -> &'static str {
    if is_offered { "clinic-offered-yes" } else { "clinic-offered-no" }
}
