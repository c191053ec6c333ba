//! `/connectors/{community}/…`: communities' platforms bring what is said to the bridge's account there, and what happens in rooms
//! that are counted.
//!
//! Whoever calls is told 429 when they come too often, or when too many are under way, each community for itself: nothing is queued
//! in memory. What is taken is done before it is acknowledged, in the order in which it was brought.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, route};
use jiff::tz::Offset;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::limits::{Limit, caller};
use super::talk::{Answered, Brought, talk};
use super::{Problem, State, body, events};
use crate::companion::danger;
use crate::companion::talk::Said;
use crate::config::Limits;
use crate::connectors::{
    Connector, Connectors, Happened, Head, Heard, Refused, Says, Spoken, Told, Undone, Words, Wrote,
};
use crate::delivery::member::MessageError;
use crate::domain::clock::Clock;
use crate::domain::ids::CommunityId;
use crate::domain::moment::Moment;
use crate::domain::reading::Measure;
use crate::inbound::event::{Entry, Event, Refusal, Says as EventSays, Subject, Version};
use crate::pipeline::accept;

/// How many calls may be under way at the same time in each community: each may hold as much as the longest body, and be as slow
/// as the community's own server.
const AT_ONCE: usize = 16;

/// Which part of a community sends what happens in its rooms.
const SOURCE: &str = "connector";

/// The communities' platforms, and how often they may call.
#[derive(Debug)]
pub struct Platforms {
    pub(super) connectors: Connectors,
    under_way: BTreeMap<CommunityId, Semaphore>,
    body_within: Duration,
    calls: Limit<(CommunityId, IpAddr)>,
    said: Limit<(CommunityId, String)>,
    joins: Limit<CommunityId>,
}

/// What became of something that somebody said.
enum Outcome {
    /// It is done, with what the platform is answered.
    Done(Option<Value>),
    /// The platform did not take the answer to it: it is to come again.
    Unanswered,
}

impl Platforms {
    /// Platforms under these limits.
    #[must_use]
    pub fn new(connectors: Connectors, limits: &Limits, clock: &Clock) -> Self {
        let limit = |at_once: NonZeroU32, within: Duration| (at_once, within / at_once.get());
        let (calls, every) = limit(limits.platform_calls_per_second, Duration::from_secs(1));
        let (said, each) = limit(limits.said_per_minute, Duration::from_mins(1));
        let (joins, one) = limit(limits.joins_per_hour, Duration::from_hours(1));
        let under_way = connectors.communities().map(|community| (community.clone(), Semaphore::new(AT_ONCE)));
        Self {
            under_way: under_way.collect(),
            connectors,
            body_within: Duration::from_secs(limits.platform_body_seconds.get().into()),
            calls: Limit::new(calls, every, clock.clone()),
            said: Limit::new(said, each, clock.clone()),
            joins: Limit::new(joins, one, clock.clone()),
        }
    }

    /// Counts a call of a community's platform, which is under way until what is returned is gone.
    fn enter(&self, community: &CommunityId, address: IpAddr) -> Result<SemaphorePermit<'_>, Problem> {
        self.calls.check(&(community.clone(), address)).map_err(too_often)?;
        let under_way = self.under_way.get(community).ok_or_else(super::problem::no_such_route)?;
        under_way.try_acquire().map_err(|_| too_often(Duration::ZERO))
    }

    /// Counts what somebody says.
    pub(super) fn hears(&self, community: &CommunityId, handle: &str) -> Result<(), Problem> {
        self.said.check(&(community.clone(), handle.to_owned())).map_err(|wait| {
            tracing::warn!(community_id = %community, "somebody says more than is heard");
            too_often(wait)
        })
    }

    /// Whether one more may join a community now; that is counted.
    pub(super) fn admits(&self, community: &CommunityId) -> bool {
        let admits = self.joins.check(community).is_ok();
        if !admits {
            tracing::warn!(community_id = %community, "more want to join than may in an hour: limits.joins_per_hour");
        }
        admits
    }
}

/// Takes what a platform brings.
#[route("/connectors/{community}/{path:.*}", method = "GET", method = "POST", method = "PUT")]
pub async fn bring(
    state: Data<State>,
    path: Path<(String, String)>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (community, path) = path.into_inner();
    let platforms = &state.platforms;
    let community: CommunityId = community.parse().map_err(|_| super::problem::no_such_route())?;
    let connector = platforms.connectors.of(&community).ok_or_else(super::problem::no_such_route)?;
    let address = caller(&request, state.portal.client_address_header());
    let _under_way = platforms.enter(&community, address)?;
    let headers: Vec<(&str, &[u8])> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let at = state.bridge.clock.now();
    let (method, query) = (request.method().as_str(), request.query_string());
    let head = Head { method, path: &path, query, headers: &headers, at };
    connector.admit(&head)?;
    let bytes = timeout(platforms.body_within, body::any(&request, payload)).await.map_err(|_| too_slow())??;
    let received = connector.receive(head, &bytes).await?;
    let answer = take(&state, &community, connector.as_ref(), received.heard, &mut BTreeSet::new()).await?;
    Ok(match answer.map(Told::Json).or(received.answer) {
        Some(Told::Text(text)) => HttpResponse::Ok().content_type(ContentType::plaintext()).body(text),
        Some(Told::Json(value)) => HttpResponse::Ok().json(value),
        None => HttpResponse::Ok().json(json!({})),
    })
}

