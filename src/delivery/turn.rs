//! A turn: one short transaction that writes down what is known of items, and decides about the next ones.
//!
//! It holds the members' consent and the lanes' leases from the decision to the mark *sending*: after a revocation has
//! committed, no send begins.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::account;
use super::booked;
use super::desk::{Desk, WorkError};
use super::ehr::Ticket;
use super::names::TASK_TYPE;
use super::settle::{Known, Outcome, Verdict, outcome};
use super::smart_auth::TokenError;
use super::weigh::{Job, Parked, Scales, Step, Task, weigh};
use crate::consent::decide::DenyReason;
use crate::domain::category::Detail;
use crate::domain::delivery::{Delivery, DeliveryState, Operation, Stored};
use crate::domain::grant::Grant;
use crate::domain::ids::MemberId;
use crate::domain::matter::Matter;
use crate::outbox::enqueue::PAYLOAD_COLUMN;
use crate::store::{Heads, HeldLane, Lane, LaneKey, Settled, Tx, Unsummarised, WITHDRAWN_REASON};
use crate::telemetry::crash_point;
use crate::vault::{ContentKey, MemberKey};

/// The column an EHR's answer is sealed for; its row is the delivery's id.
pub const ANSWER_COLUMN: &str = "outbox.sealed_answer";

/// How many items of a lane are settled without a request in one transaction.
const SETTLED_PER_TURN: usize = 100;

/// How long a lane is left alone that begins with something that this version does not know.
const LEFT_FOR: SignedDuration = SignedDuration::from_secs(5);

/// What may be had for requests, by member.
pub type Tickets = HashMap<MemberId, Result<Ticket, TokenError>>;

/// What came of a turn.
#[derive(Debug, Default)]
pub struct Turned {
    /// The requests to be made.
    pub jobs: Vec<Job>,
    /// The lanes they are for; all others were given back.
    pub busy: BTreeSet<MemberId>,
    /// Until when their leases last.
    pub lease_end: Timestamp,
}

/// A transaction that holds some members' consent and their lanes.
struct Turn<'a> {
    desk: &'a Desk,
    tx: Tx,
    grants: Vec<Grant>,
    /// Those that have ended, of members for whose items they were needed.
    ended: HashMap<MemberId, Vec<Grant>>,
    /// The members' keys, still wrapped.
    keys: HashMap<MemberId, Vec<u8>>,
    held: BTreeMap<MemberId, HeldLane>,
    unsummarised: Vec<Unsummarised>,
    /// Pages that are to be made anew, each by its identifier.
    pages: Vec<(LaneKey, String)>,
    now: Timestamp,
}

/// Settles what is known and deals with the first items of `lanes`, for at most `room` of which a request may be made.
/// Lanes whose lease was lost are left alone: somebody else finds out about their items.
///
/// # Errors
/// [`WorkError`]; then nothing was written.
pub async fn turn(
    desk: &Desk,
    lanes: &[Lane],
    known: Vec<Known>,
    tickets: &Tickets,
    room: usize,
) -> Result<Turned, WorkError> {
    let settles = !known.is_empty();
    let members: Vec<MemberId> = lanes.iter().map(|lane| lane.key.member).collect();
    let mut tx = desk.parts.store.begin().await?;
    // The members before the lanes: whoever changes consent takes them in this order, and so must everyone.
    let keys = tx.hold_members(&members).await?;
    let grants = tx.living_grants(&members).await?;
    // The time only now: waiting for the locks may have taken some of it.
    let now = desk.parts.clock.now();
    let held = tx.hold_lanes(&desk.clinic, lanes, now).await?;
    let (ended, unsummarised, pages) = (HashMap::new(), Vec::new(), Vec::new());
    let mut turn = Turn { desk, tx, grants, ended, keys, held, unsummarised, pages, now };
    turn.settle(known.into_iter().filter(|known| turn.may_be_settled(known)).collect()).await?;
    if settles {
        crash_point("deliver:before-settled");
    }
    let turned = turn.deal(tickets, room).await?;
    let marked = turned.jobs.iter().any(|job| marked_as(&job.task).is_some());
    let Turn { mut tx, unsummarised, pages, .. } = turn;
    tx.summarise_instead(&unsummarised, now).await?;
    tx.page_instead(&pages, now).await?;
    tx.commit().await?;
    if settles || turned.busy.is_empty() {
        crash_point("deliver:settled");
    }
    if marked {
        crash_point("deliver:marked-sending");
    }
    Ok(turned)
}

