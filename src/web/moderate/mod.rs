//! The review queue: where a community's people see which members want a human's eye, since when, and say who looks after it.
//!
//! Frame, forms, guard and the table of pages are the portal's, the way in is that of clinics' staff. Whoever is here sees the
//! concerns of their own community and no others: that somebody is to be looked after and why, and nothing of what they answered.

mod one;
mod queue;
mod sign_in;

pub use one::{acknowledge, close, escalate, show};
pub use queue::{history, queue};
pub use sign_in::{begin, come_back, sign_in, sign_out};

use jiff::{SignedDuration, Timestamp};

use super::State;
use super::clinic::{Here, StaffSession};
use super::portal::caller::Caller;
use super::portal::error::PortalError;
use super::portal::frame::Frame;
use crate::domain::concern::{ConcernState, Rule};
use crate::domain::day::Days;
use crate::domain::staff::{Moderator, Somebody, Whose};
use crate::safety::{Concern, SafetyError};

/// Where a community's people sign in.
pub const SIGN_IN: &str = "/moderate/sign-in";

/// Where they begin.
const FIRST_PAGE: &str = "/moderate";

/// Whether a path leads to a page of the review queue.
#[must_use]
pub fn is_here(path: &str) -> bool {
    path.strip_prefix(FIRST_PAGE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Here for Moderator {
    fn session(caller: Caller) -> Option<StaffSession<Self>> {
        caller.moderator
    }

    fn of(who: Somebody) -> Option<Self> {
        who.moderator()
    }
}

/// How the community's time falls into days.
fn days(state: &State, who: &Moderator) -> Days {
    Days::new(std::iter::empty(), zone(state, who).rules().clone())
}

/// Where the community's clock stands.
fn zone(state: &State, who: &Moderator) -> crate::domain::zone::Zone {
    state.staff.zone(&Whose::Community(who.community.clone()))
}

/// Why there is a concern: the key of its words.
const fn why(rule: Rule) -> &'static str {
    match rule {
        Rule::SelfHarm => "moderate-rule-self-harm",
        Rule::AskedForSomebody => "moderate-rule-asked",
        Rule::Phrase => "moderate-rule-phrase",
        Rule::LowRisk => "moderate-rule-low-risk",
        Rule::ModerateRisk => "moderate-rule-moderate-risk",
        Rule::HighRisk => "moderate-rule-high-risk",
    }
}

/// How it stands: the key of its words.
const fn stands(state: ConcernState) -> &'static str {
    match state {
        ConcernState::Raised => "moderate-stands-raised",
        ConcernState::Told => "moderate-stands-told",
        ConcernState::Escalated => "moderate-stands-escalated",
        ConcernState::Acknowledged => "moderate-stands-acknowledged",
        ConcernState::Closed => "moderate-stands-closed",
    }
}

/// How long the member has waited until somebody looked after it, or waits.
fn waited(frame: &Frame, concern: &Concern, now: Timestamp) -> String {
    let until = concern.acknowledged.as_ref().map_or(now, |(at, _)| *at);
    let minutes = until.duration_since(concern.raised_at).max(SignedDuration::ZERO).as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    frame.tn("moderate-time", &[("days", days.into()), ("hours", hours.into()), ("minutes", minutes.into())])
}

/// Under which name the community knows the member.
fn name(frame: &Frame, concern: &Concern) -> String {
    concern.handle.clone().unwrap_or_else(|| frame.t("moderate-gone"))
}

impl From<SafetyError> for PortalError {
    fn from(error: SafetyError) -> Self {
        match error {
            SafetyError::Store(error) => error.into(),
            SafetyError::NotFound => Self::NotFound,
            SafetyError::NotNow(_) => Self::ChangedMeanwhile,
            other => Self::internal(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn the_queue_is_nowhere_but_below_its_own_name() {
        assert!(["/moderate", "/moderate/", "/moderate/history"].iter().all(|path| is_here(path)));
        assert!(["/moderates", "/", "/clinic/moderate"].iter().all(|path| !is_here(path)));
    }
}
