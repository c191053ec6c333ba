//! Requests for items, after the transaction that decided about them has committed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::ehr::{EhrClient, Found, Resource, Sent};
use super::form::Forms;
use super::settle::{Known, Verdict};
use super::weigh::{Job, Outgoing, Task};
use crate::consent::decide::Cleared;
use crate::domain::delivery::{Delivery, DeliveryState};
use crate::domain::ids::MemberId;
use crate::telemetry::crash_point;

/// The longest between the decision that an item may go and the first byte of its request.
const BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(1);

/// The most that one batch may hold, in bytes of FHIR.
const BATCH_BYTES: usize = 1024 * 1024;

/// What requests are made with.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The clinic's EHR.
    pub ehr: Arc<EhrClient>,
    /// The forms it takes.
    pub forms: Arc<Forms>,
    /// How many items may go in one request.
    pub batch_size: usize,
}

/// One request's worth of jobs.
#[derive(Debug)]
pub enum Errand {
    /// One item.
    One(Box<Job>),
    /// Several creates in a batch.
    Batch(Vec<Ready>, Box<super::ehr::Ticket>),
}

/// An item in the form in which it goes.
#[derive(Debug)]
pub struct Ready {
    cleared: Cleared<Delivery>,
    resource: Resource,
}

impl Errand {
    /// Whose items it is about.
    #[must_use]
    pub fn members(&self) -> Vec<MemberId> {
        match self {
            Self::One(job) => vec![job.task.item().member],
            Self::Batch(items, _) => items.iter().map(|ready| ready.cleared.item().member).collect(),
        }
    }
}

impl Sender {
    /// Groups jobs into requests: creates go together where the EHR takes batches. What cannot be put into the form that
    /// the EHR takes is known at once.
    #[must_use]
    pub fn errands(&self, jobs: Vec<Job>) -> (Vec<Errand>, Vec<Known>) {
        let (mut errands, mut known) = (Vec::new(), Vec::new());
        let mut batch: Vec<Ready> = Vec::new();
        let mut batch_ticket = None;
        let mut bytes = 0;
        let many = jobs.len() > 1 && self.batch_size > 1;
        for job in jobs {
            let Job { task, ticket } = job;
            match task {
                Task::Create(outgoing) if many && self.ehr.takes_batches() => {
                    let ready = match self.ready(outgoing) {
                        Ok(ready) => ready,
                        Err(stuck) => {
                            known.push(*stuck);
                            continue;
                        }
                    };
                    let length = ready.resource.body.len();
                    if batch.len() == self.batch_size || bytes + length > BATCH_BYTES {
                        flush(&mut batch, batch_ticket.take(), &mut errands);
                        bytes = 0;
                    }
                    bytes += length;
                    batch.push(ready);
                    batch_ticket = Some(ticket);
                }
                task => errands.push(Errand::One(Box::new(Job { task, ticket }))),
            }
        }
        flush(&mut batch, batch_ticket, &mut errands);
        (errands, known)
    }

    /// Makes one request. After `last_call` nothing more is begun for it: its lanes may soon be somebody else's.
    pub async fn run(&self, errand: Errand, last_call: Timestamp) -> Vec<Known> {
        let known = match errand {
            Errand::One(job) => vec![self.one(*job, last_call).await],
            Errand::Batch(items, ticket) => self.batch(items, &ticket).await,
        };
        crash_point("deliver:answered");
        known
    }

    async fn one(&self, job: Job, last_call: Timestamp) -> Known {
        let Job { task, ticket } = job;
        match task {
            Task::Search(item) => {
                let found = self.ehr.find(&item.resource_type, &item.identifier, &ticket, last_call).await;
                Known { from: item.state, item, verdict: Verdict::Searched(found) }
            }
            Task::Look(item, stored) => {
                let verdict = match self.ehr.look(&stored, &ticket, last_call).await {
                    Ok(stored) => Verdict::Looked(stored),
                    Err(Sent::NotBegun) => Verdict::Searched(Found::NotBegun),
                    Err(Sent::NotStored { reason, .. }) => Verdict::Sent(Sent::Unknown { reason }),
                    Err(sent) => Verdict::Sent(sent),
                };
                Known { from: item.state, item, verdict }
            }
            Task::Create(outgoing) => {
                let Ready { cleared, resource } = match self.ready(outgoing) {
                    Ok(ready) => ready,
                    Err(stuck) => return *stuck,
                };
                let sent = self.ehr.create(&cleared, resource, &ticket, begin_by(&cleared)).await;
                sent_as(cleared, sent)
            }
            Task::Update(outgoing, stored) => {
                let Ready { cleared, resource } = match self.ready(outgoing) {
                    Ok(ready) => ready,
                    Err(stuck) => return *stuck,
                };
                let sent = self.ehr.update(&cleared, &resource.body, &stored, &ticket, last_call).await;
                sent_as(cleared, sent)
            }
            Task::Respond(outgoing, stored) => {
                let Ready { cleared, resource } = match self.ready(outgoing) {
                    Ok(ready) => ready,
                    Err(stuck) => return *stuck,
                };
                let sent = self.ehr.respond(&cleared, &resource.body, &stored, &ticket, last_call).await;
                sent_as(cleared, sent)
            }
            Task::Book(outgoing) => {
                let Ready { cleared, resource } = match self.ready(outgoing) {
                    Ok(ready) => ready,
                    Err(stuck) => return *stuck,
                };
                let sent = self.ehr.book(&cleared, &resource.body, &ticket, last_call).await;
                sent_as(cleared, sent)
            }
        }
    }

    async fn batch(&self, items: Vec<Ready>, ticket: &super::ehr::Ticket) -> Vec<Known> {
        let begin_by = items.iter().map(|item| begin_by(&item.cleared)).min().unwrap_or(Timestamp::MAX);
        let (cleared, resources): (Vec<_>, Vec<_>) =
            items.into_iter().map(|Ready { cleared, resource }| (cleared, resource)).unzip();
        let sent = self.ehr.create_batch(cleared.iter().zip(resources).collect(), ticket, begin_by).await;
        cleared.into_iter().zip(sent).map(|(cleared, sent)| sent_as(cleared, sent)).collect()
    }

    fn ready(&self, outgoing: Outgoing) -> Result<Ready, Box<Known>> {
        let Outgoing { cleared, mapped, rung, resource_type } = outgoing;
        match self.forms.body(mapped, rung) {
            Ok(body) => Ok(Ready { cleared, resource: Resource { resource_type, body } }),
            Err(reason) => {
                let item = cleared.into_item();
                Err(Box::new(Known { item, from: DeliveryState::Sending, verdict: Verdict::Stuck(reason) }))
            }
        }
    }
}

fn flush(batch: &mut Vec<Ready>, ticket: Option<super::ehr::Ticket>, errands: &mut Vec<Errand>) {
    if let Some(ticket) = ticket.filter(|_| !batch.is_empty()) {
        errands.push(Errand::Batch(std::mem::take(batch), Box::new(ticket)));
    }
}

fn begin_by(cleared: &Cleared<Delivery>) -> Timestamp {
    cleared.at().checked_add(BEGIN_WITHIN).unwrap_or(Timestamp::MAX)
}

fn sent_as(cleared: Cleared<Delivery>, sent: Sent) -> Known {
    Known { item: cleared.into_item(), from: DeliveryState::Sending, verdict: Verdict::Sent(sent) }
}