impl Turn<'_> {
    /// Deals with the first items of the lanes, again and again as long as no request is needed for them.
    async fn deal(&mut self, tickets: &Tickets, room: usize) -> Result<Turned, WorkError> {
        let mut turned = Turned::default();
        let (mut lanes, mut free) = self.sweep().await?;
        for _ in 0..SETTLED_PER_TURN {
            let asked: Vec<MemberId> = lanes.iter().copied().collect();
            let Heads { items, unknown } = self.tx.lane_heads(&self.desk.clinic, &asked).await?;
            self.leave(&unknown, &mut lanes).await?;
            self.load_ended_grants(items.iter().map(|(item, _)| item)).await?;
            let mut settled = Vec::new();
            let mut going: BTreeSet<MemberId> = BTreeSet::new();
            for (item, due_at) in items {
                let member = item.member;
                if due_at > self.now || turned.jobs.len() >= room {
                    continue;
                }
                let Some(ticket) = tickets.get(&member) else { continue };
                let step = self.weigh(item, ticket);
                match self.unless_parked(step, member, ticket).await? {
                    Step::Settle(known) => {
                        settled.push(*known);
                        going.insert(member);
                    }
                    Step::Park(parked) => {
                        self.park(*parked).await?;
                        lanes.remove(&member);
                    }
                    Step::Ask(job) => {
                        turned.jobs.push(*job);
                        turned.busy.insert(member);
                        lanes.remove(&member);
                    }
                }
            }
            free.extend(lanes.iter().filter(|member| !going.contains(member)));
            lanes = going;
            if lanes.is_empty() {
                break;
            }
            self.settle(settled).await?;
        }
        free.extend(lanes);
        let marks: Vec<(&Delivery, &str)> = turned.jobs.iter().filter_map(|job| marked_as(&job.task)).collect();
        self.tx.mark_sending(&self.desk.clinic, &marks, self.now).await?;
        account::of_sending(&mut self.tx, &turned.jobs, self.now);
        turned.lease_end = self.prolong(&turned.busy).await?;
        self.tx.release_lanes(&self.desk.clinic, &free, self.now).await?;
        Ok(turned)
    }

    /// Gives lanes back whose first item is of a kind that only a later version of this program knows: as long as replicas of
    /// both are at work, the other one takes them up.
    async fn leave(&mut self, unknown: &[MemberId], lanes: &mut BTreeSet<MemberId>) -> Result<(), WorkError> {
        let until = self.now.checked_add(LEFT_FOR).unwrap_or(Timestamp::MAX);
        for member in unknown {
            tracing::info!(clinic_id = %self.desk.clinic, "a lane is left to a later version of this program");
            self.tx.park_lane(&self.desk.lane(*member), until).await?;
            lanes.remove(member);
        }
        Ok(())
    }

    /// Sees to it that the leases of these lanes last for a while. Until when they all do.
    async fn prolong(&mut self, busy: &BTreeSet<MemberId>) -> Result<Timestamp, WorkError> {
        let after = |time| self.now.checked_add(time).unwrap_or(Timestamp::MAX);
        let (fresh, until) = (after(self.desk.parts.patience.fresh()), after(self.desk.parts.patience.lease));
        let leased = busy.iter().filter_map(|member| Some((*member, self.held.get(member)?.lease_until)));
        let (stale, lasting): (Vec<_>, Vec<_>) = leased.partition(|(_, end)| *end < fresh);
        let stale: Vec<MemberId> = stale.into_iter().map(|(member, _)| member).collect();
        self.tx.prolong_leases(&self.desk.clinic, &stale, until).await?;
        Ok(lasting.into_iter().map(|(_, end)| end).min().unwrap_or(until).min(until))
    }

    /// Of the lanes in hand, those on which work goes on, and those that are not swept yet. Only a portion of one of these
    /// is swept in a turn, so that the others need not wait for it.
    async fn sweep(&mut self) -> Result<(BTreeSet<MemberId>, Vec<MemberId>), WorkError> {
        let is_unswept =
            |(member, lane): (&MemberId, &HeldLane)| lane.is_unswept.then_some((*member, lane.withdrawn_through));
        let mut unswept: Vec<(MemberId, i64)> = self.held.iter().filter_map(is_unswept).collect();
        if let Some((member, through)) = unswept.last().copied()
            && self.tx.sweep_lane(&self.desk.lane(member), through, self.now).await?
        {
            unswept.pop();
        }
        let unswept: Vec<MemberId> = unswept.into_iter().map(|(member, _)| member).collect();
        let lanes = self.held.keys().copied().filter(|member| !unswept.contains(member)).collect();
        Ok((lanes, unswept))
    }

    /// Whether the consent has ended under which it was put on its lane.
    fn is_withdrawn(&self, item: &Delivery) -> bool {
        self.held.get(&item.member).is_some_and(|lane| item.seq <= lane.withdrawn_through)
    }

    /// Whether the lane is in hand, and the item not withdrawn since it was searched for.
    fn may_be_settled(&self, known: &Known) -> bool {
        self.held.contains_key(&known.item.member) && !(known.from.waits() && self.is_withdrawn(&known.item))
    }

    fn member_key(&self, member: MemberId) -> Option<MemberKey> {
        self.desk.parts.keyring.unwrap_member_key(member, self.keys.get(&member)?).ok()
    }

    /// The key of what stands on a member's lane.
    fn content_key(&self, member: MemberId) -> Option<ContentKey> {
        self.member_key(member)?.content_key(&self.desk.clinic, self.held.get(&member)?.sealed_key.as_deref()).ok()
    }

    /// What is to be done on a lane instead of parking it: that a consent is set aside is told during the pause, not after.
    async fn unless_parked(
        &mut self,
        step: Step,
        member: MemberId,
        ticket: &Result<Ticket, TokenError>,
    ) -> Result<Step, WorkError> {
        let Step::Park(mut parked) = step else { return Ok(step) };
        let Some((item, due_at)) = self.tx.lane_urgent(&self.desk.clinic, &[member]).await?.pop() else {
            return Ok(Step::Park(parked));
        };
        if due_at > self.now {
            parked.until = parked.until.min(due_at);
            return Ok(Step::Park(parked));
        }
        self.load_ended_grants(std::iter::once(&item)).await?;
        Ok(self.weigh(item, ticket))
    }

    /// The ended grants of those whose items need no living one.
    async fn load_ended_grants(&mut self, items: impl Iterator<Item = &Delivery>) -> Result<(), WorkError> {
        let narrow = items.filter(|item| !matches!(item.matter, Matter::Fact(_) | Matter::Page(_)));
        let members: BTreeSet<MemberId> =
            narrow.map(|item| item.member).filter(|id| !self.ended.contains_key(id)).collect();
        let members: Vec<MemberId> = members.into_iter().collect();
        self.ended.extend(members.iter().map(|member| (*member, Vec::new())));
        for grant in self.tx.ended_grants(&members).await? {
            self.ended.entry(grant.member).or_default().push(grant);
        }
        Ok(())
    }

    /// Leaves an item where it is, with the reason why, and its lane alone.
    async fn park(&mut self, parked: Parked) -> Result<(), WorkError> {
        let Parked { item, until, reason } = parked;
        if item.reason.as_deref() != Some(reason) {
            let noted = Settled {
                member: item.member,
                seq: item.seq,
                from: item.state,
                state: item.state,
                attempts: item.attempts,
                due_at: self.now,
                reason: Some(reason.to_owned()),
                sealed_answer: None,
            };
            self.tx.settle(&self.desk.clinic, vec![noted], self.now).await?;
            account::of_parking(&mut self.tx, &item, reason, self.now);
        }
        Ok(self.tx.park_lane(&self.desk.lane(item.member), until).await?)
    }

    fn weigh(&self, mut item: Delivery, ticket: &Result<Ticket, TokenError>) -> Step {
        if self.is_withdrawn(&item) {
            // Whatever its row still says.
            item.sealed_payload = None;
        }
        let with_ended: Vec<Grant>;
        let grants = match (&item.matter, self.ended.get(&item.member)) {
            (Matter::Fact(_) | Matter::Page(_), _) | (_, None) => &self.grants,
            (_, Some(ended)) => {
                with_ended = self.grants.iter().chain(ended).cloned().collect();
                &with_ended
            }
        };
        let policy = self.desk.warnings.as_deref();
        let scales = Scales { grants, policy, ticket: ticket.as_ref(), now: self.now };
        weigh(item, scales, |item| {
            let sealed = item.sealed_payload.as_ref()?;
            self.content_key(item.member)?.open(PAYLOAD_COLUMN, item.id.0.as_bytes(), sealed).ok()
        })
    }

    /// Writes down what is known.
    async fn settle(&mut self, known: Vec<Known>) -> Result<(), WorkError> {
        let mut settled = Vec::with_capacity(known.len());
        let mut stored: Vec<(Delivery, Stored)> = Vec::new();
        let mut booked = Vec::new();
        for known in known {
            let (item, from) = (known.item.clone(), known.from);
            self.unsummarised.extend(to_be_summarised(&known));
            self.pages.extend(to_be_paged(&known));
            let mut outcome = outcome(known, self.desk.rules(), self.now)?;
            if outcome.state.waits() && self.is_withdrawn(&item) {
                // It was under way when its consent ended, and was not stored: it does not wait for another attempt.
                (outcome.state, outcome.reason) = (DeliveryState::Withdrawn, Some(WITHDRAWN_REASON.to_owned()));
            }
            tracing::info!(delivery_id = %item.id, clinic_id = %item.clinic, state = outcome.state.as_str(), "settled");
            self.tell_of_warning(&item, &outcome).await?;
            let sealed_answer = self.seal(&item, &outcome)?;
            let key = self.member_key(item.member);
            account::of_settling(&mut self.tx, &item, &outcome, key.as_ref(), self.now)?;
            booked.extend(booked::answer(&item, &outcome));
            settled.push(Settled {
                member: item.member,
                seq: item.seq,
                from,
                state: outcome.state,
                attempts: outcome.attempts,
                due_at: outcome.due_at,
                reason: outcome.reason,
                sealed_answer,
            });
            // A Task of the clinic's is none of what the bridge wrote.
            let is_ours = item.matter != Matter::Answer || item.resource_type != TASK_TYPE;
            stored.extend(outcome.stored.filter(|_| is_ours).map(|stored| (item, stored)));
        }
        let confirmed: Vec<(&Delivery, &Stored)> = stored.iter().map(|(item, stored)| (item, stored)).collect();
        self.tx.insert_ledger(&self.desk.clinic, &confirmed, self.now).await?;
        self.tx.settle(&self.desk.clinic, settled, self.now).await?;
        Ok(booked::write_down(&mut self.tx, booked, self.now).await?)
    }

    /// A member is told that their clinic was warned, unless the policy says otherwise.
    async fn tell_of_warning(&mut self, item: &Delivery, outcome: &Outcome) -> Result<(), WorkError> {
        let is_told = self.desk.warnings.as_ref().is_none_or(|policy| policy.tell_member);
        let has_arrived = outcome.state == DeliveryState::Confirmed && matches!(item.matter, Matter::Warning(_));
        if let (true, true, Ok(identifier)) = (has_arrived, is_told, item.identifier.parse()) {
            self.tx.put_telling(item.member, identifier, self.now).await?;
        }
        Ok(())
    }

    /// What the EHR said, sealed. An item whose content was erased in the meantime keeps nothing that may quote it.
    fn seal(&self, item: &Delivery, outcome: &Outcome) -> Result<Option<Vec<u8>>, WorkError> {
        match &outcome.answer {
            Some(answer) if outcome.state == DeliveryState::Rejected && !self.is_withdrawn(item) => {
                let key = self.content_key(item.member);
                Ok(key.map(|key| key.seal(ANSWER_COLUMN, item.id.0.as_bytes(), answer)).transpose()?)
            }
            _ => Ok(None),
        }
    }
}

