//! Group sessions: a clinic's people plan them, move them, call them off and lead them. How many take part, they see; who does,
//! of those only whose consent lets anybody at the clinic know.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::{SignedDuration, Timestamp};

use super::act::{FARTHEST, written};
use super::caller::{StaffPosted, StaffSession};
use super::{MOST, clock, days, look_at_all};
use crate::booking::Seen;
use crate::booking::group::{self, Plan};
use crate::booking::video::{EARLY, Side, is_open};
use crate::domain::day::Days;
use crate::domain::group::{GroupSession, MOST_SEATS, Seats};
use crate::domain::ids::{BookingId, GroupSessionId, VisitTypeId};
use crate::domain::visit_type::VisitType;
use crate::enrolment::staff::Colleague;
use crate::store::Tx;
use crate::web::State;
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Fields;
use crate::web::portal::frame::{Frame, go_to_saying, page_with};
use crate::web::portal::visits::{enter, shown, to};

/// Sessions that ended less than this ago are listed, too.
const JUST_OVER: SignedDuration = SignedDuration::from_hours(24);

#[derive(Template)]
#[template(path = "clinic_groups.html")]
struct ListPage {
    frame: Frame,
    lines: Vec<Line>,
    /// The kinds of which one can be planned: each with its name, and how many places it usually has.
    kinds: Vec<(VisitTypeId, String, u16)>,
    zone: String,
    /// The first day that can be written.
    first_day: String,
    most: u16,
    /// What is wrong with the form: the key of a text.
    wrong: Option<&'static str>,
}

/// A session in a list.
pub(super) struct Line {
    pub id: GroupSessionId,
    pub title: String,
    pub when: String,
    /// How many places are taken, of how many, in words.
    pub taken: String,
    /// How it stands: the key of its words.
    pub stands: &'static str,
}

#[derive(Template)]
#[template(path = "clinic_group.html")]
struct GroupPage {
    frame: Frame,
    line: Line,
    waiting: u64,
    zone: String,
    /// Whether the EHR has it as it stands here.
    is_told: bool,
    /// Who takes part, as far as they may be seen.
    people: Vec<Person>,
    hidden: usize,
    can_join: bool,
    /// From when on it can be entered, if that is to come.
    opens: Option<String>,
    /// Whether it can be changed or called off.
    can_change: bool,
    /// What its form begins with.
    day: String,
    time: String,
    capacity: u16,
    first_day: String,
    most: u16,
    wrong: Option<&'static str>,
}

/// Somebody who takes part.
struct Person {
    id: BookingId,
    patient: String,
    stands: &'static str,
}

/// Lists them, with a form to plan one.
pub async fn list(state: Data<State>, frame: Frame, session: StaffSession) -> Result<HttpResponse, PortalError> {
    listed(&state, frame, &session.who, None).await
}

/// Plans one.
pub async fn plan(state: Data<State>, frame: Frame, posted: StaffPosted) -> Result<HttpResponse, PortalError> {
    let who = &posted.session.who;
    let visit: VisitTypeId = posted.fields.text("kind").parse().map_err(|_| PortalError::BadForm)?;
    let now = state.bridge.clock.now();
    let plan = match planned(&state, who, &posted.fields, now) {
        Ok(plan) => plan,
        Err(wrong) => return listed(&state, frame, who, Some(wrong)).await,
    };
    let mut tx = state.bridge.store.begin().await?;
    let made = group::plan(&state.bridge, &mut tx, (&who.clinic, &visit), plan, now).await?;
    tx.commit().await?;
    done(who, made.id, "plan");
    Ok(go_to_saying(&path(made.id), "flash-clinic-group-planned"))
}

/// Shows one.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: StaffSession,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    shown_one(&state, frame, &session.who, &id, None).await
}

/// Moves it, or gives it another number of places.
pub async fn change(
    state: Data<State>,
    frame: Frame,
    posted: StaffPosted,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&posted.session.who, state.bridge.clock.now());
    let group_id = parse(&id)?;
    let plan = match planned(&state, who, &posted.fields, now) {
        Ok(plan) => plan,
        Err(wrong) => return shown_one(&state, frame, who, &id, Some(wrong)).await,
    };
    let mut tx = state.bridge.store.begin().await?;
    group::change(&state.bridge, &mut tx, (&who.clinic, group_id), plan, now).await?;
    tx.commit().await?;
    done(who, group_id, "change");
    Ok(go_to_saying(&path(group_id), "flash-clinic-group-changed"))
}

/// Calls it off.
pub async fn cancel(state: Data<State>, posted: StaffPosted, id: Path<String>) -> Result<HttpResponse, PortalError> {
    let (who, id) = (&posted.session.who, parse(&id)?);
    let mut tx = state.bridge.store.begin().await?;
    group::call_off(&mut tx, (&who.clinic, id), state.bridge.clock.now()).await?;
    tx.commit().await?;
    done(who, id, "cancel");
    Ok(go_to_saying(&path(id), "flash-clinic-group-cancelled"))
}

/// Leads whoever asks into the session, as the one who leads it.
pub async fn join(
    state: Data<State>,
    frame: Frame,
    session: StaffSession,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let mut tx = state.bridge.store.read().await?;
    let group = find(&mut tx, &session.who, &id).await?;
    drop(tx);
    let now = state.bridge.clock.now();
    if !group.will_be() || !is_open(group.time.start, group.time.end, now) {
        return Ok(to(&path(group.id)));
    }
    done(&session.who, group.id, "join");
    let (name, room) = (frame.t("clinic-clinician"), frame.t("visit-neutral"));
    enter(&state, &group, (Side::Clinic, &name), &room).await
}

