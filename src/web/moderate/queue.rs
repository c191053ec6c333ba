//! Who wants somebody, and since when.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use jiff::Timestamp;

use super::{days, name, stands, waited, why, zone};
use crate::domain::concern::{ConcernState, Level};
use crate::domain::day::Days;
use crate::domain::ids::ConcernId;
use crate::domain::staff::Moderator;
use crate::safety::{Concern, concerns};
use crate::web::State;
use crate::web::clinic::StaffSession;
use crate::web::portal::error::PortalError;
use crate::web::portal::frame::{Frame, page};

#[derive(Template)]
#[template(path = "moderate_queue.html")]
struct QueuePage {
    frame: Frame,
    zone: String,
    /// Whom nobody looks after yet.
    waiting: Vec<Line>,
    /// Whom somebody does.
    held: Vec<Line>,
}

#[derive(Template)]
#[template(path = "moderate_history.html")]
struct HistoryPage {
    frame: Frame,
    zone: String,
    lines: Vec<Line>,
}

/// A concern in a list.
struct Line {
    id: ConcernId,
    name: String,
    /// Why: the key of its words.
    why: &'static str,
    /// How it stands: the key of its words.
    stands: &'static str,
    raised: String,
    waited: String,
    /// Who looks after it, as they called themselves.
    by: Option<String>,
}

/// Lists them: those that wait the longest first. To the second level, before all others what the first did not take.
pub async fn queue(
    state: Data<State>,
    frame: Frame,
    session: StaffSession<Moderator>,
) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&session.who, state.bridge.clock.now());
    let mut tx = state.bridge.store.read().await?;
    let open = concerns(&mut tx, &state.bridge.keyring, Some(&who.community), false).await?;
    drop(tx);
    let (mut waiting, held): (Vec<Concern>, Vec<Concern>) = open.into_iter().partition(|it| it.state.is_waiting());
    if who.level == Level::Second {
        waiting.sort_by_key(|concern| concern.state != ConcernState::Escalated);
    }
    let (days, zone) = (days(&state, who), zone(&state, who).name().to_owned());
    let lines = |concerns: &[Concern]| concerns.iter().map(|concern| line(&frame, &days, concern, now)).collect();
    page(&QueuePage { waiting: lines(&waiting), held: lines(&held), zone, frame })
}

/// Lists those that are closed, the newest first.
pub async fn history(
    state: Data<State>,
    frame: Frame,
    session: StaffSession<Moderator>,
) -> Result<HttpResponse, PortalError> {
    let (who, now) = (&session.who, state.bridge.clock.now());
    let mut tx = state.bridge.store.read().await?;
    let all = concerns(&mut tx, &state.bridge.keyring, Some(&who.community), true).await?;
    drop(tx);
    let (days, zone) = (days(&state, who), zone(&state, who).name().to_owned());
    let closed = all.iter().filter(|concern| concern.state == ConcernState::Closed);
    page(&HistoryPage { lines: closed.map(|concern| line(&frame, &days, concern, now)).collect(), zone, frame })
}

fn line(frame: &Frame, days: &Days, concern: &Concern, now: Timestamp) -> Line {
    Line {
        id: concern.id,
        name: name(frame, concern),
        why: why(concern.rule),
        stands: stands(concern.state),
        raised: frame.moment(days.moment(concern.raised_at)),
        waited: waited(frame, concern, now),
        by: concern.acknowledged.as_ref().map(|(_, by)| by.clone()),
    }
}