/// What is withdrawn because it is too fine is not lost: it counts in a summary of what is covered now. Nor is a summary that
/// begins before that, or of which a part is withheld now.
fn to_be_summarised(known: &Known) -> Option<Unsummarised> {
    let Matter::Fact(fact) = &known.item.matter else { return None };
    let is_for_one = match known.verdict {
        Verdict::Withdrawn(reason) if reason == DenyReason::SummaryOnly.as_str() => true,
        Verdict::Withdrawn(reason) => {
            let is_less =
                [DenyReason::BeforeDataPeriod, DenyReason::LabelWithheld].iter().any(|less| less.as_str() == reason);
            is_less && fact.detail != Detail::EveryEntry
        }
        _ => false,
    };
    (is_for_one && known.item.operation != Operation::Retract).then(|| Unsummarised {
        lane: LaneKey { clinic: known.item.clinic.clone(), member: known.item.member },
        category: fact.category,
        detail: fact.detail.min(Detail::DailySummary),
        measured_at: fact.measured_at,
    })
}

/// A page that may not go as it is, because the consent covers less now, is made anew with what it covers.
fn to_be_paged(known: &Known) -> Option<(LaneKey, String)> {
    const LESS: [DenyReason; 5] = [
        DenyReason::DirectionNotGranted,
        DenyReason::CategoryNotShared,
        DenyReason::SummaryOnly,
        DenyReason::LabelWithheld,
        DenyReason::BeforeDataPeriod,
    ];
    let Verdict::Withdrawn(reason) = known.verdict else { return None };
    let item = &known.item;
    let is_page = matches!(item.matter, Matter::Page(_)) && LESS.iter().any(|less| less.as_str() == reason);
    is_page.then(|| (LaneKey { clinic: item.clinic.clone(), member: item.member }, item.identifier.clone()))
}

/// The item that a request may change something with in the EHR, and the type as which it goes.
fn marked_as(task: &Task) -> Option<(&Delivery, &str)> {
    task.outgoing().map(|outgoing| (outgoing.cleared.item(), outgoing.resource_type.as_str()))
}
