//! Whether something is told, now that nobody can change what it depends on. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::words::{Item, What, subject_of};
use crate::consent::decide::{Direction, Reader, Request, decide};
use crate::domain::advice::Word;
use crate::domain::booking::Visit;
use crate::domain::grant::{Grant, Purpose, WayBack};
use crate::domain::ids::{ClinicId, MemberId};
use crate::domain::recommendation::{Recommendation, RecommendationKind, RecommendationState};
use crate::domain::telling::{Grade, Subject, Wishes};
use crate::insight::due::Due;
use crate::pipeline::House;
use crate::store::TellingRow;

/// What becomes of something that a member was to be told.
#[derive(Debug)]
pub enum Fate {
    /// It is not told: they know, or nothing of it may leave the portal.
    Drop,
    /// It is told later.
    Wait(Timestamp),
    /// It is told now.
    Tell(Box<Item>),
}

/// What it is weighed with.
#[derive(Clone, Copy)]
pub struct Scales<'a> {
    /// What the bridge says of its clinics.
    pub house: &'a House,
    /// The member's living grants, held.
    pub grants: &'a [Grant],
    /// What they wish.
    pub wishes: &'a Wishes,
    /// Where their clock stands.
    pub zone: &'a TimeZone,
    /// The time.
    pub now: Timestamp,
}

/// Weighs something that is there for a member.
pub fn weigh(row: &TellingRow, found: Recommendation, scales: Scales<'_>) -> Fate {
    let is_news = match found.state {
        RecommendationState::Received => true,
        // What was taken back before anybody heard of it is no news; that it was taken back afterwards is.
        RecommendationState::Retracted => row.created_at >= found.updated_at,
        _ => false,
    };
    if !is_news || scales.wishes.silent.contains(&subject_of(found.kind)) {
        return Fate::Drop;
    }
    let Some(grade) = permitted(&found, scales.grants, scales.now) else { return Fate::Drop };
    let due = scales.wishes.due(row.created_at, scales.now, scales.zone);
    if due > scales.now {
        return Fate::Wait(due);
    }
    // What is news says no more than that it is where it says nothing.
    let most = if found.says.is_none() && found.state == RecommendationState::Received { Grade::Notice } else { grade };
    Fate::Tell(Box::new(Item {
        clinic: scales.house.clinic_name(&found.clinic).to_owned(),
        what: What::Kept(found.kind),
        says: found.says,
        grade: most.min(scales.wishes.grade),
    }))
}

/// Weighs that a clinic was told something without the member's consent: nobody's consent keeps it from them, and
/// outside of the portal nothing is said of it but that there is something.
pub fn weigh_warning(row: &TellingRow, clinic: &ClinicId, scales: Scales<'_>) -> Fate {
    let due = scales.wishes.due(row.created_at, scales.now, scales.zone);
    if due > scales.now {
        return Fate::Wait(due);
    }
    let clinic = scales.house.clinic_name(clinic).to_owned();
    Fate::Tell(Box::new(Item { clinic, what: What::Warning, says: None, grade: Grade::Notice }))
}

/// Weighs that a member asked to be reminded: it waits only for a time at which they wish to be told anything.
pub fn weigh_wish(row: &TellingRow, scales: Scales<'_>) -> Fate {
    let due = scales.wishes.due(row.created_at, scales.now, scales.zone);
    if due > scales.now {
        return Fate::Wait(due);
    }
    Fate::Tell(Box::new(Item { clinic: String::new(), what: What::Wished, says: None, grade: Grade::Notice }))
}

