//! One concern: what is known of it, and what can be done.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use jiff::Timestamp;

use super::{FIRST_PAGE, days, name, stands, waited, why, zone};
use crate::domain::audit::{Chain, Event, ModeratorDone};
use crate::domain::concern::ConcernState;
use crate::domain::ids::{ConcernId, MemberId};
use crate::domain::staff::Moderator;
use crate::safety::{self, Concern, LONGEST_NAME, is_name};
use crate::store::Tx;
use crate::web::State;
use crate::web::clinic::{StaffPosted, StaffSession};
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::{Frame, go_to_saying, page_with};

#[derive(Template)]
#[template(path = "moderate_concern.html")]
struct ConcernPage {
    frame: Frame,
    id: ConcernId,
    name: String,
    zone: String,
    /// Why: the key of its words.
    why: &'static str,
    /// The phrase that was found.
    phrase: Option<String>,
    /// How it stands: the key of its words.
    stands: &'static str,
    waited: String,
    /// What happened when: the key of its words, the moment, and who did it, as they called themselves.
    steps: Vec<(&'static str, String, String)>,
    /// The clinics that were told without consent.
    clinics: Vec<String>,
    state: ConcernState,
    /// Whether the name in the form that was sent is none.
    is_wrong: bool,
}

impl ConcernPage {
    const fn can_acknowledge(&self) -> bool {
        self.state.is_waiting()
    }

    const fn can_escalate(&self) -> bool {
        matches!(self.state, ConcernState::Raised | ConcernState::Told)
    }

    fn can_close(&self) -> bool {
        self.state == ConcernState::Acknowledged
    }
}

/// Shows one. The look is noted.
pub async fn show(
    state: Data<State>,
    frame: Frame,
    session: StaffSession<Moderator>,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    look(&state, frame, &session.who, &id, false).await
}

async fn look(
    state: &State,
    frame: Frame,
    who: &Moderator,
    id: &str,
    is_wrong: bool,
) -> Result<HttpResponse, PortalError> {
    let (id, now) = (concern_id(id)?, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let (concern, _) = safety::concern(&mut tx, &state.bridge.keyring, (Some(&who.community), id)).await?;
    note(&mut tx, who, concern.member, id, "look", now);
    tx.commit().await?;
    let days = days(state, who);
    let at = |moment: Timestamp| frame.moment(days.moment(moment));
    let told = concern.told_at.map(|moment| ("moderate-step-told", at(moment), String::new()));
    let escalated = concern.escalated_at.map(|moment| ("moderate-step-escalated", at(moment), String::new()));
    let settled =
        |key, step: &Option<(Timestamp, String)>| step.as_ref().map(|(moment, by)| (key, at(*moment), by.clone()));
    let raised = Some(("moderate-step-raised", at(concern.raised_at), String::new()));
    let acknowledged = settled("moderate-step-acknowledged", &concern.acknowledged);
    let closed = settled("moderate-step-closed", &concern.closed);
    let clinic = |warned: &safety::Warned| state.bridge.house.clinic_name(&warned.clinic).to_owned();
    let template = ConcernPage {
        id,
        name: name(&frame, &concern),
        zone: zone(state, who).name().to_owned(),
        why: why(concern.rule),
        phrase: concern.phrase.clone(),
        stands: stands(concern.state),
        waited: waited(&frame, &concern, now),
        steps: [raised, told, escalated, acknowledged, closed].into_iter().flatten().collect(),
        clinics: concern.warned.iter().map(clinic).collect(),
        state: concern.state,
        is_wrong,
        frame,
    };
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page_with(status, &template)
}

/// Notes that somebody looks after it.
pub async fn acknowledge(
    state: Data<State>,
    frame: Frame,
    posted: StaffPosted<Moderator>,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    settle(&state, frame, &posted, &id, false).await
}

/// Notes that they are done.
pub async fn close(
    state: Data<State>,
    frame: Frame,
    posted: StaffPosted<Moderator>,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    settle(&state, frame, &posted, &id, true).await
}

/// Notes one or the other, by whoever says a name.
async fn settle(
    state: &State,
    frame: Frame,
    posted: &StaffPosted<Moderator>,
    id: &str,
    is_done: bool,
) -> Result<HttpResponse, PortalError> {
    let (who, by) = (&posted.session.who, posted.fields.text("by"));
    if !is_name(by) {
        return look(state, frame, who, id, true).await;
    }
    let (id, now) = (concern_id(id)?, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let (which, keyring) = ((Some(&who.community), id), &state.bridge.keyring);
    if is_done {
        let concern = safety::close(&mut tx, keyring, which, by, now).await?;
        done(tx, who, &concern, "close", now).await?;
        return Ok(go_to_saying(FIRST_PAGE, "flash-moderate-closed"));
    }
    let concern = safety::acknowledge(&mut tx, keyring, which, by, now).await?;
    done(tx, who, &concern, "acknowledge", now).await?;
    Ok(go_to_saying(&format!("{FIRST_PAGE}/concerns/{id}"), "flash-moderate-acknowledged"))
}

/// Has the second level told at once.
pub async fn escalate(
    state: Data<State>,
    posted: StaffPosted<Moderator>,
    id: Path<String>,
) -> Result<HttpResponse, PortalError> {
    let (who, id, now) = (&posted.session.who, concern_id(&id)?, state.bridge.clock.now());
    let mut tx = state.bridge.store.begin().await?;
    let concern = safety::escalate_now(&mut tx, &state.bridge.keyring, (Some(&who.community), id), now).await?;
    done(tx, who, &concern, "escalate", now).await?;
    state.bridge.wake.notify_waiters();
    Ok(go_to_saying(&format!("{FIRST_PAGE}/concerns/{id}"), "flash-moderate-escalated"))
}

async fn done(mut tx: Tx, who: &Moderator, concern: &Concern, what: &str, now: Timestamp) -> Result<(), PortalError> {
    note(&mut tx, who, concern.member, concern.id, what, now);
    tx.commit().await?;
    tracing::info!(concern_id = %concern.id, community_id = %who.community, what, "somebody did something with a concern");
    Ok(())
}

fn note(tx: &mut Tx, who: &Moderator, member: MemberId, concern: ConcernId, what: &str, now: Timestamp) {
    let community = who.community.clone();
    let done = ModeratorDone { staff: who.id, community, concern, what: what.to_owned() };
    tx.record(Chain::of_member(member), now, Event::ModeratorDid(done));
}

fn concern_id(text: &str) -> Result<ConcernId, PortalError> {
    text.parse().map_err(|_| PortalError::NotFound)
}