/// Does all that a platform brought. Returns what it is answered, if that is how it hears what is said to somebody.
///
/// Whoever is not reached keeps nobody else waiting: all of it is to come again then, and what was done before of what people said
/// is noted by its id in `done`.
pub(super) async fn take(
    state: &State,
    community: &CommunityId,
    connector: &dyn Connector,
    brought: Vec<Heard>,
    done: &mut BTreeSet<String>,
) -> Result<Option<Value>, Problem> {
    let now = state.bridge.clock.now();
    let (mut answer, mut happened, mut unanswered) = (None, Vec::new(), BTreeSet::new());
    for heard in brought {
        match heard {
            // What they say next is heard after what they said before.
            Heard::Said(spoken) if unanswered.contains(&spoken.handle) => {}
            Heard::Said(spoken) => match say(state, community, connector, &spoken).await? {
                Outcome::Done(said) => {
                    answer = said.or(answer);
                    done.insert(spoken.id);
                }
                Outcome::Unanswered => _ = unanswered.insert(spoken.handle),
            },
            Heard::Happened(it) => happened.push(Ok(event_of(it, now))),
            Heard::Wrote(Wrote { handle, text }) => danger::in_room(&state.bridge, community, &handle, &text).await?,
            Heard::Undone(undone) => happened.push(Ok(retraction_of(undone))),
        }
    }
    if !happened.is_empty() {
        count(state, community, happened).await?;
    }
    if unanswered.is_empty() { Ok(answer) } else { Err(later()) }
}

/// Answers somebody. What can never be answered is done with; where nobody can be answered now, nobody else is tried.
async fn say(
    state: &State,
    community: &CommunityId,
    connector: &dyn Connector,
    spoken: &Spoken,
) -> Result<Outcome, Problem> {
    let said = match &spoken.words {
        Words::Written(text) => Said::Written(text),
        Words::Letter(text) => Said::Letter(text),
        Words::Pressed(value) => Said::Pressed(value),
    };
    let Spoken { id, handle, .. } = spoken;
    let usual = spoken.language.unwrap_or(connector.language());
    let brought = Brought { community, id, handle, said, language: None, usual };
    let answered = match talk(state, brought).await {
        Ok(answered) => answered,
        Err(problem) if problem.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() => return Err(problem),
        Err(_) => return Ok(Outcome::Done(None)), // the log says why
    };
    let spoken = Spoken { language: Some(answered.language), ..spoken.clone() };
    match connector.answer(&spoken, &says(state, community, &spoken.handle, answered)).await {
        Ok(answer) => Ok(Outcome::Done(answer)),
        Err(error @ (MessageError::Gone(_) | MessageError::Unwritten)) => {
            tracing::warn!(community_id = %community, cause = %error, "an answer reaches nobody");
            Ok(Outcome::Done(None))
        }
        Err(error) => {
            tracing::warn!(community_id = %community, cause = %error, "an answer was not taken");
            // The platform answers, and others may be reached by it.
            if matches!(error, MessageError::Status { .. }) { Ok(Outcome::Unanswered) } else { Err(later()) }
        }
    }
}

/// The whole answer in one text: who is there for them, and where in the portal it is to be done.
fn says(state: &State, community: &CommunityId, handle: &str, answered: Answered) -> Says {
    let Answered { key, saying, mut text, language, .. } = answered;
    if saying.helps {
        text = format!("{text}\n\n{}", state.portal.help_in_lines(language, state.help.of(community)));
    }
    if let Some(url) = saying.page.as_ref().and_then(|page| state.public_url.join(page).ok()) {
        text = format!("{text}\n\n{url}");
        // Rules are read by anybody; elsewhere, they sign in.
        if saying.rules.is_none() {
            text = format!("{text}\n{}", state.portal.name_there(language, community, handle));
        }
    }
    Says { id: key, text, buttons: saying.buttons() }
}

/// Counts what happened, of whoever is a member.
async fn count(state: &State, community: &CommunityId, happened: Vec<Result<Event, Refusal>>) -> Result<(), Problem> {
    let outcomes = accept(&state.bridge, community, happened).await?;
    events::note("what happened", community, outcomes.into_iter().map(|outcome| events::result(outcome).status));
    Ok(())
}

fn event_of(happened: Happened, now: jiff::Timestamp) -> Event {
    let Happened { id, handle, at, deed } = happened;
    let moment = Moment::new(at.min(now), Offset::UTC);
    let entry = Entry { moment, measure: Measure::Deed(deed), labels: BTreeSet::new() };
    event(id, handle, EventSays::Reading(entry, Version::First))
}

fn retraction_of(undone: Undone) -> Event {
    event(format!("{}-undone", undone.id), undone.handle, EventSays::Retraction(undone.id))
}

fn event(id: String, handle: String, says: EventSays) -> Event {
    Event { source: SOURCE.to_owned(), id, subject: Subject::Handle(handle), says, flaw: None }
}

fn too_often(wait: Duration) -> Problem {
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-often", "There is too much at once");
    problem.retry_after = u32::try_from(wait.as_secs()).ok().map(|seconds| seconds.saturating_add(1));
    problem
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The body does not come")
}

fn later() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "This cannot be done at present")
        .detail("Whatever was done is not done again when it is brought again.")
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoSuchPath => super::problem::no_such_route(),
            Refused::Unknown => Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "This is not signed as agreed"),
            Refused::Malformed(expected) => body::malformed(expected),
            Refused::Later => later(),
        }
    }
}
