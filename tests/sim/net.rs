//! The network of the simulation: it holds every request until the story says what becomes of it.

use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use mostik::delivery::egress::{Answer, EgressError, Transport};
use mostik::domain::clock::ManualClock;
use reqwest::header::{IF_MATCH, RETRY_AFTER};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::ehr::{Ehr, Request, answer};

/// The longest that a client waits for an answer, as the bridge's own requests do.
pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// The longest that an EHR goes on with a request whose client has given up: what `delivery.doubt_seconds` promises.
pub const LATE: SignedDuration = SignedDuration::from_secs(29);

/// Clones share the wires.
#[derive(Clone, Debug)]
pub struct Net {
    wires: Arc<Mutex<Wires>>,
    clock: ManualClock,
}

#[derive(Debug, Default)]
struct Wires {
    ehr: Ehr,
    under_way: Vec<UnderWay>,
    /// Requests that nobody waits for any more, and that the EHR may still execute until then.
    late: Vec<(Timestamp, Request)>,
    began: Vec<(Timestamp, Request)>,
    silent: bool,
}

#[derive(Debug)]
struct UnderWay {
    request: Request,
    since: Timestamp,
    reply: oneshot::Sender<Result<Answer, EgressError>>,
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Answered,
    /// Executed, and the answer is lost.
    AnswerLost,
    /// Executed, and the answer is an error of some gateway.
    AnsweredWithError,
    /// Not executed, and nobody says so.
    Lost,
    /// Executed later, when nobody waits for it any more.
    Late,
    NoConnection,
    Refused(u16),
}

impl Net {
    pub fn new(clock: ManualClock) -> Self {
        Self { wires: Arc::default(), clock }
    }

    pub fn ehr<T>(&self, look: impl FnOnce(&mut Ehr) -> T) -> T {
        look(&mut self.wires().ehr)
    }

    pub fn under_way(&self) -> usize {
        self.wires().under_way.len()
    }

    /// When requests that change something began, since the last call.
    pub fn began(&self) -> Vec<(Timestamp, Request)> {
        std::mem::take(&mut self.wires().began)
    }

    /// Whether the EHR says what it can do. It is asked while a desk takes a step, so that is answered at once.
    pub fn keep_silent(&self, silent: bool) {
        self.wires().silent = silent;
    }

    /// Decides about one request under way.
    pub fn decide(&self, place: usize, fate: Fate) {
        let mut wires = self.wires();
        let UnderWay { request, since, reply } = wires.under_way.swap_remove(place);
        let reply_with = match fate {
            Fate::Answered => Ok(wires.ehr.answer(&request)),
            Fate::AnswerLost => {
                wires.ehr.answer(&request);
                Err(EgressError::NoAnswer)
            }
            Fate::AnsweredWithError => {
                wires.ehr.answer(&request);
                Ok(answer(502, None, &Value::Null))
            }
            Fate::Lost => Err(EgressError::NoAnswer),
            Fate::Late => {
                wires.late.push((since + TIMEOUT + LATE, request));
                Err(EgressError::Timeout)
            }
            Fate::NoConnection => Err(EgressError::NoConnection),
            Fate::Refused(status) => {
                let mut refusal = answer(status, None, &Value::Null);
                if status == 503 || status == 429 {
                    refusal.headers.insert(RETRY_AFTER, "20".parse().unwrap());
                }
                Ok(refusal)
            }
        };
        // A replica that died does not hear it.
        let _ = reply.send(reply_with);
    }

    /// Moves the clock on. What nobody waits for any more times out; what is late is executed in time, or never.
    pub fn advance(&self, by: SignedDuration, executes: impl Fn(usize) -> bool) {
        let now = self.clock.now() + by;
        let overdue: Vec<usize> = {
            let wires = self.wires();
            (0..wires.under_way.len()).rev().filter(|place| wires.under_way[*place].since + TIMEOUT <= now).collect()
        };
        for place in overdue {
            self.decide(place, if executes(place) { Fate::Late } else { Fate::Lost });
        }
        let mut wires = self.wires();
        let (due, still): (Vec<_>, Vec<_>) =
            std::mem::take(&mut wires.late).into_iter().partition(|(at, _)| *at <= now);
        wires.late = still;
        for (_, request) in due {
            wires.ehr.answer(&request);
        }
        drop(wires);
        self.clock.advance(by);
    }

    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.wires.lock().unwrap()
    }
}

impl Transport for Net {
    fn carry(&self, request: reqwest::Request) -> BoxFuture<'static, Result<Answer, EgressError>> {
        let (reply, answered) = oneshot::channel();
        let request = read(&request);
        let since = self.clock.now();
        let mut wires = self.wires();
        if request.path == "/metadata" {
            let said = if wires.silent { Err(EgressError::NoAnswer) } else { Ok(wires.ehr.answer(&request)) };
            return std::future::ready(said).boxed();
        }
        if request.method != "GET" {
            wires.began.push((since, request.clone()));
        }
        wires.under_way.push(UnderWay { request, since, reply });
        drop(wires);
        async move { answered.await.unwrap_or(Err(EgressError::NoAnswer)) }.boxed()
    }
}

fn read(request: &reqwest::Request) -> Request {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let query = request.url().query_pairs().find(|(name, _)| name == "identifier").map(|(_, value)| value.into_owned());
    let identifier = query.or(header("if-none-exist")).and_then(|text| Some(text.split_once('|')?.1.to_owned()));
    let body = request
        .body()
        .and_then(reqwest::Body::as_bytes)
        .map_or(Value::Null, |bytes| serde_json::from_slice(bytes).unwrap());
    Request {
        method: request.method().to_string(),
        path: request.url().path().trim_start_matches("/fhir").to_owned(),
        identifier,
        if_match: header(IF_MATCH.as_str()),
        body,
    }
}