/// Weighs the word that a questionnaire is due: to be told at all, a clinic that asks for it must be one from which they let
/// something come back. It says nothing but that there is something.
pub fn weigh_reminder(row: &TellingRow, due: &Due, member: MemberId, scales: Scales<'_>) -> Fate {
    let word = Word { member, advice: None };
    let may = |clinic: &&ClinicId| decide(scales.grants, Request::to_member(&word, clinic, scales.now)).is_ok();
    let Some(clinic) = due.clinics.iter().find(may) else { return Fate::Drop };
    if scales.wishes.silent.contains(&Subject::Questionnaire) {
        return Fate::Drop;
    }
    let at = scales.wishes.due(row.created_at, scales.now, scales.zone);
    if at > scales.now {
        return Fate::Wait(at);
    }
    let clinic = scales.house.clinic_name(clinic).to_owned();
    Fate::Tell(Box::new(Item {
        clinic,
        what: What::Kept(RecommendationKind::Questionnaire),
        says: None,
        grade: Grade::Notice,
    }))
}

/// Weighs the word that a visit is near. It says nothing but that there is something. It waits for a time at which the member
/// wishes to be told as long as at least half of what was left of the time before the visit is left then; else it comes now,
/// in quiet hours, too: a reminder that comes too late is none. After the visit began nobody is reminded of it.
pub fn weigh_visit(row: &TellingRow, visit: &Visit, scales: Scales<'_>) -> Fate {
    let word = Word { member: visit.member, advice: None };
    // Of a place that no clinic knows of, nobody but the member is anybody to ask.
    let is_known = visit.seat.is_none_or(|seat| seat.is_known);
    let may = !is_known || decide(scales.grants, Request::to_member(&word, &visit.clinic, scales.now)).is_ok();
    let (start, is_silent) = (visit.time.start, scales.wishes.silent.contains(&Subject::Appointment));
    if !may || is_silent || start <= scales.now {
        return Fate::Drop;
    }
    let at = scales.wishes.due(row.created_at, scales.now, scales.zone);
    let half = start.duration_since(row.created_at) / 2;
    if at > scales.now && start.duration_since(at) >= half {
        return Fate::Wait(at);
    }
    let (clinic, what) =
        (scales.house.clinic_name(&visit.clinic).to_owned(), What::Kept(RecommendationKind::Appointment));
    Fate::Tell(Box::new(Item { clinic, what, says: None, grade: Grade::Notice }))
}

/// Weighs that there is news of a place in a group session that no clinic knows of: the member took it here, and nothing is said
/// of it but that there is something.
pub fn weigh_place(row: &TellingRow, clinic: &ClinicId, scales: Scales<'_>) -> Fate {
    if scales.wishes.silent.contains(&Subject::Appointment) {
        return Fate::Drop;
    }
    let due = scales.wishes.due(row.created_at, scales.now, scales.zone);
    if due > scales.now {
        return Fate::Wait(due);
    }
    let (clinic, what) = (scales.house.clinic_name(clinic).to_owned(), What::Kept(RecommendationKind::Appointment));
    Fate::Tell(Box::new(Item { clinic, what, says: None, grade: Grade::Notice }))
}

/// How much may be said outside of the portal of something that a clinic has for a member: the least of what their consent and
/// they themselves let out; nothing, if there is nothing to say.
#[must_use]
pub fn sayable(item: &Recommendation, grants: &[Grant], wishes: &Wishes, now: Timestamp) -> Option<Grade> {
    item.says.as_ref()?;
    Some(permitted(item, grants, now)?.min(wishes.grade))
}

/// How much the member's consent lets out of the portal, if anything.
fn permitted(item: &Recommendation, grants: &[Grant], now: Timestamp) -> Option<Grade> {
    let ask = |purpose| {
        let (reader, direction) = (Reader::Record, Direction::ToMember);
        let request = Request { item, clinic: &item.clinic, reader, purpose, direction, now };
        decide(grants, request).ok().map(|permit| permit.obliges().way_back)
    };
    match ask(Purpose::Treatment).or_else(|| ask(Purpose::CareManagement))? {
        WayBack::None => None,
        WayBack::Notice => Some(Grade::Notice),
        WayBack::Full => Some(Grade::Full),
    }
}