/// The sessions of a clinic in a list, those that end after an instant and begin before another.
pub(super) async fn lines(
    state: &State,
    frame: &Frame,
    tx: &mut Tx,
    who: &Colleague,
    (after, before): (Timestamp, Timestamp),
) -> Result<Vec<Line>, PortalError> {
    let days = days(state, who);
    let mut lines = Vec::new();
    for group in tx.group_sessions_at(&who.clinic, after, MOST).await? {
        if group.time.start < before {
            let seats = tx.count_seats(group.id).await?;
            lines.push(line(state, frame, &days, &group, seats));
        }
    }
    Ok(lines)
}

async fn listed(
    state: &State,
    frame: Frame,
    who: &Colleague,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.read().await?;
    let since = now.checked_sub(JUST_OVER).unwrap_or(Timestamp::MIN);
    let lines = lines(state, &frame, &mut tx, who, (since, Timestamp::MAX)).await?;
    let visits = state.bridge.visits(&mut tx, &who.clinic).await?;
    drop(tx);
    let kind = |visit: &VisitType| {
        let (rules, title) = (visit.group.as_ref()?, visit.title.get(frame.language));
        let title = if rules.open { frame.t1("clinic-group-kind-open", "title", title) } else { title.to_owned() };
        Some((visit.id.clone(), title, rules.capacity))
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let template = ListPage {
        lines,
        kinds: visits.iter().filter_map(kind).collect(),
        zone: super::zone(state, who).name().to_owned(),
        first_day: days(state, who).day_of(now).to_string(),
        most: MOST_SEATS,
        wrong,
        frame,
    };
    page_with(status, &template)
}

async fn shown_one(
    state: &State,
    frame: Frame,
    who: &Colleague,
    id: &str,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, PortalError> {
    let now = state.bridge.clock.now();
    let mut tx = state.bridge.store.begin().await?;
    let group = find(&mut tx, who, id).await?;
    let seats = tx.count_seats(group.id).await?;
    let keys = tx.seats_of(group.id, i64::from(MOST_SEATS)).await?;
    let (seen, hidden) = look_at_all(state, &mut tx, who, &keys, now).await?;
    tx.commit().await?;
    let days = days(state, who);
    let person =
        |Seen { booking, patient, .. }: Seen| Person { id: booking.id, stands: shown::stands(&booking), patient };
    let (has_room, time) = (state.rooms.is_there(&group.clinic) && group.will_be(), group.time);
    let opens = time.start.checked_sub(EARLY).ok().filter(|opens| now < *opens && has_room);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let template = GroupPage {
        line: line(state, &frame, &days, &group, seats),
        waiting: seats.waiting,
        zone: super::zone(state, who).name().to_owned(),
        is_told: group.told == group.sequence,
        people: seen.into_iter().map(person).collect(),
        hidden,
        can_join: has_room && is_open(time.start, time.end, now),
        opens: opens.map(|opens| frame.moment(days.moment(opens))),
        can_change: group.will_be() && now < time.start,
        day: days.day_of(time.start).to_string(),
        time: clock(&days, time.start),
        capacity: group.capacity,
        first_day: days.day_of(now).to_string(),
        most: MOST_SEATS,
        wrong,
        frame,
    };
    page_with(status, &template)
}

fn line(state: &State, frame: &Frame, days: &Days, group: &GroupSession, seats: Seats) -> Line {
    let title = state.bridge.house.visit_title(&group.clinic, &group.visit);
    let title = title.map_or_else(|| frame.t("visit-plain"), |title| title.get(frame.language).to_owned());
    let counted = [("taken", seats.taken.into()), ("capacity", group.capacity.into())];
    Line {
        id: group.id,
        title,
        when: format!("{}–{}", frame.moment(days.moment(group.time.start)), clock(days, group.time.end)),
        taken: frame.tn("clinic-group-taken", &counted),
        stands: if group.will_be() { "clinic-group-stands-planned" } else { "clinic-group-stands-cancelled" },
    }
}

/// The session that an address names, if it is one of the clinic.
async fn find(tx: &mut Tx, who: &Colleague, id: &str) -> Result<GroupSession, PortalError> {
    tx.group_session(&who.clinic, parse(id)?).await?.ok_or(PortalError::NotFound)
}

/// When a form says that it is to be, and for how many; else what is wrong with it, as the key of a text.
fn planned(state: &State, who: &Colleague, fields: &Fields, now: Timestamp) -> Result<Plan, &'static str> {
    let time = written(state, who, fields, SignedDuration::ZERO);
    let is_near = |start: &Timestamp| now < *start && start.duration_since(now) < FARTHEST;
    let start = time.map(|time| time.start).filter(is_near).ok_or("clinic-wrong-time")?;
    let capacity = fields.text("places").parse().ok().filter(|places| (1..=MOST_SEATS).contains(places));
    Ok(Plan { start, capacity: capacity.ok_or("clinic-wrong-places")? })
}

fn done(who: &Colleague, id: GroupSessionId, what: &'static str) {
    tracing::info!(clinic_id = %who.clinic, session_id = %id, what, "a clinic's staff did something with a group session");
}

fn parse(id: &str) -> Result<GroupSessionId, PortalError> {
    id.parse().map_err(|_| PortalError::NotFound)
}

fn path(id: GroupSessionId) -> String {
    format!("/clinic/groups/{id}")
}
