//! What a clinic recommended of late, and what became of it: as it stands when the page is made. What the member answered that
//! the clinic's EHR took in no other form is said here.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::day::Period;
use crate::domain::ids::{ClinicId, RecommendationId};
use crate::domain::page::{Recommended, Untold};
use crate::domain::recommendation::{AnswerFate, Answered, Recommendation, RecommendationState, Reply, Said, Says};
use crate::insight::standing::Standing;
use crate::recommendations::{self, RecommendationError};
use crate::store::Tx;

/// How far back it is looked, in things that clinics have for a member.
const MOST: i64 = 200;

/// How many stand on a page.
const MOST_ON_A_PAGE: usize = 8;

/// How much of what each says, in characters.
const GLIMPSE: usize = 60;

/// How much of what the member wrote, in characters.
const LONGEST_REPLY: usize = 600;

/// What the page about the last of these weeks says of it; nothing where the consent lets the clinic know nothing of it.
///
/// # Errors
/// [`RecommendationError`].
pub async fn recommended(
    tx: &mut Tx,
    standing: &Standing,
    clinic: &ClinicId,
    weeks: &[Period],
    now: Timestamp,
) -> Result<Vec<Recommended>, RecommendationError> {
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else { return Ok(Vec::new()) };
    let found = recommendations::page(tx, &standing.key, None, MOST).await?.recommendations;
    let found: Vec<Recommendation> =
        found.into_iter().filter(|it| it.clinic == *clinic && it.received_at < last.end).collect();
    let is_told = |it: &Recommendation| {
        let reply = it.says.as_ref().map(|says| Reply { member: it.member, to: &says.source, says: Says::Seen });
        reply.is_some_and(|reply| standing.decide(&reply, clinic, now).is_ok())
    };
    if !found.iter().any(is_told) {
        return Ok(Vec::new());
    }
    // Under an earlier consent nothing was lost that this one would have to make good.
    let grant = standing.grants.iter().find(|grant| grant.clinic == *clinic);
    let since = grant.map_or(first.start, |grant| grant.terms.valid_from.max(first.start));
    let mut untold: HashMap<RecommendationId, Vec<Untold>> = HashMap::new();
    for (to, answered) in recommendations::answers(tx, &standing.key, None).await? {
        if answered.fate == AnswerFate::NotTold && (since..last.end).contains(&answered.at) {
            untold.entry(to).or_default().push(untold_of(&answered, standing));
        }
    }
    let of = |it: Recommendation| {
        let replies = untold.remove(&it.id).unwrap_or_default();
        let is_open = it.state < RecommendationState::Declined;
        let is_fresh = is_open || it.updated_at >= first.start;
        let says = it.says.as_ref().filter(|says| (says.is_actionable && is_fresh) || !replies.is_empty())?;
        Some(Recommended {
            kind: it.kind,
            what: glimpse(says),
            on: standing.days.day_of(it.received_at),
            state: it.state,
            since: standing.days.day_of(it.updated_at),
            is_actionable: says.is_actionable,
            replies,
        })
    };
    Ok(found.into_iter().filter_map(of).take(MOST_ON_A_PAGE).collect())
}

fn untold_of(answered: &Answered, standing: &Standing) -> Untold {
    Untold {
        answer: answered.answer.as_str(),
        text: answered.answer.text().map(|text| cut(&text.replace('\n', " "), LONGEST_REPLY)),
        on: standing.days.day_of(answered.at),
    }
}

fn glimpse(says: &Said) -> String {
    let line = says.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    cut(line, GLIMPSE)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}
